"""Serper: the search credits of an account.

Not confirmed by the provider's documentation: the request and its answer are known from
other people's code only (nine programs that ask https://google.serper.dev/account). It
needs an ordinary API key; keys have no permissions as far as is known. A key that is not
known is refused with HTTP 401 or 403, as that code expects.

The balance is in credits; a positive number is yours. That credits lapse some months
after they were bought is also known from others only, and the day is not reported.
Whether the balance can fall below zero is not known: such a balance counts as depleted.
How far the figures lag behind is not known. A poll costs one request and no credit.
"""

from typing import override

import voluptuous as vol

from ..model import Snapshot, Unit, Wallet
from .base import InvalidCredentials, Provider, ProviderError, Refusal
from .fields import amount

_ACCOUNT = {vol.Required("balance"): amount}
_CREDITS = Unit.named("credits")


class Serper(Provider):
    """A Serper account."""

    id = "serper"
    name = "Serper"
    hosts = {"dev": "https://google.serper.dev"}
    key_kind = "API key"
    key_header = "X-API-KEY"
    key_url = "https://serper.dev"
    top_up_url = "https://serper.dev"
    status_url = "https://serper.dev"

    @override
    @classmethod
    def explain(cls, refusal: Refusal) -> ProviderError | None:
        """Take HTTP 403 for a bad key: keys have no permissions."""
        return InvalidCredentials() if refusal.status == 403 else None

    @override
    async def fetch(self) -> Snapshot:
        """Return the one wallet of the account."""
        answer = await self._client.get("/account", _ACCOUNT)
        return Snapshot(
            wallets=(
                Wallet(key=_CREDITS.key, unit=_CREDITS, balance=answer["balance"]),
            )
        )
