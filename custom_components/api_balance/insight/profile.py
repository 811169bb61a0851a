"""What a wallet usually spends, by the hour of the day and the day of the week, in UTC.

Spend is in the wallet's unit, in floats: an estimate is never as exact as an amount.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from math import ceil, sqrt, sumprod

from .hourly_spend import DAYS_KEPT, HourlySpend, hour_of

DAY = 24
WEEK = 7 * DAY

type Profile = Sequence[float]
"""What each hour of the week is worth, in average hours; Monday, midnight is first."""

_HOURS = DAYS_KEPT * DAY
_DIGITS = 4
# Hours are counted from a Thursday on.
_THURSDAY = 3 * DAY
# What was seen of an hour for a few minutes, or of a day for a few hours, says little.
_ENOUGH_OF_HOUR = 0.2
_ENOUGH_OF_DAY = 0.5
# What is learned is mixed with so many observations of no habit, where the scatter of the
# data does not show how many are needed; days of the week need more.
_FLAT_HOURS = 1.0
_FLAT_DAYS = 1.5
_LEAST_FLAT, _MOST_FLAT = 0.1, 20.0
# Where nothing was ever spent, something may be.
_LEAST = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """The hours of a history, oldest first, and what part of each was observed.

    `first` is the number of the first hour. Before the index `reported` the hours come from
    the provider's days.
    """

    first: int
    spent: list[float]
    parts: list[float]
    reported: int

    def until(self, end: int) -> Observed:
        """Return the hours before an index."""
        return replace(self, spent=self.spent[:end], parts=self.parts[:end])

    def since(self, start: int) -> Observed:
        """Return the hours from an index on."""
        return Observed(
            first=self.first + start,
            spent=self.spent[start:],
            parts=self.parts[start:],
            reported=max(self.reported - start, 0),
        )

    def worth(self, habit: Profile) -> list[float]:
        """Return what the hours are worth by a habit, in average hours.

        The provider's days are spread evenly over their hours, and so is their worth.
        """
        start, count = hour_of_week(self.first), len(self.parts)
        worth = (list(habit) * (2 + count // WEEK))[start : start + count]
        for index in range(self.reported):
            day = (start + index) % WEEK // DAY * DAY
            worth[index] = sum(habit[day : day + DAY]) / DAY
        return [part * each for part, each in zip(self.parts, worth, strict=True)]


def rounded(amount: float) -> Decimal:
    """Return an amount with as many digits as an estimate is worth."""
    return Decimal(f"{Decimal(f'{amount:.{_DIGITS}g}'):f}")


def hour_of_week(hour: int) -> int:
    """Return which hour of the week an hour is."""
    return (hour + _THURSDAY) % WEEK


def observe(history: HourlySpend, now: datetime) -> Observed | None:
    """Return the hours of a history until now, None where there are none."""
    hours = history.hours
    if not hours or history.since is None or history.until is None:
        return None
    until = min(history.until, now).timestamp() / 3600
    last = min(max(hours), ceil(until) - 1)
    first = max(min(hours), last + 1 - _HOURS)
    if first > last:
        return None
    span = range(first, last + 1)
    amounts = [hours.get(hour) for hour in span]
    parts = [0.0 if amount is None else 1.0 for amount in amounts]
    if hour_of(history.since) == first:
        parts[0] -= history.since.timestamp() / 3600 - first
    parts[-1] = max(parts[-1] - max(last + 1 - until, 0.0), 0.0)
    return Observed(
        first=first,
        # What rounding leaves may be less than nothing.
        spent=[float(amount) if amount and amount > 0 else 0.0 for amount in amounts],
        parts=parts,
        reported=min(max(history.filled_until - first, 0), len(parts)),
    )


def learn(observed: Observed) -> Profile:
    """Return the habit that the hours show, as far as they support one."""
    hours = _hours_of_day(observed)
    days = _days_of_week(observed, hours)
    return [max(day * hour, _LEAST) for day in days for hour in hours]


def _hours_of_day(observed: Observed) -> list[float]:
    """Return what each hour of the day is worth, in average hours."""
    # Of roots, so that a burst does not pass for a habit.
    roots = [
        sqrt(spent / part) if part > _ENOUGH_OF_HOUR else None
        for spent, part in zip(observed.spent, observed.parts, strict=True)
    ]
    roots[: observed.reported] = [None] * observed.reported
    midnight = -observed.first % DAY
    groups = [
        [root for root in roots[(midnight + hour) % DAY :: DAY] if root is not None]
        for hour in range(DAY)
    ]
    return _worth(groups, _FLAT_HOURS)


def _days_of_week(observed: Observed, hours: Sequence[float]) -> list[float]:
    """Return what each day of the week is worth, in average days."""
    worth = observed.worth([*hours] * 7)
    groups: list[list[float]] = [[] for _ in range(7)]
    for begin in range(-(observed.first % DAY), len(worth), DAY):
        day = slice(max(begin, 0), begin + DAY)
        if sum(observed.parts[day]) > _ENOUGH_OF_DAY * DAY:
            weekday = hour_of_week(observed.first + begin) // DAY
            spent = sum(observed.spent[day]) / sum(worth[day])
            groups[weekday].append(sqrt(spent))
    return _worth(groups, _FLAT_DAYS)


def _worth(groups: Sequence[list[float]], flat: float) -> list[float]:
    """Return what each group of roots is worth; the average group is one.

    The means of the groups are drawn together: the more so, the more the members of a
    group scatter, beside what separates the groups.
    """
    means: dict[int, float] = {}
    noise, freedom = 0.0, 0
    for index, group in enumerate(groups):
        if not group:
            continue
        means[index] = mean = sum(group) / len(group)
        noise += sumprod(group, group) - len(group) * mean * mean
        freedom += len(group) - 1
    average = sum(means.values()) / max(len(means), 1)
    if not average:
        return [1.0] * len(groups)
    scatter = sum((mean - average) ** 2 for mean in means.values())
    if freedom and scatter:
        noise /= freedom
        scatter /= max(len(means) - 1, 1)
        count = sum(map(len, groups)) / len(means)
        found = noise / max(scatter - noise / count, noise / _MOST_FLAT)
        # As if one observation of each group had said what is usual.
        weight = freedom / (freedom + len(groups))
        flat *= (max(found, _LEAST_FLAT) / flat) ** weight
    worth = [
        ((len(group) * means.get(index, 0.0) / average + flat) / (len(group) + flat))
        ** 2
        for index, group in enumerate(groups)
    ]
    return [each * len(worth) / sum(worth) for each in worth]
