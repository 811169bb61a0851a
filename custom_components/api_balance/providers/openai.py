"""OpenAI: what the organization spent today and this month, and its spend limit.

Built from https://platform.openai.com/docs/api-reference/usage/costs, from
https://developers.openai.com/api/docs/guides/spend-limits and from OpenAI's own OpenAPI
description (official). OpenAI has no balance that a key can read: prepaid credit is
shown on its website only, so there is no balance here. You need an admin key
(sk-admin-...), which an owner of the organization makes; an ordinary API key is
refused. The least permission is to read usage, `api.usage.read`; its name and the text
of the refusal are from other people's code.

Spent today and spent this month are OpenAI's own costs of the whole organization, in
UTC days and in US dollars unless OpenAI names another currency; amounts are numbers in
the documentation and text in answers that other people saw. The costs of today may be
missing for a while after midnight and grow with a delay that OpenAI does not document;
a month without any costs is 0. The spend limit is the hard monthly limit set for the
organization. OpenAI does not say how much of it is used, nor on which date it resets,
so only the limit is shown. While OpenAI says that it enforces the limit, it answers
requests with 429, and the account counts as depleted. Where there is no limit, or it
cannot be read, the costs are shown without it. Limits of single projects are not read.

The spend report is of the same costs. It can be grouped by the API key, the line item
and the project, and filtered by the API key and the project, which it names by their
ids; costs that OpenAI does not ascribe to one have no name.

A poll costs two requests and no money; a spend report one request for each month.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
import re
from typing import ClassVar, override

import voluptuous as vol

from ..model import Quota, Snapshot, Spend
from .base import (
    MissingPermission,
    Provider,
    ProviderError,
    Refusal,
    SpendQuery,
    WrongCredentialKind,
    bearer,
)
from .costs import (
    DAYS_PER_PAGE,
    Cost,
    DayCosts,
    all_pages,
    daily_spend,
    has_ended,
    labels,
    running_spend,
)
from .fields import amount, currency, epoch, maybe, scaled
from .periods import day_start, this_month

_COSTS = {
    vol.Required("data"): [
        {
            vol.Required("start_time"): epoch,
            vol.Required("results"): [
                {
                    vol.Required("amount"): {
                        vol.Required("value"): amount,
                        vol.Optional("currency", default="usd"): currency,
                    },
                    "api_key_id": maybe(str),
                    "line_item": maybe(str),
                    "project_id": maybe(str),
                }
            ],
        }
    ],
    vol.Required("has_more"): bool,
    "next_page": maybe(str),
}
_SPEND_LIMIT = {
    vol.Required("threshold_amount"): scaled(-2),
    vol.Required("currency"): currency,
    "enforcement": maybe({"status": maybe(str)}),
}
_GROUPS = {
    "accessor": "api_key_id",
    "line_item": "line_item",
    "project": "project_id",
}
_FILTERS = {"accessor": "api_key_ids[]", "project": "project_ids[]"}
_MISSING_SCOPE = re.compile(r"Missing scopes: ([a-z_.]+[a-z])")


class OpenAI(Provider):
    """An OpenAI organization."""

    id = "openai"
    name = "OpenAI"
    hosts = {"com": "https://api.openai.com"}
    key_kind = "Admin key (sk-admin-...)"
    key_url = "https://platform.openai.com/settings/organization/admin-keys"
    top_up_url = "https://platform.openai.com/settings/organization/billing/overview"
    status_url = "https://status.openai.com"
    permission = "api.usage.read"
    poll_interval = timedelta(minutes=30)
    spend_filters: ClassVar[tuple[str, ...]] = tuple(_FILTERS)
    spend_groups: ClassVar[tuple[str, ...]] = tuple(_GROUPS)

    @override
    @classmethod
    def headers(cls, credentials: Mapping[str, str]) -> Mapping[str, str]:
        """Return the headers that show the credentials."""
        api_key = credentials["api_key"]
        if api_key.startswith("sk-") and not api_key.startswith("sk-admin-"):
            raise WrongCredentialKind
        return bearer(api_key)

    @override
    @classmethod
    def explain(cls, refusal: Refusal) -> ProviderError | None:
        """Return a missing permission by the text: it comes as 401 and as 403."""
        scope = _MISSING_SCOPE.search(str(refusal.body))
        return MissingPermission(scope[1]) if scope else None

    @override
    async def fetch(self) -> Snapshot:
        """Return the costs of the day and the month, and the spend limit."""
        now = datetime.now(UTC)
        days = await self._days(this_month(now).date(), now.date())
        spend = tuple(running_spend(days, now))
        try:
            answer = await self._client.get(
                "/v1/organization/spend_limit", _SPEND_LIMIT
            )
        except ProviderError as err:
            # The limit is optional: the costs that were read stay.
            return Snapshot(spend=spend, retry_after=err.failure.retry_after)
        limit, unit = answer["threshold_amount"], answer["currency"]
        enforcement = answer.get("enforcement") or {}
        return Snapshot(
            is_available=False if enforcement.get("status") == "enforcing" else None,
            # The least limit that can be set is one cent.
            quotas=(
                (Quota(key="spend_limit", unit=unit, limit=limit),) if limit else ()
            ),
            spend=spend,
        )

    async def fetch_spend(self, scope: str, query: SpendQuery) -> tuple[Spend, ...]:
        """Return the costs of the organization, a row for each day and group.

        From https://platform.openai.com/docs/api-reference/usage/costs. Amounts are in
        the currency that OpenAI names, USD so far.
        """
        days = await self._days(
            query.first,
            query.last,
            [
                *((_FILTERS[name], value) for name, value in query.filters.items()),
                *(("group_by[]", _GROUPS[name]) for name in query.group_by),
            ],
        )
        return tuple(daily_spend(days, query))

    async def _days(
        self, first: date, last: date, more: Iterable[tuple[str, str]] = ()
    ) -> Iterator[DayCosts]:
        """Return the costs of each day, both ends included."""
        params = [
            ("start_time", _seconds(first)),
            ("bucket_width", "1d"),
            ("limit", str(DAYS_PER_PAGE)),
            *more,
        ]
        if has_ended(last):
            params.append(("end_time", _seconds(last + timedelta(days=1))))
        days = await all_pages(
            lambda page: self._client.get(
                "/v1/organization/costs", _COSTS, params + page
            ),
            first,
            last,
        )
        return (
            DayCosts(
                day["start_time"],
                tuple(
                    Cost(
                        row["amount"]["currency"],
                        row["amount"]["value"],
                        labels(row, _GROUPS),
                    )
                    for row in day["results"]
                ),
            )
            for day in days
        )


def _seconds(day: date) -> str:
    """Return when a day began, in seconds since 1970."""
    return str(int(day_start(day).timestamp()))
