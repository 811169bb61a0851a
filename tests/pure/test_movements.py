"""What moved in a wallet: spend, top-ups, expiry and corrections."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
import json
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.api_balance.insight.hourly_spend import DAYS_KEPT, HOUR, hour_of
from custom_components.api_balance.insight.movements import Kind, Ledger, Tally
from custom_components.api_balance.insight.state import decode, encode
from custom_components.api_balance.model import Gauge, Lot, Period, Unit, Wallet
from custom_components.api_balance.providers.fields import amount

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
USD = Unit.money("USD")
POLL = timedelta(minutes=15)
STARTS = {
    Period.TODAY: datetime(2026, 11, 21, tzinfo=UTC),
    Period.THIS_MONTH: datetime(2026, 11, 1, tzinfo=UTC),
}


def wallet(amount: str | Decimal | None, **facts: Any) -> Gauge:
    """Return the gauge of a wallet with an amount."""
    balance = None if amount is None else Decimal(amount)
    return Wallet(key="usd", **{"unit": USD, "balance": balance, **facts}).gauge


class Book:
    """A ledger with a clock."""

    def __init__(self, amount: str = "20.00", **facts: Any) -> None:
        """See the wallet for the first time."""
        self.ledger = Ledger()
        self.now = NOW
        self.facts = facts
        assert self.see(amount, **facts) == []

    def see(self, amount: str | None, **facts: Any) -> list[tuple[str, str]]:
        """Return what moved, as words, and let a poll's time pass."""
        moved = self.ledger.observe(wallet(amount, **facts), self.now)
        self.now += POLL
        return [(movement.kind, str(movement.amount)) for movement in moved]

    def spend(self, polls: int, each: str) -> Decimal:
        """Spend as usual for a while, and return what is left."""
        gauge = self.ledger.gauge
        assert gauge is not None and gauge.shown is not None
        amount = gauge.shown
        for _ in range(polls):
            amount -= Decimal(each)
            self.see(str(amount), **self.facts)
        return amount

    def spent(self) -> Decimal:
        """Return all that was spent."""
        return sum(self.ledger.history.hours.values(), Decimal())


def test_first_sight_is_no_movement() -> None:
    """What was there before anybody looked has not moved."""
    book = Book("20.00")
    assert book.see("20.00") == []
    assert book.spent() == 0


def test_spend() -> None:
    """A fall is spend, to the last digit."""
    book = Book("20.00")
    assert book.see("19.87654321") == [("spend", "-0.12345679")]
    assert book.spent() == Decimal("0.12345679")


@pytest.mark.parametrize("amount", ["10.00", "25.00", "100", "5"])
def test_top_up(amount: str) -> None:
    """Money that was added is no negative spend."""
    book = Book("20.00")
    [(kind, added)] = book.see(str(Decimal("20.00") + Decimal(amount)))
    assert (kind, Decimal(added)) == ("top_up", Decimal(amount))
    assert book.spent() == 0
    [top_up] = book.ledger.top_ups
    assert (top_up.amount, top_up.end) == (Decimal(amount), NOW + POLL)


def test_top_up_and_spend_in_one_interval() -> None:
    """Only the sum shows: a round top-up tells what was spent beside it."""
    book = Book("20.00")
    left = book.spend(200, "0.05")
    assert book.see(str(left + Decimal("9.93"))) == [
        ("top_up", "10.00"),
        ("spend", "-0.07"),
    ]


def test_top_up_and_more_than_usual() -> None:
    """A round top-up is likelier than spending as usual."""
    book = Book("20.00")
    left = book.spend(200, "0.05")
    assert book.see(str(left + Decimal("24.80"))) == [
        ("top_up", "25.00"),
        ("spend", "-0.20"),
    ]


def test_top_up_on_the_first_day() -> None:
    """An hour is enough to know what is usual."""
    book = Book("20.00")
    left = book.spend(8, "0.05")
    assert book.see(str(left + Decimal("9.94"))) == [
        ("top_up", "10.00"),
        ("spend", "-0.06"),
    ]


def test_odd_top_up_with_the_usual_spend_beside_it() -> None:
    """Where no round amount explains the rise, what is usual was spent."""
    book = Book("20.00")
    left = book.spend(200, "0.05")
    assert book.see(str(left + Decimal("37.21"))) == [
        ("top_up", "37.26"),
        ("spend", "-0.05"),
    ]


def test_automatic_top_ups() -> None:
    """A wallet that fills itself up again and again shows all that was spent."""
    book = Book("20.00")
    book.spend(100, "0.10")
    left = Decimal("10.00")
    for _ in range(40):
        left -= Decimal("0.10")
        if left < 9:
            left += 10
        book.see(str(left))
    assert abs(book.spent() - Decimal("14.00")) <= Decimal("0.20")
    assert {top_up.amount for top_up in book.ledger.top_ups} == {Decimal("10.00")}


def test_top_up_in_an_outage_of_days() -> None:
    """After days no round amount explains the rise: what is usual was spent beside it."""
    book = Book("20.00")
    left = book.spend(200, "0.05")
    book.now += timedelta(days=3)
    assert book.see(str(left + 7)) == [("top_up", "21.45"), ("spend", "-14.45")]


def test_outage_of_days() -> None:
    """What was spent in an outage is spread over it."""
    book = Book("20.00")
    book.now += timedelta(days=2) - POLL
    assert book.see("15.20") == [("spend", "-4.80")]
    hours = book.ledger.history.hours
    assert len(hours) == 49
    assert all(
        abs(spent - Decimal("0.1")) < Decimal("0.001")
        for spent in hours.values()
        if spent
    )
    assert book.spent() == Decimal("4.80")


def test_known_lot_expires() -> None:
    """Credit that ran out of time was not spent."""
    grant = Lot(id="grant", amount=Decimal(5), expires_at=NOW + POLL / 2)
    paid = Lot(id="paid", amount=Decimal(15))
    book = Book("20.00", lots=(grant, paid))
    rest = Lot(id="paid", amount=Decimal("14.90"))
    assert book.see("14.90", lots=(rest,)) == [
        ("expiry", "-5"),
        ("spend", "-0.10"),
    ]
    assert book.spent() == Decimal("0.10")


def test_lot_that_is_spent_has_not_expired() -> None:
    """A lot that ends before its time was spent."""
    lot = Lot(id="grant", amount=Decimal(5), expires_at=NOW + timedelta(days=9))
    book = Book("5.00", lots=(lot,))
    assert book.see("0.00", lots=()) == [("spend", "-5.00")]


def test_new_lot_is_a_top_up() -> None:
    """A lot that was not there before tells exactly what was added."""
    old = Lot(id="old", amount=Decimal(20))
    book = Book("20.00", lots=(old,))
    lots = (
        Lot(id="old", amount=Decimal("19.70")),
        Lot(id="new", amount=Decimal("12.34")),
    )
    assert book.see("32.04", lots=lots) == [("top_up", "12.34"), ("spend", "-0.30")]


def test_new_lot_of_debt_is_spend() -> None:
    """A balance below zero that appears beside the others was not paid in."""
    first, debt = Lot(id="a", amount=Decimal(10)), Lot(id="b", amount=Decimal(-3))
    book = Book("10", lots=(first,))
    assert book.see("7", lots=(first, debt)) == [("spend", "-3")]
    assert book.ledger.top_ups == []


def test_debt_does_not_expire() -> None:
    """What is owed and gone after its date was paid, or forgiven."""
    lot = Lot(id="a", amount=Decimal(10))
    debt = Lot(id="b", amount=Decimal(-3), expires_at=NOW)
    book = Book("7", lots=(lot, debt))
    assert book.see("10", lots=(lot,)) == [("top_up", "3")]


def test_lots_without_an_id_tell_nothing() -> None:
    """Some lots have no name to know them by."""
    book = Book("20.00", lots=(Lot(id="", amount=Decimal(20)),))
    lots = (Lot(id="", amount=Decimal("19.70")),)
    assert book.see("19.70", lots=lots) == [("spend", "-0.30")]


def pools(granted: str, paid: str) -> dict[str, Decimal]:
    """Return the parts that a balance is made of."""
    return {"granted": Decimal(granted), "paid": Decimal(paid)}


def test_grant_that_is_gone_at_once_has_expired() -> None:
    """Who spends a grant to its end goes on to spend what is paid."""
    book = Book("15.00", **pools("5.00", "10.00"))
    assert book.see("10.00", **pools("0.00", "10.00")) == [("expiry", "-5.00")]
    assert book.spent() == 0


def test_grant_that_falls_far_below_the_habit_has_expired() -> None:
    """One of several grants expires, and no money is paid: only the habit tells."""
    book = Book("50.00", **pools("50.00", "0"))
    amount = Decimal("50.00")
    for _ in range(200):
        amount -= Decimal("0.01")
        book.see(str(amount), **pools(str(amount), "0"))
    amount -= Decimal("20.00")
    assert book.see(str(amount), **pools(str(amount), "0")) == [("expiry", "-20.00")]
    amount -= Decimal("0.40")
    assert book.see(str(amount), **pools(str(amount), "0")) == [("spend", "-0.40")]


@pytest.mark.parametrize(
    ("granted", "paid", "moved"),
    [
        ("4.50", "10.00", [("spend", "-0.50")]),
        ("0.00", "9.90", [("spend", "-5.00"), ("spend", "-0.10")]),
        ("5.00", "20.00", [("top_up", "10.00")]),
        ("4.40", "20.00", [("spend", "-0.60"), ("top_up", "10.00")]),
        ("10.00", "9.80", [("top_up", "5.00"), ("spend", "-0.20")]),
    ],
)
def test_pools(granted: str, paid: str, moved: list[tuple[str, str]]) -> None:
    """What was granted and what was paid move each for itself."""
    book = Book("15.00", **pools("5.00", "10.00"))
    amount = str(Decimal(granted) + Decimal(paid))
    assert book.see(amount, **pools(granted, paid)) == moved


def test_pools_that_do_not_add_up_are_left_alone() -> None:
    """A provider may count its grants otherwise than the balance."""
    book = Book("15.00", **pools("100.00", "10.00"))
    assert book.see("14.00", **pools("90.00", "10.00")) == [("spend", "-1.00")]


def test_refund() -> None:
    """What comes back of what was spent makes the next spend smaller."""
    book = Book("20.00")
    left = book.spend(200, "0.05")
    assert book.see(str(left + Decimal("0.35"))) == [("correction", "0.35")]
    assert book.see(str(left + Decimal("0.20"))) == [("correction", "-0.15")]
    assert book.see(str(left - Decimal("0.30"))) == [
        ("correction", "-0.20"),
        ("spend", "-0.30"),
    ]
    assert book.spent() == Decimal("10.30")


def test_cents_back_and_forth() -> None:
    """A balance that swings by cents is not spent by swinging."""
    book = Book("20.00")
    for _ in range(50):
        book.see("19.98")
        book.see("20.00")
    assert book.spent() == Decimal("0.02")
    assert book.ledger.top_ups == []


def test_whole_cents() -> None:
    """A provider that tells whole cents tells small spend now and then."""
    book = Book("20.00")
    exact = Decimal("20.00")
    for _ in range(96):
        exact -= Decimal("0.003")
        book.see(str(round(exact, 2)))
    assert abs(book.spent() - Decimal("0.288")) <= Decimal("0.01")


def test_credit_limit_is_no_money() -> None:
    """Another credit line is neither a top-up nor spend."""
    facts = {"balance": Decimal(5)}
    book = Book()
    book.see(None, **facts, available=Decimal(105), credit_limit=Decimal(100))
    raised = book.see(
        None, **facts, available=Decimal("154.90"), credit_limit=Decimal(150)
    )
    assert raised[-2:] == [("limit_change", "50"), ("spend", "-0.10")]
    lowered = book.see(
        None, **facts, available=Decimal("14.80"), credit_limit=Decimal(10)
    )
    assert lowered == [("limit_change", "-140"), ("spend", "-0.10")]


def test_missing_available_credit_is_not_spent() -> None:
    """A balance is not compared with what can be spent, which holds a credit line."""
    book = Book("20.00")
    assert book.see("20.00", available=Decimal(120)) == []
    assert book.see("19.00", available=Decimal(119)) == [("spend", "-1")]
    assert book.see("19.00") == []
    assert book.see("18.00") == [("spend", "-1.00")]
    assert book.spent() == 2


def test_wallet_that_vanishes_and_returns() -> None:
    """What is not told has not moved, and counts when it is told again."""
    book = Book("20.00")
    assert book.see(None) == []
    assert book.see("19.00") == [("spend", "-1.00")]


def test_another_currency_is_not_compared() -> None:
    """A wallet that counts in another unit begins anew."""
    book = Book("20.00")
    book.see("19.00")
    assert book.see("150.00", unit=Unit.money("CNY")) == []
    assert book.spent() == 0
    assert book.see("149.00", unit=Unit.money("CNY")) == [("spend", "-1.00")]


def test_units_that_are_not_money() -> None:
    """Credits are topped up and spent alike; a few back are a correction."""
    unit = Unit.named("credits")
    book = Book("1000", unit=unit)
    assert book.see("990", unit=unit) == [("spend", "-10")]
    assert book.see("998", unit=unit) == [("correction", "8")]
    assert book.see("5998", unit=unit) == [("top_up", "5000")]


def test_debt_is_spend_and_its_payment_a_top_up() -> None:
    """What is paid later is spent all the same."""
    book = Book("-5.00", is_postpaid=True)
    assert book.see("-7.00", is_postpaid=True) == [("spend", "-2.00")]
    assert book.see("0.00", is_postpaid=True) == [("top_up", "7.00")]


def test_clock_that_is_set_back() -> None:
    """What is spent while the clock is wrong is spent now."""
    book = Book("20.00")
    book.now += timedelta(days=3)
    book.see("17.00")
    book.now = NOW + timedelta(hours=1)
    assert book.see("16.50") == [("spend", "-0.50")]
    history = book.ledger.history
    assert max(history.hours) == hour_of(NOW + timedelta(hours=1))
    assert history.until == NOW + timedelta(hours=1)
    book.now = NOW - timedelta(days=1)
    assert book.see("16.40") == [("spend", "-0.10")]
    assert list(history.hours.values()) == [Decimal("0.10")]
    assert history.since == history.until == NOW - timedelta(days=1)


def test_history_is_kept_for_sixty_days() -> None:
    """An old hour goes for a new one, also after a year off."""
    book = Book("2000.00")
    for _ in range(70):
        book.now += timedelta(days=1)
        book.spend(1, "1.00")
    assert len(book.ledger.history.hours) == DAYS_KEPT * 24
    assert abs(book.spent() - DAYS_KEPT) < 1
    book.now += timedelta(days=365)
    book.spend(1, "365.00")
    assert len(book.ledger.history.hours) == DAYS_KEPT * 24
    assert abs(book.spent() - DAYS_KEPT) < 1


def test_top_ups_are_not_kept_for_ever() -> None:
    """A wallet that is filled every day keeps the last ones."""
    book = Book("20.00")
    for number in range(1, 31):
        book.see(str(20 + 10 * number))
    assert len(book.ledger.top_ups) == 20
    assert book.ledger.top_ups[-1].end == book.now - POLL


# The running day and month


def tallies(ledger: Ledger) -> dict[str, tuple[str, Decimal]]:
    """Return what was spent in the running periods, and since when."""
    return {
        period: (tally.since.isoformat(sep=" ")[:16], tally.amount.normalize())
        for period, tally in ledger.tallies.items()
    }


def test_tallies_begin_with_the_first_sight() -> None:
    """Nobody knows what was spent before."""
    ledger = Ledger()
    ledger.observe(wallet("20"), NOW, STARTS)
    ledger.observe(wallet("19"), NOW + POLL, STARTS)
    assert tallies(ledger) == {
        "today": ("2026-11-21 12:00", Decimal(1)),
        "this_month": ("2026-11-21 12:00", Decimal(1)),
    }


def test_tally_of_a_new_day() -> None:
    """At midnight the day begins anew; what spans it is divided."""
    ledger = Ledger()
    ledger.observe(wallet("20"), NOW, STARTS)
    midnight = datetime(2026, 11, 22, tzinfo=UTC)
    starts = {**STARTS, Period.TODAY: midnight}
    ledger.observe(wallet("17"), midnight + timedelta(hours=4), starts)
    assert tallies(ledger) == {
        "today": ("2026-11-22 00:00", Decimal("0.75")),
        "this_month": ("2026-11-21 12:00", Decimal(3)),
    }
    midnight += timedelta(days=1)
    ledger.turn({**STARTS, Period.TODAY: midnight}, midnight)
    assert tallies(ledger)["today"] == ("2026-11-23 00:00", Decimal(0))


def test_tally_of_a_wrong_clock() -> None:
    """A day that begins later than now was begun by a wrong clock."""
    ledger = Ledger()
    ledger.observe(wallet("20"), NOW, STARTS)
    ledger.tallies[Period.TODAY] = Tally(
        since=NOW + timedelta(days=9), amount=Decimal(5)
    )
    ledger.observe(wallet("19"), NOW + POLL, STARTS)
    assert tallies(ledger)["today"] == ("2026-11-21 00:00", Decimal(1))


def test_past_that_the_provider_tells() -> None:
    """The provider's days become hours, and count for the month."""
    ledger = Ledger()
    ledger.observe(wallet("20"), NOW, STARTS)
    ledger.observe(wallet("19.50"), NOW + POLL, STARTS)
    days = {
        date(2026, 10, 20): Decimal("2.40"),
        date(2026, 11, 1): Decimal("4.80"),
        date(2026, 11, 21): Decimal("1.20"),
    }
    ledger.fill(days, STARTS)
    history = ledger.history
    assert history.since == datetime(2026, 10, 20, tzinfo=UTC)
    assert history.filled_until == hour_of(NOW)
    assert history.hours[hour_of(datetime(2026, 10, 20, 7, tzinfo=UTC))] == Decimal(
        "0.1"
    )
    assert history.hours[hour_of(datetime(2026, 10, 21, 7, tzinfo=UTC))] == 0
    # The report of the first day holds what was observed since; the rest was before.
    assert history.hours[hour_of(datetime(2026, 11, 21, 7, tzinfo=UTC))] == Decimal(
        "0.058333"
    )
    assert abs(sum(history.hours.values()) - Decimal("8.40")) < Decimal("0.001")
    since, spent = tallies(ledger)["this_month"]
    assert since == "2026-11-01 00:00"
    assert abs(spent - Decimal("6.00")) < Decimal("0.001")
    assert tallies(ledger)["today"] == ("2026-11-21 12:00", Decimal("0.5"))


def test_past_that_does_not_tell_the_running_day() -> None:
    """A day that is yet to be told is not one without spending."""
    ledger = Ledger()
    ledger.observe(wallet("20"), NOW, STARTS)
    ledger.fill({date(2026, 10, 20): Decimal("2.40")}, STARTS)
    history = ledger.history
    midnight = hour_of(STARTS[Period.TODAY])
    assert history.hours[midnight - 1] == 0
    assert {hour for hour in history.hours if hour >= midnight} == {hour_of(NOW)}
    assert tallies(ledger)["this_month"] == ("2026-11-01 00:00", Decimal(0))


def test_past_of_a_part_of_the_month() -> None:
    """A past that does not reach to the first of the month is no month."""
    ledger = Ledger()
    ledger.observe(wallet("20"), NOW, STARTS)
    ledger.fill({date(2026, 11, 19): Decimal("4.80")}, STARTS)
    assert tallies(ledger)["this_month"] == ("2026-11-21 12:00", Decimal(0))
    ledger.fill({date(2026, 12, 1): Decimal("4.80")}, STARTS)
    assert ledger.history.since == datetime(2026, 11, 19, tzinfo=UTC)


def test_nothing_is_told_of_the_past() -> None:
    """An empty report leaves everything as it is."""
    ledger = Ledger()
    ledger.history.fill({date(2026, 11, 19): Decimal(1)})
    assert ledger.history.hours == {}
    ledger.observe(wallet("20"), NOW, STARTS)
    ledger.fill({}, STARTS)
    assert ledger.history.since == NOW


# Whatever happens

AMOUNTS = st.decimals(-1000, 10_000, places=2)
PARTS = st.none() | st.decimals(0, 100, places=2)
LOTS = st.lists(
    st.builds(
        Lot,
        id=st.sampled_from(["", "a", "b", "c"]),
        amount=st.none() | st.decimals(-50, 100, places=2),
        expires_at=st.none()
        | st.integers(-50, 50).map(lambda days: NOW + timedelta(days=days)),
    ),
    max_size=3,
).map(tuple)
WALLETS = st.builds(
    Wallet,
    key=st.just("usd"),
    unit=st.sampled_from([USD, USD, USD, Unit.named("credits")]),
    balance=st.none() | AMOUNTS,
    available=st.none() | AMOUNTS,
    credit_limit=PARTS,
    granted=PARTS,
    paid=PARTS,
    lots=LOTS,
    is_postpaid=st.booleans(),
)
STEPS = st.floats(-100, 2000).map(lambda hours: timedelta(hours=hours))


@settings(max_examples=500, deadline=None)
@given(st.lists(st.tuples(STEPS, WALLETS), min_size=2, max_size=12))
def test_movements_add_up(steps: list[tuple[timedelta, Wallet]]) -> None:
    """The sum of the movements is the change of the wallet, and spend is never less than 0."""
    ledger, now = Ledger(), NOW
    for step, told in steps:
        now += step
        before, gauge = ledger.gauge, told.gauge
        moved = ledger.observe(gauge, now, STARTS)
        total = sum((movement.amount for movement in moved), Decimal())
        if (
            gauge.shown is None
            or before is None
            or before.shown is None
            or before.unit != gauge.unit
            or before.has_credit_line != gauge.has_credit_line
        ):
            assert moved == ()
        else:
            assert total == gauge.shown - before.shown
        assert all(
            movement.amount < 0 for movement in moved if movement.kind is Kind.SPEND
        )
        assert all(
            movement.amount > 0 for movement in moved if movement.kind is Kind.TOP_UP
        )
        assert all(movement.start <= movement.end for movement in moved)
        assert ledger.refund >= 0
        hours = ledger.history.hours
        assert all(spent >= 0 for spent in hours.values())
        assert len(hours) <= DAYS_KEPT * 24
        assert all(tally.amount >= 0 for tally in ledger.tallies.values())


@settings(max_examples=200, deadline=None)
@given(st.lists(st.decimals(0, 50, places=4), min_size=1, max_size=50))
def test_history_adds_up(spends: list[Decimal]) -> None:
    """What is only spent is in the history, to the last digit."""
    ledger, left, now = Ledger(), Decimal(100_000), NOW
    ledger.observe(wallet(left), now)
    for number, spent in enumerate(spends):
        left -= spent
        now += timedelta(minutes=7 * number)
        ledger.observe(wallet(left), now)
    assert sum(ledger.history.hours.values()) == sum(spends)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(-1e-9, 1e-9) | st.floats(-1e6, 1e6), max_size=20))
def test_ledger_outlives_a_restart(amounts: list[float]) -> None:
    """Whatever floats a provider tells, what is kept of them can be read again."""
    ledger = Ledger()
    for number, told in enumerate(amounts):
        ledger.observe(wallet(str(amount(repr(told)))), NOW + POLL * number, STARTS)
    assert decode(json.loads(json.dumps(encode(ledger))), Ledger) == ledger


def test_hold_that_is_released() -> None:
    """An amount that is held back and given again counts once at most."""
    book = Book("100.00")
    for _ in range(40):
        book.see("99.50")
        assert book.see("100.00") == [("correction", "0.50")]
    assert book.spent() == Decimal("0.50")


def test_refund_is_no_top_up() -> None:
    """A part of what was spent lately comes back."""
    book = Book("20.00")
    book.see("17.00")
    assert book.see("17.37") == [("correction", "0.37")]


def test_hours_are_no_cents() -> None:
    """A rise of eight hours is a top-up, one of a hundredth is a correction."""
    hours = Unit.named("hours")
    book = Book("1.5", unit=hours)
    assert book.see("9.5", unit=hours) == [("top_up", "8.0")]
    assert book.see("9.55", unit=hours) == [("correction", "0.05")]


def quota(remaining: int, limit: int = 100) -> Gauge:
    """Return the gauge of a quota."""
    unit = Unit.named("credits")
    return Gauge(
        key="quota_a",
        unit=unit,
        remaining=Decimal(remaining),
        limit=Decimal(limit),
        is_quota=True,
    )


def test_quota() -> None:
    """What is used of a quota is spend, its rise a reset, another limit neither."""
    ledger, now = Ledger(), NOW
    found = []
    for gauge in (quota(100), quota(60), quota(100), quota(150, 150), quota(150, 150)):
        moved = ledger.observe(gauge, now, STARTS)
        found.append([(one.kind.value, int(one.amount)) for one in moved])
        now += POLL
    assert found == [[], [("spend", -40)], [("reset", 40)], [("limit_change", 50)], []]


def test_report_that_arrives_late() -> None:
    """The day of the first observation counts once, however late it is reported."""
    ledger, now, left = Ledger(), NOW, Decimal(100)
    for _ in range(12):
        ledger.observe(wallet(left), now, STARTS)
        now, left = now + HOUR, left - 1
    ledger.fill({date(2026, 11, 21): Decimal("12.04")}, STARTS)
    ledger.fill({}, STARTS)
    assert abs(tallies(ledger)["this_month"][1] - 11) < 2
    assert abs(sum(ledger.history.hours.values()) - Decimal("12.04")) < Decimal("0.001")
