"""Cost reports by the day, which vendors without a balance have, in UTC."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from ..model import Period, Spend, Unit
from .base import UnexpectedAnswer
from .periods import this_month, today

# A month has 31 days: more pages than this would never end.
_MAX_PAGES = 5
_USD = Unit.money("USD")


@dataclass(frozen=True, slots=True)
class DayCosts:
    """What a day has cost, by what it was spent on; a positive amount is spent."""

    start: datetime
    amounts: tuple[tuple[Unit, Decimal], ...]


async def all_pages(
    ask: Callable[[list[tuple[str, str]]], Awaitable[Mapping[str, Any]]],
) -> list[Any]:
    """Return the data of every page of a report that names its next page.

    Raises UnexpectedAnswer for a report without an end: a part is not the sum.
    """
    data: list[Any] = []
    page: list[tuple[str, str]] = []
    for _ in range(_MAX_PAGES):
        answer = await ask(page)
        data += answer["data"]
        if not answer["has_more"]:
            return data
        page = [("page", answer.get("next_page") or "")]
    raise UnexpectedAnswer("has_more")


def running_spend(days: Iterable[DayCosts], now: datetime) -> Iterator[Spend]:
    """Yield the sum of each running period of which any day is told."""
    days = list(days)
    for period, start in (
        (Period.TODAY, today(now)),
        (Period.THIS_MONTH, this_month(now)),
    ):
        told = [day for day in days if day.start >= start]
        totals: dict[Unit, Decimal] = {}
        for day in told:
            for unit, amount in day.amounts:
                totals[unit] = totals.get(unit, Decimal()) + amount
        if told and not totals:
            # Days without costs name no currency.
            totals[_USD] = Decimal()
        for unit, total in totals.items():
            yield Spend(unit=unit, amount=total, start=start, end=now, period=period)
