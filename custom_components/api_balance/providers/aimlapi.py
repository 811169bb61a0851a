"""AI/ML API: the balance of an account.

Built from https://docs.aimlapi.com/api-references/service-endpoints/account-balance and
the OpenAPI description behind it (official). It needs an ordinary API key; keys have no
permissions to choose as far as is documented. How a bad key is refused is unconfirmed.

The balance is in the currency that the answer names, which is always US dollars by the
documentation; a positive amount is your money. It is that of version 2: an older address
answers in credits, and is not asked. Whether the balance can fall below zero is not
documented: such a balance counts as depleted. How far the figures lag behind is not
documented. A poll costs one request.
"""

from typing import override

import voluptuous as vol

from ..model import Snapshot, Wallet
from .base import Provider
from .fields import amount, currency

_BILLING = {
    vol.Required("current_balance"): amount,
    vol.Required("currency"): currency,
}


class AIMLAPI(Provider):
    """An AI/ML API account."""

    id = "aimlapi"
    name = "AI/ML API"
    hosts = {"com": "https://api.aimlapi.com"}
    key_kind = "API key"
    key_url = "https://aimlapi.com/app"
    top_up_url = "https://aimlapi.com/app/billing"
    status_url = "https://aimlapi.com"

    @override
    async def fetch(self) -> Snapshot:
        """Return the one wallet of the account."""
        answer = await self._client.get("/v2/billing", _BILLING)
        unit = answer["currency"]
        return Snapshot(
            wallets=(
                Wallet(key=unit.key, unit=unit, balance=answer["current_balance"]),
            )
        )
