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
minute. A spend report costs one request for each month.

Anthropic calls this report legacy, and still supports it. When it answers 404 or 410, its
successor in beta is asked, as Anthropic's own client library describes it: `GET
/v1/organizations/analytics/cost`, see
https://platform.claude.com/docs/en/manage-claude/usage-cost-analytics-api. Its line items are
models instead of descriptions, a day that it leaves out counts as one without costs, and it
knows no day before 2026.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
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

_DAY = timedelta(days=1)
_ORGANIZATION = {vol.Required("id"): str}
_COSTS = {
    vol.Required("data"): [
        {
            vol.Required("starting_at"): moment,
            vol.Required("results"): [
                {
                    vol.Required("amount"): scaled(-2),
                    vol.Optional("currency", default="USD"): currency,
                    "description": maybe(str),
                    "workspace_id": maybe(str),
                }
            ],
        }
    ],
    vol.Required("has_more"): bool,
    "next_page": maybe(str),
}
_GROUPS = {"line_item": "description", "project": "workspace_id"}
_ANALYTICS = {
    vol.Required("data"): [
        {
            vol.Required("starting_at"): moment,
            vol.Required("cost"): {
                vol.Required("amount"): scaled(-2),
                vol.Optional("currency", default="USD"): currency,
            },
            vol.Required("group"): {
                "model": maybe(str),
                "workspace_id": maybe(str),
            },
        }
    ],
    vol.Required("has_more"): bool,
    "next_page": maybe(str),
}
_ANALYTICS_GROUPS = {"line_item": "model", "project": "workspace_id"}
_ANALYTICS_HEADERS = {"anthropic-beta": "analytics-usage-cost-2026-08-24"}
# What the analytics know: the last year, and nothing before 2026.
_ANALYTICS_KEPT = timedelta(days=364)
_ANALYTICS_SINCE = datetime(2026, 1, 1, tzinfo=UTC)
# A request of the analytics may span so many days, and a page so many rows.
_DAYS_OF_ANALYTICS = timedelta(days=31)
_ROWS_OF_ANALYTICS = 1000


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
    spend_groups: ClassVar[tuple[str, ...]] = tuple(_GROUPS)

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
        """Start without knowing the organization."""
        super().__init__(client, credentials, region)
        self._organization: str | None = None
        self._is_report_gone = False

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

        From https://platform.claude.com/docs/en/api/admin/cost_report.
        """
        days = await self._days(query.first, query.last, query.group_by)
        return tuple(daily_spend(days, query))

    async def _days(
        self, first: date, last: date, group_by: Iterable[str] = ()
    ) -> Iterable[DayCosts]:
        """Return the costs of each day, both ends included."""
        if not self._is_report_gone:
            try:
                return await self._reported_days(first, last, group_by)
            except NotFound:
                self._is_report_gone = True
        try:
            return await self._analyzed_days(first, last, group_by)
        except NotFound:
            self._is_report_gone = False
            raise

    async def _analyzed_days(
        self, first: date, last: date, group_by: Iterable[str]
    ) -> Iterable[DayCosts]:
        """Return the costs of each day from the analytics."""
        groups = [("group_by[]", _ANALYTICS_GROUPS[name]) for name in group_by]
        costs: dict[datetime, list[Cost]] = {}
        known_from = max(
            _start(datetime.now(UTC).date()) - _ANALYTICS_KEPT, _ANALYTICS_SINCE
        )
        begin, end = max(_start(first), known_from), _start(last) + _DAY
        while begin < end:
            until = min(begin + _DAYS_OF_ANALYTICS, end)
            params = [
                ("starting_at", _midnight(begin.date())),
                ("ending_at", _midnight(until.date())),
                ("time_bucket_width", "1d"),
                ("limit", str(_ROWS_OF_ANALYTICS)),
                *groups,
            ]
            rows = await all_pages(
                partial(self._ask_analytics, params), begin.date(), until.date()
            )
            costs |= {
                begin + number * _DAY: [] for number in range((until - begin).days)
            }
            for row in rows:
                costs.setdefault(row["starting_at"], []).append(
                    Cost(
                        row["cost"]["currency"],
                        row["cost"]["amount"],
                        labels(row["group"], _ANALYTICS_GROUPS),
                    )
                )
            begin = until
        return [DayCosts(day, tuple(costs[day])) for day in sorted(costs)]

    async def _ask_analytics(
        self, params: list[tuple[str, str]], page: list[tuple[str, str]]
    ) -> Mapping[str, Any]:
        """Return a page of the analytics."""
        answer: Mapping[str, Any] = await self._client.get(
            "/v1/organizations/analytics/cost",
            _ANALYTICS,
            params + page,
            _ANALYTICS_HEADERS,
        )
        return answer

    async def _reported_days(
        self, first: date, last: date, group_by: Iterable[str]
    ) -> Iterator[DayCosts]:
        """Return the costs of each day from the report."""
        params = [
            ("starting_at", _midnight(first)),
            ("ending_at", _midnight(last + timedelta(days=1))),
            ("bucket_width", "1d"),
            ("limit", str(DAYS_PER_PAGE)),
            *(("group_by[]", _GROUPS[name]) for name in group_by),
        ]
        days = await all_pages(
            lambda page: self._client.get(
                "/v1/organizations/cost_report", _COSTS, params + page
            ),
            first,
            last,
        )
        return (
            DayCosts(
                day["starting_at"],
                tuple(
                    Cost(row["currency"], row["amount"], labels(row, _GROUPS))
                    for row in day["results"]
                ),
            )
            for day in days
        )


def _start(day: date) -> datetime:
    """Return when a day begins, in UTC."""
    return datetime.combine(day, time(), UTC)


def _midnight(day: date) -> str:
    """Return when a day began, in UTC."""
    return f"{day}T00:00:00Z"
