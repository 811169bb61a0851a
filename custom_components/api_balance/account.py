"""What is known of an account: facts, and the conclusions from them."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from .insight.jump import judge_jump
from .insight.ledger import Ledger
from .insight.memory import complete, learn
from .insight.outlook import Outlook, look_ahead
from .insight.watch import (
    Activity,
    Availability,
    Change,
    Level,
    Thresholds,
    availability,
    is_dormant,
    judge,
)
from .model import ACCOUNT, Period, Quota, Snapshot, Spend, Unit, Wallet
from .record import Record

type Part = Wallet | Quota | Spend | Outlook
"""What has a key of its own in an account, a unit, a scope and a label."""

type PartId = tuple[str, str]

# The sensors of a wallet that automations watch, by what they end with.
BALANCE = "balance"
AVAILABLE = "available"
TIME_LEFT = "time_left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What is known of an account. The outlooks are by the wallet's key."""

    snapshot: Snapshot
    availability: Availability | None
    parts: Mapping[PartId, Part]
    levels: Mapping[str, Level]
    outlooks: Mapping[str, Outlook]

    @property
    def scopes(self) -> set[str] | None:
        """Return the keys of the account and of its parts, None where none are told."""
        scopes = self.snapshot.scopes
        return {ACCOUNT, *(scope.key for scope in scopes)} if scopes else None

    def label(self, scope: str) -> str:
        """Return what people call a part of the account."""
        labels = {part.key: part.label for part in self.snapshot.scopes}
        return labels.get(scope) or scope


def part_id(part: Part) -> PartId:
    """Return what tells a part from all others of the account."""
    return type(part).__name__, part.key


def observe(
    record: Record,
    snapshot: Snapshot,
    starts: Mapping[Period, datetime],
    now: datetime,
) -> Snapshot:
    """Keep what a snapshot adds to the record, and return it with what it left out.

    `starts` tells when the running periods began, in the home's calendar.
    """
    snapshot = complete(record.memory, snapshot)
    record.memory = learn(record.memory, snapshot)
    for kept in (record.watched, record.ledgers):
        for key in kept.keys() - record.memory.keys():
            del kept[key]
    record.jumping &= record.memory.keys()
    for wallet in snapshot.wallets:
        record.ledgers.setdefault(wallet.key, Ledger()).observe(wallet, now, starts)
    return snapshot


def fill(
    record: Record,
    snapshot: Snapshot,
    rows: Iterable[Spend],
    starts: Mapping[Period, datetime],
) -> None:
    """Keep what the provider says of the days before the account was added."""
    days: defaultdict[tuple[str, Unit], defaultdict[date, Decimal]] = defaultdict(
        lambda: defaultdict(Decimal)
    )
    for row in rows:
        days[row.scope, row.unit][row.start.date()] += row.amount
    pots = Counter((wallet.scope, wallet.unit) for wallet in snapshot.wallets)
    for wallet in snapshot.wallets:
        pot, ledger = (wallet.scope, wallet.unit), record.ledgers[wallet.key]
        # Which of several wallets was spent is not told.
        if pots[pot] == 1 and pot in days and ledger.seen:
            ledger.fill(days[pot], starts)
    record.knows_past = True


def conclude(
    record: Record, snapshot: Snapshot, before: Account | None, now: datetime
) -> Account:
    """Return what a snapshot means that was observed."""
    outlooks = {
        wallet.key: look_ahead(
            wallet,
            record.ledgers[wallet.key],
            before.outlooks.get(wallet.key) if before else None,
            now,
        )
        for wallet in snapshot.wallets
    }
    parts: list[Part] = [
        # The provider's own number takes the place of ours.
        *_own_spend(record, snapshot, now),
        *snapshot.wallets,
        *snapshot.quotas,
        *snapshot.spend,
        *outlooks.values(),
    ]
    levels = levels_of(record)
    told = {wallet.key for wallet in snapshot.wallets}
    return Account(
        snapshot=snapshot,
        availability=availability(
            snapshot,
            record.memory,
            [level for key, level in levels.items() if key in told],
        ),
        parts={part_id(part): part for part in parts},
        levels=levels,
        outlooks=outlooks,
    )


def judge_wallets(
    record: Record,
    account: Account,
    thresholds: Callable[[str], Thresholds],
    now: datetime,
) -> list[tuple[str, Change]]:
    """Compare the wallets with their thresholds, and return what is news by their keys."""
    snapshot = account.snapshot
    is_usable = not (snapshot.is_available is False or snapshot.is_suspended)
    news: list[tuple[str, Change]] = []
    amounts: dict[str, Mapping[str, Decimal]] = {
        key: old for key, old in record.amounts.items() if key in record.memory
    }
    for wallet in snapshot.wallets:
        key, outlook = wallet.key, account.outlooks[wallet.key]
        watched, changes = judge(
            record.watched.get(key),
            wallet,
            thresholds(key),
            is_usable=is_usable,
            is_dormant=is_dormant(wallet, snapshot, record.memory),
            runway=outlook.lasts,
        )
        if watched is not None:
            record.watched[key] = watched
        news += [(key, change) for change in (*changes, *_jumps(record, wallet, now))]
        amounts[key] = {**amounts.get(key, {}), **_amounts(wallet, outlook)}
    record.amounts = amounts
    return news


def _jumps(record: Record, wallet: Wallet, now: datetime) -> Iterator[Change]:
    """Yield the news of a wallet that is spent far faster than it used to be."""
    is_jumping, jump = judge_jump(
        wallet.key in record.jumping, record.ledgers[wallet.key].history, now
    )
    if is_jumping:
        record.jumping.add(wallet.key)
    else:
        record.jumping.discard(wallet.key)
    if jump:
        yield Change(
            activity=Activity.SPEND_JUMPED, old=None, new=wallet.shown, jump=jump
        )


def _amounts(wallet: Wallet, outlook: Outlook) -> dict[str, Decimal]:
    """Return what is known of the numbers that automations watch; times in days."""
    amounts = {
        BALANCE: wallet.balance,
        AVAILABLE: wallet.available,
        TIME_LEFT: outlook.days_left,
    }
    return {name: amount for name, amount in amounts.items() if amount is not None}


def levels_of(record: Record) -> dict[str, Level]:
    """Return the level of each wallet."""
    return {key: watched.level for key, watched in record.watched.items()}


def _own_spend(record: Record, snapshot: Snapshot, now: datetime) -> Iterator[Spend]:
    """Yield what was spent in the running periods, by our own count."""
    for wallet in snapshot.wallets:
        for period, tally in record.ledgers[wallet.key].tallies.items():
            yield Spend(
                unit=wallet.unit,
                amount=tally.amount,
                start=tally.since,
                end=now,
                scope=wallet.scope,
                period=period,
                label=wallet.label,
            )
