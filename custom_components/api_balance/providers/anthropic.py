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

Anthropic calls this report legacy, and still supports it. Its successor, in beta, is
`GET /v1/organizations/analytics/cost` with the header `anthropic-beta:
analytics-usage-cost-2026-08-24`, see
https://platform.claude.com/docs/en/manage-claude/usage-cost-analytics-api. It is not asked:
it has no descriptions of costs, leaves out days without costs, and how it splits an answer
into pages is not confirmed.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import ClassVar, override

import voluptuous as vol

from ..model import Snapshot, Spend
from .base import Client, Provider, SpendQuery
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
        days = await self._days(
            query.first,
            query.last,
            [("group_by[]", _GROUPS[name]) for name in query.group_by],
        )
        return tuple(daily_spend(days, query))

    async def _days(
        self, first: date, last: date, more: Iterable[tuple[str, str]] = ()
    ) -> Iterator[DayCosts]:
        """Return the costs of each day, both ends included."""
        params = [
            ("starting_at", _midnight(first)),
            ("ending_at", _midnight(last + timedelta(days=1))),
            ("bucket_width", "1d"),
            ("limit", str(DAYS_PER_PAGE)),
            *more,
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


def _midnight(day: date) -> str:
    """Return when a day began, in UTC."""
    return f"{day}T00:00:00Z"
