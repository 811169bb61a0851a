"""Whether spend jumped: the last hours far above their habit, as by a leaked key or a loop.

Amounts are in the wallet's unit; positive is spent.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import accumulate, batched

from .hourly_spend import HourlySpend
from .profile import DAY, WEEK, learn, observe, rounded

# So many of the last hours are looked at together, the one that is running among them.
_WINDOWS = (2, 4, 6)
_RECENT = _WINDOWS[-1]
# So many hours before them are enough to know what is usual.
_ENOUGH = 3 * DAY
# A jump is several times what is usual, by a good part of what a day costs. It is over at
# the half of that.
_TIMES = 3
_PART_OF_DAY = 0.25
_OVER = 0.5
# What is exceeded on one of so many days is habitual, and a jump is above it by a half. Of
# few days less is known: after three, it is three times as much.
_ONCE_IN_DAYS = 14
_ABOVE = 1.5
_FEW_DAYS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Jump:
    """What was spent in the last `hours`, and what is usual in them."""

    spent: Decimal
    usual: Decimal
    hours: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spend:
    """What the hours cost, oldest first, and what they cost by habit."""

    spent: list[float]
    usual: list[float]
    day: float

    def is_high(self, hours: int, part: float = 1) -> bool:
        """Return whether the last hours cost far more than usual, or a part of that."""
        spent, usual = sum(self.spent[-hours:]), sum(self.usual[-hours:])
        return (
            spent > part * _TIMES * usual
            and spent - usual > part * _PART_OF_DAY * self.day
        )

    def is_strange(self, hours: int) -> bool:
        """Return whether the last hours are above the bursts of the hours before."""
        pairs = zip(self.spent, self.usual, strict=True)
        total = [0.0, *accumulate(spent - usual for spent, usual in pairs)]
        excess = [total[end] - total[end - hours] for end in range(hours, len(total))]
        before = excess[:-_RECENT]
        days = len(before) / DAY
        highest = sorted(max(day) for day in batched(before, DAY, strict=False))
        burst = highest[-1 - int(days / _ONCE_IN_DAYS + 0.5)]
        return excess[-1] > _ABOVE * (1 + _FEW_DAYS / days) * burst


def judge_jump(
    was_jumping: bool, history: HourlySpend, now: datetime
) -> tuple[bool, Jump | None]:
    """Return whether spend is far above its habit, and the jump when that is news.

    A jump goes on until the last hours are near their habit again, or are the habit.
    """
    if not was_jumping:
        jump = find_jump(history, now)
        return jump is not None, jump
    spend = _look(history, now)
    return spend is None or spend.is_high(_RECENT, _OVER), None


def find_jump(history: HourlySpend, now: datetime) -> Jump | None:
    """Return how spend jumped, None where it did not or too little is known."""
    spend = _look(history, now)
    if spend is None:
        return None
    for hours in _WINDOWS:
        if spend.is_high(hours) and spend.is_strange(hours):
            return Jump(
                spent=rounded(sum(spend.spent[-hours:])),
                usual=rounded(sum(spend.usual[-hours:])),
                hours=hours,
            )
    return None


def _look(history: HourlySpend, now: datetime) -> _Spend | None:
    """Return what the hours cost by the habit before the last ones, None if unknown."""
    hours = observe(history, now)
    if hours is None:
        return None
    # The provider's days know nothing of bursts.
    hours = hours.since(hours.reported)
    past = hours.until(-_RECENT)
    if sum(past.parts) < _ENOUGH or not any(past.spent[-WEEK:]):
        return None
    habit = learn(past)
    level = sum(past.spent[-WEEK:]) / sum(past.worth(habit)[-WEEK:])
    return _Spend(
        spent=hours.spent,
        usual=[level * worth for worth in hours.worth(habit)],
        day=level * DAY,
    )
