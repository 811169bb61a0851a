"""Cost reports by the day, in UTC."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from ..model import Period, Spend, Unit
from .base import SpendQuery, UnexpectedAnswer
from .periods import this_month, today

DAYS_PER_PAGE = 31
"""As many days as Anthropic gives at once; more of them may not fit into an answer."""

# Providers may give fewer days than asked for: so many pages more are no report without
# an end.
_MORE_PAGES = 4
_USD = Unit.money("USD")


@dataclass(frozen=True, slots=True)
class Cost:
    """What was spent on a day, and on what; a positive amount is spent."""

    unit: Unit
    amount: Decimal
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DayCosts:
    """What a day has cost."""

    start: datetime
    costs: tuple[Cost, ...]


async def all_pages(
    ask: Callable[[list[tuple[str, str]]], Awaitable[Mapping[str, Any]]],
    first: date,
    last: date,
) -> list[Any]:
    """Return the data of every page of a report that names its next page.

    Raises UnexpectedAnswer for a report without an end: a part is not the sum.
    """
    data: list[Any] = []
    page: list[tuple[str, str]] = []
    for _ in range((last - first).days // DAYS_PER_PAGE + 1 + _MORE_PAGES):
        answer = await ask(page)
        data += answer["data"]
        if not answer["has_more"]:
            return data
        page = [("page", answer.get("next_page") or "")]
    raise UnexpectedAnswer("has_more")


def has_ended(day: date) -> bool:
    """Whether a day is over: only then does a report need an end."""
    return day < datetime.now(UTC).date()


def labels(row: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, str]:
    """Return the labels of a row by the provider's field of each, where it has one."""
    return {name: row[own] for name, own in fields.items() if row.get(own) is not None}


def by_day(costs: Iterable[tuple[datetime, Cost]]) -> list[DayCosts]:
    """Return costs that come with the start of their day, day by day."""
    days: defaultdict[datetime, list[Cost]] = defaultdict(list)
    for start, cost in costs:
        days[start].append(cost)
    return [DayCosts(start, tuple(days[start])) for start in sorted(days)]


def daily_spend(days: Iterable[DayCosts], query: SpendQuery) -> Iterator[Spend]:
    """Yield the spend of each day and group of a query.

    A reported day without costs is zero, unless the spend is grouped.
    """
    for day in days:
        if not query.covers(day.start.date(), day.start.date()):
            continue
        groups: dict[tuple[Unit, frozenset[tuple[str, str]]], Decimal] = {}
        for cost in day.costs:
            named = cost.labels.items()
            pairs = frozenset(pair for pair in named if pair[0] in query.group_by)
            groups[cost.unit, pairs] = (
                groups.get((cost.unit, pairs), Decimal()) + cost.amount
            )
        if not groups and not query.group_by:
            groups[_USD, frozenset()] = Decimal()
        for (unit, pairs), amount in groups.items():
            yield Spend(
                unit=unit,
                amount=amount,
                start=day.start,
                end=day.start + timedelta(days=1),
                labels=dict(sorted(pairs)),
            )


def running_spend(days: Iterable[DayCosts], now: datetime) -> Iterator[Spend]:
    """Yield the sum of each running period of which any day is reported."""
    days = list(days)
    for period, start in (
        (Period.TODAY, today(now)),
        (Period.THIS_MONTH, this_month(now)),
    ):
        reported = [day for day in days if day.start >= start]
        totals: dict[Unit, Decimal] = {}
        for day in reported:
            for cost in day.costs:
                totals[cost.unit] = totals.get(cost.unit, Decimal()) + cost.amount
        if reported and not totals:
            # Days without costs name no currency.
            totals[_USD] = Decimal()
        for unit, total in totals.items():
            yield Spend(unit=unit, amount=total, start=start, end=now, period=period)
