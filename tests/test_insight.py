"""Conclusions from facts, on their own."""

from decimal import Decimal

import pytest

from custom_components.api_balance.insight.memory import Memory, complete, learn
from custom_components.api_balance.insight.watch import Availability, availability
from custom_components.api_balance.model import Scope, Snapshot, Unit, Wallet

USD = Unit.money("usd")
HOURS = Unit.named("hours")


def wallet(key: str, balance: str | None, **fields: object) -> Wallet:
    """Return a wallet in dollars."""
    amount = None if balance is None else Decimal(balance)
    facts: dict[str, object] = {"unit": USD, "balance": amount, **fields}
    return Wallet(key=key, **facts)  # type: ignore[arg-type]


def told(*snapshots: Snapshot) -> tuple[Memory, Snapshot]:
    """Return what is remembered after some snapshots, and the last one completed."""
    memory: Memory = {}
    last = Snapshot()
    for snapshot in snapshots:
        last = complete(memory, snapshot)
        memory = learn(memory, last)
    return memory, last


def said_of(*snapshots: Snapshot) -> Availability | None:
    """Return the availability after some snapshots."""
    memory, last = told(*snapshots)
    return availability(last, memory)


@pytest.mark.parametrize(
    ("snapshot", "expected"),
    [
        (Snapshot(), None),
        (Snapshot(wallets=(wallet("a", None),)), None),
        (Snapshot(wallets=(wallet("a", "0.01"),)), Availability.AVAILABLE),
        (Snapshot(wallets=(wallet("a", "0"),)), Availability.DEPLETED),
        (Snapshot(wallets=(wallet("a", "-1"),)), Availability.DEPLETED),
        # Post-paid debt cannot run dry.
        (Snapshot(wallets=(wallet("a", "-1", is_postpaid=True),)), None),
        (
            Snapshot(
                wallets=(wallet("a", "-1", is_postpaid=True, available=Decimal(9)),)
            ),
            Availability.AVAILABLE,
        ),
        # A wallet that was never used, beside one that is, is dormant; debt is not.
        (
            Snapshot(wallets=(wallet("a", "5"), wallet("b", "0"))),
            Availability.AVAILABLE,
        ),
        (
            Snapshot(wallets=(wallet("a", "5"), wallet("b", "-2"))),
            Availability.DEPLETED,
        ),
        (
            Snapshot(wallets=(wallet("a", "0"), wallet("b", "0"))),
            Availability.DEPLETED,
        ),
        # The word of the provider counts, whatever the wallets hold.
        (
            Snapshot(is_available=False, wallets=(wallet("a", "5"),)),
            Availability.DEPLETED,
        ),
        (
            Snapshot(is_available=True, wallets=(wallet("a", "0"),)),
            Availability.AVAILABLE,
        ),
        (
            Snapshot(is_available=True, is_suspended=True),
            Availability.SUSPENDED,
        ),
    ],
)
def test_availability(snapshot: Snapshot, expected: Availability | None) -> None:
    """The account says whether it can be used, as far as that is known."""
    assert said_of(snapshot) is expected


def test_wallet_that_was_used_is_not_dormant() -> None:
    """A wallet that held money and is empty makes the account look empty."""
    both = Snapshot(wallets=(wallet("a", "5"), wallet("b", "3")))
    one = Snapshot(wallets=(wallet("a", "5"), wallet("b", "0")))
    assert said_of(both, one) is Availability.DEPLETED


def part(is_whole: bool = True) -> Scope:
    """Return a project."""
    return Scope(key="p", is_whole=is_whole)


def test_wallet_missing_from_a_whole_list_is_empty() -> None:
    """Where a list is the whole truth, what is missing is spent."""
    usd = wallet("p_usd", "5", scope="p")
    hours = wallet("p_hours", "2", scope="p", unit=HOURS, label="hours")
    _, last = told(
        Snapshot(scopes=(part(),), wallets=(usd, hours)),
        Snapshot(scopes=(part(),), wallets=(usd,)),
    )
    assert last.wallets == (
        usd,
        wallet("p_hours", "0", scope="p", unit=HOURS, label="hours"),
    )


def test_wallet_missing_from_a_partial_list_is_unknown() -> None:
    """Where a list is not the whole truth, what is missing is unknown."""
    usd = wallet("p_usd", "5", scope="p")
    memory, last = told(
        Snapshot(scopes=(part(),), wallets=(usd,)),
        Snapshot(scopes=(part(is_whole=False),)),
    )
    assert last.wallets == ()
    assert memory.keys() == {"p_usd"}


def test_what_is_gone_is_forgotten() -> None:
    """A project that is gone leaves nothing behind; silence about projects does."""
    usd = wallet("p_usd", "5", scope="p")
    full = Snapshot(scopes=(part(),), wallets=(usd,))
    elsewhere = Snapshot(scopes=(Scope(key="q", is_whole=True),))
    assert told(full, elsewhere)[0] == {}
    assert told(full, Snapshot())[0].keys() == {"p_usd"}


def test_money_is_remembered() -> None:
    """That a wallet held money is remembered when it is empty."""
    memory, _ = told(
        Snapshot(wallets=(wallet("a", "5"),)), Snapshot(wallets=(wallet("a", "0"),))
    )
    assert memory["a"].has_held_money
    assert not told(Snapshot(wallets=(wallet("a", "0"),)))[0]["a"].has_held_money
