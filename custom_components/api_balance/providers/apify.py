"""Apify: the usage of the month in dollars, its limit, and when it starts anew.

Built from https://docs.apify.com/api/v2/users-me-limits-get and Apify's own OpenAPI
description (official). Any API token of the account reads it; which permission a token
with restricted permissions needs is not documented.

The usage counts from the start of your monthly cycle until its end, which Apify
reports; the limit is the largest usage of a month that you have set or your plan
allows. Both are in US dollars. How far the figures lag behind is not documented. A
poll costs one request.
"""

from datetime import timedelta
from typing import override

import voluptuous as vol

from ..model import Quota, Snapshot, Unit
from .base import Provider
from .fields import amount, doubtful, moment

_LIMITS = {
    vol.Required("data"): {
        vol.Required("current"): {vol.Required("monthlyUsageUsd"): amount},
        vol.Required("limits"): {"maxMonthlyUsageUsd": amount},
        "monthlyUsageCycle": {"endAt": doubtful(moment)},
    }
}


class Apify(Provider):
    """An Apify account."""

    id = "apify"
    name = "Apify"
    hosts = {"com": "https://api.apify.com"}
    key_kind = "API token"
    key_url = "https://console.apify.com"
    top_up_url = "https://console.apify.com"
    status_url = "https://apify.com"
    poll_interval = timedelta(minutes=30)

    @override
    async def fetch(self) -> Snapshot:
        """Return the one quota of the account."""
        data = (await self._client.get("/v2/users/me/limits", _LIMITS))["data"]
        return Snapshot(
            quotas=(
                Quota(
                    key="monthly_usage",
                    unit=Unit.money("USD"),
                    used=data["current"]["monthlyUsageUsd"],
                    limit=data["limits"].get("maxMonthlyUsageUsd"),
                    resets_at=data.get("monthlyUsageCycle", {}).get("endAt"),
                ),
            )
        )
