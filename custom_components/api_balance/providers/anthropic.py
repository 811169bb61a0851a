"""Anthropic: what the organization spent today and this month.

Built from https://platform.claude.com/docs/en/api/admin/cost_report, from
https://platform.claude.com/docs/manage-claude/usage-cost-api and from
https://platform.claude.com/docs/en/api/admin/organizations/me (official). Anthropic has no
balance that a key can read: prepaid credit is shown in the Claude Console only, so there
is no balance here. You need an Admin API key (sk-ant-admin...), which an admin of an
organization makes, or a personal or service account key that is not scoped to a workspace.
A key of a workspace cannot read the costs, nor can one of Claude Enterprise. Which error
Anthropic answers to these is not documented. Individual accounts have no such keys, and
there are no permissions to choose.

Spent today and spent this month are Anthropic's own costs of the whole organization, in
UTC days and in US dollars; Anthropic reports them in cents. Priority Tier is not in them.
They usually show within five minutes. A day that Anthropic does not report yet is left out,
a month without any costs is 0. The end of a report is always sent as the midnight after
its last day. Without it, other people's code says, the report ends where today begins, and
is refused on the first day of a month.

The spend report is of the same costs. It can be grouped by the line item, which is
Anthropic's description of it, and by the project, which is the id of a workspace; what is
in the default workspace, or in none, has no project. It cannot be filtered.

A poll costs one request, the first one two, and no money; Anthropic allows one poll a
minute. A spend report costs one request for each 31 days.

Anthropic calls this report legacy, and still supports it. Where it answers that it is gone
(HTTP 404 or 410), its successor, in beta, is asked instead from then on, see
https://platform.claude.com/docs/en/manage-claude/usage-cost-analytics-api. What it takes
and answers is known from Anthropic's own Python library, and from no real answer. It takes
an Admin API key, or a key with the scope `read:analytics`. Its costs are after discounts
and before credits. Whether they are the same as those of the legacy report is not
documented, nor is how fresh they are.

The successor leaves out a day without costs. As such a day may also be late, it is left out
here, too: spent today is known from the first costs of the day on, and spent this month
from the first of the month on. It knows the last 365 days, and nothing before 2026. It has
no descriptions: the line item is the model, and costs that belong to no model, such as code
execution, have none. The default workspace has an id there.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar, override

import voluptuous as vol

from ..model import Snapshot, Spend
from .base import Client, NotFound, Provider, SpendQuery
from .costs import (
    DAYS_PER_PAGE,
    Cost,
    DayCosts,
    all_pages,
    daily_spend,
    labels,
    running_spend,
)
from .fields import currency, maybe, moment, scaled
from .periods import this_month

_ORGANIZATION = {vol.Required("id"): str}
_COST: dict[Any, Any] = {
    vol.Required("amount"): scaled(-2),
    vol.Optional("currency", default="USD"): currency,
}
_COSTS = {
    vol.Required("data"): [
        {
            vol.Required("starting_at"): moment,
            vol.Required("results"): [
                {**_COST, "description": maybe(str), "workspace_id": maybe(str)}
            ],
        }
    ],
    vol.Required("has_more"): bool,
    "next_page": maybe(str),
}


def _as_bucket(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of the successor in the form of the legacy report."""
    return {**row, "results": [{**row["cost"], **row["group"]}]}


_ANALYTICS_COSTS = {
    vol.Required("data"): [
        vol.All(
            {
                vol.Required("starting_at"): moment,
                vol.Required("cost"): _COST,
                vol.Required("group"): {
                    "model": maybe(str),
                    "workspace_id": maybe(str),
                },
            },
            _as_bucket,
        )
    ],
    vol.Required("has_more"): bool,
    "next_page": maybe(str),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Report:
    """A report of costs by the day: how to ask for it, and what it calls the groups."""

    path: str
    shape: Any
    params: tuple[tuple[str, str], ...]
    groups: Mapping[str, str]
    headers: Mapping[str, str] = field(default_factory=dict)


_LEGACY = _Report(
    path="/v1/organizations/cost_report",
    shape=_COSTS,
    params=(("bucket_width", "1d"), ("limit", str(DAYS_PER_PAGE))),
    groups={"line_item": "description", "project": "workspace_id"},
)
_ANALYTICS = _Report(
    path="/v1/organizations/analytics/cost",
    shape=_ANALYTICS_COSTS,
    params=(("time_bucket_width", "1d"), ("limit", "1000")),
    groups={"line_item": "model", "project": "workspace_id"},
    headers={"anthropic-beta": "analytics-usage-cost-2026-08-24"},
)
# What is earlier is refused, as is what is more than 365 days ago, to the second.
_ANALYTICS_FIRST = date(2026, 1, 1)
_ANALYTICS_AGE = timedelta(days=364)


class Anthropic(Provider):
    """An organization at Anthropic."""

    id = "anthropic"
    name = "Anthropic"
    hosts = {"com": "https://api.anthropic.com"}
    key_kind = (
        "Admin API key (sk-ant-admin...), or a personal or service account key that is"
        " not scoped to a workspace"
    )
    key_url = "https://platform.claude.com/settings/admin-keys"
    top_up_url = "https://platform.claude.com/settings/billing"
    status_url = "https://status.claude.com"
    payment_required_statuses = (402,)
    poll_interval = timedelta(minutes=30)
    spend_filters: ClassVar[tuple[str, ...]] = ()
    spend_groups: ClassVar[tuple[str, ...]] = tuple(_LEGACY.groups)

    @override
    @classmethod
    def headers(cls, credentials: Mapping[str, str]) -> Mapping[str, str]:
        """Return the headers that show the credentials."""
        return {
            "x-api-key": credentials["api_key"],
            "anthropic-version": "2023-06-01",
        }

    def __init__(
        self, client: Client, credentials: Mapping[str, str], region: str
    ) -> None:
        """Start without knowing the organization, with the legacy report."""
        super().__init__(client, credentials, region)
        self._organization: str | None = None
        self._report = _LEGACY

    @override
    async def fetch(self) -> Snapshot:
        """Return the costs of the running day and month."""
        now = datetime.now(UTC)
        if self._organization is None:
            answer = await self._client.get("/v1/organizations/me", _ORGANIZATION)
            self._organization = answer["id"]
        days = await self._days(this_month(now).date(), now.date())
        return Snapshot(
            account_ids=frozenset({self._organization}),
            spend=tuple(running_spend(days, now)),
        )

    async def fetch_spend(self, scope: str, query: SpendQuery) -> tuple[Spend, ...]:
        """Return the costs of the organization in USD, a row for each day and group.

        From https://platform.claude.com/docs/en/api/admin/cost_report, and from
        https://platform.claude.com/docs/en/api/beta/organization/analytics/cost/list.
        """
        days = await self._days(query.first, query.last, query.group_by)
        return tuple(daily_spend(days, query))

    async def _days(
        self, first: date, last: date, group_by: Iterable[str] = ()
    ) -> list[DayCosts]:
        """Return the costs of each day, both ends included."""
        try:
            return await self._read(self._report, first, last, group_by)
        except NotFound:
            if self._report is _ANALYTICS:
                raise
        days = await self._read(_ANALYTICS, first, last, group_by)
        self._report = _ANALYTICS
        return days

    async def _read(
        self, report: _Report, first: date, last: date, group_by: Iterable[str]
    ) -> list[DayCosts]:
        """Return the costs of each day from a report."""
        if report is _ANALYTICS:
            today = datetime.now(UTC).date()
            first = max(first, today - _ANALYTICS_AGE, _ANALYTICS_FIRST)
        days: defaultdict[datetime, list[Cost]] = defaultdict(list)
        span = (last - first).days
        for after in range(0, span + 1, DAYS_PER_PAGE):
            start = first + timedelta(days=after)
            end = first + timedelta(days=min(after + DAYS_PER_PAGE - 1, span))
            for bucket in await self._buckets(report, start, end, group_by):
                days[bucket["starting_at"]] += [
                    Cost(row["currency"], row["amount"], labels(row, report.groups))
                    for row in bucket["results"]
                ]
        return [DayCosts(start, tuple(days[start])) for start in sorted(days)]

    async def _buckets(
        self, report: _Report, first: date, last: date, group_by: Iterable[str]
    ) -> list[Any]:
        """Return what a report has of at most DAYS_PER_PAGE days."""
        params = [
            ("starting_at", _midnight(first)),
            ("ending_at", _midnight(last + timedelta(days=1))),
            *report.params,
            *(("group_by[]", report.groups[name]) for name in group_by),
        ]
        return await all_pages(
            lambda page: self._client.get(
                report.path, report.shape, params + page, report.headers
            ),
            first,
            last,
        )


def _midnight(day: date) -> str:
    """Return when a day began, in UTC."""
    return f"{day}T00:00:00Z"
