"""What moved in a wallet between two answers of its provider.

Amounts are in the wallet's unit. A movement's amount is the change of what the wallet
shows: what can be spent, or the debt of an account that is paid later.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import product

from ..model import Lot, Period, Unit, Wallet
from .history import HOUR, History, share

_ZERO = Decimal()
# The last digit that people see: of money, and of anything else.
_CENT = Decimal("0.01")
_ONE = Decimal(1)
# A rise of up to so many last digits is a correction.
CORRECTION_DIGITS = 10
# A refund gives back no more than this part of what was spent in the last day.
_REFUNDED = Decimal("0.25")
_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
# People top up round amounts; the rounder is the likelier.
_ROUND_STEPS = tuple(Decimal(step) for step in (100, 50, 20, 10, 5, 1))
# Up to so many times of what is usual may well be spent; rarely, it is more.
_STRANGE = 2
_VERY_STRANGE = 5
_TOP_UPS_KEPT = 20


class Kind(StrEnum):
    """Why an amount changed."""

    SPEND = "spend"
    TOP_UP = "top_up"
    EXPIRY = "expiry"
    CORRECTION = "correction"


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """A change of a wallet between two answers, from `start` to `end`.

    `amount` is signed: what is spent or expires is negative, a top-up positive. A
    correction is either: cents back and forth, a refund, another credit limit.
    """

    kind: Kind
    amount: Decimal
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A wallet as it was last told, as far as its next movements need it.

    `is_available` tells that the amount is the provider's word of what can be spent, which
    may hold a credit line, and not the balance.
    """

    at: datetime
    unit: Unit
    amount: Decimal
    is_available: bool
    credit_limit: Decimal | None = None
    granted: Decimal | None = None
    paid: Decimal | None = None
    lots: tuple[Lot, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What was spent from `since` until now; positive is spent."""

    since: datetime
    amount: Decimal = _ZERO


@dataclass(slots=True, kw_only=True)
class Ledger:
    """The movements of one wallet, and what is kept of them.

    `refund` is what came back by corrections: what is spent next uses it up first, so
    that nothing counts twice. `top_ups` are the last ones, oldest first. `tallies` are
    of the running day and month.
    """

    history: History = field(default_factory=History)
    seen: Seen | None = None
    refund: Decimal = _ZERO
    top_ups: list[Movement] = field(default_factory=list)
    tallies: dict[Period, Tally] = field(default_factory=dict)

    def observe(
        self,
        wallet: Wallet,
        at: datetime,
        starts: Mapping[Period, datetime] | None = None,
    ) -> tuple[Movement, ...]:
        """Return what moved since the wallet was last told; the sum is the change.

        Nothing has moved in a wallet that was not known, whose amount is not told, that
        counts in another unit now, or of which something else is told. Where the clock
        was set back, no time passed.
        `starts` tells when the running periods began, in the home's calendar.
        """
        amount = wallet.shown
        if amount is None:
            return ()
        before, self.seen = self.seen, _as_seen(wallet, amount, at)
        if before is None or before.unit != wallet.unit:
            self.history, self.refund, self.top_ups = History(), _ZERO, []
            self.history.add(at, at, _ZERO)
            self.tallies = {period: Tally(since=at) for period in starts or {}}
            return ()
        self.turn(starts or {}, at)
        if before.is_available != self.seen.is_available:
            return ()
        start = min(before.at, at)
        movements = tuple(
            Movement(kind=kind, amount=change, start=start, end=at)
            for kind, change in self._explain(before, self.seen, start)
            if change
        )
        spends = (moved.amount for moved in movements if moved.kind is Kind.SPEND)
        self._book(start, at, -sum(spends, _ZERO))
        self.top_ups += [moved for moved in movements if moved.kind is Kind.TOP_UP]
        del self.top_ups[:-_TOP_UPS_KEPT]
        return movements

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
        """Add what the provider tells of its days before the first observation.

        The month's tally counts from then on; a provider that tells only days that are
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

    def _book(self, start: datetime, end: datetime, spent: Decimal) -> None:
        """Count what was spent from start to end, evenly over that time."""
        self.history.add(start, end, spent)
        for period, tally in self.tallies.items():
            part = spent
            if start < tally.since and start < end:
                part = share(spent, max((end - tally.since) / (end - start), 0))
            self.tallies[period] = replace(tally, amount=tally.amount + part)

    def _explain(
        self, before: Seen, now: Seen, start: datetime
    ) -> Iterator[tuple[Kind, Decimal]]:
        """Yield what makes up the change of a wallet."""
        change = now.amount - before.amount
        if before.credit_limit is not None and now.credit_limit is not None:
            raised = now.credit_limit - before.credit_limit
            yield Kind.CORRECTION, raised
            change -= raised
        for kind, part in _lots_moved(before, now):
            yield kind, part
            change -= part
        passed = now.at - start
        pools = _pools_moved(before, now)
        if pools is None or sum(pools) != change:
            yield from self._judge(change, now, passed)
            return
        granted, paid = pools
        if granted < 0 == paid and self._has_expired(-granted, now, passed):
            yield Kind.EXPIRY, granted
            return
        for part in pools:
            yield from self._judge(part, now, passed)

    def _judge(
        self, change: Decimal, now: Seen, passed: timedelta
    ) -> Iterator[tuple[Kind, Decimal]]:
        """Yield what a change means that nothing but its size explains."""
        digit = last_digit(now.unit)
        if change <= 0:
            back = min(self.refund, -change)
            self.refund -= back
            yield Kind.CORRECTION, -back
            yield Kind.SPEND, change + back
            return
        usual = self._usual(passed)
        spent = _hidden_spend(change, usual, digit)
        if change <= digit * CORRECTION_DIGITS or (
            spent is None and change <= self._refundable(now.at)
        ):
            self.refund += change
            yield Kind.CORRECTION, change
            return
        if spent is None:
            spent = usual.quantize(digit)
        yield Kind.TOP_UP, change + spent
        yield Kind.SPEND, -spent

    def _has_expired(self, fallen: Decimal, now: Seen, passed: timedelta) -> bool:
        """Tell whether a grant fell by more than could have been spent.

        Where the habit is not known, only a grant that is gone at once while paid money
        stays has expired: who spends goes on to spend what is paid.
        """
        most = self._usual(passed) * _STRANGE
        if fallen <= max(most, last_digit(now.unit) * CORRECTION_DIGITS):
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
        """Return how much may come back of what was spent lately."""
        return _REFUNDED * sum(
            (spent for _, spent in self.history.between(now - _DAY, now)), _ZERO
        )


def last_digit(unit: Unit) -> Decimal:
    """Return the smallest amount that is shown to people."""
    return _CENT if unit.is_money else _ONE


def _as_seen(wallet: Wallet, amount: Decimal, at: datetime) -> Seen:
    """Return what the next movements of a wallet need to know."""
    return Seen(
        at=at,
        unit=wallet.unit,
        amount=amount,
        is_available=wallet.available is not None,
        # Only what can be spent now has a credit line in it.
        credit_limit=None if wallet.available is None else wallet.credit_limit,
        granted=wallet.granted,
        paid=wallet.paid,
        lots=wallet.lots,
    )


def _lots_moved(before: Seen, now: Seen) -> Iterator[tuple[Kind, Decimal]]:
    """Yield what of a wallet has expired, and what is new in it, by its lots."""
    left = {lot.id: lot.amount for lot in now.lots}
    for lot in before.lots:
        is_over = lot.expires_at is not None and lot.expires_at <= now.at
        if is_over and (held := _held(lot)) and not left.get(lot.id):
            yield Kind.EXPIRY, -held
    known = {lot.id for lot in before.lots}
    for lot in now.lots:
        if (held := _held(lot)) and lot.id not in known:
            yield Kind.TOP_UP, held


def _held(lot: Lot) -> Decimal:
    """Return what a lot holds that can be known again; nothing where it is debt."""
    return max(lot.amount or _ZERO, _ZERO) if lot.id else _ZERO


def _pools_moved(before: Seen, now: Seen) -> tuple[Decimal, Decimal] | None:
    """Return how the granted and the paid part moved, None where they are not told."""
    if (
        before.granted is None
        or before.paid is None
        or now.granted is None
        or now.paid is None
    ):
        return None
    return now.granted - before.granted, now.paid - before.paid


def _hidden_spend(change: Decimal, usual: Decimal, digit: Decimal) -> Decimal | None:
    """Return what was spent beside a top-up, if a round one explains the rise."""
    for times, step in product((_STRANGE, _VERY_STRANGE), _ROUND_STEPS):
        steps = ((change + usual) / step).to_integral_value()
        spent = steps * step - change
        if spent < 0:
            spent += step
        if spent <= usual * times + 2 * digit:
            return spent
    return None
