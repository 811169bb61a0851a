"""Recraft: the API units of an account or a workspace.

Built from https://www.recraft.ai/docs/api-reference/api-portal and the OpenAPI description
of Recraft (official). Any API token reads it; tokens have no permissions to choose as far
as is documented. A token belongs to the personal account or to the workspace that was
selected when it was made, and shows the units of that one.

API units are called credits in the answer, and here. They are bought, do not expire, and
are separate from the credits of Recraft Studio, which are not shown. A positive number is
yours. Name and mail address, which are in the answer, are not picked up. How far the
figures lag behind is not documented. A poll costs one request.
"""

from typing import override

import voluptuous as vol

from ..model import Snapshot, Unit, Wallet
from .base import Provider
from .fields import account_id, amount

_USER = {vol.Required("credits"): amount, "id": account_id}
_CREDITS = Unit.named("credits")


class Recraft(Provider):
    """A Recraft account."""

    id = "recraft"
    name = "Recraft"
    hosts = {"ai": "https://external.api.recraft.ai"}
    key_kind = "API token"
    key_url = "https://www.recraft.ai/docs/api-reference/api-portal"
    top_up_url = "https://www.recraft.ai/docs/api-reference/api-portal"
    status_url = "https://www.recraft.ai"

    @override
    async def fetch(self) -> Snapshot:
        """Return the one wallet of the account."""
        answer = await self._client.get("/v1/users/me", _USER)
        return Snapshot(
            account_ids=frozenset({answer["id"]} if "id" in answer else ()),
            wallets=(
                Wallet(key=_CREDITS.key, unit=_CREDITS, balance=answer["credits"]),
            ),
        )
