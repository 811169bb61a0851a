"""Whether a gauge and its account can be used, and which changes are alerts.

Amounts are in the gauge's unit, positive amounts are the customer's.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from ..model import Gauge, Snapshot, Unit
from .jump import Jump
from .movements import Kind, Movement, last_digit

_ZERO = Decimal()
_TENTH = Decimal("0.1")
_PERCENT = Decimal("0.01")


class Availability(StrEnum):
    """Whether an account can be used, as far as money goes."""

    AVAILABLE = "available"
    LOW = "low"
    DEPLETED = "depleted"
    SUSPENDED = "suspended"


class Level(StrEnum):
    """How a gauge stands to its thresholds."""

    OK = "ok"
    LOW = "low"
    DEPLETED = "depleted"


class Activity(StrEnum):
    """What happened to a gauge."""

    BECAME_LOW = "became_low"
    DEPLETED = "depleted"
    RECOVERED = "recovered"
    TOPPED_UP = "topped_up"
    RESET = "reset"
    SPEND_JUMPED = "spend_jumped"
    BALANCE_SET = "balance_set"
    SPEND_RECORDED = "spend_recorded"
    REMINDER = "reminder"
    BUDGET_AT_RISK = "budget_at_risk"
    OVER_BUDGET = "over_budget"


BUDGET_ACTIVITIES = (Activity.BUDGET_AT_RISK, Activity.OVER_BUDGET)


# From depleted to low nothing gets worse, and the problem remains.
_ALERTS = {
    (Level.OK, Level.LOW): Activity.BECAME_LOW,
    (Level.OK, Level.DEPLETED): Activity.DEPLETED,
    (Level.LOW, Level.DEPLETED): Activity.DEPLETED,
    (Level.LOW, Level.OK): Activity.RECOVERED,
    (Level.DEPLETED, Level.OK): Activity.RECOVERED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """What a person calls low: an amount, and a time in days. Zero is off.

    The amount is in the gauge's unit, for a quota in percent of its limit. For debt that
    is paid later it is negative: how deep it may get.
    """

    amount: Decimal = Decimal()
    days: Decimal = Decimal()

    def amount_of(self, gauge: Gauge) -> Decimal:
        """Return the amount in the gauge's unit."""
        if gauge.is_quota:
            return self.amount * _PERCENT * (gauge.limit or _ZERO)
        return self.amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to a gauge, with the thresholds that were set.

    `before` and `after` are its amounts, None where they are unknown, `old_level` and
    `level` how it stood and stands. `runway` is how long it lasted then, `days` the
    threshold of that. `jump` describes a jump of its spend, and `note` is what a person
    wrote about it. The gauge of a budget is the budget's key, `after` what was spent in
    its month, which began at `since`, and `forecast` what the month is expected to cost.
    """

    activity: Activity
    gauge: str
    unit: Unit
    at: datetime
    before: Decimal | None = None
    after: Decimal | None = None
    old_level: Level | None = None
    level: Level | None = None
    threshold: Decimal | None = None
    runway: timedelta | None = None
    days: Decimal | None = None
    jump: Jump | None = None
    note: str | None = None
    since: datetime | None = None
    forecast: Decimal | None = None

    @property
    def change(self) -> Decimal | None:
        """Return what the amount changed by, None where that is unknown."""
        before, after = self.before, self.after
        return None if before is None or after is None else after - before


def judge(
    level: Level | None,
    gauge: Gauge,
    thresholds: Thresholds,
    runway: timedelta | None,
    *,
    is_usable: bool,
    is_dormant: bool,
) -> Level | None:
    """Return how a gauge stands now; what is unknown changes nothing.

    A dormant gauge is in order unless a person has set a threshold for it.
    """
    threshold = thresholds.amount_of(gauge)
    if is_dormant and not (threshold or thresholds.days):
        return Level.OK
    amount = _compared(gauge, threshold)
    if not is_usable or _is_depleted(gauge):
        return Level.DEPLETED
    if amount is None:
        return Level.OK if gauge.is_postpaid else level
    days = timedelta(days=float(thresholds.days))
    if (threshold and amount <= threshold) or (
        days and runway is not None and runway <= days
    ):
        is_held = level is Level.DEPLETED and not _is_above(amount, _ZERO, gauge)
        return Level.DEPLETED if is_held else Level.LOW
    if level is None or level is Level.OK:
        return Level.OK
    if _is_above(amount, threshold, gauge) and (
        not days or runway is None or runway > days * float(1 + _TENTH)
    ):
        return Level.OK
    return Level.LOW if _is_above(amount, _ZERO, gauge) else level


def alerts(
    before: Level | None, level: Level | None, movements: Iterable[Movement]
) -> list[Activity]:
    """Return what is to be reported of a gauge; nothing of one that is new."""
    if before is None or level is None:
        return []
    kinds = {moved.kind for moved in movements}
    found = [Activity.TOPPED_UP] if Kind.TOP_UP in kinds else []
    # A reset matters to those who were waiting for it.
    if Kind.RESET in kinds and before is not Level.OK:
        found.append(Activity.RESET)
    if alert := _ALERTS.get((before, level)):
        found.append(alert)
    return found


def availability(
    snapshot: Snapshot, levels: Iterable[tuple[Gauge, Level]]
) -> Availability | None:
    """Return the provider's own word, else that of the gauges together.

    The account is depleted only when nothing that it holds can be spent. None where
    neither the provider nor any gauge says anything.
    """
    if snapshot.is_suspended:
        return Availability.SUSPENDED
    known = list(levels)
    found = {level for _, level in known}
    usable = Availability.LOW if Level.LOW in found else Availability.AVAILABLE
    if snapshot.is_available is not None:
        return usable if snapshot.is_available else Availability.DEPLETED
    if all(gauge.remaining is None for gauge, _ in known):
        return None
    return usable if found != {Level.DEPLETED} else Availability.DEPLETED


def _compared(gauge: Gauge, threshold: Decimal) -> Decimal | None:
    """Return what is compared: what can be spent, or debt that a person watches."""
    if gauge.remaining is None and gauge.is_postpaid and threshold:
        return gauge.debt
    return gauge.remaining


def _is_depleted(gauge: Gauge) -> bool:
    """Return whether nothing is left; debt that is paid later has no such end."""
    return gauge.remaining is not None and gauge.remaining <= 0 and not gauge.can_exceed


def _is_above(amount: Decimal, threshold: Decimal, gauge: Gauge) -> bool:
    """Return whether an amount is above a threshold by more than a flutter."""
    margin = abs(threshold) * _TENTH
    if gauge.unit.is_money:
        margin = max(margin, last_digit(gauge.unit))
    return amount > threshold + margin
