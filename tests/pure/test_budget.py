"""What a month costs, and its budget, on their own."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

import pytest

from custom_components.api_balance.insight.account import (
    Settings,
    advance,
    deliver,
    look_again,
    set_budget,
)
from custom_components.api_balance.insight.budget import (
    Budget,
    BudgetState,
    Month,
    assess,
    month_of,
    settle,
)
from custom_components.api_balance.insight.forecast import Estimates, State, estimate
from custom_components.api_balance.insight.hourly_spend import HOUR, HourlySpend
from custom_components.api_balance.insight.levels import Event
from custom_components.api_balance.insight.state import AccountState, decode, encode
from custom_components.api_balance.insight.view import View
from custom_components.api_balance.model import (
    Failure,
    Period,
    Problem,
    Quota,
    Scope,
    Snapshot,
    Spend,
    Unit,
    Wallet,
)

USD, EUR, HOURS = Unit.money("USD"), Unit.money("EUR"), Unit.named("hours")
BERLIN, NEW_YORK, KOLKATA = (
    ZoneInfo(name) for name in ("Europe/Berlin", "America/New_York", "Asia/Kolkata")
)
FIRST = datetime(2026, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)
KEY = "budget_usd"


def at(text: str) -> datetime:
    """Return a time in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "day", "zone", "start", "end"),
    [
        ("2026-11-21 12:00", 1, UTC, "2026-11-01", "2026-12-01"),
        ("2026-11-01 00:00", 1, UTC, "2026-11-01", "2026-12-01"),
        ("2026-10-31 23:59", 1, UTC, "2026-10-01", "2026-11-01"),
        # The end of February is no edge for a day that every month has.
        ("2027-02-27 12:00", 28, UTC, "2027-01-28", "2027-02-28"),
        ("2027-02-28 00:00", 28, UTC, "2027-02-28", "2027-03-28"),
        ("2027-01-05 12:00", 28, UTC, "2026-12-28", "2027-01-28"),
        ("2026-12-31 12:00", 15, UTC, "2026-12-15", "2027-01-15"),
        # A month in which the clocks change has an hour more or less.
        ("2026-10-05 12:00", 1, BERLIN, "2026-09-30 22:00", "2026-10-31 23:00"),
        ("2027-03-05 12:00", 1, BERLIN, "2027-02-28 23:00", "2027-03-31 22:00"),
        # The night in which the clocks change.
        ("2026-11-01 03:59", 1, NEW_YORK, "2026-10-01 04:00", "2026-11-01 04:00"),
        ("2026-11-01 04:00", 1, NEW_YORK, "2026-11-01 04:00", "2026-12-01 05:00"),
        ("2026-10-31 18:30", 1, KOLKATA, "2026-10-31 18:30", "2026-11-30 18:30"),
    ],
)
def test_month(now: str, day: int, zone: ZoneInfo, start: str, end: str) -> None:
    """A month begins at midnight of its day, in the home's calendar."""
    assert month_of(at(now), day, zone) == Month(start=at(start), end=at(end))


def even_history(hours: int, until: datetime, an_hour: str = "1") -> HourlySpend:
    """Return a history of even spending."""
    history = HourlySpend()
    start = until - hours * HOUR
    for number in range(hours):
        begin = start + number * HOUR
        history.add(begin, begin + HOUR, Decimal(an_hour))
    return history


def test_total_of_a_part_of_an_hour() -> None:
    """Of an hour that a month begins in, each month has its part."""
    history = even_history(48, FIRST + DAY)
    half = timedelta(minutes=30)
    assert history.total(FIRST, FIRST + DAY) == 24
    assert history.total(FIRST + half, FIRST + DAY) == Decimal("23.5")
    assert history.total(FIRST, FIRST + half) == Decimal("0.5")
    assert history.total(FIRST + 10 * DAY, FIRST + 20 * DAY) == 0


def test_what_is_covered() -> None:
    """A time is covered where every hour of it was observed."""
    history = even_history(48, FIRST + DAY)
    assert history.covers(FIRST - DAY)
    assert not history.covers(FIRST - DAY - HOUR)
    assert history.covers(FIRST + 5 * DAY)
    del history.hours[max(history.hours) - 3]
    assert not history.covers(FIRST)
    assert not HourlySpend().covers(FIRST)


def test_merge() -> None:
    """Wallets together spend what each of them does, as far as all are known."""
    one, two = even_history(48, FIRST), even_history(24, FIRST - HOUR, "0.5")
    total = HourlySpend.merge([one, HourlySpend(), two])
    assert total.since == one.since
    assert total.until == two.until
    assert sum(total.hours.values()) == 48 + 12
    assert HourlySpend.merge([one]) is one
    assert HourlySpend.merge([]) == HourlySpend()


@pytest.mark.parametrize("days", [0.1, 1, 6.9, 7, 7.1, 29])
def test_cost_is_how_long_it_lasts(days: float) -> None:
    """What a time costs is what lasts for that time, in the range too."""
    history, until = HourlySpend(), FIRST
    for number in range(28 * 24):
        begin = FIRST - (28 * 24 - number) * HOUR
        spent = 1 + number * number % 7 + 5 * (number % 24 > 8)
        history.add(begin, begin + HOUR, Decimal(spent))
    estimates = estimate(history, until)
    cost = estimates.cost(until + days * DAY, until)
    assert cost is not None
    assert cost.low < cost.expected < cost.high
    for amount, name in (
        (cost.expected, "runway"),
        (cost.low, "runway_high"),
        (cost.high, "runway_low"),
    ):
        lasts = getattr(estimates.forecast(amount, until), name)
        assert lasts / DAY == pytest.approx(days, rel=0.01)


def test_cost_without_a_forecast() -> None:
    """Nothing is expected of what is not known, and no cost of what is idle."""
    until = FIRST + DAY
    assert Estimates(state=State.COLLECTING).cost(until, FIRST) is None
    idle = Estimates(state=State.IDLE).cost(until, FIRST)
    assert idle is not None
    assert idle.expected == idle.low == idle.high == 0
    busy = estimate(even_history(240, FIRST), FIRST)
    over = busy.cost(FIRST - DAY, FIRST)
    assert over is not None
    assert over.high == 0


def budget(spent: str, amount: str = "10", *, is_whole: bool = True) -> Budget:
    """Return a budget that is a day from its end."""
    return Budget(
        key=KEY,
        unit=USD,
        amount=Decimal(amount),
        day=1,
        month=Month(start=FIRST, end=FIRST + 30 * DAY),
        spent=Decimal(spent),
        is_whole=is_whole,
    )


@pytest.mark.parametrize(
    ("before", "is_over", "is_at_risk"),
    [
        (budget("9.99"), False, False),
        (budget("10"), False, False),
        (budget("10.01"), True, True),
        (budget("10.01", "0"), None, False),
        # What is known to be spent is less than what was.
        (budget("9.99", is_whole=False), None, False),
        (budget("10.01", is_whole=False), True, True),
    ],
)
def test_is_over(before: Budget, is_over: bool | None, is_at_risk: bool) -> None:
    """A budget is exceeded when more than it was spent."""
    idle = Estimates(state=State.IDLE)
    found = assess(before, idle, FIRST + 29 * DAY)
    assert (found.is_over, found.is_at_risk) == (is_over, is_at_risk)
    assert found.forecast == (before.spent if before.is_whole else None)
    collecting = Estimates(state=State.COLLECTING)
    found = assess(before, collecting, FIRST + 29 * DAY)
    assert (found.is_over, found.is_at_risk) == (is_over, is_at_risk)
    assert found.forecast is None


def test_at_risk() -> None:
    """A budget is at risk when even the low end of the forecast is above it."""
    now = FIRST + 29 * DAY
    estimates = estimate(even_history(28 * 24, now), now)
    found = assess(budget("100"), estimates, now)
    assert found.low is not None
    assert found.forecast is not None
    assert found.high is not None
    assert found.low < found.forecast < found.high
    assert found.forecast == pytest.approx(Decimal(124), abs=Decimal(1))
    for amount, is_at_risk in ((found.low - 1, True), (found.low + 1, False)):
        assert (
            assess(budget("100", str(amount)), estimates, now).is_at_risk is is_at_risk
        )


def test_calm() -> None:
    """A forecast that moved by little stays as it was shown, never below what is spent."""
    idle = Estimates(state=State.IDLE)
    shown = assess(budget("10"), idle, FIRST)
    assert settle(assess(budget("9.9"), idle, FIRST), shown).forecast == 10
    assert settle(assess(budget("10.1"), idle, FIRST), shown).forecast == Decimal(
        "10.1"
    )
    assert settle(assess(budget("5"), idle, FIRST), shown).forecast == 5
    assert settle(budget("9.9"), shown).forecast is None
    assert settle(assess(budget("9.9"), idle, FIRST), budget("10")).forecast == Decimal(
        "9.9"
    )


def month_total(amount: str, start: datetime = FIRST, unit: Unit = USD) -> Spend:
    """Return the total that a provider reports of its month."""
    return Spend(
        unit=unit,
        amount=Decimal(amount),
        start=start,
        end=start,
        period=Period.THIS_MONTH,
    )


def test_reported_totals() -> None:
    """What a reported total grew by was spent, also over a turn of the month."""
    known = BudgetState(unit=USD)
    now = FIRST + 29 * DAY + 22 * HOUR
    december = FIRST + 30 * DAY
    for total, hours in (
        (month_total("100"), 0),
        (month_total("101"), 1),
        # A correction: it counts again from its highest amount on.
        (month_total("90"), 0),
        (month_total("102"), 0),
        (month_total("5", december), 2),
        (month_total("6", december), 1),
    ):
        now += hours * HOUR
        known.observe(total, now)
    assert known.history.total(FIRST, december) == 2
    assert known.history.total(december, december + DAY) == 6
    # A month that is before the last one is of a clock that was wrong.
    known.observe(month_total("900"), now)
    assert known.history.total(FIRST, december + DAY) == 8


class Account:
    """An account that is asked again and again."""

    def __init__(
        self, zone: ZoneInfo | None = None, now: datetime = FIRST - 5 * DAY
    ) -> None:
        """Know nothing."""
        self.state = AccountState()
        self.view: View | None = None
        self.now = now
        self.zone = zone or UTC
        self.events: list[tuple[str, datetime | None]] = []

    @property
    def settings(self) -> Settings:
        """Return the settings of the home."""
        return Settings(interval=timedelta(minutes=15), starts={}, zone=self.zone)

    def answer(
        self, outcome: Snapshot | Failure, *, hours: float = 1, is_started: bool = True
    ) -> list[str]:
        """Return what is reported after an answer of later."""
        self.now += hours * HOUR
        step = advance(self.state, outcome, self.settings, self.now, self.view)
        assert step.error is None
        self.view = step.view
        return self.deliver() if is_started else []

    def deliver(self) -> list[str]:
        """Return what is reported."""
        assert self.view is not None
        self.view, events, _ = deliver(self.state, self.view)
        self.events += [(event.activity, event.since) for event in events]
        return [event.activity for event in events if self.is_of_budget(event)]

    def is_of_budget(self, event: Event) -> bool:
        """Return whether an event is one of a budget."""
        return event.gauge.startswith("budget_")

    def restart(self) -> None:
        """Store everything and read it again."""
        self.state = decode(encode(self.state))
        self.view = look_again(self.state, self.settings, self.now, None)

    def set(self, amount: str | None = None, day: int | None = None) -> None:
        """Set the budget, as a person does."""
        assert self.view is not None
        self.view = set_budget(
            self.state,
            KEY,
            self.settings,
            self.now,
            self.view,
            amount=None if amount is None else Decimal(amount),
            day=day,
        )
        assert self.deliver() == []

    def spend(self, balance: float, hours: int, an_hour: float = 0) -> float:
        """Return the balance after some hours of even spending."""
        for _ in range(hours):
            balance -= an_hour
            self.answer(holds(balance))
        return balance

    def budget(self, key: str = KEY) -> Budget:
        """Return how it stands."""
        assert self.view is not None
        part = self.view.parts["Budget", key]
        assert isinstance(part, Budget)
        return part

    def is_over(self) -> bool | None:
        """Return what the home shows."""
        assert self.view is not None
        return self.view.over_budget.get(KEY)


def holds(balance: float, **fields: object) -> Snapshot:
    """Return the answer of an account with one wallet."""
    wallet = Wallet(key="usd", unit=USD, balance=Decimal(str(balance)))
    return Snapshot(wallets=(wallet,), **fields)  # type: ignore[arg-type]


def test_month_without_history() -> None:
    """In the month in which an account was added, its spend is not known as a whole."""
    account = Account(now=FIRST + DAY)
    account.answer(holds(100))
    account.set("10")
    assert account.is_over() is None
    balance = account.spend(100, 48, 0.1)
    assert not account.budget().is_whole
    assert account.budget().forecast is None
    assert account.budget().spent == pytest.approx(Decimal("4.8"))
    assert account.is_over() is None
    # What is known is enough to be over.
    assert account.answer(holds(balance - 6)) == ["over_budget"]
    assert account.is_over()
    # The next month is known.
    account.answer(holds(balance - 6), hours=29 * 24)
    account.answer(holds(balance - 7))
    assert account.budget().is_whole
    assert account.budget().spent == pytest.approx(Decimal(1), abs=Decimal("0.1"))
    assert account.is_over() is False


def test_once_a_month() -> None:
    """Each month reports once, whatever happens in between."""
    account = Account()
    account.answer(holds(1000))
    account.set("100")
    balance = account.spend(1000, 6 * 24, 0.1)
    assert account.is_over() is False
    assert account.budget().is_whole
    assert account.answer(holds(balance - 95)) == ["budget_at_risk"]
    account.restart()
    assert account.answer(holds(balance - 96)) == []
    assert account.answer(Failure(problem=Problem.UNREACHABLE)) == []
    assert account.answer(holds(balance - 110), is_started=False) == []
    account.restart()
    # What was not delivered is delivered after the restart, and shown with it.
    assert account.is_over() is False
    assert account.deliver() == ["over_budget"]
    assert account.is_over()
    account.restart()
    assert account.answer(holds(balance - 120)) == []
    assert account.is_over()
    # A refund is no news, and what is spent of it again neither.
    balance -= 120
    account.spend(balance, 29 * 24, 0.01)
    balance -= 29 * 24 * 0.01
    assert account.is_over() is False
    assert account.answer(holds(balance - 101)) == ["over_budget"]
    assert [since for _, since in account.events if since] == [
        FIRST,
        FIRST,
        FIRST + 30 * DAY,
    ]


def test_months_that_are_over_budget_by_an_outage() -> None:
    """What was spent in an outage over the end of a month counts for both months."""
    account = Account()
    account.answer(holds(1000))
    account.set("50")
    account.now = FIRST + 29 * DAY
    account.answer(holds(999))
    account.answer(holds(999), hours=11)
    account.answer(Failure(problem=Problem.UNREACHABLE))
    account.restart()
    # Half of 200 was spent before the end of November, at noon, and half after.
    assert account.answer(holds(799), hours=23) == ["over_budget", "over_budget"]
    assert account.events[-2:] == [
        ("over_budget", FIRST),
        ("over_budget", FIRST + 30 * DAY),
    ]
    assert account.is_over()
    account.restart()
    assert account.answer(holds(798)) == []


def test_last_minutes_of_a_month() -> None:
    """A month that ends within its budget is not reported."""
    account = Account()
    account.answer(holds(1000))
    account.set("50")
    account.now = FIRST + 30 * DAY - HOUR
    account.answer(holds(960), hours=0.9)
    assert account.answer(holds(959), hours=0.2) == []
    assert account.is_over() is False
    assert account.budget().month.start == FIRST + 30 * DAY


def test_change_of_a_person() -> None:
    """A person's change is no alert, and what is exceeded later is one again."""
    account = Account()
    account.answer(holds(1000))
    balance = account.spend(1000, 6 * 24, 1)
    account.set("10")
    assert account.is_over()
    assert account.answer(holds(balance - 1)) == []
    account.set("100")
    assert account.is_over() is False
    assert account.answer(holds(balance - 100)) == ["over_budget"]
    account.set("0")
    assert account.is_over() is None
    assert account.answer(holds(balance - 300)) == []
    assert account.budget().is_over is None


def test_billing_day() -> None:
    """A month that begins on another day counts from then on."""
    account = Account(BERLIN, FIRST - 20 * DAY)
    account.answer(holds(1000))
    account.set("400", 28)
    account.spend(1000, 22 * 24, 1)
    month = account.budget().month
    assert month == Month(start=at("2026-10-27 23:00"), end=at("2026-11-27 23:00"))
    since = account.now - month.start
    assert account.budget().spent == Decimal(since / HOUR).quantize(Decimal("0.1"))
    account.set(day=1)
    assert account.budget().month.start == at("2026-10-31 23:00")
    assert account.budget().amount == 400


def test_home_that_moved() -> None:
    """Another time zone makes no other month, and no other alert."""
    account = Account(BERLIN)
    account.answer(holds(1000))
    account.set("5")
    balance = account.spend(1000, 7 * 24, 1)
    activities = [activity for activity, since in account.events if since]
    assert activities.count("over_budget") == 2
    account.zone = NEW_YORK
    assert account.answer(holds(balance - 1)) == []


def test_reported_month() -> None:
    """The provider's own number of its month counts, in its own calendar."""
    account = Account(NEW_YORK, FIRST + 10 * DAY)
    account.answer(Snapshot(spend=(month_total("50"),)))
    account.set("100")
    assert account.budget().is_whole
    assert account.budget().spent == 50
    assert account.budget().forecast is None
    assert account.is_over() is False
    for number in range(48):
        account.answer(Snapshot(spend=(month_total(f"{50.1 + number / 10:.1f}"),)))
    assert account.budget().month == Month(start=FIRST, end=FIRST + 30 * DAY)
    forecast = account.budget().forecast
    left = (FIRST + 30 * DAY - account.now) / HOUR
    assert forecast == pytest.approx(Decimal(str(54.8 + left / 10)), abs=Decimal(3))
    assert account.answer(Snapshot(spend=(month_total("100.01"),))) == ["over_budget"]
    # It is December in UTC, and November at home.
    account.now = FIRST + 30 * DAY + HOUR
    account.answer(Snapshot(spend=(month_total("1", FIRST + 30 * DAY),)))
    assert account.is_over() is False
    assert account.budget().spent == 1
    # On another day of the month it says nothing, and there is no wallet.
    account.set(day=2)
    assert not account.budget().is_whole
    assert account.budget().forecast is None


def test_month_beside_the_provider() -> None:
    """On another billing day the balance counts, whatever the provider reports."""
    account = Account(now=FIRST - 20 * DAY)
    left = wallet = Wallet(key="usd", unit=USD, balance=Decimal(1000))
    for number in range(24):
        left = replace(wallet, balance=Decimal(1000 - number))
        total = month_total("900", FIRST - 31 * DAY)
        account.answer(Snapshot(wallets=(left,), spend=(total,)))
    account.set("50", day=12)
    assert account.budget().has_ledger
    account.answer(Snapshot(wallets=(left,), spend=(month_total("1"),)), hours=30 * 24)
    left = replace(wallet, balance=Decimal(900))
    answer = Snapshot(wallets=(left,), spend=(month_total("60"),))
    assert account.answer(answer) == ["over_budget"]
    assert account.budget().month.start == at("2026-11-12 00:00")
    assert account.budget().spent == 77


def test_balance_that_falls_by_invoices() -> None:
    """What is owed is no ledger where the provider reports the month itself."""
    account = Account(now=FIRST - 40 * DAY)
    for owed in (0, 200):
        debt = Wallet(key="usd", unit=USD, balance=Decimal(-owed), is_postpaid=True)
        account.answer(Snapshot(wallets=(debt,), spend=(month_total("7"),)))
    account.set("100", day=5)
    assert not account.budget().has_ledger
    assert account.budget().spent == 0
    assert account.is_over() is None
    account.set(day=1)
    assert account.budget().spent == 7
    assert account.is_over() is False


def test_unchanged_total() -> None:
    """Where nothing is spent, the forecast goes on with every hour."""
    account = Account(now=FIRST + 10 * DAY)
    answer = Snapshot(spend=(month_total("50"),))
    account.answer(answer)
    soon = account.now + HOUR / 4
    step = advance(account.state, answer, account.settings, soon, account.view)
    assert step.view is account.view
    assert account.state.budgets[KEY].history.until == soon
    for _ in range(30):
        account.answer(answer)
    assert account.budget().forecast == 50


def test_units() -> None:
    """Each currency has its own budget, and what is no money has none."""
    account = Account()
    account.answer(
        Snapshot(
            wallets=(
                Wallet(key="usd", unit=USD, balance=Decimal(5)),
                Wallet(key="eur", unit=EUR, balance=Decimal(5)),
                Wallet(key="hours", unit=HOURS, balance=Decimal(5)),
            ),
            quotas=(Quota(key="limit", unit=Unit.money("CHF"), remaining=Decimal(1)),),
        )
    )
    assert account.view is not None
    found = [part for part in account.view.parts.values() if isinstance(part, Budget)]
    assert [(part.key, part.label) for part in found] == [
        (KEY, "USD"),
        ("budget_eur", "EUR"),
    ]


def test_other_currency() -> None:
    """A currency that takes the place of another begins anew, the budget stays its own."""
    account = Account(now=FIRST + DAY)
    account.answer(Snapshot(spend=(month_total("50"),)))
    account.set("10")
    assert account.is_over()
    account.answer(Snapshot(spend=(month_total("7", unit=EUR),)))
    assert account.budget("budget_eur").amount == 0
    assert account.budget("budget_eur").spent == 7
    # A budget that was set stays.
    assert account.budget().amount == 10
    assert account.is_over() is None


def project(key: str, balance: float | None) -> Wallet:
    """Return the wallet of a project."""
    amount = None if balance is None else Decimal(str(balance))
    return Wallet(key=f"{key}_usd", unit=USD, scope=key, balance=amount)


def projects(**balances: float | None) -> Snapshot:
    """Return the answer of an account with projects."""
    return Snapshot(
        scopes=tuple(Scope(key=key, is_whole=True) for key in balances),
        wallets=tuple(project(key, left) for key, left in balances.items()),
    )


def test_several_projects() -> None:
    """A budget is that of all projects, those that come and go too."""
    account = Account()
    account.answer(projects(a=1000, b=1000))
    account.set("100")
    for number in range(6 * 24):
        account.answer(projects(a=1000 - number / 10, b=1000 - number / 10))
    spent = account.budget().spent
    hours = (account.now - FIRST) / HOUR
    assert spent == pytest.approx(Decimal(str(hours / 5)), abs=Decimal("0.2"))
    assert account.budget().forecast == pytest.approx(
        Decimal(30 * 24) / 5, rel=Decimal("0.1")
    )
    # A project that is new was not there before.
    account.answer(projects(a=985.7, b=985.7, c=500))
    account.answer(projects(a=985.7, b=985.7, c=480))
    assert account.budget().is_whole
    assert account.budget().spent == pytest.approx(spent + 20)
    # One that is gone has spent what it has.
    for _ in range(9):
        account.answer(projects(a=985.7, b=985.7), hours=24)
    assert account.state.gauges.keys() == {"a_usd", "b_usd"}
    account.restart()
    account.answer(projects(a=985.7, b=985.7))
    assert account.budget().is_whole
    assert account.budget().spent == pytest.approx(spent + 20)


def test_project_that_cannot_be_read() -> None:
    """Where a part of the account is unknown, its spend is too, unless it is over."""
    account = Account()
    account.answer(projects(a=1000, b=1000))
    account.set("100")
    account.answer(projects(a=1000, b=1000), hours=6 * 24)
    assert account.is_over() is False
    account.answer(
        Snapshot(
            scopes=(
                Scope(key="a", is_whole=True),
                Scope(key="b", problem=Problem.UNREACHABLE),
            ),
            wallets=(project("a", 990),),
        )
    )
    assert account.is_over() is None
    assert account.budget().forecast is None
    account.answer(projects(a=990, b=1000))
    assert account.is_over() is False


@pytest.mark.parametrize("seed", range(3))
def test_random_histories(seed: int) -> None:
    """Over outages and restarts a month reports once that it is exceeded, or never."""
    random = Random(seed)
    account = Account()
    account.answer(holds(10_000))
    account.set("70")
    balance, spent, over = Decimal(10_000), Decimal(), set[datetime]()
    start = FIRST
    while account.now < FIRST + 65 * DAY:
        month = month_of(account.now, 1, UTC)
        # What is spent over the end of a month is divided, which is tested elsewhere.
        left = (month.end - account.now) / HOUR
        hours = min(random.choice((1, 1, 1, 2, 5, 30)), left)
        amount = Decimal(random.choice((0, 0, 1, 3, 30))) / 10
        if month.start != start:
            start, spent = month.start, Decimal()
        balance -= amount
        spent += amount
        if spent > 70 and account.now >= FIRST:
            over.add(start)
        if hours > 1:
            account.answer(Failure(problem=Problem.UNREACHABLE), hours=hours / 2)
            hours /= 2
        is_started = random.random() > 0.1
        account.answer(holds(float(balance)), hours=hours, is_started=is_started)
        if random.random() < 0.02 or not is_started:
            account.restart()
            account.deliver()
    reported = [
        since for activity, since in account.events if activity == "over_budget"
    ]
    assert reported == sorted(over)
    assert over


def test_failing_conclusion(monkeypatch: pytest.MonkeyPatch) -> None:
    """A budget that cannot be concluded hides nothing else."""
    account = Account()
    account.answer(holds(10))
    account.state.budgets[KEY].day = 40
    step = advance(account.state, holds(9), account.settings, account.now, account.view)
    assert isinstance(step.error, ValueError)
    assert ("Wallet", "usd") in step.view.parts
    assert ("Budget", KEY) not in step.view.parts
