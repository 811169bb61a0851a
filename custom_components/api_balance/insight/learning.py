"""What the history of a gauge or a budget says, learned once an hour."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from .forecast import Estimates, estimate
from .hourly_spend import HourlySpend
from .jump import Baseline, learn_baseline

_ZERO = Decimal()
# An hour that costs so many times what was foreseen is a reason to look again.
_NEWS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What was learned from the history of a gauge in an hour.

    It holds until the hour is over, or costs more than `limit`.
    """

    estimates: Estimates
    hour: int | None = None
    limit: Decimal = Decimal()
    baseline: Baseline | None = None


def learn(history: HourlySpend, kept: Learned | None, now: datetime) -> Learned:
    """Return what a history says, again where that is an hour old or no longer true."""
    hour = history.last
    spent = history.hours.get(hour, _ZERO) if hour is not None else _ZERO
    is_of_hour = kept is not None and kept.hour == hour
    if kept and is_of_hour and spent <= kept.limit:
        return kept
    habit = kept.estimates.profile if kept and is_of_hour else ()
    estimates = estimate(history, now, habit)
    return Learned(
        hour=hour,
        limit=_NEWS * max(spent, estimates.hourly) if estimates.hourly else spent,
        estimates=estimates,
        baseline=kept.baseline if kept and is_of_hour else learn_baseline(history, now),
    )
