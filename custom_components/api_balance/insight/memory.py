"""What is remembered of an account, and what that adds to a snapshot."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from ..model import ACCOUNT, Snapshot, Unit, Wallet

# So many answers may leave out what can be spent before the balance takes its place.
_PATIENCE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownWallet:
    """A wallet that was told at least once.

    `patience` is how many more answers may leave out what can be spent; it is zero
    where that was never told.
    """

    scope: str
    unit: Unit
    label: str | None
    has_held_money: bool
    patience: int = 0


type Memory = Mapping[str, KnownWallet]


def learn(memory: Memory, snapshot: Snapshot) -> Memory:
    """Return the memory with what the snapshot tells, without what is gone.

    Wallets are forgotten with their scope, where the provider tells the scopes.
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
            patience=_PATIENCE
            if wallet.available is not None
            else max(known.patience - 1 if known else 0, 0),
        )
    return learned


def complete(memory: Memory, snapshot: Snapshot) -> Snapshot:
    """Return the snapshot with what is known of what it leaves out.

    A provider may leave out what is used up. Where a scope tells its whole truth, a
    wallet that is known and missing has nothing left. A wallet that had a credit line
    has it still, even if an answer tells the balance alone. A provider that says no more
    than that the account cannot be used says it of its wallets that held money.
    """
    if snapshot.is_available is False and not (snapshot.wallets or snapshot.scopes):
        refused = tuple(
            Wallet(key=key, unit=known.unit, label=known.label)
            for key, known in memory.items()
            # What parts there are is not told either.
            if known.has_held_money and known.scope == ACCOUNT
        )
        return replace(snapshot, wallets=refused)
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
    wallets = tuple(
        # Debt is paid later where there is no credit line; nobody knows of it now.
        replace(wallet, is_in_doubt=True, is_postpaid=False)
        if wallet.available is None and _has_patience(memory.get(wallet.key))
        else wallet
        for wallet in snapshot.wallets
    )
    return replace(snapshot, wallets=wallets + spent)


def _has_patience(known: KnownWallet | None) -> bool:
    """Tell whether a wallet was told lately with what can be spent."""
    return known is not None and known.patience > 0
