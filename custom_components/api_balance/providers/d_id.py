"""D-ID: the credits of an account.

Built from https://docs.d-id.com and the OpenAPI description of D-ID (official). It needs
an API key, as the studio shows it: it is sent after the word Basic without a change, as in
most programs. Some encode it once more; if your key is refused, enter it in base64.

The remaining credits are the provider's sum of all that were bought or granted; when
parts of them expire is not shown. A positive number is yours. An account without credits
is answered with HTTP 404 and the kind NotFoundError, which is documented and shown as zero.
How far the figures lag behind is not documented. A poll costs one request and no credit.
"""

from decimal import Decimal
from typing import override

import voluptuous as vol

from ..model import Snapshot, Unit, Wallet
from .base import NotFound, Provider, ProviderError, Refusal, UnexpectedAnswer
from .fields import account_id, amount, doubtful

_ACCOUNT = {
    vol.Required("remaining"): amount,
    vol.Optional("credits", default=list): [
        {vol.Optional("owner_id", default=None): doubtful(account_id)}
    ],
}
_NOTHING = {"remaining": Decimal(), "credits": []}
_CREDITS = Unit.named("credits")


class DID(Provider):
    """A D-ID account."""

    id = "d_id"
    name = "D-ID"
    hosts = {"com": "https://api.d-id.com"}
    key_kind = "API key"
    key_scheme = "Basic"
    key_url = "https://studio.d-id.com/account-settings"
    top_up_url = "https://studio.d-id.com"
    status_url = "https://www.d-id.com"

    @override
    @classmethod
    def explain(cls, refusal: Refusal) -> ProviderError | None:
        """Keep a 404 that is not about credits from being taken for zero."""
        is_zero = refusal.field("kind") == "NotFoundError"
        is_lost = refusal.status == 404 and not is_zero
        return UnexpectedAnswer("HTTP 404") if is_lost else None

    @override
    async def fetch(self) -> Snapshot:
        """Return the one wallet of the account."""
        try:
            answer = await self._client.get("/credits", _ACCOUNT)
        except NotFound:
            answer = _NOTHING
        owners = {lot["owner_id"] for lot in answer["credits"]}
        return Snapshot(
            account_ids=frozenset(owners - {None}),
            wallets=(
                Wallet(key=_CREDITS.key, unit=_CREDITS, balance=answer["remaining"]),
            ),
        )
