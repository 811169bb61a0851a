"""How a wallet goes on: calm figures, and credit that expires."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.api_balance.insight.forecast import estimate
from custom_components.api_balance.insight.movements import Ledger
from custom_components.api_balance.insight.outlook import Outlook, in_days, look_ahead
from custom_components.api_balance.model import Gauge, Lot, Unit, Wallet

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = timedelta(days=1)
USD = Unit.money("USD")


def wallet(amount: str, **facts: Any) -> Gauge:
    """Return the gauge of a wallet with an amount."""
    return Wallet(key="usd", unit=USD, balance=Decimal(amount), **facts).gauge


def look(
    gauge: Gauge, ledger: Ledger, before: Outlook | None, now: datetime
) -> Outlook:
    """Return how a gauge goes on by its own ledger."""
    return look_ahead(gauge, ledger, estimate(ledger.history, now), before, now)


def spent_evenly(a_day: str = "2.40", days: int = 28) -> Ledger:
    """Return a ledger of a wallet that was spent evenly until now."""
    ledger = Ledger()
    an_hour = Decimal(a_day) / 24
    for hour in range(days * 24, -1, -1):
        ledger.observe(wallet(str(100 + an_hour * hour)), NOW - timedelta(hours=hour))
    return ledger


def test_facts_of_the_wallet() -> None:
    """An outlook belongs to its wallet."""
    told = wallet("24", scope="project", label="hours")
    outlook = look(told, spent_evenly(), None, NOW)
    assert (outlook.key, outlook.unit) == ("usd", USD)
    assert (outlook.scope, outlook.label) == ("project", "hours")
    assert outlook.can_run_out
    assert outlook.days_left == pytest.approx(10, abs=0.3)
    assert (outlook.last_top_up, outlook.next_expiry) == (None, None)


def test_debt_cannot_run_out() -> None:
    """What is paid later has a price, and no end."""
    outlook = look(wallet("-5", is_postpaid=True), spent_evenly(), None, NOW)
    assert not outlook.can_run_out
    assert float(outlook.daily_spend or 0) == pytest.approx(2.4, rel=0.02)
    assert (outlook.runs_out, outlook.days_left, outlook.lasts) == (None,) * 3


def lots(*expiring: tuple[str, float | None]) -> tuple[Lot, ...]:
    """Return lots by their amounts and the days until they expire."""
    return tuple(
        Lot(
            id=f"{number}",
            amount=Decimal(amount),
            expires_at=None if days is None else NOW + DAY * days,
        )
        for number, (amount, days) in enumerate(expiring)
    )


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        # A day costs 2.40: 24 dollars last ten days.
        (lots(("24", None)), 10),
        (lots(("24", 30)), 10),
        (lots(("24", 4)), 4),
        (lots(("12", 4), ("12", None)), 9),
        (lots(("12", None), ("12", 4)), 9),
        (lots(("12", 7), ("12", 8)), 8),
        (lots(("12", -1), ("24", None)), 10),
        (lots(("-3", 2), ("27", None)), 10),
        (lots(("0", 2), ("24", None)), 10),
    ],
)
def test_credit_that_expires(parts: tuple[Lot, ...], expected: float) -> None:
    """What expires before it is spent shortens the time; the first is spent first."""
    outlook = look(wallet("24", lots=parts), spent_evenly(), None, NOW)
    assert outlook.days_left == pytest.approx(expected, rel=0.04)
    assert outlook.earliest is not None
    assert outlook.latest is not None
    day = DAY * expected
    assert outlook.earliest <= NOW + day * 1.04
    assert outlook.latest >= NOW + day * 0.96


def test_next_expiry() -> None:
    """The next part that expires is known, also while nothing else is."""
    parts = lots(("5", 30), ("5", 3), ("0", 1), ("5", -1), ("5", None))
    outlook = look(wallet("20", lots=parts), Ledger(), None, NOW)
    assert outlook.next_expiry == NOW + 3 * DAY
    assert outlook.days_left is None


@pytest.mark.parametrize("amount", ["-5", "1.4210854715202004e-14"])
@pytest.mark.parametrize("days", [0, 28])
def test_expiry_of_what_is_used_up(amount: str, days: int) -> None:
    """Where nothing is left in all, a part that expires changes nothing."""
    told = wallet(amount, lots=lots(("10", 3)))
    outlook = look(told, spent_evenly(days=days), None, NOW)
    assert outlook.next_expiry == NOW + 3 * DAY
    assert outlook.days_left in (None, 0)


def test_calm() -> None:
    """What is shown stays until it is off by as much as it is rounded."""
    ledger, now, left = spent_evenly(), NOW, Decimal(100)
    outlook = look(wallet("100"), ledger, None, now)
    ends, prices = {outlook.runs_out}, {outlook.daily_spend}
    for quarter in range(4 * 96):
        now += timedelta(minutes=15)
        left -= Decimal("0.02") if quarter % 2 else Decimal("0.03")
        ledger.observe(wallet(str(left)), now)
        outlook = look(wallet(str(left)), ledger, outlook, now)
        ends.add(outlook.runs_out)
        prices.add(outlook.daily_spend)
        assert outlook.runs_out is not None
        assert outlook.days_left == in_days(outlook.runs_out - now)
    assert len(ends) <= 6
    assert len(prices) <= 2
    assert all(at is not None and at.minute % 15 == 0 for at in ends)


def test_nothing_new() -> None:
    """A poll without news is no news of the future either."""
    ledger = spent_evenly()
    outlook = look(wallet("100"), ledger, None, NOW)
    now = NOW + timedelta(minutes=10)
    ledger.observe(wallet("100"), now)
    later = look(wallet("100"), ledger, outlook, now)
    assert replace(later, days_left=outlook.days_left) == outlook


def test_end_is_never_over() -> None:
    """As long as something is left, it ends later than now."""
    ledger, now = spent_evenly("240"), NOW
    outlook: Outlook | None = None
    for left in ("9", "5", "2", "0.50", "0.10", "0.01"):
        now += timedelta(minutes=10)
        outlook = look(wallet(left), ledger, outlook, now)
        assert outlook.runs_out is not None
        assert outlook.runs_out > now
    outlook = look(wallet("0"), ledger, outlook, now)
    assert outlook.runs_out is None
    assert outlook.days_left == 0


@pytest.mark.parametrize(
    ("length", "days"),
    [
        (timedelta(), "0.00"),
        (timedelta(hours=5), "0.21"),
        (timedelta(days=1), "1.0"),
        (timedelta(days=9, hours=6), "9.2"),
        (timedelta(days=10, hours=1), "10"),
        (timedelta(days=1234, hours=20), "1235"),
    ],
)
def test_days(length: timedelta, days: str) -> None:
    """The longer a time, the rounder."""
    assert str(in_days(length)) == days


@given(
    st.lists(
        st.tuples(
            st.decimals(0, 50, places=2),
            st.none() | st.integers(-5, 100),
        ),
        max_size=4,
    ),
    st.decimals("0.01", 200, places=2),
)
def test_expiry_only_shortens(
    parts: list[tuple[Decimal, int | None]], amount: Decimal
) -> None:
    """Whatever expires, the range keeps its order and nothing lasts longer for it."""
    ledger = spent_evenly(days=2)
    free = look(wallet(str(amount)), ledger, None, NOW)
    told = lots(*((str(part), days) for part, days in parts))
    bound = look(wallet(str(amount), lots=told), ledger, None, NOW)
    times = (bound.earliest, bound.runs_out, bound.latest)
    known = [time for time in times if time is not None]
    assert known == sorted(known)
    assert free.days_left is not None
    assert bound.days_left is not None
    assert bound.days_left <= free.days_left + 1
