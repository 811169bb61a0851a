"""seven.io: the balance of an account, once called sms77.

Built from https://docs.seven.io/en/rest-api/endpoints/account#balance and the type
`Balance` of the provider's own JavaScript client (official). It needs an API key from
the developer area, with the scope `balance` where scopes are chosen. A key that is tied
to certain IP addresses needs the one of Home Assistant among them. Keys whose requests
have to be signed are not supported.

The balance is a number in the currency that the answer names; a positive balance is
your money. Whether an account pays afterwards is not reported: a balance below zero
counts as depleted. Subaccounts and their automatic top-up are not read.

seven.io answers every request with HTTP 200, and an error with a bare code in place of the
balance: 900 for a bad key, 901 for a missing signature, 902 for a missing scope and 903
for an IP address that is not allowed. The client has 900 and 903, too; for 901 and 902,
which are from other people's programs, it has other names (invalid message id, deactivated
API), so these two are less sure. A bare number that is none of these codes is not taken for
a balance, as it has no currency. How far the figures lag behind is not documented. A poll
costs one request.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Any, override

import voluptuous as vol

from ..model import Snapshot, Wallet
from .base import (
    InvalidCredentials,
    MissingPermission,
    Provider,
    ProviderError,
    Refusal,
    UnexpectedAnswer,
    WrongCredentialKind,
)
from .fields import amount, currency

_CODE = vol.Any(str, Decimal)
_BALANCE = vol.Any(
    {vol.Required("amount"): amount, "currency": currency},
    {vol.Required("success"): _CODE},
    {vol.Required("code"): _CODE},
    _CODE,
)


class Seven(Provider):
    """A seven.io account."""

    id = "seven"
    name = "seven.io"
    hosts = {"io": "https://gateway.seven.io"}
    key_kind = "API key without signing requirement"
    key_header = "X-Api-Key"
    key_url = "https://app.seven.io/developer"
    top_up_url = "https://app.seven.io"
    status_url = "https://status.seven.io"
    permission = "balance"
    poll_interval = timedelta(minutes=10)

    @override
    @classmethod
    def explain(cls, refusal: Refusal) -> ProviderError | None:
        """Return what the code in place of an answer means."""
        match _code(refusal.body):
            case "900":
                return InvalidCredentials()
            case "901":
                return WrongCredentialKind()
            case "902":
                return MissingPermission(cls.permission)
            case "903":
                return MissingPermission("IP address of Home Assistant")
            case _:
                return None

    @override
    async def fetch(self) -> Snapshot:
        """Return the one wallet of the account."""
        answer = await self._client.get("/api/balance", _BALANCE)
        # An answer with a code is an error, whatever stands beside the code.
        if not isinstance(answer, dict) or answer.keys() & {"success", "code"}:
            raise self.explain(Refusal(status=200, body=answer)) or UnexpectedAnswer(
                "JSON"
            )
        unit = answer.get("currency") or currency(None)
        return Snapshot(
            wallets=(Wallet(key=unit.key, unit=unit, balance=answer["amount"]),)
        )


def _code(body: Any) -> str:
    """Return the code of an error: bare, or in a field of its own."""
    if isinstance(body, dict):
        body = body.get("success", body.get("code"))
    return str(body).strip()
