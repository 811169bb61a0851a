"""Conclusions from facts, on their own."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from custom_components.api_balance.insight.account import Settings, advance, deliver
from custom_components.api_balance.insight.levels import Availability
from custom_components.api_balance.insight.state import AccountState
from custom_components.api_balance.insight.view import View
from custom_components.api_balance.model import Scope, Snapshot, Unit, Wallet

USD = Unit.money("usd")
HOURS = Unit.named("hours")
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SETTINGS = Settings(interval=timedelta(minutes=15), starts={})


def wallet(key: str, balance: str | None, **fields: Any) -> Wallet:
    """Return a wallet in dollars."""
    amount = None if balance is None else Decimal(balance)
    return Wallet(key=key, **{"unit": USD, "balance": amount, **fields})


def after(*snapshots: Snapshot, days: int = 0) -> tuple[AccountState, View]:
    """Return what is known after some snapshots, so many days apart."""
    state, view, now = AccountState(), None, NOW
    for snapshot in snapshots:
        view = advance(state, snapshot, SETTINGS, now, view).view
        view, _, _ = deliver(state, view)
        now += timedelta(minutes=15, days=days)
    assert view is not None
    return state, view


def said_of(*snapshots: Snapshot) -> Availability | None:
    """Return the availability after some snapshots."""
    return after(*snapshots)[1].availability


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
            Availability.AVAILABLE,
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
    """A depleted wallet beside a full one is its own affair; the last one counts."""
    both = Snapshot(wallets=(wallet("a", "5"), wallet("b", "3")))
    one = Snapshot(wallets=(wallet("a", "5"), wallet("b", "0")))
    none = Snapshot(wallets=(wallet("a", "0"), wallet("b", "0")))
    assert said_of(both, one) is Availability.AVAILABLE
    assert said_of(both, none) is Availability.DEPLETED


def part(is_whole: bool = True) -> Scope:
    """Return a project."""
    return Scope(key="p", is_whole=is_whole)


def test_wallet_missing_from_a_whole_list_is_empty() -> None:
    """Where a list is the whole truth, what is missing is spent."""
    usd = wallet("p_usd", "5", scope="p")
    hours = wallet("p_hours", "2", scope="p", unit=HOURS, label="hours")
    _, view = after(
        Snapshot(scopes=(part(),), wallets=(usd, hours)),
        Snapshot(scopes=(part(),), wallets=(usd,)),
    )
    assert view.snapshot.wallets == (
        usd,
        wallet("p_hours", "0", scope="p", unit=HOURS, label="hours"),
    )


def test_wallet_missing_from_a_partial_list_is_unknown() -> None:
    """Where a list is not the whole truth, what is missing is unknown."""
    usd = wallet("p_usd", "5", scope="p")
    state, view = after(
        Snapshot(scopes=(part(),), wallets=(usd,)),
        Snapshot(scopes=(part(is_whole=False),)),
    )
    assert view.snapshot.wallets == ()
    assert state.gauges.keys() == {"p_usd"}


def test_what_is_gone_is_forgotten_after_a_week() -> None:
    """A project that is missing for a week is forgotten, one short list forgets nothing."""
    usd = wallet("p_usd", "5", scope="p")
    full = Snapshot(scopes=(part(),), wallets=(usd,))
    elsewhere = Snapshot(scopes=(Scope(key="q", is_whole=True),))
    assert after(full, elsewhere)[0].gauges.keys() == {"p_usd"}
    assert after(full, elsewhere, full, days=4)[0].gauges.keys() == {"p_usd"}
    other = Snapshot(scopes=(Scope(key="r", is_whole=True),))
    assert after(full, elsewhere, other)[0].gauges.keys() == {"p_usd"}
    assert after(full, elsewhere, elsewhere, days=8)[0].gauges == {}


def test_what_was_held_is_remembered() -> None:
    """That a wallet held money is known when it is depleted."""
    empty = Snapshot(wallets=(wallet("a", "0"),))
    assert after(Snapshot(wallets=(wallet("a", "5"),)), empty)[0].gauges["a"].has_held
    assert not after(empty)[0].gauges["a"].has_held


def test_clock_that_was_set_back() -> None:
    """What is missing since a time that has yet to come is missing since now."""
    usd = wallet("p_usd", "5", scope="p")
    state, _ = after(Snapshot(scopes=(part(),), wallets=(usd,)))
    state.gauges["p_usd"].missing_since = NOW + timedelta(days=900)
    elsewhere = Snapshot(scopes=(Scope(key="q", is_whole=True),))
    advance(state, elsewhere, SETTINGS, NOW)
    assert state.gauges["p_usd"].missing_since == NOW
