"""Stability AI: the credits of an account.

Not confirmed by the provider's documentation: the request and its answer are known from
other people's code only (seven programs that ask
https://api.stability.ai/v1/user/balance). It needs an ordinary API key; keys have no
permissions as far as is known.

The balance is in credits, also in parts of one; a positive number is yours. It is that of
the organization that the key belongs to. Whether it can fall below zero is not known:
such a balance counts as depleted. How far the figures lag behind is not known. A poll
costs one request.
"""

from typing import override

import voluptuous as vol

from ..model import Snapshot, Unit, Wallet
from .base import Provider
from .fields import amount

_BALANCE = {vol.Required("credits"): amount}
_CREDITS = Unit.named("credits")


class StabilityAI(Provider):
    """A Stability AI account."""

    id = "stability_ai"
    name = "Stability AI"
    hosts = {"ai": "https://api.stability.ai"}
    key_kind = "API key"
    key_url = "https://stability.ai"
    top_up_url = "https://stability.ai"
    status_url = "https://stability.ai"

    @override
    async def fetch(self) -> Snapshot:
        """Return the one wallet of the account."""
        answer = await self._client.get("/v1/user/balance", _BALANCE)
        return Snapshot(
            wallets=(
                Wallet(key=_CREDITS.key, unit=_CREDITS, balance=answer["credits"]),
            )
        )
