"""Firecrawl: the credits that a team has left, those of its plan, and the reset.

Built from https://docs.firecrawl.dev/api-reference/endpoint/credit-usage and Firecrawl's
own OpenAPI description (official); the answers to a bad key are from what other people
saw. Any API key of the team reads it; keys have no permissions to choose.

The remaining credits are Firecrawl's own word for the whole team. They include coupons,
credit packs and automatic recharges, which the credits of the plan do not: more may remain
than the limit says. How much was used is not in the answer; the reports of past months
and of tokens are not read. The reset is the end of the billing period; teams on the free
plan get none. There is no money in the answer.

When Firecrawl answers that payment is required (402), the account counts as depleted. How
far the figures lag behind is not documented. A poll costs one request and no credits.
"""

from typing import override

import voluptuous as vol

from ..model import Quota, Snapshot, Unit
from .base import Provider
from .fields import amount, maybe, moment

_USAGE = {
    vol.Required("success"): True,
    vol.Required("data"): {
        vol.Required("remainingCredits"): amount,
        "planCredits": maybe(amount),
        "billingPeriodEnd": maybe(moment),
    },
}


class Firecrawl(Provider):
    """A team at Firecrawl."""

    id = "firecrawl"
    name = "Firecrawl"
    hosts = {"dev": "https://api.firecrawl.dev"}
    key_kind = "API key"
    key_url = "https://www.firecrawl.dev/app/api-keys"
    top_up_url = "https://www.firecrawl.dev/app/billing"
    status_url = "https://status.firecrawl.dev"
    payment_required_statuses = (402,)

    @override
    async def fetch(self) -> Snapshot:
        """Return the one quota of the team."""
        answer = await self._client.get("/v2/team/credit-usage", _USAGE)
        data = answer["data"]
        return Snapshot(
            quotas=(
                Quota(
                    key="credits",
                    unit=Unit.named("credits"),
                    limit=data.get("planCredits"),
                    remaining=data["remainingCredits"],
                    resets_at=data.get("billingPeriodEnd"),
                ),
            )
        )
