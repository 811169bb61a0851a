"""When to warn, on its own: every rule by example, and all together at random."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
import json
from typing import Any, Literal

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.api_balance.insight.watch import (
    Activity,
    Availability,
    Change,
    Level,
    Thresholds,
    Watched,
    availability,
    judge,
)
from custom_components.api_balance.model import Snapshot, Unit, Wallet
from custom_components.api_balance.record import Record, as_data, as_record

USD = Unit.money("usd")
CREDITS = Unit.named("credits")

OK, LOW, DEPLETED = Level.OK, Level.LOW, Level.DEPLETED
BECAME_LOW, RECOVERED = Activity.BECAME_LOW, Activity.RECOVERED
TOPPED_UP, BECAME_DEPLETED = Activity.TOPPED_UP, Activity.DEPLETED

type Number = str | int | None


def wallet(balance: Number, **fields: Any) -> Wallet:
    """Return a wallet in dollars."""
    amount = None if balance is None else Decimal(balance)
    return Wallet(key="a", balance=amount, **{"unit": USD, **fields})


def limits(amount: Number = 0, days: Number = 0) -> Thresholds:
    """Return what a person calls low."""
    return Thresholds(amount=Decimal(amount or 0), days=Decimal(days or 0))


def watched(level: Level, amount: Number, **fields: Any) -> Watched:
    """Return what is remembered of a wallet."""
    return Watched(
        level=level, amount=None if amount is None else Decimal(amount), **fields
    )


def news(changes: Iterable[Change]) -> list[Activity]:
    """Return what happened."""
    return [change.activity for change in changes]


def follow(
    thresholds: Thresholds, balances: Iterable[Number], **fields: Any
) -> list[tuple[Level | None, list[Activity]]]:
    """Return the level and the news after each balance."""
    before: Watched | None = None
    seen = []
    for balance in balances:
        before, changes = judge(before, wallet(balance, **fields), thresholds)
        seen.append((before.level if before else None, news(changes)))
    return seen


@pytest.mark.parametrize(
    ("threshold", "balance", "level", "expected"),
    [
        # At the threshold is low.
        (10, "10.01", OK, []),
        (10, "10.00", LOW, [BECAME_LOW]),
        (10, "9.99", LOW, [BECAME_LOW]),
        # Nothing left is depleted, with a threshold and without.
        (10, "0.01", LOW, [BECAME_LOW]),
        (10, "0", DEPLETED, [BECAME_DEPLETED]),
        (10, "-3", DEPLETED, [BECAME_DEPLETED]),
        (0, "0.01", OK, []),
        (0, "0", DEPLETED, [BECAME_DEPLETED]),
        # What is not known is no news.
        (10, None, OK, []),
    ],
)
def test_amount(
    threshold: int, balance: Number, level: Level, expected: list[Activity]
) -> None:
    """An amount is compared with its threshold and with nothing."""
    now, changes = judge(watched(OK, 20), wallet(balance), limits(threshold))
    assert now is not None
    assert (now.level, news(changes)) == (level, expected)


def test_change() -> None:
    """News tells the amounts, and the threshold where there is one."""
    _, changes = judge(watched(OK, 20), wallet(3), limits(10))
    assert changes == (
        Change(
            activity=BECAME_LOW, old=Decimal(20), new=Decimal(3), threshold=Decimal(10)
        ),
    )
    _, changes = judge(watched(OK, 20), wallet(0), limits())
    assert changes == (
        Change(activity=BECAME_DEPLETED, old=Decimal(20), new=Decimal(0)),
    )


@pytest.mark.parametrize(
    ("days", "runway", "level", "expected"),
    [
        (7, timedelta(days=7, seconds=1), OK, []),
        (7, timedelta(days=7), LOW, [BECAME_LOW]),
        ("0.5", timedelta(hours=12), LOW, [BECAME_LOW]),
        (0, timedelta(0), OK, []),
        (7, None, OK, []),
    ],
)
def test_time_left(
    days: Number, runway: timedelta | None, level: Level, expected: list[Activity]
) -> None:
    """The time left is compared with its threshold, once it is known."""
    now, changes = judge(watched(OK, 20), wallet(20), limits(days=days), runway=runway)
    assert now is not None
    assert (now.level, news(changes)) == (level, expected)


@pytest.mark.parametrize(
    ("runway", "expected"),
    [
        (timedelta(days=7.7), []),
        (timedelta(days=7.71), [RECOVERED]),
        # A forecast that is still collecting, after a restart say, mends nothing.
        (None, []),
    ],
)
def test_time_left_recovers_by_a_margin(
    runway: timedelta | None, expected: list[Activity]
) -> None:
    """More than the threshold and a tenth ends what a short time began."""
    before, _ = judge(
        watched(OK, 20), wallet(20), limits(days=7), runway=timedelta(days=6)
    )
    _, changes = judge(before, wallet(20), limits(days=7), runway=runway)
    assert news(changes) == expected


def test_either_threshold() -> None:
    """Low lasts until both thresholds are left behind."""
    both = limits(10, 7)
    long, short = timedelta(days=30), timedelta(days=3)
    before, changes = judge(watched(OK, 20), wallet(9), both, runway=long)
    assert news(changes) == [BECAME_LOW]
    before, changes = judge(before, wallet("9.05"), both, runway=short)
    assert news(changes) == []
    before, changes = judge(before, wallet(30), both, runway=short)
    assert news(changes) == [TOPPED_UP]
    _, changes = judge(before, wallet(30), both, runway=long)
    assert news(changes) == [RECOVERED]


def test_top_up_voids_an_old_forecast() -> None:
    """After a top-up a forecast of before tells nothing."""
    before = watched(LOW, 5, runway=timedelta(days=1))
    now, changes = judge(before, wallet(50), limits(days=7))
    assert news(changes) == [TOPPED_UP, RECOVERED]
    assert now == watched(OK, 50)


@pytest.mark.parametrize(
    ("threshold", "balances", "fields"),
    [
        # A tenth of the threshold.
        (10, ["10.96", "11.00", "11.01"], {}),
        # One unit of the last displayed digit, where that is more.
        ("0.05", ["0.05", "0.06", "0.07"], {}),
        (5, [5, 6, 7], {"unit": CREDITS}),
        # Debt that is paid later.
        (-50, ["-45.05", "-45.00", "-44.99"], {"is_postpaid": True}),
    ],
)
def test_margin(
    threshold: Number, balances: list[Number], fields: dict[str, Any]
) -> None:
    """Low is left by more than a margin, when it is not left by a top-up."""
    below, at_margin, above = balances
    before = watched(LOW, below)
    for balance, level, expected in (
        (at_margin, LOW, []),
        (above, OK, [RECOVERED]),
    ):
        now, changes = judge(before, wallet(balance, **fields), limits(threshold))
        assert now is not None
        assert (now.level, news(changes)) == (level, expected)


@pytest.mark.parametrize(
    ("unit", "old", "new", "expected"),
    [
        # A hundredth, or ten of the last displayed digits, is a correction.
        (USD, 100, "101.00", []),
        (USD, 100, "101.01", [TOPPED_UP]),
        (USD, 1, "1.10", []),
        (USD, 1, "1.11", [TOPPED_UP]),
        (CREDITS, 50, 60, []),
        (CREDITS, 50, 61, [TOPPED_UP]),
        (USD, 100, 99, []),
        # Where one of the two is unknown, nobody can tell.
        (USD, None, 99, []),
        (USD, 100, None, []),
    ],
)
def test_top_up(unit: Unit, old: Number, new: Number, expected: list[Activity]) -> None:
    """A rise by more than a correction is a top-up."""
    _, changes = judge(watched(OK, old), wallet(new, unit=unit), limits())
    assert news(changes) == expected


def test_top_up_leaves_low() -> None:
    """A top-up leaves low also within the margin, but not below the threshold."""
    assert follow(limits(10), [20, 9, "9.50", "10.30", "9.99"]) == [
        (OK, []),
        (LOW, [BECAME_LOW]),
        (LOW, [TOPPED_UP]),
        (OK, [TOPPED_UP, RECOVERED]),
        (LOW, [BECAME_LOW]),
    ]


def test_edge() -> None:
    """Fluttering at the threshold warns once."""
    flutter = ["10.05", "9.98", "10.07", "9.99", "10.00", "10.06"] * 3
    assert follow(limits(10), ["10.20", "10.00", *flutter]) == [
        (OK, []),
        (LOW, [BECAME_LOW]),
        *[(LOW, [])] * len(flutter),
    ]


def test_edge_of_nothing() -> None:
    """Fluttering at zero warns once."""
    flutter = ["0.01", "-0.02", "0", "0.01"]
    assert follow(limits(), ["0.20", "0", *flutter]) == [
        (OK, []),
        (DEPLETED, [BECAME_DEPLETED]),
        *[(DEPLETED, [])] * len(flutter),
    ]


def test_worse_and_better() -> None:
    """Low and depleted are told each; depleted ends in low without a word of its own."""
    assert follow(limits(10), [20, 5, 0, "0.01", "0.05", 4, 30, 0, 30]) == [
        (OK, []),
        (LOW, [BECAME_LOW]),
        (DEPLETED, [BECAME_DEPLETED]),
        (DEPLETED, []),
        (LOW, []),
        (LOW, [TOPPED_UP]),
        (OK, [TOPPED_UP, RECOVERED]),
        (DEPLETED, [BECAME_DEPLETED]),
        (OK, [TOPPED_UP, RECOVERED]),
    ]


def test_depleted_beyond_a_gap() -> None:
    """What is above nothing but not above its margin stays depleted."""
    assert follow(limits("0.01"), [1, 0, "0.01", "0.02"])[1:] == [
        (DEPLETED, [BECAME_DEPLETED]),
        (DEPLETED, []),
        (LOW, []),
    ]


def test_word_of_the_provider() -> None:
    """An account that the provider calls unusable is depleted, whatever it holds."""
    before, changes = judge(watched(OK, 20), wallet(20), limits(), is_usable=False)
    assert news(changes) == [BECAME_DEPLETED]
    before, changes = judge(before, wallet(None), limits(), is_usable=False)
    assert news(changes) == []
    before, changes = judge(before, wallet(None), limits())
    assert news(changes) == []
    assert before == watched(DEPLETED, 20)
    _, changes = judge(before, wallet(20), limits())
    assert news(changes) == [RECOVERED]


def test_word_of_the_provider_and_a_threshold() -> None:
    """An account that can be used again may still be low."""
    before, _ = judge(watched(OK, 20), wallet(5), limits(10), is_usable=False)
    now, changes = judge(before, wallet(5), limits(10))
    assert (now, news(changes)) == (watched(LOW, 5), [])


@pytest.mark.parametrize("balance", [20, 5, 0, -2])
def test_set_up(balance: int) -> None:
    """What is found at the start is no news, whatever it is."""
    level = OK if balance > 10 else LOW if balance > 0 else DEPLETED
    assert judge(None, wallet(balance), limits(10)) == (watched(level, balance), ())


def test_set_up_without_an_amount() -> None:
    """As long as nothing is known there is no level, and the first one is no news."""
    assert follow(limits(10), [None, None, 5, 4]) == [
        (None, []),
        (None, []),
        (LOW, []),
        (LOW, []),
    ]


def test_unknown_hides_nothing() -> None:
    """A gap neither warns nor swallows a warning."""
    assert follow(limits(10), [20, None, 3, None, 3, None, 20]) == [
        (OK, []),
        (OK, []),
        (LOW, [BECAME_LOW]),
        (LOW, []),
        (LOW, []),
        (LOW, []),
        (OK, [TOPPED_UP, RECOVERED]),
    ]


def test_threshold_is_changed() -> None:
    """A threshold that is moved past the amount is news, and off ends low."""
    before, changes = judge(watched(OK, 20), wallet(20), limits(30))
    assert news(changes) == [BECAME_LOW]
    before, changes = judge(before, wallet(20), limits(19))
    assert news(changes) == []
    _, changes = judge(before, wallet(20), limits())
    assert news(changes) == [RECOVERED]


def test_dormant() -> None:
    """A wallet that was never used is in order, unless a person watches it."""
    empty = wallet(0)
    before, changes = judge(None, empty, limits(), is_dormant=True)
    assert (before, changes) == (watched(OK, 0), ())
    for is_usable, is_dormant in ((False, True), (True, False), (False, False)):
        # Also when the wallets beside it are empty or gone.
        assert judge(
            before, empty, limits(), is_usable=is_usable, is_dormant=is_dormant
        ) == (before, ())
    assert news(judge(before, wallet(-1), limits())[1]) == [BECAME_DEPLETED]
    now, changes = judge(before, empty, limits(5), is_dormant=True)
    assert news(changes) == [BECAME_DEPLETED]
    now, changes = judge(now, empty, limits(), is_dormant=True)
    assert (now, news(changes)) == (watched(OK, 0), [RECOVERED])


def test_postpaid() -> None:
    """Debt that is paid later never warns, unless a person says how deep it may get."""
    debts = [0, -40, -60, -20]
    assert follow(limits(), debts, is_postpaid=True) == [(OK, [])] * 4
    assert follow(limits(days=7), debts, is_postpaid=True) == [(OK, [])] * 4
    assert follow(limits(-50), debts, is_postpaid=True) == [
        (OK, []),
        (OK, []),
        (LOW, [BECAME_LOW]),
        (OK, [TOPPED_UP, RECOVERED]),
    ]


def test_postpaid_with_a_credit_line() -> None:
    """Where the provider says how far the credit line reaches, that runs dry."""
    before: Watched | None = watched(OK, 20)
    for available, level in ((5, LOW), (0, DEPLETED)):
        fields = {"is_postpaid": True, "available": Decimal(available)}
        before, _ = judge(before, wallet(-95, **fields), limits(10))
        assert before is not None
        assert before.level is level


def test_postpaid_that_the_provider_stopped() -> None:
    """A post-paid account that cannot be used is depleted, and may recover."""
    debt = wallet(-40, is_postpaid=True)
    before, _ = judge(None, debt, limits())
    before, changes = judge(before, debt, limits(), is_usable=False)
    assert news(changes) == [BECAME_DEPLETED]
    _, changes = judge(before, debt, limits())
    assert news(changes) == [RECOVERED]


@pytest.mark.parametrize(
    ("levels", "fields", "expected"),
    [
        ([OK], {}, Availability.AVAILABLE),
        ([OK, LOW], {}, Availability.LOW),
        ([LOW], {"is_available": True}, Availability.LOW),
        ([LOW], {"is_available": False}, Availability.DEPLETED),
        ([LOW], {"is_suspended": True}, Availability.SUSPENDED),
    ],
)
def test_availability(
    levels: list[Level], fields: dict[str, Any], expected: Availability
) -> None:
    """An account with a wallet that is low is low, as long as it can be used."""
    snapshot = Snapshot(wallets=(wallet(5),), **fields)
    assert availability(snapshot, {}, levels) is expected


# All together, at random. Amounts are cents and times are seconds: whole numbers.

DAY = 86_400
KEY = "a"


@dataclass(frozen=True)
class Poll:
    """The provider is asked; None is what it, or the forecast, does not tell."""

    cents: int | None
    runway: int | None = None
    is_usable: bool = True


@dataclass(frozen=True)
class Set:
    """A person changes a threshold."""

    cents: int | None = None
    days: int | None = None


@dataclass(frozen=True)
class Happening:
    """An outage, an orderly restart, a power cut, or a clock that is set."""

    what: Literal["outage", "restart", "kill", "clock"]


type Step = Poll | Set | Happening


@dataclass
class Model:
    """What a person would do with a notebook, a balance a day and no computer.

    `written` is what stands in the notebook in ink: a power cut takes the rest.
    """

    state: str | None = None
    cents: int | None = None
    runway: int | None = None
    money: int = 0
    days: int = 0
    polled: Poll | None = None
    written: tuple[str | None, int | None, int | None] = (None, None, None)

    def take(self, step: Step) -> list[str]:
        """Return what is to be told after a step."""
        match step:
            case Poll():
                self.polled = step
                return self.look()
            case Set(cents=cents, days=days):
                self.money = self.money if cents is None else cents
                self.days = self.days if days is None else days
                self.write()
                return self.look()
            case Happening("restart"):
                self.write()
                self.polled = None
            case Happening("kill"):
                self.polled = None
                self.state, self.cents, self.runway = self.written
        return []

    def write(self) -> None:
        """Write in ink."""
        self.written = self.state, self.cents, self.runway

    def look(self) -> list[str]:
        """Return what is to be told of the balance that is seen."""
        if self.polled is None or (self.polled.cents is None and self.polled.is_usable):
            return []
        seen, old_state, old_cents = self.polled, self.state, self.cents
        if seen.cents is not None:
            self.cents = seen.cents
        is_paid_in = (
            self.cents is not None
            and old_cents is not None
            and self.cents - old_cents > max(10, abs(old_cents) / 100)
        )
        if seen.runway is not None or is_paid_in:
            self.runway = seen.runway
        self.state = self.now(seen.is_usable, is_paid_in)
        told = ["topped_up"] if is_paid_in else []
        match old_state, self.state:
            case "ok", "low":
                told.append("became_low")
            case "ok" | "low", "depleted":
                told.append("depleted")
            case "low" | "depleted", "ok":
                told.append("recovered")
        if old_state is None:
            told = []
        if told or self.state != old_state:
            self.write()
        return told

    def now(self, is_usable: bool, is_paid_in: bool) -> str:
        """Return how things stand."""
        if self.cents is None or self.cents <= 0 or not is_usable:
            return "depleted"
        is_short_of_money = self.money > 0 and self.cents <= self.money
        is_short_of_time = (
            self.days > 0 and self.runway is not None and self.runway <= self.days * DAY
        )
        if self.state == "depleted" and self.cents <= 1 and not is_paid_in:
            return "depleted"
        if is_short_of_money or is_short_of_time:
            return "low"
        is_close = self.cents <= self.money + max(1, self.money / 10) or (
            self.days > 0
            and self.runway is not None
            and self.runway * 10 <= self.days * 11 * DAY
        )
        if self.state in ("low", "depleted") and is_close and not is_paid_in:
            return "low"
        return "ok"


@dataclass
class Home:
    """What Home Assistant does with the watch and the store, in its plainest form."""

    record: Record = field(default_factory=Record)
    polled: Poll | None = None
    disk: str = "null"

    def __post_init__(self) -> None:
        """Begin with an empty disk."""
        self.save()

    def save(self) -> None:
        """Write the record to the disk."""
        self.disk = json.dumps(as_data(self.record))

    def load(self) -> None:
        """Read the record from the disk."""
        self.record = as_record(json.loads(self.disk))
        self.polled = None

    def take(self, step: Step) -> list[str]:
        """Return what is told after a step."""
        match step:
            case Poll():
                self.polled = step
                return self.look()
            case Set(cents=cents, days=days):
                thresholds = self.record.thresholds.get(KEY, Thresholds())
                if cents is not None:
                    thresholds = replace(thresholds, amount=Decimal(cents).scaleb(-2))
                if days is not None:
                    thresholds = replace(thresholds, days=Decimal(days))
                self.record.thresholds[KEY] = thresholds
                self.save()
                return self.look()
            case Happening("restart"):
                self.save()
                self.load()
            case Happening("kill"):
                self.load()
        return []

    def look(self) -> list[str]:
        """Return what is told of the last poll."""
        if self.polled is None:
            return []
        cents, runway = self.polled.cents, self.polled.runway
        before = self.record.watched.get(KEY)
        now, changes = judge(
            before,
            wallet(None if cents is None else str(Decimal(cents).scaleb(-2))),
            self.record.thresholds.get(KEY, Thresholds()),
            is_usable=self.polled.is_usable,
            runway=None if runway is None else timedelta(seconds=runway),
        )
        if now is not None:
            self.record.watched[KEY] = now
        if changes or (now and now.level) != (before and before.level):
            self.save()
        return news(changes)  # type: ignore[return-value]


# Most amounts lie where it matters: at nothing, at thresholds and at their margins.
CENTS = st.one_of(
    st.none(),
    st.sampled_from(
        [-500, -1, 0, 1, 2, 3, 11, 12, 990, 999, 1000, 1001, 1010, 1011, 1099]
    ),
    st.sampled_from([1100, 1101, 1500, 2000, 2001, 2199, 2200, 2201, 5000]),
    st.integers(-300, 6000),
)
RUNWAYS = st.one_of(
    st.none(),
    st.none(),
    st.sampled_from(
        [0, 3 * DAY, 3 * DAY + 1, 7 * DAY - 1, 7 * DAY, 7 * DAY + 1, 665_280, 665_281]
    ),
    st.integers(0, 30 * DAY),
)
STEPS = st.one_of(
    st.builds(Poll, CENTS),
    st.builds(Poll, CENTS),
    st.builds(Poll, CENTS, RUNWAYS, st.sampled_from([True, True, True, False])),
    st.builds(Set, cents=st.sampled_from([0, 5, 1000, 2000])),
    st.builds(Set, days=st.sampled_from([0, 3, 7])),
    st.builds(Happening, st.sampled_from(["outage", "restart", "kill", "clock"])),
)

SEQUENCES = settings(
    max_examples=10_000,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@SEQUENCES
@given(st.lists(STEPS, max_size=20))
def test_no_warning_is_lost_and_none_comes_twice(steps: list[Step]) -> None:
    """Whatever happens in whatever order, the notebook tells the same."""
    model, home = Model(), Home()
    for step in steps:
        assert home.take(step) == model.take(step)
        known = home.record.watched.get(KEY)
        assert (known and known.level) == model.state
