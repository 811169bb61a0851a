"""HeyGen: the API credits that remain.

Built from https://docs.heygen.com/reference/get-remaining-quota-v2 (official). Any API key
reads it; keys have no permissions to choose as far as is documented.

HeyGen reports a quota, of which 60 make a credit, as documented; what is shown are
credits. How many there were and when they start anew is not in the answer. The parts of
the quota, whose meaning is not documented, are not shown. There is a newer request, which
is not used. How far the figures lag behind is not documented. A poll costs one request
and no credit.
"""

from datetime import timedelta
from typing import override

import voluptuous as vol

from ..model import Quota, Snapshot, Unit
from .base import Provider
from .fields import amount

_QUOTA = {vol.Required("data"): {vol.Required("remaining_quota"): amount}}
_QUOTA_PER_CREDIT = 60
# A third of a credit has no last digit.
_DIGITS = 2


class HeyGen(Provider):
    """A HeyGen account."""

    id = "heygen"
    name = "HeyGen"
    hosts = {"com": "https://api.heygen.com"}
    key_kind = "API key"
    key_header = "X-Api-Key"
    key_url = "https://app.heygen.com/settings?nav=API"
    top_up_url = "https://app.heygen.com/settings?nav=API"
    status_url = "https://www.heygen.com"
    poll_interval = timedelta(minutes=30)

    @override
    async def fetch(self) -> Snapshot:
        """Return the one quota of the account."""
        answer = await self._client.get("/v2/user/remaining_quota", _QUOTA)
        quota = answer["data"]["remaining_quota"]
        remaining = round(quota / _QUOTA_PER_CREDIT, _DIGITS)
        return Snapshot(
            quotas=(
                Quota(key="credits", unit=Unit.named("credits"), remaining=remaining),
            )
        )
