"""Runway: the credits of an organization.

Built from the provider's own client, https://github.com/runwayml/sdk-python, which is
generated from Runway's OpenAPI description. It needs an API key of an organization, made
in the developer portal (https://docs.dev.runwayml.com/guides/setup, official); keys have
no permissions to choose as far as is documented. How a bad key is refused is unconfirmed.

The balance is in credits that remain in the organization; a positive number is yours.
The limits of its tier, such as the credits that can be bought in a month, and the use of
each model are not picked up. Whether the balance can fall below zero is not documented:
such a balance counts as depleted. How far the figures lag behind is not documented. A
poll costs one request.
"""

from collections.abc import Mapping
from typing import override

import voluptuous as vol

from ..model import Snapshot, Unit, Wallet
from .base import Provider
from .fields import amount

_ORGANIZATION = {vol.Required("creditBalance"): amount}
_CREDITS = Unit.named("credits")


class Runway(Provider):
    """A Runway organization."""

    id = "runway"
    name = "Runway"
    # The name says "dev", but it is the production address.
    hosts = {"com": "https://api.dev.runwayml.com"}
    key_kind = "API key"
    key_url = "https://dev.runwayml.com"
    top_up_url = "https://dev.runwayml.com"
    status_url = "https://runwayml.com"

    @override
    @classmethod
    def headers(cls, credentials: Mapping[str, str]) -> Mapping[str, str]:
        """Name the version of the API, without which Runway does not answer."""
        return {**super().headers(credentials), "X-Runway-Version": "2024-11-06"}

    @override
    async def fetch(self) -> Snapshot:
        """Return the one wallet of the organization."""
        answer = await self._client.get("/v1/organization", _ORGANIZATION)
        credit = answer["creditBalance"]
        return Snapshot(
            wallets=(Wallet(key=_CREDITS.key, unit=_CREDITS, balance=credit),)
        )
