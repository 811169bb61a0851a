"""OpenRouter: the credit of the account, or the limit and the spend of one key.

Built from https://openrouter.ai/docs/api_reference/limits, from
https://openrouter.ai/docs/guides/overview/auth/management-api-keys and from
OpenRouter's own OpenAPI description (official). What is read depends on the key.
Neither kind has permissions to choose.

With an ordinary API key the limit of that key is read: what may be spent until the
limit resets, what was spent of it, and what remains. The limit resets at midnight UTC
every day, every Monday or on the first of the month, or never. Once nothing remains,
OpenRouter refuses requests with this key
(https://openrouter.ai/docs/api-reference/authentication, official): it counts as
depleted. Available means that something of the limit remains; whether the account has
credit is not known with this kind of key. A key without a limit is shown as unlimited,
with all that it ever spent. OpenRouter also reports when a key expires; that is not
shown. What the key spent today and this month is OpenRouter's own figure, in UTC days;
usage of your own provider keys (BYOK) is not in it.

With a management key the credit of the whole account is read: all that was ever bought
less all that was ever used. It is positive while there is credit and negative when more
was used than bought. A management key cannot make calls, so its own limit and spend
would say nothing and are not shown. An ordinary key is never asked for the credit: some
were seen to get 0 for accounts with money (other people's code). Add OpenRouter twice,
once with each kind of key, to see both.

With a management key the spend report is OpenRouter's activity of the whole account,
from https://openrouter.ai/docs/api/api-reference/analytics/get-user-activity
(official): the last 30 days in UTC that are over, so never today. It can be grouped by
the model (line item) and filtered by the hash of a key (accessor). With an ordinary key
it is that key's own three counters: today, the days before it in this week, and those
before in this month. These are rows of several days, and nothing is grouped.

All amounts are US dollars; the answer names no currency. OpenRouter keeps answers for
up to 60 seconds (other people's code). A poll costs one request, with a management key
two, and no credit; a spend report costs the same.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, override

import voluptuous as vol

from ..model import Period, Quota, Snapshot, Spend, Unit, Wallet
from .base import (
    Provider,
    ProviderError,
    Refusal,
    SpendQuery,
    Unreachable,
    WrongCredentialKind,
)
from .costs import Cost, by_day, daily_spend, labels
from .fields import amount, maybe, moment
from .periods import next_month, this_month, this_week, today

_USD = Unit.money("USD")

_KEY = {
    vol.Required("data"): {
        vol.Required("usage"): amount,
        "limit": maybe(amount),
        "limit_remaining": maybe(amount),
        "limit_reset": maybe(str),
        "usage_daily": maybe(amount),
        "usage_weekly": maybe(amount),
        "usage_monthly": maybe(amount),
        "is_management_key": maybe(bool),
    }
}
_CREDITS = {
    vol.Required("data"): {
        vol.Required("total_credits"): amount,
        vol.Required("total_usage"): amount,
    }
}
_ACTIVITY = {
    vol.Required("data"): [
        {
            vol.Required("date"): moment,
            vol.Required("usage"): amount,
            "model": maybe(str),
        }
    ]
}
_GROUPS = {"line_item": "model"}


class OpenRouter(Provider):
    """An OpenRouter account, or one key of it."""

    id = "openrouter"
    name = "OpenRouter"
    hosts = {"ai": "https://openrouter.ai"}
    key_kind = "API key, or management key for the credit of the account"
    key_url = "https://openrouter.ai/settings/keys"
    top_up_url = "https://openrouter.ai/settings/credits"
    status_url = "https://status.openrouter.ai"
    payment_required_statuses = (402,)
    poll_interval = timedelta(minutes=10)
    spend_filters: ClassVar[tuple[str, ...]] = ("accessor",)
    spend_groups: ClassVar[tuple[str, ...]] = tuple(_GROUPS)

    @override
    @classmethod
    def explain(cls, refusal: Refusal) -> ProviderError | None:
        """Return what a refusal means: a firewall cannot judge the key."""
        if "management key" in str(refusal.field("error", "message")):
            return WrongCredentialKind()
        if "security policy" in str(refusal.field("error")):
            return Unreachable()
        return None

    @override
    async def fetch(self) -> Snapshot:
        """Return the credit of the account, or the limit and the spend of the key."""
        now = datetime.now(UTC)
        key = (await self._client.get("/api/v1/key", _KEY))["data"]
        if not key.get("is_management_key"):
            return Snapshot(quotas=(_quota(key, now),), spend=_spend(key, now))
        credit = (await self._client.get("/api/v1/credits", _CREDITS))["data"]
        balance = credit["total_credits"] - credit["total_usage"]
        return Snapshot(wallets=(Wallet(key=_USD.key, unit=_USD, balance=balance),))

    async def fetch_spend(self, scope: str, query: SpendQuery) -> tuple[Spend, ...]:
        """Return the activity of the account in USD, or the counters of a key.

        Raises WrongCredentialKind where an ordinary key is to filter or group.
        """
        key = (await self._client.get("/api/v1/key", _KEY))["data"]
        if not key.get("is_management_key"):
            if query.filters or query.group_by:
                raise WrongCredentialKind
            return tuple(_counted(key, query))
        accessor = query.filters.get("accessor")
        activity = await self._client.get(
            "/api/v1/activity",
            _ACTIVITY,
            [("api_key_hash", accessor)] if accessor else (),
        )
        days = by_day(
            (today(row["date"]), Cost(_USD, row["usage"], labels(row, _GROUPS)))
            for row in activity["data"]
        )
        return tuple(daily_spend(days, query))


def _quota(key: Mapping[str, Any], now: datetime) -> Quota:
    """Return the limit of the key; the account may have more or less to spend."""
    limit: Decimal | None = key.get("limit")
    if limit is None:
        return Quota(key="key_limit", unit=_USD, used=key["usage"], is_unlimited=True)
    remaining: Decimal | None = key.get("limit_remaining")
    return Quota(
        key="key_limit",
        unit=_USD,
        # The usage counters leave out what may count: the usage of own provider keys.
        used=None if remaining is None else limit - remaining,
        limit=limit,
        remaining=None if remaining is None else max(remaining, Decimal()),
        resets_at=_reset(key.get("limit_reset"), now),
    )


def _reset(interval: str | None, now: datetime) -> datetime | None:
    """Return when a limit resets: at midnight UTC, in weeks that begin on Monday."""
    match interval:
        case "daily":
            return today(now) + timedelta(days=1)
        case "weekly":
            return this_week(now) + timedelta(days=7)
        case "monthly":
            return next_month(now)
        case _:
            return None


def _spend(key: Mapping[str, Any], now: datetime) -> tuple[Spend, ...]:
    """Return what the key spent in the running day and month."""
    periods = (
        (Period.TODAY, today(now), key.get("usage_daily")),
        (Period.THIS_MONTH, this_month(now), key.get("usage_monthly")),
    )
    return tuple(
        Spend(unit=_USD, amount=spent, start=start, end=now, period=period)
        for period, start, spent in periods
        if spent is not None
    )


def _counted(key: Mapping[str, Any], query: SpendQuery) -> Iterator[Spend]:
    """Yield what each counter holds beyond the shorter ones, if the query wants it."""
    now = datetime.now(UTC)
    counters = (
        (today(now), key.get("usage_daily")),
        (this_week(now), key.get("usage_weekly")),
        (this_month(now), key.get("usage_monthly")),
    )
    end, counted = today(now) + timedelta(days=1), Decimal()
    # The week may have begun before the month.
    for start, spent in sorted(counters, key=lambda counter: counter[0], reverse=True):
        if spent is None or start == end:
            continue
        if query.covers(start.date(), (end - timedelta(days=1)).date()):
            yield Spend(unit=_USD, amount=spent - counted, start=start, end=end)
        end, counted = start, spent
