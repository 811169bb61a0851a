"""What moved in a gauge between two answers of its provider.

The one place that decides why an amount changed. Amounts are in the gauge's unit. A
movement's amount is the change of what the gauge shows: what can be spent, or the debt of
an account that is paid later.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from ..model import Gauge, Lot, Period, Unit
from .hourly_spend import HOUR, HourlySpend, share

_ZERO = Decimal()
# The smallest amount that people see: of money, and of anything else.
_CENT = Decimal("0.01")
_ONE = Decimal(1)
# A rise of up to ten cents, or a hundredth of anything but money, is a correction.
_CORRECTED_CENTS = Decimal("0.10")
_CORRECTED_PART = Decimal("0.01")
_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
# People top up round amounts; the rounder is the likelier.
_ROUND_STEPS = tuple(Decimal(step) for step in (100, 50, 25, 20, 10, 5, 1))
# Up to five times the usual spend may hide beside a top-up, which is much larger than that.
_HIDDEN = 5
# A grant that fell by more than that of what is usual has expired.
_STRANGE = 2
_LARGE = 8
# An exact multiple of this is no refund.
_EXACT = Decimal(5)
# A refund gives back no more than this part of what was spent in the last day.
_REFUNDED = Decimal("0.5")
_TOP_UPS_KEPT = 20
_FALLS_KEPT = 8


class Kind(StrEnum):
    """Why an amount changed."""

    SPEND = "spend"
    TOP_UP = "top_up"
    EXPIRY = "expiry"
    CORRECTION = "correction"
    LIMIT_CHANGE = "limit_change"
    RESET = "reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """A change of a gauge between two answers, from `start` to `end`.

    `amount` is signed: spend and expiry are negative, a top-up is positive. A correction
    is either: cents back and forth, a refund, a hold that is released.
    """

    kind: Kind
    amount: Decimal
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What was spent from `since` until now; positive is spent."""

    since: datetime
    amount: Decimal = _ZERO


@dataclass(slots=True, kw_only=True)
class Ledger:
    """The movements of one gauge, as far as they are kept.

    `gauge` is the last one whose amount was known, `at` the time of that. `refund` is what
    came back by corrections: later spend uses it up first, so that nothing counts twice.
    `falls` are the last decreases, newest last. `top_ups` are the last ones, oldest first.
    `tallies` count the spend of the current day and month.
    """

    history: HourlySpend = field(default_factory=HourlySpend)
    gauge: Gauge | None = None
    at: datetime | None = None
    refund: Decimal = _ZERO
    falls: list[Decimal] = field(default_factory=list)
    top_ups: list[Movement] = field(default_factory=list)
    tallies: dict[Period, Tally] = field(default_factory=dict)

    def observe(
        self,
        gauge: Gauge,
        at: datetime,
        starts: Mapping[Period, datetime] | None = None,
    ) -> tuple[Movement, ...]:
        """Return what moved since the last answer; the sum is the change.

        Nothing has moved in a gauge that was not known, whose amount is missing or counts
        in another unit, or that is measured in another way. Where the clock was set
        back, no time passed. `starts` are the starts of the current day and month.
        """
        if gauge.shown is None:
            return ()
        before, since = self.gauge, self.at
        self.gauge, self.at = gauge, at
        if before is None or since is None or before.unit != gauge.unit:
            self.history, self.refund = HourlySpend(), _ZERO
            self.top_ups, self.falls = [], []
            self.history.add(at, at, _ZERO)
            self.tallies = {period: Tally(since=at) for period in starts or {}}
            return ()
        self.turn(starts or {}, at)
        if before.has_credit_line is not gauge.has_credit_line:
            return ()
        start = min(since, at)
        movements = tuple(
            Movement(kind=kind, amount=change, start=start, end=at)
            for kind, change in self._explain(before, gauge, start, at)
            if change
        )
        spends = (moved.amount for moved in movements if moved.kind is Kind.SPEND)
        self._book(start, at, -sum(spends, _ZERO))
        self._add_top_ups(moved for moved in movements if moved.kind is Kind.TOP_UP)
        return movements

    def restate(
        self, gauge: Gauge, at: datetime, moved: Movement | None
    ) -> tuple[Movement, ...]:
        """Take over an amount that a person entered, and what moved as they say."""
        self._book(min(self.at or at, at), at, _ZERO)
        self.gauge, self.at = gauge, at
        if moved is None:
            return ()
        if moved.kind is Kind.SPEND:
            self._book(at, at, -moved.amount)
        else:
            self._add_top_ups([moved])
        return (moved,)

    def pass_time(self, at: datetime) -> None:
        """Store that nothing has changed until a time within the last observed hour."""
        self.at = self.history.until = at

    def turn(self, starts: Mapping[Period, datetime], now: datetime) -> None:
        """Begin the tallies of the periods that have begun since."""
        for period, start in starts.items():
            tally = self.tallies.get(period)
            # What begins later than now was begun by a clock that was wrong.
            if tally is None or not start <= tally.since <= now:
                self.tallies[period] = Tally(since=start)

    def fill(
        self, days: Mapping[date, Decimal], starts: Mapping[Period, datetime]
    ) -> None:
        """Add what the provider reports of its days before the first observation.

        The month's tally counts from then on; a provider that reports only days that are
        over leaves out some hours. The day's tally does not: that would be a guess, as
        the provider's day is not the home's.
        """
        self.history.fill(days)
        start, tally = starts[Period.THIS_MONTH], self.tallies[Period.THIS_MONTH]
        since = self.history.since
        if since is not None and since <= start < tally.since:
            before = sum(
                (spent for _, spent in self.history.between(start, tally.since)), _ZERO
            )
            self.tallies[Period.THIS_MONTH] = Tally(
                since=start, amount=tally.amount + before
            )

    def _add_top_ups(self, movements: Iterable[Movement]) -> None:
        """Add top-ups, and forget the oldest."""
        self.top_ups = [*self.top_ups, *movements][-_TOP_UPS_KEPT:]

    def _book(self, start: datetime, end: datetime, spent: Decimal) -> None:
        """Count what was spent from start to end, evenly over that time."""
        self.history.add(start, end, spent)
        for period, tally in self.tallies.items():
            part = spent
            if start < tally.since and start < end:
                part = share(spent, max((end - tally.since) / (end - start), 0))
            self.tallies[period] = replace(tally, amount=tally.amount + part)

    def _explain(
        self, before: Gauge, now: Gauge, start: datetime, at: datetime
    ) -> Iterator[tuple[Kind, Decimal]]:
        """Yield what makes up the change of a gauge."""
        change = (now.shown or _ZERO) - (before.shown or _ZERO)
        if now.is_quota:
            yield from self._explain_quota(before, now, change)
            return
        if before.credit_limit is not None and now.credit_limit is not None:
            raised = now.credit_limit - before.credit_limit
            yield Kind.LIMIT_CHANGE, raised
            change -= raised
        for kind, part in _lots_moved(before, now, at):
            yield kind, part
            change -= part
        passed = at - start
        pools = _pools_moved(before, now)
        if pools is None or sum(pools) != change:
            yield from self._judge(change, before, passed, at)
            return
        granted, paid = pools
        if granted < 0 == paid and self._has_expired(-granted, now, passed):
            yield Kind.EXPIRY, granted
            return
        for part in pools:
            yield from self._judge(part, before, passed, at)

    def _explain_quota(
        self, before: Gauge, now: Gauge, change: Decimal
    ) -> Iterator[tuple[Kind, Decimal]]:
        """Yield what makes up the change of a quota; a rise is a reset."""
        if before.limit is not None and now.limit is not None and change:
            raised = now.limit - before.limit
            yield Kind.LIMIT_CHANGE, raised
            change -= raised
        yield (Kind.RESET if change > 0 else Kind.SPEND), change

    def _judge(
        self, change: Decimal, before: Gauge, passed: timedelta, at: datetime
    ) -> Iterator[tuple[Kind, Decimal]]:
        """Yield what a change means that only its size explains."""
        if change <= 0:
            back = min(self.refund, -change)
            self.refund -= back
            if change:
                self.falls = [*self.falls, -change][-_FALLS_KEPT:]
            yield Kind.CORRECTION, -back
            yield Kind.SPEND, change + back
            return
        usual = self._usual(passed)
        spent = None
        if change > _correction(before) and change not in self.falls:
            spent = _hidden_spend(change, usual, last_digit(before.unit))
            if spent is None and change > self._refundable(at):
                spent = usual.quantize(last_digit(before.unit))
        if spent is None:
            self.refund += change
            yield Kind.CORRECTION, change
            return
        yield Kind.TOP_UP, change + spent
        yield Kind.SPEND, -spent

    def _has_expired(self, fallen: Decimal, now: Gauge, passed: timedelta) -> bool:
        """Return whether a grant fell by more than could have been spent.

        Where the habit is not known, only a grant that is gone at once while paid money
        stays has expired: otherwise spending would go on with what is paid.
        """
        most = self._usual(passed) * _STRANGE
        if fallen <= max(most, _CORRECTED_CENTS):
            return False
        if not now.granted and now.paid:
            return True
        pace = self.history.pace(_WEEK, _DAY)
        return pace is not None and fallen > pace * 24

    def _usual(self, length: timedelta) -> Decimal:
        """Return what is usually spent in such a time; zero where that is not known."""
        pace = self.history.pace(_WEEK, HOUR)
        return _ZERO if pace is None else pace * Decimal(length / HOUR)

    def _refundable(self, now: datetime) -> Decimal:
        """Return how much of what was spent in the last day may come back."""
        return _REFUNDED * sum(
            (spent for _, spent in self.history.between(now - _DAY, now)), _ZERO
        )


def last_digit(unit: Unit) -> Decimal:
    """Return the smallest amount that is shown to people."""
    return _CENT if unit.is_money else _ONE


def _correction(gauge: Gauge) -> Decimal:
    """Return up to which rise a change is a correction."""
    if gauge.unit.is_money:
        return _CORRECTED_CENTS
    return abs(gauge.shown or _ZERO) * _CORRECTED_PART


def _lots_moved(
    before: Gauge, now: Gauge, at: datetime
) -> Iterator[tuple[Kind, Decimal]]:
    """Yield what of a gauge has expired, and what is new in it, by its lots."""
    left = {lot.id: lot.amount for lot in now.lots}
    for lot in before.lots:
        is_over = lot.expires_at is not None and lot.expires_at <= at
        if is_over and (held := _held(lot)) and not left.get(lot.id):
            yield Kind.EXPIRY, -held
    known = {lot.id for lot in before.lots}
    for lot in now.lots:
        if (held := _held(lot)) and lot.id not in known:
            yield Kind.TOP_UP, held


def _held(lot: Lot) -> Decimal:
    """Return what a lot holds that can be known again; nothing where it is debt."""
    return max(lot.amount or _ZERO, _ZERO) if lot.id else _ZERO


def _pools_moved(before: Gauge, now: Gauge) -> tuple[Decimal, Decimal] | None:
    """Return how the granted and the paid part moved, None where they are missing."""
    if (
        before.granted is None
        or before.paid is None
        or now.granted is None
        or now.paid is None
    ):
        return None
    return now.granted - before.granted, now.paid - before.paid


def _hidden_spend(change: Decimal, usual: Decimal, digit: Decimal) -> Decimal | None:
    """Return what was spent beside a top-up, if a large round one explains the rise."""
    if change >= _EXACT and not change % _EXACT:
        return _ZERO
    most = usual * _HIDDEN + 2 * digit
    for step in _ROUND_STEPS:
        spent = -change % step
        # The remainder has the sign of the dividend.
        spent = spent + step if spent < 0 else spent
        if spent <= most and step >= _LARGE * most:
            return spent
    return None
