"""What all accounts have together.

Currencies are added each for itself, and converted only by the rates that a person has
chosen. A sum of which a part is unknown is unknown.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from ..model import UNKNOWN_CURRENCY, Period, Spend, Unit
from .levels import Availability, Level
from .state import GaugeState
from .view import View

_ZERO = Decimal()
# A rate with more digits than that before or after the point is a mistake.
_RATE_DIGITS = 12
_FROM_BEST_TO_WORST = tuple(Availability)


class Figure(StrEnum):
    """What is added up over all accounts."""

    AVAILABLE = "available"
    SPENT_TODAY = "spent_today"
    SPENT_THIS_MONTH = "spent_this_month"


_PERIODS = {
    Figure.SPENT_TODAY: Period.TODAY,
    Figure.SPENT_THIS_MONTH: Period.THIS_MONTH,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account as a part of the total.

    `view` is None while the account is not loaded, and `is_read` is False while its facts
    are too old to be shown. `gauges` is all that is known to run down, also what the last
    answer left out.
    """

    name: str
    view: View | None = None
    gauges: Mapping[str, GaugeState] = field(default_factory=dict)
    is_read: bool = False

    @property
    def currencies(self) -> set[str]:
        """Return the currencies that the account has or had."""
        units = {known.unit for known in self.gauges.values() if not known.is_quota}
        if self.view:
            parts = self.view.parts.values()
            units |= {part.unit for part in parts if isinstance(part, Spend)}
        # Two unknown currencies may differ.
        return {
            unit.code for unit in units if unit.is_money and unit != UNKNOWN_CURRENCY
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """What one of a currency is worth in the target currency, from where and of when."""

    amount: Decimal
    source: str
    updated: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """The sum of a figure over all accounts, None while it is unknown.

    `unknown` names the accounts whose part is unknown now, `not_counted` those that have
    no such amount, such as debt that is paid later. `missing_rates` are the currencies
    that cannot be converted.
    """

    amount: Decimal | None
    unknown: tuple[str, ...] = ()
    not_counted: tuple[str, ...] = ()
    missing_rates: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Return whether no account has such an amount."""
        return self.amount is None and not self.unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOut:
    """Which account runs out next, in which unit and when."""

    account: str
    unit: Unit
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What all accounts have together.

    `sums` are by figure and currency. `low` names the accounts of which anything is low
    or depleted, `unread` those that cannot be read now: what these have is unknown.
    `availability` is the worst one, None where a worse one may be unknown.
    """

    sums: Mapping[tuple[Figure, str], Sum] = field(default_factory=dict)
    rates: Mapping[str, Rate] = field(default_factory=dict)
    low: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    availability: Availability | None = None
    next_to_run_out: RunOut | None = None

    def convert(self, figure: Figure, target: str) -> Sum:
        """Return the sum of a figure over all currencies, in the target currency."""
        sums = {
            currency: one for (of, currency), one in self.sums.items() if of is figure
        }
        counted = {code: one for code, one in sums.items() if not one.is_empty}
        missing = tuple(
            code for code in counted if code != target and code not in self.rates
        )
        amounts = [
            one.amount * (Decimal(1) if code == target else self.rates[code].amount)
            for code, one in counted.items()
            if code not in missing and one.amount is not None
        ]
        # Without an account nothing is known, as in every other sum.
        is_known = bool(amounts) and len(amounts) == len(counted)
        return Sum(
            amount=sum(amounts, _ZERO) if is_known else None,
            unknown=_unique(name for one in sums.values() for name in one.unknown),
            not_counted=_unique(
                name for one in sums.values() for name in one.not_counted
            ),
            missing_rates=missing,
        )


def sum_up(accounts: Iterable[Account], rates: Mapping[str, Rate]) -> Totals:
    """Return what the accounts have together."""
    accounts = list(accounts)
    views = [
        (account.name, account.view)
        for account in accounts
        if account.view and account.is_read
    ]
    unread = tuple(account.name for account in accounts if not account.is_read)
    return Totals(
        sums={
            (figure, currency): _add(accounts, figure, currency)
            for currency in currencies(accounts)
            for figure in Figure
        },
        rates=rates,
        low=tuple(name for name, view in views if _is_low(view)),
        unread=unread,
        availability=_worst((view for _, view in views), is_whole=not unread),
        next_to_run_out=min(
            (one for name, view in views for one in _run_outs(name, view)),
            key=lambda one: one.at,
            default=None,
        ),
    )


def currencies(accounts: Iterable[Account]) -> list[str]:
    """Return the currencies of the accounts, in alphabetical order."""
    return sorted({code for account in accounts for code in account.currencies})


def rate_of(text: str) -> Decimal | None:
    """Return a rate that is written as text, None where it is none."""
    try:
        rate = Decimal(text)
    except InvalidOperation:
        return None
    if not rate.is_finite() or rate <= 0 or abs(rate.adjusted()) > _RATE_DIGITS:
        return None
    return rate


def _add(accounts: Iterable[Account], figure: Figure, currency: str) -> Sum:
    """Return the sum of a figure in a currency."""
    amounts: list[Decimal] = []
    unknown: list[str] = []
    not_counted: list[str] = []
    for account in accounts:
        if account.view is None:
            # Nobody knows which currencies it has.
            unknown.append(account.name)
        elif currency not in account.currencies:
            continue
        elif not account.is_read or _is_incomplete(
            account.view, account.gauges, figure, currency
        ):
            unknown.append(account.name)
        else:
            found = list(_amounts(account.view, figure, currency))
            amounts += found
            if not found or _has_debt(account.view, figure, currency):
                not_counted.append(account.name)
    return Sum(
        amount=sum(amounts, _ZERO) if amounts and not unknown else None,
        unknown=tuple(unknown),
        not_counted=tuple(not_counted),
    )


def _amounts(view: View, figure: Figure, currency: str) -> Iterator[Decimal]:
    """Yield the amounts of an account that are known; what is overdrawn has nothing."""
    unit = Unit.money(currency)
    if figure is Figure.AVAILABLE:
        for gauge in view.gauges.values():
            if (
                gauge.unit == unit
                and not gauge.is_quota
                and gauge.remaining is not None
            ):
                yield max(gauge.remaining, _ZERO)
        return
    for part in view.parts.values():
        if (
            isinstance(part, Spend)
            and part.unit == unit
            and part.period is _PERIODS[figure]
        ):
            yield part.amount


def _is_incomplete(
    view: View, gauges: Mapping[str, GaugeState], figure: Figure, currency: str
) -> bool:
    """Return whether a part of an account's amount is unknown."""
    unit = Unit.money(currency)
    missing = {
        known.scope
        for key, known in gauges.items()
        if known.unit == unit and not known.is_quota and key not in view.gauges
    }
    if figure is Figure.AVAILABLE:
        return bool(missing) or any(
            gauge.unit == unit and gauge.remaining is None and not gauge.is_postpaid
            for gauge in view.gauges.values()
        )
    # The provider's own number counts what the wallets do not show.
    return not missing <= {
        spend.scope
        for spend in view.snapshot.spend
        if spend.unit == unit and spend.period is _PERIODS[figure]
    }


def _has_debt(view: View, figure: Figure, currency: str) -> bool:
    """Return whether an account has debt that is paid later, and cannot be spent."""
    return figure is Figure.AVAILABLE and any(
        gauge.unit.code == currency and gauge.is_postpaid and gauge.remaining is None
        for gauge in view.gauges.values()
    )


def _is_low(view: View) -> bool:
    """Return whether anything of an account is low or depleted."""
    return view.availability in (Availability.LOW, Availability.DEPLETED) or any(
        view.levels.get(key, Level.OK) is not Level.OK for key in view.gauges
    )


def _worst(views: Iterable[View], *, is_whole: bool) -> Availability | None:
    """Return the worst availability. What is bad is shown, whatever is unknown."""
    known = [view.availability for view in views if view.availability]
    worst = max(known, key=_FROM_BEST_TO_WORST.index, default=None)
    return None if worst is Availability.AVAILABLE and not is_whole else worst


def _run_outs(name: str, view: View) -> Iterator[RunOut]:
    """Yield when each wallet and quota of an account runs out, before any reset."""
    for outlook in view.outlooks.values():
        if outlook.runs_out and not outlook.lasts_until_reset:
            yield RunOut(account=name, unit=outlook.unit, at=outlook.runs_out)


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    """Return each name once, in the order of the first."""
    return tuple(dict.fromkeys(names))
