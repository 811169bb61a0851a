"""Fish Audio: the API credit of a person or a team, and the credits of the plan.

Built from https://docs.fish.audio/api-reference/endpoint/wallet/get-api-credit and
https://docs.fish.audio/api-reference/endpoint/wallet/get-user-package (official). An
API key without a restriction reads it. Keys can have a scope, and a key that may not
read the wallet is refused with 403 (https://docs.fish.audio/api-reference/errors,
official); how the scope is called is not documented. Without a team id the answer is
about your personal wallet, and that can be another one than the wallet of the workspace
that pays. With a team id it is the wallet of that team.

The balance is the API credit, which pays for the API; it is USD by Fish Audio's prices,
as the answer names no currency. The package of the plan pays for the website and not
for the API: it is shown as a quota in credits, with the limit and what remains of it.
Extra credits belong to what remains, so that can be more than the limit; that they come
on top follows from their name. The package belongs to the person, so it is not shown
with a team id. Where it cannot be read, the credit is shown without it. Its end is that
of the running period, or of the package where no period is given. Fish Audio's own
program describes the end of the package as the time when it was used up, so that is
shown only while it is in the future. What was used is not reported.

When Fish Audio answers with 402 because of missing credit, the account counts as
depleted. How fresh the figures are is not documented. A poll costs two requests, one
with a team id, and no credit.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, override

import voluptuous as vol

from ..model import Quota, Snapshot, Unit, Wallet
from .base import API_KEY, Credential, Provider, ProviderError
from .fields import amount, maybe, moment

_USD = Unit.money("USD")
_CREDIT = {vol.Required("credit"): amount, "user_id": maybe(str)}
_PACKAGE = {
    "total": maybe(amount),
    "balance": maybe(amount),
    "extra_balance": maybe(amount),
    "current_period_end": maybe(moment),
    "finished_at": maybe(moment),
}


class FishAudio(Provider):
    """The wallet of a person or of a team at Fish Audio."""

    id = "fish_audio"
    name = "Fish Audio"
    hosts = {"audio": "https://api.fish.audio"}
    key_kind = "API key"
    key_url = "https://fish.audio/app/api-keys"
    top_up_url = "https://fish.audio/app/billing"
    status_url = "https://status.fish.audio"
    payment_required_statuses = (402,)
    credentials = (
        API_KEY,
        Credential(key="team_id", is_secret=False, is_required=False),
    )
    poll_interval = timedelta(minutes=10)

    @override
    async def fetch(self) -> Snapshot:
        """Return the wallet, and the package of a person."""
        team = self._credentials.get("team_id")
        credit = await self._client.get(
            "/wallet/self/api-credit", _CREDIT, [("team_id", team)] if team else ()
        )
        # A person may watch the own wallet and that of a team: two accounts.
        account = team or credit.get("user_id")
        snapshot = Snapshot(
            account_ids=frozenset({account} if account else ()),
            wallets=(Wallet(key=_USD.key, unit=_USD, balance=credit["credit"]),),
        )
        if team:
            return snapshot
        try:
            package = await self._client.get("/wallet/self/package", _PACKAGE)
        except ProviderError as err:
            # There may be no plan, and the credit that was read stays.
            return replace(snapshot, retry_after=err.failure.retry_after)
        return replace(snapshot, quotas=_quotas(package))


def _quotas(package: Mapping[str, Any]) -> tuple[Quota, ...]:
    """Return the quota of the plan, none where there is no plan."""
    limit, remaining = package.get("total"), package.get("balance")
    if limit is None and remaining is None:
        return ()
    if remaining is not None:
        remaining += package.get("extra_balance") or 0
    now = datetime.now(UTC)
    ends = package.get("current_period_end"), package.get("finished_at")
    return (
        Quota(
            key="package",
            unit=Unit.named("credits"),
            label="plan",
            limit=limit,
            remaining=remaining,
            # It pays for the website, and never for the API.
            is_partial=True,
            resets_at=next((end for end in ends if end and end > now), None),
        ),
    )
