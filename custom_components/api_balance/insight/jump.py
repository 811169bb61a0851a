"""Whether spend jumped: the last hours far above their habit, as by a leaked key or a loop.

Amounts are in the wallet's unit; positive is spent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import accumulate, batched

from .hourly_spend import HOUR, HourlySpend, start_of
from .profile import DAY, WEEK, hour_of_week, learn, observe, rounded

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
class Baseline:
    """What is usual, by the habit before the last hours.

    `usual` is what each of the last hours costs as a whole, `day` what a day costs.
    `bursts` is by how much so many hours together have to be above what is usual, to be
    above the bursts of the hours before.
    """

    usual: Sequence[float]
    day: float
    bursts: Mapping[int, float]


def learn_baseline(history: HourlySpend, now: datetime) -> Baseline | None:
    """Return what is usual, None if unknown. It holds for the hour that is running."""
    hours = observe(history, now)
    if hours is None:
        return None
    # The provider's days know nothing of bursts.
    hours = hours.since(hours.reported)
    past = hours.until(-_RECENT)
    if sum(past.parts) < _ENOUGH or not any(past.spent[-WEEK:]):
        return None
    habit = learn(past)
    worth = past.worth(habit)
    level = sum(past.spent[-WEEK:]) / sum(worth[-WEEK:])
    pairs = zip(past.spent, worth, strict=True)
    total = [0.0, *accumulate(spent - level * each for spent, each in pairs)]
    first = hour_of_week(past.first + len(past.spent))
    week = [*habit, *habit]
    return Baseline(
        usual=[level * each for each in week[first : first + _RECENT]],
        day=level * DAY,
        bursts={hours: _burst(total, hours) for hours in _WINDOWS},
    )


def judge_jump(
    was_jumping: bool, history: HourlySpend, baseline: Baseline | None
) -> tuple[bool, Jump | None]:
    """Return whether spend is far above its habit, and the jump when that is news.

    A jump goes on until the last hours are near their habit again, or are the habit.
    """
    last = history.last
    if baseline is None or last is None or history.until is None:
        return was_jumping, None
    spent = [
        float(history.hours.get(hour, 0))
        for hour in range(last - _RECENT + 1, last + 1)
    ]
    usual = [*baseline.usual]
    usual[-1] *= (history.until - start_of(last)) / HOUR

    def is_high(hours: int, part: float = 1) -> bool:
        """Return whether so many hours cost far more than usual, or a part of that."""
        found, expected = sum(spent[-hours:]), sum(usual[-hours:])
        return (
            found > part * _TIMES * expected
            and found - expected > part * _PART_OF_DAY * baseline.day
        )

    if was_jumping:
        return is_high(_RECENT, _OVER), None
    for hours in _WINDOWS:
        found, expected = sum(spent[-hours:]), sum(usual[-hours:])
        if is_high(hours) and found - expected > baseline.bursts[hours]:
            return True, Jump(
                spent=rounded(found), usual=rounded(expected), hours=hours
            )
    return False, None


def _burst(total: Sequence[float], hours: int) -> float:
    """Return what is above all bursts, by the running total of what was unusual."""
    excess = [total[end] - total[end - hours] for end in range(hours, len(total))]
    days = len(excess) / DAY
    highest = sorted(max(day) for day in batched(excess, DAY, strict=False))
    burst = highest[-1 - int(days / _ONCE_IN_DAYS + 0.5)]
    return _ABOVE * (1 + _FEW_DAYS / days) * burst
