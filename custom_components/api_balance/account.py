"""What is known of an account: facts, and the conclusions from them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from .insight.ledger import Ledger
from .insight.memory import complete, learn
from .insight.outlook import Outlook, look_ahead
from .insight.watch import Availability, Level, availability
from .model import ACCOUNT, Period, Quota, Snapshot, Spend, Wallet
from .record import Record

type Part = Wallet | Quota | Spend | Outlook
"""What has a key of its own in an account, a unit, a scope and a label."""

type PartId = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What is known of an account. The outlooks are by the wallet's key."""

    snapshot: Snapshot
    availability: Availability | None
    parts: Mapping[PartId, Part]
    levels: Mapping[str, Level]
    outlooks: Mapping[str, Outlook] = field(default_factory=dict)

    @property
    def scopes(self) -> set[str]:
        """Return the keys of the account and of its parts."""
        return {ACCOUNT, *(scope.key for scope in self.snapshot.scopes)}

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
    for wallet in snapshot.wallets:
        record.ledgers.setdefault(wallet.key, Ledger()).observe(wallet, now, starts)
    return snapshot


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
        # The vendor's own number takes the place of ours.
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
