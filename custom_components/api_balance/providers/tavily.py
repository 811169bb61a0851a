"""Tavily: the search credits used of the plan, of pay-as-you-go, and of the key.

Built from https://docs.tavily.com/documentation/api-reference/endpoint/usage
(official); the errors are from
https://help.tavily.com/articles/8645538886-understanding-http-errors. Any API key reads
it; no permission is needed.

There are two pools: the credits of the plan, and those charged one by one once the plan
is depleted (pay-as-you-go). Each has its own used amount and limit, and what remains is
the limit less what was used. The key may have a limit of its own; Tavily documents that
it reports none where the key has none, and once used 2147483647 for it. Where a pool
has no limit, none is shown: whether it is then unlimited or switched off is not
documented. Free accounts were seen with a pay-as-you-go limit of 0 (other people's
code): they are not offered it, and it is not shown. All amounts are credits in the
current billing cycle; there is no money in the answer, and no date of the reset.

When Tavily answers that the plan (432) or the pay-as-you-go limit (433) is used up, the
account counts as depleted. How far the figures lag behind is not documented. A poll
costs one request and no credits.
"""

from dataclasses import replace
from decimal import Decimal
from typing import override

import voluptuous as vol

from ..model import Quota, Snapshot, Unit
from .base import Provider
from .fields import amount, maybe

_CREDITS = Unit.named("credits")
_UNLIMITED = Decimal(2_147_483_647)

_USAGE = {
    "key": {"usage": maybe(amount), "limit": maybe(amount)},
    vol.Required("account"): {
        "plan_usage": maybe(amount),
        "plan_limit": maybe(amount),
        "paygo_usage": maybe(amount),
        "paygo_limit": maybe(amount),
    },
}


class Tavily(Provider):
    """A Tavily account."""

    id = "tavily"
    name = "Tavily"
    hosts = {"com": "https://api.tavily.com"}
    key_kind = "API key"
    key_url = "https://app.tavily.com/home"
    top_up_url = "https://app.tavily.com/billing"
    status_url = "https://status.tavily.com"
    payment_required_statuses = (432, 433)

    @override
    async def fetch(self) -> Snapshot:
        """Return the two pools of the account, and the limit of the key."""
        answer = await self._client.get("/usage", _USAGE)
        account = answer["account"]
        key = answer.get("key", {})
        paygo_limit = account.get("paygo_limit")
        key_limit = key.get("limit")
        if "limit" in key and key_limit is None:
            key_limit = _UNLIMITED
        paygo = _quota(
            "paygo", "pay as you go", account.get("paygo_usage"), paygo_limit
        )
        plan = _quota(
            "plan", "plan", account.get("plan_usage"), account.get("plan_limit")
        )
        has_paygo = bool(paygo_limit) and paygo.remaining != 0
        return Snapshot(
            quotas=(
                replace(plan, can_exceed=has_paygo),
                # Free accounts have a limit of 0: they are not offered it.
                *(() if paygo_limit == 0 else (paygo,)),
                replace(
                    _quota("key", "API key", key.get("usage"), key_limit),
                    is_partial=True,
                ),
            )
        )


def _quota(key: str, label: str, used: Decimal | None, limit: Decimal | None) -> Quota:
    """Return a quota of credits."""
    is_unlimited = limit == _UNLIMITED
    if is_unlimited:
        limit = None
    return Quota(
        key=key,
        unit=_CREDITS,
        label=label,
        used=used,
        limit=limit,
        remaining=(
            None if limit is None or used is None else max(limit - used, Decimal())
        ),
        is_unlimited=is_unlimited,
    )
