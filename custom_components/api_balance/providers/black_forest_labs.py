"""Black Forest Labs (FLUX): the credits of an account.

Built from https://docs.bfl.ai and the OpenAPI description of the provider (official). Any
API key reads it; keys have no permissions to choose as far as is documented. A bad key is
refused with HTTP 401 or 403, as other people's code shows.

A positive number of credits is yours; what a credit costs is not picked up. Whether it can
fall below zero is not documented: such a number counts as depleted. How far the figures
lag behind is not documented. A poll costs one request and no credit.
"""

from typing import override

import voluptuous as vol

from ..model import Snapshot, Unit, Wallet
from .base import InvalidCredentials, Provider, ProviderError, Refusal
from .fields import amount

_BALANCE = {vol.Required("credits"): amount}
_CREDITS = Unit.named("credits")


class BlackForestLabs(Provider):
    """An account with Black Forest Labs."""

    id = "black_forest_labs"
    name = "Black Forest Labs"
    hosts = {"ai": "https://api.bfl.ai"}
    key_kind = "API key"
    key_header = "x-key"
    key_url = "https://bfl.ai"
    top_up_url = "https://bfl.ai"
    status_url = "https://bfl.ai"

    @override
    @classmethod
    def explain(cls, refusal: Refusal) -> ProviderError | None:
        """Know a bad key by the status 403 with a reason, too: no key lacks anything."""
        is_bad_key = refusal.status == 403 and refusal.field("detail")
        return InvalidCredentials() if is_bad_key else None

    @override
    async def fetch(self) -> Snapshot:
        """Return the one wallet of the account."""
        answer = await self._client.get("/v1/credits", _BALANCE)
        return Snapshot(
            wallets=(
                Wallet(key=_CREDITS.key, unit=_CREDITS, balance=answer["credits"]),
            )
        )
