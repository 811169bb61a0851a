"""What an account costs in a month, and whether that keeps to a budget.

There is one budget for each currency of an account, over all its wallets. Amounts are in
that currency; positive is spent.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal

from ..model import ACCOUNT, Period, Snapshot, Spend, Unit
from .forecast import Estimates
from .hourly_spend import HourlySpend
from .levels import Activity, Event
from .movements import Tally, last_digit

_ZERO = Decimal()
_DAY = timedelta(days=1)
# More than a month has, and less than two.
_INTO_NEXT_MONTH = timedelta(days=32)
# A month whose start moved by less is the same one: the home moved to another time zone.
_HALF_A_MONTH = timedelta(days=14)
# What is expected stays as it is shown until it is off by this part.
_CALM = Decimal("0.02")


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """A month of a budget."""

    start: datetime
    end: datetime

    def is_same(self, start: datetime | None) -> bool:
        """Return whether this month is the one that began then."""
        return start is not None and abs(self.start - start) < _HALF_A_MONTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How a currency of an account stands to its budget.

    `amount` is the budget of a month, zero for none, which begins on the day `day`.
    `spent` is what is known to be spent in the month so far; `is_whole` that this is all.
    `has_ledger` is that wallets show when money was spent: without them the provider's own
    month is all that is known.
    `forecast` is what the month is expected to cost, in four of five cases from `low` to
    `high`; None where that is unknown. `is_over` and `is_at_risk` compare the budget with
    what was spent, and with the least that the month is expected to cost.
    """

    key: str
    unit: Unit
    scope: str = ACCOUNT
    label: str | None = None
    amount: Decimal
    day: int
    month: Month
    spent: Decimal
    is_whole: bool
    has_ledger: bool = True
    forecast: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    is_over: bool | None = None
    is_at_risk: bool = False


@dataclass(slots=True, kw_only=True)
class BudgetState:
    """What is stored of a budget.

    `reported` is the provider's own total of its running month, `history` how that grew,
    and `forgotten` what wallets have spent that are gone. `month` is the one that was
    judged last; `over_in` and `at_risk_in` are the starts of those that
    were reported. `is_shown_over` is what the home shows of `is_over`: both differ until
    the alert has been delivered.
    """

    unit: Unit
    amount: Decimal = _ZERO
    day: int = 1
    reported: Tally | None = None
    history: HourlySpend = field(default_factory=HourlySpend)
    forgotten: HourlySpend = field(default_factory=HourlySpend)
    month: Month | None = None
    over_in: datetime | None = None
    at_risk_in: datetime | None = None
    is_over: bool | None = None
    is_shown_over: bool | None = None

    def observe(self, total: Spend, now: datetime) -> None:
        """Add what the provider's own total of its month has grown by.

        A total that fell was corrected: it counts again from its highest amount on.
        """
        before, until = self.reported, self.history.until
        amount, start, spent = total.amount, now, _ZERO
        if before and until and total.start >= before.since:
            start = min(max(until, total.start), now)
            if total.start == before.since:
                amount = max(amount, before.amount)
                spent = amount - before.amount
            else:
                spent = amount
        self.history.add(start, now, spent)
        self.reported = Tally(since=total.start, amount=amount)

    def change(self, amount: Decimal | None = None, day: int | None = None) -> None:
        """Store what a person has set: it is judged as if it was new."""
        self.amount = self.amount if amount is None else amount
        self.day = self.day if day is None else day
        self.month = self.over_in = self.at_risk_in = self.is_over = None

    def judge(self, budget: Budget, at: datetime) -> list[Event]:
        """Store how a budget stands, and return what is to be reported: once a month."""
        month = self.month = budget.month
        self.is_over = budget.is_over
        found: list[Activity] = []
        if budget.is_over and not month.is_same(self.over_in):
            found.append(Activity.OVER_BUDGET)
            self.over_in = self.at_risk_in = month.start
        elif budget.is_at_risk and not month.is_same(self.at_risk_in):
            found.append(Activity.BUDGET_AT_RISK)
            self.at_risk_in = month.start
        return [
            Event(
                activity=activity,
                gauge=budget.key,
                unit=budget.unit,
                at=at,
                after=budget.spent,
                threshold=budget.amount,
                since=month.start,
                forecast=budget.forecast,
            )
            for activity in found
        ]


def month_of(at: datetime, day: int, zone: tzinfo) -> Month:
    """Return the month that begins on a day from 1 to 28 and holds a time."""
    today = at.astimezone(zone).date()
    first = today.replace(day=day)
    if first > today:
        first = (first.replace(day=1) - _DAY).replace(day=day)
    following = (first.replace(day=1) + _INTO_NEXT_MONTH).replace(day=day)
    return Month(start=_midnight(first, zone), end=_midnight(following, zone))


def budget_key(unit: Unit) -> str:
    """Return the key of the budget of a unit, stable for ever."""
    return f"budget_{unit.key}"


def reported_months(snapshot: Snapshot) -> dict[Unit, Spend]:
    """Return the provider's own total of its month for each currency."""
    return {
        spend.unit: spend
        for spend in snapshot.spend
        if spend.period is Period.THIS_MONTH
        and spend.scope == ACCOUNT
        and spend.unit.is_money
    }


def assess(budget: Budget, estimates: Estimates, now: datetime) -> Budget:
    """Return a budget with what its month is expected to cost, and how it stands."""
    spent, cost = budget.spent, estimates.cost(budget.month.end, now)
    low = spent + cost.low if cost else spent
    if budget.is_whole and cost:
        digit = last_digit(budget.unit)
        budget = replace(
            budget,
            forecast=(spent + cost.expected).quantize(digit),
            low=low.quantize(digit),
            high=(spent + cost.high).quantize(digit),
        )
    if not budget.amount:
        return budget
    is_over = spent > budget.amount
    return replace(
        budget,
        # What is known to be spent is enough to be over, and not enough to be within.
        is_over=is_over if is_over or budget.is_whole else None,
        is_at_risk=low > budget.amount,
    )


def settle(budget: Budget, before: Budget) -> Budget:
    """Return a budget with what was expected before, unless that is off by a part."""
    shown = before.forecast, before.low, before.high
    exact = budget.forecast, budget.low, budget.high
    if before.month.is_same(budget.month.start) and all(
        old is not None
        and new is not None
        and budget.spent <= old
        and abs(new - old) <= old * _CALM
        for old, new in zip(shown, exact, strict=True)
    ):
        forecast, low, high = shown
        return replace(budget, forecast=forecast, low=low, high=high)
    return budget


def _midnight(day: date, zone: tzinfo) -> datetime:
    """Return when a day begins."""
    return datetime.combine(day, time(), zone).astimezone(UTC)
