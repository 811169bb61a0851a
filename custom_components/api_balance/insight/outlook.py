"""How a wallet goes on, in figures that stay as calm as they are sure.

Amounts are in the wallet's unit; times are aware, in UTC.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from ..model import Gauge, Unit
from .forecast import Confidence, Estimates, Forecast, State
from .movements import Ledger, Movement

# What is shown is exact to a part of the range.
_PART = 4
_STEPS = (
    timedelta(days=7),
    timedelta(days=1),
    timedelta(hours=6),
    timedelta(hours=1),
    timedelta(minutes=15),
)
_DIGITS = ((1, Decimal("0.01")), (10, Decimal("0.1")))
_WHOLE = Decimal(1)
_ZERO = Decimal()
_NOW = timedelta()
_DAY = timedelta(days=1)
# How long a wallet lasts of which nothing is spent.
# In whole seconds, as it is stored.
FOR_EVER = timedelta(days=timedelta.max.days)
# What a day costs is never surer than that.
_CALM = Decimal("0.02")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """How a wallet goes on.

    `key`, `unit`, `scope` and `label` are the wallet's. `can_run_out` is False for debt
    that is paid later. `daily_spend` is what a day costs; positive is spent. `runs_out`
    is when nothing can be spent any more, in four of five cases from `earliest` to
    `latest`, and `days_left` how many days that is from now. What is not known or
    not to be seen is None.
    """

    key: str
    unit: Unit
    scope: str
    label: str | None
    can_run_out: bool
    state: State
    confidence: Confidence | None = None
    daily_spend: Decimal | None = None
    days_left: Decimal | None = None
    runs_out: datetime | None = None
    earliest: datetime | None = None
    latest: datetime | None = None
    last_top_up: Movement | None = None
    next_expiry: datetime | None = None
    lasts_until_reset: bool | None = None

    @property
    def lasts(self) -> timedelta | None:
        """Return how long the wallet lasts: for ever while nothing is spent."""
        if self.lasts_until_reset:
            return FOR_EVER
        if self.days_left is None:
            return FOR_EVER if self.state is State.IDLE else None
        return float(self.days_left) * _DAY


def look_ahead(
    gauge: Gauge,
    ledger: Ledger,
    estimates: Estimates,
    before: Outlook | None,
    now: datetime,
) -> Outlook:
    """Return how a gauge goes on, close to what was shown before where that holds."""
    forecast = estimates.forecast(gauge.remaining, now)
    expiring = sorted(_expiring(gauge, now))
    if expiring and gauge.remaining:
        low, runway, high = (
            _shorten(length, gauge.remaining, expiring, now)
            for length in (forecast.runway_low, forecast.runway, forecast.runway_high)
        )
        forecast = replace(forecast, runway_low=low, runway=runway, runway_high=high)
    shown = before or no_outlook(gauge)
    step = _step(forecast)
    runs_out = _settle(forecast.runway, shown.runs_out, step, now)
    earliest = _settle(forecast.runway_low, shown.earliest, step, now)
    latest = _settle(forecast.runway_high, shown.latest, step, now)
    lasts = forecast.runway if runs_out is None else runs_out - now
    return replace(
        shown,
        can_run_out=gauge.remaining is not None,
        state=forecast.state,
        confidence=forecast.confidence,
        daily_spend=_calm(forecast, shown.daily_spend),
        days_left=None if lasts is None else in_days(lasts),
        runs_out=runs_out,
        # Each is rounded for itself: close together they could change places.
        earliest=min(earliest, runs_out) if earliest and runs_out else earliest,
        latest=max(latest, runs_out) if latest and runs_out else latest,
        last_top_up=ledger.top_ups[-1] if ledger.top_ups else None,
        next_expiry=expiring[0][0] if expiring else None,
        lasts_until_reset=_lasts_until(gauge.resets_at, forecast, now),
    )


def no_outlook(gauge: Gauge) -> Outlook:
    """Return the outlook of a gauge of which nothing is known."""
    return Outlook(
        key=gauge.key,
        unit=gauge.unit,
        scope=gauge.scope,
        label=gauge.label,
        can_run_out=gauge.remaining is not None,
        state=State.COLLECTING,
    )


def _lasts_until(
    resets_at: datetime | None, forecast: Forecast, now: datetime
) -> bool | None:
    """Return whether a gauge lasts until its reset, None where that is unknown."""
    if resets_at is None or forecast.state is State.COLLECTING:
        return None
    return forecast.runway is None or now + forecast.runway >= resets_at


def _expiring(gauge: Gauge, now: datetime) -> Iterator[tuple[datetime, Decimal]]:
    """Yield when parts of a wallet expire, and how much that is."""
    for lot in gauge.lots:
        if lot.amount and lot.amount > 0 and lot.expires_at and lot.expires_at > now:
            yield lot.expires_at, lot.amount


def _shorten(
    runway: timedelta | None,
    spendable: Decimal,
    expiring: Iterable[tuple[datetime, Decimal]],
    now: datetime,
) -> timedelta | None:
    """Return how long a wallet lasts of which parts expire, the first spent first."""
    # Nothing is left of what is used up, whatever a part of it holds.
    if not runway:
        return runway
    gone = due = _ZERO
    for expires_at, amount in expiring:
        due += amount
        spent = spendable * Decimal((expires_at - now) / runway)
        gone += max(due - gone - spent, _ZERO)
    return runway * float(max(1 - gone / spendable, _ZERO))


def in_days(length: timedelta) -> Decimal:
    """Return a time in days: the longer, the rounder."""
    days = Decimal(length / _DAY)
    digits = next((digits for limit, digits in _DIGITS if days < limit), _WHOLE)
    return days.quantize(digits)


def _step(forecast: Forecast) -> timedelta:
    """Return to which part of the range a time is rounded."""
    low, high = forecast.runway_low, forecast.runway_high
    runway = forecast.runway or _NOW
    width = high - low if high is not None and low is not None else _NOW
    # The most even past is no promise.
    part = max(width, runway / _PART) / _PART
    return next((step for step in _STEPS if step <= part), _STEPS[-1])


def _settle(
    length: timedelta | None, shown: datetime | None, step: timedelta, now: datetime
) -> datetime | None:
    """Return when a time is over, rounded; None for none.

    What was shown before stays until it is off by as much as that.
    """
    if not length:
        return None
    exact = now + length
    if shown is not None and shown > now and abs(exact - shown) < step:
        return shown
    rounded = _EPOCH + round((exact - _EPOCH) / step) * step
    return rounded if rounded > now else exact


def _calm(forecast: Forecast, shown: Decimal | None) -> Decimal | None:
    """Return what a day costs: what was shown before until it is off by a part of it."""
    exact = forecast.daily_spend
    if shown is None or exact is None:
        return exact
    return shown if abs(exact - shown) <= shown * _CALM else exact
