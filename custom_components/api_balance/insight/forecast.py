"""How long the money lasts, and how sure that is.

What the coming hours cost is what they are worth by habit, times a level that follows
from the past. The same estimate, made at moments of the past, shows how wrong it usually is.
Amounts are in the wallet's unit, and floats where they are estimated.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import accumulate, batched, compress, pairwise, repeat
from math import exp, log
from statistics import fmean, median

from ..model import UNKNOWN_CURRENCY, Gauge
from .hourly_spend import DAYS_KEPT, HOUR, HourlySpend, hour_of, start_of
from .movements import Ledger
from .profile import DAY, WEEK, Observed, Profile, hour_of_week, learn, observe, rounded

# So many hours are enough polls for a rate. What was quiet for a night may wake up.
_ENOUGH = 6
_ENOUGH_OF_NOTHING = DAY
# Idle is what is quiet for a week, and for much longer than it ever was.
_QUIET = WEEK
_QUIETER = 3
# Ten years: nobody plans further.
_LONGEST = 3652 * DAY

# The past is seen in blocks of so many hours. Each has a bit of the average, so that the
# quiet ones have a logarithm.
_BLOCK = 3
_BIT = 0.1
_BLOCKS_A_DAY = DAY // _BLOCK
# For so many hours ahead the level is estimated, each time as a mean of powers: the
# shorter the time, the less likely it holds a rare burst, and the less those of the past
# count.
_HORIZONS = ((6, 0.1), (DAY, 0.4), (3 * DAY, 0.7), (WEEK, 1.0))
# Where most blocks are without spending, none is typical, and only the mean counts.
_MOSTLY = 0.5
# So far back is looked. What a past has to say counts half where it is so many times as
# long as the time ahead, and the more, the longer it is; the rest is left to longer ones.
_PASTS = (3, 6, DAY, 3 * DAY, WEEK, DAYS_KEPT * DAY)
_TIMES_AHEAD = 2
# The estimate is tried at every block of the last days, and in weeks before them where it
# was the same time of day as now.
_TRIED = 3 * _BLOCKS_A_DAY
_TRIED_AT_THIS_TIME = 21 * _BLOCKS_A_DAY
# So many trials that share nothing outweigh what holds without any: that there is no
# bias; and that an error is like that of a shorter time ahead, and that of the shortest
# like a common one.
_UNBIASED = 10
_ALIKE = 3
_COMMON_ERROR = 0.35
# Four of five errors are within so many mean ones, and a quarter more after a day only.
_RANGE = 1.9
_AFTER_A_DAY = 0.25
# A sure forecast is off by a third at most, an unsure one by more than double.
_SURE = 0.3
_UNSURE = 0.8


class State(StrEnum):
    """What can be said: nothing yet, that nothing is spent, or how long it lasts."""

    COLLECTING = "collecting"
    IDLE = "idle"
    OK = "ok"


class Confidence(StrEnum):
    """How sure a forecast is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """How long a wallet lasts.

    `daily_spend` is what an average day of the coming week is expected to cost, in the
    wallet's unit; positive is spent. `runway` is the time from now until nothing is left,
    as likely to be too long as too short; in four of five cases it is from `runway_low`
    to `runway_high`. They are zero where nothing is left, ten years where it is longer,
    and None where it is not known or without an end. `confidence` follows from the range.
    """

    state: State
    daily_spend: Decimal | None = None
    runway: timedelta | None = None
    runway_low: timedelta | None = None
    runway_high: timedelta | None = None
    confidence: Confidence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What some time ahead costs: `expected`, in four of five cases `low` to `high`."""

    expected: Decimal
    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class _Estimate:
    """What an average hour costs over some time ahead, as a logarithm, and the range."""

    level: float
    margin: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """What the history of a gauge says, whatever is left of it.

    It changes with every hour and with every spend, and holds until then. `by_horizon`
    and `profile` are empty where there is no forecast.
    """

    state: State
    by_horizon: Sequence[_Estimate] = ()
    profile: Profile = ()

    @property
    def hourly(self) -> Decimal:
        """Return what an hour is expected to cost, zero where there is no forecast."""
        if not self.by_horizon:
            return Decimal()
        return Decimal(exp(self.by_horizon[0].level))

    def forecast(self, remaining: Decimal | None, now: datetime) -> Forecast:
        """Return how long an amount lasts; None has no end, or is not known."""
        if self.state is State.OK:
            return _foresee(self.by_horizon, self.profile, remaining, now)
        nothing = timedelta() if remaining is not None and remaining <= 0 else None
        return Forecast(
            state=self.state,
            daily_spend=Decimal() if self.state is State.IDLE else None,
            runway=nothing,
            runway_low=nothing,
            runway_high=nothing,
        )

    def cost(self, until: datetime, now: datetime) -> Cost | None:
        """Return what the time until then costs, None where there is no forecast."""
        if self.state is State.COLLECTING:
            return None
        hours = max((until - now) / HOUR, 0.0)
        if self.state is State.IDLE or not hours:
            return Cost(expected=Decimal(), low=Decimal(), high=Decimal())
        worth = _worth_ahead(self.profile, now)
        expected, low, high = (
            rounded(_costs_until(hours, worth, levels))
            for levels in _sides(self.by_horizon)
        )
        return Cost(expected=expected, low=low, high=high)


def forecast(samples: Sequence[tuple[datetime, Decimal]], now: datetime) -> Forecast:
    """Return how long the last of some amounts lasts, which are oldest first."""
    ledger, amount = Ledger(), None
    for at, amount in samples:
        ledger.observe(Gauge(key="", unit=UNKNOWN_CURRENCY, remaining=amount), at)
    return estimate(ledger.history, now).forecast(amount, now)


def estimate(history: HourlySpend, now: datetime, habit: Profile = ()) -> Estimates:
    """Return what a history says about the coming hours.

    The habit is learned where it is not given; it holds for the hour that is running.
    """
    past = observe(history, now)
    if past is None or _is_short(past):
        return Estimates(state=State.COLLECTING)
    if _is_idle(past):
        return Estimates(state=State.IDLE)
    habit = habit or learn(past)
    return Estimates(state=State.OK, by_horizon=_estimate(past, habit), profile=habit)


def _foresee(
    estimates: Sequence[_Estimate],
    habit: Profile,
    spendable: Decimal | None,
    now: datetime,
) -> Forecast:
    """Return how long an amount lasts by the estimates for the times ahead."""
    margins = _by_hour([estimate.margin for estimate in estimates])
    levels, cheap, dear = _sides(estimates)
    runway = low = high = None
    if spendable is not None:
        amount, worth = float(spendable), _worth_ahead(habit, now)
        runway, low, high = (
            _lasts(amount, worth, side) for side in (levels, dear, cheap)
        )
    hour = WEEK - 1 if runway is None else min(int(runway / HOUR), WEEK - 1)
    return Forecast(
        state=State.OK,
        daily_spend=rounded(DAY * exp(levels[-1])),
        runway=runway,
        runway_low=low,
        runway_high=high,
        confidence=_confidence(margins[hour]),
    )


def _confidence(margin: float) -> Confidence:
    """Return how sure a forecast is whose range ends so far from it."""
    if margin > _UNSURE:
        return Confidence.LOW
    return Confidence.MEDIUM if margin > _SURE else Confidence.HIGH


def _is_short(past: Observed) -> bool:
    """Return whether too little was observed to say anything."""
    return sum(past.parts) < (_ENOUGH if any(past.spent) else _ENOUGH_OF_NOTHING)


def _is_idle(past: Observed) -> bool:
    """Return whether nothing is spent any more."""
    if any(past.spent[-_QUIET:]):
        return False
    active = [-1, *(hour for hour, spent in enumerate(past.spent) if spent)]
    longest = max((after - before for before, after in pairwise(active)), default=0)
    return len(past.spent) - active[-1] > _QUIETER * longest


def _estimate(past: Observed, habit: Profile) -> list[_Estimate]:
    """Return the estimates for all times ahead."""
    spent, worth, reported, quiet = _blocks(past, habit)
    total_spent = [0.0, *accumulate(spent)]
    total_worth = [0.0, *accumulate(worth)]
    short = 1 + _AFTER_A_DAY * DAY / sum(past.parts)
    error = _COMMON_ERROR
    estimates = []
    for hours, power in _HORIZONS:
        ahead = hours // _BLOCK
        # The provider's days do not show how their hours scatter.
        first = reported if hours < DAY else 0
        moments = _moments(len(spent), ahead, first)
        power += (1 - power) * min(quiet / _MOSTLY, 1)
        level, *levels = _levels(spent, worth, [len(spent), *moments], hours, power)
        errors = [
            log(
                (total_spent[moment + ahead] - total_spent[moment])
                / (total_worth[moment + ahead] - total_worth[moment])
            )
            - estimated
            for moment, estimated in zip(moments, levels, strict=True)
        ]
        apart = max(len(spent) - first - ahead, 0) / ahead
        bias = apart / (apart + _UNBIASED) * _bias(len(spent), moments, errors)
        if errors:
            mean = fmean(abs(error - bias) for error in errors)
            error = (mean * apart + error * _ALIKE) / (apart + _ALIKE)
        estimates.append(_Estimate(level=level + bias, margin=_RANGE * short * error))
    return estimates


def _blocks(
    past: Observed, habit: Profile
) -> tuple[list[float], list[float], int, float]:
    """Return what blocks cost and are worth, how many days reported, and the quiet part."""
    hours = past.worth(habit)
    average = sum(past.spent) / sum(hours)
    # The last one ends now.
    before = [0.0] * (-len(hours) % _BLOCK)
    spent = map(sum, batched(before + past.spent, _BLOCK, strict=True))
    worth = [sum(block) for block in batched(before + hours, _BLOCK, strict=True)]
    # What is worth nothing was not observed.
    reported = sum(map(bool, worth[: (len(before) + past.reported) // _BLOCK]))
    amounts = list(compress(spent, worth))
    return (
        [amount + _BIT * average for amount in amounts],
        [each + _BIT for each in worth if each],
        reported,
        amounts[reported:].count(0) / max(len(amounts) - reported, 1),
    )


def _moments(now: int, ahead: int, first: int) -> list[int]:
    """Return the moments of the past that the estimate is tried at."""
    recent = range(max(first + 1, now - _TRIED), now - ahead + 1)
    weeks = range(now, max(first, now - _TRIED_AT_THIS_TIME), -_BLOCKS_A_DAY)
    return sorted({*recent, *(moment for moment in weeks if moment <= now - ahead)})


def _bias(now: int, moments: Sequence[int], errors: Sequence[float]) -> float:
    """Return by what the estimates at this time of day were too low."""
    alike = [
        error
        for moment, error in zip(moments, errors, strict=True)
        if not (now - moment) % _BLOCKS_A_DAY
    ]
    return median(alike) if alike else 0.0


def _levels(
    spent: Sequence[float],
    worth: Sequence[float],
    moments: Sequence[int],
    hours: int,
    power: float,
) -> list[float]:
    """Return what an average hour cost until each moment, as a logarithm."""
    spent = [0.0, *accumulate(map(pow, spent, repeat(power)))]
    worth = [0.0, *accumulate(map(pow, worth, repeat(power)))]
    levels = [0.0] * len(moments)
    counted = 0.0
    for length in _PASTS:
        share = length / (length + _TIMES_AHEAD * hours)
        weight = (1 if length == _PASTS[-1] else share) - counted
        counted += weight
        blocks = length // _BLOCK
        starts = [max(moment - blocks, 0) for moment in moments]
        levels = [
            level + weight * (spent[end] - spent[start]) / (worth[end] - worth[start])
            for level, start, end in zip(levels, starts, moments, strict=True)
        ]
    return [log(level) / power for level in levels]


def _between() -> list[tuple[int, float]]:
    """Return between which times ahead each hour of a week is, and how far."""
    logs = [log(hours) for hours, _ in _HORIZONS]
    found = []
    for hour in range(1, WEEK + 1):
        at = max(log(hour), logs[0])
        index = min(max(bisect_left(logs, at) - 1, 0), len(logs) - 2)
        found.append((index, (at - logs[index]) / (logs[index + 1] - logs[index])))
    return found


_BETWEEN = _between()


def _by_hour(values: Sequence[float]) -> list[float]:
    """Return values for the times ahead as those for each hour of a week."""
    steps = [after - before for before, after in pairwise(values)]
    return [values[index] + part * steps[index] for index, part in _BETWEEN]


def _sides(estimates: Sequence[_Estimate]) -> Iterator[list[float]]:
    """Yield the levels for each hour of a week: as expected, low and high."""
    levels = _by_hour([estimate.level for estimate in estimates])
    margins = _by_hour([estimate.margin for estimate in estimates])
    for side in (0, -1, 1):
        yield [level + side * m for level, m in zip(levels, margins, strict=True)]


def _worth_ahead(habit: Profile, now: datetime) -> list[float]:
    """Return what the first hours of the coming week are worth together, in turn."""
    hour = hour_of(now)
    part = (now - start_of(hour)) / HOUR
    start = hour_of_week(hour)
    habit = [*habit[start:], *habit[:start]]
    return list(
        accumulate(
            (1 - part) * this + part * following
            for this, following in zip(habit, [*habit[1:], habit[0]], strict=True)
        )
    )


def _lasts(amount: float, worth: Sequence[float], levels: Sequence[float]) -> timedelta:
    """Return how long an amount lasts, by what the first hours of a week are worth."""
    if amount <= 0:
        return timedelta()
    costs, price = _costs_of_week(worth, levels)
    weeks = 0.0
    if amount > costs[-1]:
        weeks, rest = divmod(amount / price, worth[-1])
        costs, amount = list(worth), rest
    index = bisect_left(costs, amount)
    before = costs[index - 1] if index else 0.0
    hours = weeks * WEEK + index + (amount - before) / (costs[index] - before)
    return min(hours, _LONGEST) * HOUR


def _costs_until(
    hours: float, worth: Sequence[float], levels: Sequence[float]
) -> float:
    """Return what so many hours cost: that much lasts for so long."""
    costs, price = _costs_of_week(worth, levels)
    before = 0.0
    if hours > WEEK:
        weeks, hours = divmod(hours, WEEK)
        costs = [price * each for each in worth]
        before = weeks * costs[-1]
    index = min(int(hours), WEEK - 1)
    start = costs[index - 1] if index else 0.0
    return before + start + (hours - index) * (costs[index] - start)


def _costs_of_week(
    worth: Sequence[float], levels: Sequence[float]
) -> tuple[list[float], float]:
    """Return what the first hours of a week cost, in turn, and the price after it."""
    prices = [exp(level) for level in levels]
    costs = accumulate((w * price for w, price in zip(worth, prices, strict=True)), max)
    return [*costs], prices[-1]
