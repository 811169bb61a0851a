"""What is remembered of an account, and what that adds to a snapshot."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from ..model import Snapshot, Unit, Wallet


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownWallet:
    """A wallet that was told at least once."""

    scope: str
    unit: Unit
    label: str | None
    has_held_money: bool


type Memory = Mapping[str, KnownWallet]


def learn(memory: Memory, snapshot: Snapshot) -> Memory:
    """Return the memory with what the snapshot tells, without what is gone.

    Wallets are forgotten with their scope, where the vendor tells the scopes.
    """
    scopes = {scope.key for scope in snapshot.scopes}
    learned = {
        key: wallet
        for key, wallet in memory.items()
        if not scopes or wallet.scope in scopes
    }
    for wallet in snapshot.wallets:
        known = memory.get(wallet.key)
        learned[wallet.key] = KnownWallet(
            scope=wallet.scope,
            unit=wallet.unit,
            label=wallet.label,
            has_held_money=(wallet.spendable or 0) > 0
            or (known is not None and known.has_held_money),
        )
    return learned


def complete(memory: Memory, snapshot: Snapshot) -> Snapshot:
    """Return the snapshot with the wallets that are spent to the end, at zero.

    A vendor may leave out what is used up. Where a scope tells its whole truth, a
    wallet that is known and missing has nothing left.
    """
    told = {wallet.key for wallet in snapshot.wallets}
    whole = {scope.key for scope in snapshot.scopes if scope.is_whole}
    spent = tuple(
        Wallet(
            key=key,
            unit=known.unit,
            scope=known.scope,
            label=known.label,
            balance=Decimal(),
        )
        for key, known in memory.items()
        if key not in told and known.scope in whole
    )
    return replace(snapshot, wallets=snapshot.wallets + spent) if spent else snapshot
