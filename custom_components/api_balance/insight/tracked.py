"""Credit that a person entered, followed by what has been spent since.

For accounts whose provider reports costs and no balance, or nothing at all. Amounts are
in the credit's unit; costs are positive. Days are the provider's, in UTC.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from ..model import Estimate, Spend, Unit, Wallet

# Costs of the days before the entry may still arrive, and count then.
_LATE_BEFORE = timedelta(days=2)
# Costs of a day that is over for so long do not change any more.
_SETTLED_AFTER = timedelta(days=35)
# A report is asked for anew when it is this long.
_LONGEST_REPORT = timedelta(days=60)
_DAY = timedelta(days=1)
_ZERO = Decimal()
_CENT = Decimal("0.01")


@dataclass(slots=True, kw_only=True)
class TrackedCredit:
    """Credit of one currency.

    `amount` is what was entered at `entered_at`, with what was added since, and without
    the costs of days that are settled. `costs` are those from the day `since` on, as of
    the last report, and `costs_before` those that had been reported when the amount was
    entered; None until then. `newest_cost` is the last day that cost anything. `daily`
    is what a day usually costs where nothing is reported.
    """

    unit: Unit
    amount: Decimal
    entered_at: datetime
    since: datetime
    costs: Decimal = _ZERO
    costs_before: Decimal | None = None
    newest_cost: datetime | None = None
    daily: Decimal = _ZERO

    @property
    def key(self) -> str:
        """Return the key of the wallet."""
        return f"tracked_{self.unit.key}"

    def balance(self, now: datetime) -> Decimal:
        """Return what is left."""
        spent = self.costs - (self.costs_before or _ZERO)
        days = max((now - self.entered_at) // _DAY, 0)
        return self.amount - spent - (self.daily * days).quantize(_CENT)

    def wallet(self, now: datetime) -> Wallet:
        """Return the credit as a wallet."""
        return Wallet(
            key=self.key,
            unit=self.unit,
            balance=self.balance(now),
            estimate=Estimate(since=self.entered_at, newest_cost=self.newest_cost),
        )

    def report(self, rows: Iterable[Spend], now: datetime) -> None:
        """Take over the costs that the provider reports for the days since `since`."""
        own = [row for row in rows if row.unit == self.unit]
        self.costs = sum((row.amount for row in own), _ZERO)
        if self.costs_before is None:
            self.costs_before = self.costs
        days = [row.start for row in own if row.amount]
        self.newest_cost = max(days, default=self.newest_cost)
        if now - self.since > _LONGEST_REPORT:
            self._settle(own, now)

    def _settle(self, rows: Iterable[Spend], now: datetime) -> None:
        """Take the costs of settled days off for good, so that reports stay short."""
        since = midnight(now - _SETTLED_AFTER)
        settled = sum((row.amount for row in rows if row.start < since), _ZERO)
        self.since = since
        self.amount -= settled
        self.costs -= settled


def enter(
    unit: Unit, amount: Decimal, now: datetime, daily: Decimal = _ZERO
) -> TrackedCredit:
    """Return credit that was entered now."""
    return TrackedCredit(
        unit=unit,
        amount=amount,
        entered_at=now,
        since=midnight(now - _LATE_BEFORE),
        daily=daily,
    )


def midnight(moment: datetime) -> datetime:
    """Return when the day of a moment began."""
    day: date = moment.astimezone(UTC).date()
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
