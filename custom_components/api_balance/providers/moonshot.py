"""Moonshot AI (Kimi): what can be spent, in vouchers and in cash, and what is owed.

Built from https://platform.moonshot.ai/docs/api/balance, and for mainland China from
https://platform.moonshot.cn/docs/api/balance (official). Any API key of the open platform
reads it; keys have no permissions to choose. A key belongs to the host it was made for, and the
other host calls it a bad key. Keys of a Kimi Code subscription (`sk-kimi-`) belong to
another system and have no balance.

The answer names no currency: it is USD at api.moonshot.ai and CNY at api.moonshot.cn.
Granted is what is left of the vouchers and is never negative. Topped up is the cash; it is
negative where money is owed. The balance is both together. The available credit is
Moonshot's own figure, and at zero or below the models refuse to work. Debt does not reduce
it: while cash is negative it is what the vouchers hold, and then it is more than the
balance.

When Moonshot refuses with `exceeded_current_quota_error`, with status 403 or 429, the
account counts as depleted; the error is from
https://forum.moonshot.ai/t/api-billing-behaviour/111 (Moonshot's own staff), which also
says that Moonshot is prepaid only and may book a call some minutes late.

The answer says a second time, inside, whether it is one; any code but 0 is an error, and
what the codes mean is not documented. Moonshot documents a slight delay in what its console
shows; how fresh this balance is, is not documented. A poll costs one request.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import override

import voluptuous as vol

from ..model import Snapshot, Unit, Wallet
from .base import (
    PaymentRequired,
    Provider,
    ProviderError,
    Refusal,
    WrongCredentialKind,
    bearer,
)
from .fields import amount

_CURRENCIES = {"ai": "USD", "cn": "CNY"}

_BALANCE = {
    vol.Required("code"): 0,
    vol.Required("status"): True,
    vol.Required("data"): {
        vol.Required("available_balance"): amount,
        vol.Required("voucher_balance"): amount,
        vol.Required("cash_balance"): amount,
    },
}


class Moonshot(Provider):
    """An account of the Kimi open platform."""

    id = "moonshot"
    name = "Moonshot AI (Kimi)"
    hosts = {"ai": "https://api.moonshot.ai", "cn": "https://api.moonshot.cn"}
    key_kind = "API key of the Kimi open platform"
    key_url = "https://platform.moonshot.ai/console/api-keys"
    top_up_url = "https://platform.moonshot.ai/console/pay"
    status_url = "https://status.moonshot.cn"
    poll_interval = timedelta(minutes=10)

    @override
    @classmethod
    def headers(cls, credentials: Mapping[str, str]) -> Mapping[str, str]:
        """Return the headers that show the credentials."""
        if credentials["api_key"].startswith("sk-kimi-"):
            raise WrongCredentialKind
        return bearer(credentials["api_key"])

    @override
    @classmethod
    def explain(cls, refusal: Refusal) -> ProviderError | None:
        """Return whether the account is depleted, which is no matter of the key."""
        if refusal.field("error", "type") == "exceeded_current_quota_error":
            return PaymentRequired()
        return None

    @override
    async def fetch(self) -> Snapshot:
        """Return the one wallet of the account."""
        answer = await self._client.get("/v1/users/me/balance", _BALANCE)
        data = answer["data"]
        # Only the host decides the currency.
        unit = Unit.money(_CURRENCIES[self._region])
        return Snapshot(
            wallets=(
                Wallet(
                    key=unit.key,
                    unit=unit,
                    balance=data["voucher_balance"] + data["cash_balance"],
                    available=data["available_balance"],
                    granted=data["voucher_balance"],
                    paid=data["cash_balance"],
                ),
            )
        )
