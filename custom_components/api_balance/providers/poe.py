"""Poe: the compute points of an account.

Built from https://creator.poe.com/api-reference/getCurrentBalance (official). It needs
an API key of Poe; keys have no permissions to choose as far as is documented.

The balance is in points, those of the plan and those of add-ons together; a positive
number is yours. The points of a plan start anew, but when is not reported, and how many
of the points they are is not either. What has been spent is not picked up. Whether the
balance can fall below zero is not documented: such a balance counts as depleted. How far
the figures lag behind is not documented. A poll costs one request and no points.
"""

from typing import override

import voluptuous as vol

from ..model import Snapshot, Unit, Wallet
from .base import Provider
from .fields import amount

_BALANCE = {vol.Required("current_point_balance"): amount}
_POINTS = Unit.named("points")


class Poe(Provider):
    """A Poe account."""

    id = "poe"
    name = "Poe"
    hosts = {"com": "https://api.poe.com"}
    key_kind = "API key"
    key_url = "https://poe.com/api/keys"
    top_up_url = "https://poe.com"
    status_url = "https://poe.com"

    @override
    async def fetch(self) -> Snapshot:
        """Return the one wallet of the account."""
        answer = await self._client.get("/usage/current_balance", _BALANCE)
        points = answer["current_point_balance"]
        return Snapshot(
            wallets=(Wallet(key=_POINTS.key, unit=_POINTS, balance=points),)
        )
