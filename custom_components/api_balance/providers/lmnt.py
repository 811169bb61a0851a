"""LMNT: the characters that remain in the billing period, and the limit of the plan.

Built from https://docs.lmnt.com/api-reference/account-info and the provider's own client,
https://github.com/lmnt-com/lmnt-python. It needs an ordinary API key; keys have no
permissions to choose as far as is documented. How a bad key is refused is unconfirmed.

The field is named usage, but holds the characters that remain: the client says so, the
documentation does not say what it means. Whether characters beyond the limit are billed
is not reported, so nothing remaining counts as depleted; when the period starts anew is
not reported either. How far the figures lag behind is not documented. A poll costs one
request and no characters.
"""

from decimal import Decimal
from typing import override

import voluptuous as vol

from ..model import Quota, Snapshot, Unit
from .base import Provider
from .fields import amount

_ACCOUNT = {
    vol.Required("usage"): {vol.Required("characters"): amount},
    vol.Optional("plan", default=dict): {"character_limit": amount},
}
_CHARACTERS = Unit.named("characters")


class LMNT(Provider):
    """An LMNT account."""

    id = "lmnt"
    name = "LMNT"
    hosts = {"com": "https://api.lmnt.com"}
    key_kind = "API key"
    key_header = "X-API-Key"
    key_url = "https://lmnt.com"
    top_up_url = "https://lmnt.com"
    status_url = "https://lmnt.com"

    @override
    async def fetch(self) -> Snapshot:
        """Return the one quota of the account."""
        answer = await self._client.get("/v1/account", _ACCOUNT)
        return Snapshot(
            quotas=(
                Quota(
                    key=_CHARACTERS.key,
                    unit=_CHARACTERS,
                    limit=answer["plan"].get("character_limit"),
                    remaining=max(answer["usage"]["characters"], Decimal()),
                ),
            )
        )
