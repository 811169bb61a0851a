"""A series of amounts with their running sum, and what corrects it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from math import isclose

from ..model import Unit

_ZERO = Decimal()
# Who keeps a series may keep it in binary fractions.
_EXACT = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What was spent from each start on, in one unit; positive is spent."""

    name: str
    unit: Unit
    amounts: dict[datetime, Decimal] = field(default_factory=dict)

    def add(self, start: datetime, amount: Decimal) -> None:
        """Add what was spent from a start on."""
        self.amounts[start] = self.amounts.get(start, _ZERO) + amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """An amount as it is kept, and its sum with all amounts before it."""

    start: datetime
    amount: Decimal
    total: Decimal


def correct(
    kept: Sequence[Point],
    reported: Mapping[datetime, Decimal],
    base: Decimal,
    since: datetime | None,
) -> Iterator[Point]:
    """Yield the points that have to be written, oldest first.

    `kept` are the points from the first reported one on, in order, and `base` is the sum
    before them. From `since` on, the report is complete: what is kept and not reported
    is zero. Without it what was reported once stays, and can only grow.
    """
    amounts = {point.start: point.amount for point in kept}
    if since is None:
        for start, amount in reported.items():
            amounts[start] = max(amount, amounts.get(start, amount))
    else:
        amounts |= {start: _ZERO for start in amounts if start >= since}
        amounts |= reported
    before = {point.start: point for point in kept}
    total = base
    for start in sorted(amounts):
        total += amounts[start]
        point = Point(start=start, amount=amounts[start], total=total)
        if not _is_same(before.get(start), point):
            yield point


def _is_same(kept: Point | None, point: Point) -> bool:
    """Return whether a point is kept as it has to be."""
    return (
        kept is not None
        and _is_equal(kept.amount, point.amount)
        and _is_equal(kept.total, point.total)
    )


def _is_equal(one: Decimal, other: Decimal) -> bool:
    """Return whether two amounts are the same but for the way they are kept."""
    return isclose(one, other, rel_tol=_EXACT, abs_tol=_EXACT)
