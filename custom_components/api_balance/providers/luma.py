"""Luma AI: the balance of the Dream Machine API, in US dollars.

Built from https://docs.lumalabs.ai/changelog/callbacks-and-credits-balance and the
provider's own Python client (official). Any API key reads it; keys have no permissions to
choose as far as is documented.

Luma reports cents of a US dollar, with fractions; a positive balance is your money. It is
that of the API: credits of a subscription in the browser are not documented to be in it.
Whether it can fall below zero is not documented: such a balance counts as depleted. How
far the figures lag behind is not documented. A poll costs one request.
"""

from typing import override

import voluptuous as vol

from ..model import Snapshot, Unit, Wallet
from .base import Provider
from .fields import scaled

_CREDITS = {vol.Required("credit_balance"): scaled(-2)}
_USD = Unit.money("USD")


class Luma(Provider):
    """A Luma AI account."""

    id = "luma"
    name = "Luma AI"
    hosts = {"ai": "https://api.lumalabs.ai"}
    key_kind = "API key"
    key_url = "https://lumalabs.ai"
    top_up_url = "https://lumalabs.ai"
    status_url = "https://lumalabs.ai"

    @override
    async def fetch(self) -> Snapshot:
        """Return the one wallet of the account."""
        answer = await self._client.get("/dream-machine/v1/credits", _CREDITS)
        return Snapshot(
            wallets=(Wallet(key=_USD.key, unit=_USD, balance=answer["credit_balance"]),)
        )
