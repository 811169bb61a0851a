"""Whether an account can be used, and when to warn that a wallet runs low.

Amounts are in the wallet's unit, positive amounts are the customer's.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from ..model import Snapshot, Wallet
from .jump import Jump
from .ledger import CORRECTION_DIGITS, last_digit
from .memory import Memory

_ZERO = Decimal()
_TENTH = Decimal("0.1")
# A rise up to this part of the amount is a correction.
_CORRECTION = Decimal("0.01")


class Availability(StrEnum):
    """Whether an account can be used, as far as money goes."""

    AVAILABLE = "available"
    LOW = "low"
    DEPLETED = "depleted"
    SUSPENDED = "suspended"


class Level(StrEnum):
    """How a wallet stands to its thresholds."""

    OK = "ok"
    LOW = "low"
    DEPLETED = "depleted"


class Activity(StrEnum):
    """What happened to a wallet."""

    BECAME_LOW = "became_low"
    DEPLETED = "depleted"
    RECOVERED = "recovered"
    TOPPED_UP = "topped_up"
    SPEND_JUMPED = "spend_jumped"
    REMINDER = "reminder"


# From depleted to low nothing gets worse, and nothing is mended.
_NEWS = {
    (Level.OK, Level.LOW): Activity.BECAME_LOW,
    (Level.OK, Level.DEPLETED): Activity.DEPLETED,
    (Level.LOW, Level.DEPLETED): Activity.DEPLETED,
    (Level.LOW, Level.OK): Activity.RECOVERED,
    (Level.DEPLETED, Level.OK): Activity.RECOVERED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """What a person calls low: an amount, and a time in days. Zero is off.

    For debt that is paid later the amount is negative: how deep it may get.
    """

    amount: Decimal = Decimal()
    days: Decimal = Decimal()


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What the watch remembers of a wallet: its latch, and what was last known.

    `is_available` tells that the amount may hold a credit line, as in the ledger.
    """

    level: Level
    amount: Decimal | None
    is_available: bool = False
    runway: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something that happened to a wallet, with the thresholds that were set.

    `runway` is how long it lasted then, `days` the threshold of that. `jump` tells how
    far its spend jumped.
    """

    activity: Activity
    old: Decimal | None
    new: Decimal | None
    threshold: Decimal | None = None
    runway: timedelta | None = None
    days: Decimal | None = None
    jump: Jump | None = None


def judge(
    before: Watched | None,
    wallet: Wallet,
    thresholds: Thresholds,
    *,
    is_usable: bool = True,
    is_dormant: bool = False,
    runway: timedelta | None = None,
) -> tuple[Watched | None, tuple[Change, ...]]:
    """Return how a wallet stands now, and what that is news of.

    Nothing is news of a wallet that was not watched before. What is not known changes
    nothing. Without a threshold of its own a dormant wallet is always in order.
    """
    is_set = bool(thresholds.amount or thresholds.days)
    amount = _watched_amount(wallet, thresholds)
    if amount is None and is_usable and not wallet.is_postpaid:
        return before, ()
    old, is_available = None, wallet.available is not None
    if before and amount is None:
        old, is_available = before.amount, before.is_available
    # A balance is never compared with what can be spent.
    elif before and before.is_available is is_available:
        old = before.amount
    is_topped_up = _is_top_up(old, amount, wallet)
    if runway is None and before and not is_topped_up:
        runway = before.runway
    level = before.level if before else Level.OK
    # In order with nothing in it: dormant, also when its neighbors are empty or gone.
    was_dormant = level is Level.OK and old is not None and old == amount == 0
    if (is_dormant or was_dormant) and not is_set:
        level = Level.OK
    elif not is_usable or (amount is not None and _is_depleted(amount, wallet)):
        level = Level.DEPLETED
    elif _is_low(amount, runway, thresholds):
        if level is not Level.DEPLETED or _has_left(
            amount, _ZERO, wallet, is_topped_up
        ):
            level = Level.LOW
    elif _has_recovered(amount, runway, thresholds, wallet, is_topped_up):
        level = Level.OK
    elif level is Level.DEPLETED and _has_left(amount, _ZERO, wallet, is_topped_up):
        level = Level.LOW
    now = Watched(
        level=level,
        amount=old if amount is None else amount,
        is_available=is_available,
        runway=runway,
    )
    if before is None:
        return now, ()
    activities = [Activity.TOPPED_UP] if is_topped_up else []
    if level is not before.level and (news := _NEWS.get((before.level, level))):
        activities.append(news)
    return now, tuple(
        Change(
            activity=activity,
            old=old,
            new=amount,
            threshold=thresholds.amount or None,
            runway=runway,
            days=thresholds.days or None,
        )
        for activity in activities
    )


def _watched_amount(wallet: Wallet, thresholds: Thresholds) -> Decimal | None:
    """Return what is compared: what can be spent, or debt that a person watches."""
    if wallet.spendable is None and wallet.is_postpaid and thresholds.amount:
        return wallet.balance
    return wallet.spendable


def _is_depleted(amount: Decimal, wallet: Wallet) -> bool:
    """Tell whether nothing is left; debt that is paid later has no such end."""
    return amount <= 0 and wallet.spendable is not None


def _is_low(
    amount: Decimal | None, runway: timedelta | None, thresholds: Thresholds
) -> bool:
    """Tell whether a threshold is reached."""
    if thresholds.amount and amount is not None and amount <= thresholds.amount:
        return True
    return (
        bool(thresholds.days)
        and runway is not None
        and runway <= timedelta(days=float(thresholds.days))
    )


def _has_recovered(
    amount: Decimal | None,
    runway: timedelta | None,
    thresholds: Thresholds,
    wallet: Wallet,
    is_topped_up: bool,
) -> bool:
    """Tell whether the thresholds are left behind by more than a flutter."""
    days = timedelta(days=float(thresholds.days * (1 + _TENTH)))
    return _has_left(amount, thresholds.amount, wallet, is_topped_up) and (
        is_topped_up or not thresholds.days or runway is None or runway > days
    )


def _has_left(
    amount: Decimal | None, threshold: Decimal, wallet: Wallet, is_topped_up: bool
) -> bool:
    """Tell whether an amount is above a threshold by a margin, or by a top-up."""
    if amount is None:
        return wallet.is_postpaid
    margin = max(abs(threshold) * _TENTH, last_digit(wallet.unit))
    return is_topped_up or amount > threshold + margin


def _is_top_up(old: Decimal | None, new: Decimal | None, wallet: Wallet) -> bool:
    """Tell whether an amount rose by more than a correction."""
    if old is None or new is None:
        return False
    correction = max(
        abs(old) * _CORRECTION, last_digit(wallet.unit) * CORRECTION_DIGITS
    )
    return new - old > correction


def availability(
    snapshot: Snapshot, memory: Memory, levels: Iterable[Level] = ()
) -> Availability | None:
    """Return the provider's own word, else that of the wallets together.

    None where neither the provider nor any wallet tells.
    """
    usable = Availability.LOW if Level.LOW in levels else Availability.AVAILABLE
    if snapshot.is_suspended:
        return Availability.SUSPENDED
    if snapshot.is_available is not None:
        return usable if snapshot.is_available else Availability.DEPLETED
    spendable = [
        wallet.spendable
        for wallet in snapshot.wallets
        if wallet.spendable is not None and not is_dormant(wallet, snapshot, memory)
    ]
    if not spendable:
        return None
    return Availability.DEPLETED if min(spendable) <= 0 else usable


def is_dormant(wallet: Wallet, snapshot: Snapshot, memory: Memory) -> bool:
    """Tell whether a wallet is empty because it was never used, beside one that is.

    It neither warns nor makes the account look empty.
    """
    known = memory.get(wallet.key)
    return (
        wallet.spendable == 0
        and (known is None or not known.has_held_money)
        and any((other.spendable or 0) > 0 for other in snapshot.wallets)
    )
