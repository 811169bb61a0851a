"""The pure core against a notebook: random histories, and what the README promises.

The notebook is deliberately naive and shares nothing with the core: an amount, a threshold
and a rule of a few lines for each gauge. `ADVANCE_STEPS=20000` runs longer histories.
"""

from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
import json
import os
from random import Random
from typing import Any

import pytest

from custom_components.api_balance.insight.account import (
    AmountsChanged,
    Settings,
    advance,
    deliver,
    look_again,
    set_thresholds,
)
from custom_components.api_balance.insight.levels import Event, Thresholds
from custom_components.api_balance.insight.schedule import Ability
from custom_components.api_balance.insight.state import AccountState, decode, encode
from custom_components.api_balance.insight.view import View
from custom_components.api_balance.model import (
    ACCOUNT,
    Failure,
    Period,
    Problem,
    Quota,
    Scope,
    Snapshot,
    Unit,
    Wallet,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
INTERVAL = timedelta(minutes=15)
WEEK = timedelta(days=7)
USD, EUR, CREDITS = Unit.money("USD"), Unit.money("EUR"), Unit.named("credits")
CENT = Decimal("0.01")
ZERO = Decimal()
STEPS_A_HISTORY = 100
HISTORIES = int(os.environ.get("ADVANCE_STEPS", "2000")) // STEPS_A_HISTORY
LEVEL_ALERTS = {"became_low", "depleted", "recovered"}


# The notebook


@dataclass
class Page:
    """What the notebook holds of one gauge."""

    scope: str = ACCOUNT
    unit: Unit = USD
    is_quota: bool = False
    level: str | None = None
    amount: Decimal | None = None
    shown: Decimal | None = None
    limit: Decimal = ZERO
    held: bool = False
    runway: timedelta | None = None
    missing_since: datetime | None = None
    has_line: bool = False
    patience: int = 0
    falls: set[Decimal] = field(default_factory=set)


@dataclass
class Notebook:
    """What a person would write down, an answer a line and no computer."""

    pages: dict[str, Page] = field(default_factory=dict)
    money: dict[str, Decimal] = field(default_factory=dict)
    days: dict[str, Decimal] = field(default_factory=dict)
    waiting: list[tuple[str, str]] = field(default_factory=list)

    def threshold(self, key: str) -> Decimal:
        """Return the threshold in the gauge's unit."""
        amount, page = self.money.get(key, ZERO), self.pages[key]
        return amount * page.limit / 100 if page.is_quota else amount

    def is_dormant(self, key: str, amount: Decimal | None) -> bool:
        """Return whether a gauge is an empty one that was never used, beside another."""
        others = any(page.held for name, page in self.pages.items() if name != key)
        return amount == 0 and not self.pages[key].held and others

    def stands(self, key: str, amount: Decimal | None, *, can_pay: bool) -> str | None:
        """Return how a gauge stands, with an amount that is known or not."""
        page, low = self.pages[key], self.threshold(key)
        days = timedelta(days=float(self.days.get(key, ZERO)))
        if self.is_dormant(key, amount) and not low and not days:
            return "ok"
        if not can_pay or (amount is not None and amount <= 0):
            return "depleted"
        if amount is None:
            return page.level
        gap = CENT if page.unit.is_money else ZERO
        if page.level == "depleted" and amount <= gap:
            return "depleted"
        is_short = page.runway is not None and days and page.runway <= days
        if (low and amount <= low) or is_short:
            return "low"
        if page.level in {None, "ok"}:
            return "ok"
        is_near = page.runway is not None and days and page.runway <= days * 1.1
        return "low" if is_near or amount <= low + max(low / 10, gap) else "ok"

    def answer(self, seen: Snapshot, view: View, now: datetime) -> None:
        """Write down an answer, and what has to be reported because of it."""
        amounts = {key: told for key, *told in self.amounts(seen)}
        given = {wallet.key for wallet in seen.wallets}
        for key, page in list(self.pages.items()):
            if page.scope == ACCOUNT or key in given:
                page.missing_since = None
            elif page.missing_since is None or page.missing_since > now:
                page.missing_since = now
            elif now - page.missing_since >= WEEK:
                del self.pages[key]
                amounts.pop(key, None)
        refused = {scope.key for scope in seen.scopes if scope.is_available is False}
        is_open = seen.is_available is not False and not seen.is_suspended
        # All that was ever held counts, before any gauge is judged.
        for key, (amount, _) in amounts.items():
            page = self.pages[key]
            page.held |= amount is not None and amount > 0
        for key, (amount, shown) in amounts.items():
            page = self.pages[key]
            # How long it lasts is the forecast's business: here it is given.
            lasts = view.outlooks[key].lasts
            page.runway = page.runway if lasts is None else lasts
            level = self.stands(
                key, amount, can_pay=is_open and page.scope not in refused
            )
            self.report(key, page, shown, level)
            page.level = level
            if amount is not None:
                page.amount = amount

    def amounts(
        self, seen: Snapshot
    ) -> Iterator[tuple[str, Decimal | None, Decimal | None]]:
        """Yield what can be spent of each gauge and what is compared, also if left out."""
        given = {wallet.key for wallet in seen.wallets}
        whole = {scope.key for scope in seen.scopes if scope.is_whole}
        refused = {scope.key for scope in seen.scopes if scope.is_available is False}
        is_refused = seen.is_available is False or seen.is_suspended
        if is_refused and not seen.wallets and not seen.scopes:
            refused.add(ACCOUNT)
        for key, page in self.pages.items():
            if key in given or page.is_quota:
                continue
            if page.scope in whole:
                self.count(page, page.unit, has_line=False)
                yield key, ZERO, ZERO
            elif page.scope in refused and page.held:
                yield key, None, None
        for wallet in seen.wallets:
            page = self.pages.setdefault(wallet.key, Page(scope=wallet.scope))
            amount = wallet.balance if wallet.available is None else wallet.available
            if wallet.available is None and page.patience:
                amount = None
            page.patience = 2 if wallet.available is not None else page.patience - 1
            page.patience = max(page.patience, 0)
            self.count(page, wallet.unit, has_line=wallet.available is not None)
            shown = wallet.balance if wallet.available is None else wallet.available
            yield wallet.key, amount, shown
        for quota in seen.quotas:
            key = f"quota_{quota.key}"
            page = self.pages.setdefault(key, Page(unit=quota.unit, is_quota=True))
            page.limit = quota.limit or ZERO
            assert quota.limit is not None
            assert quota.used is not None
            left = max(quota.limit - quota.used, ZERO)
            yield key, left, left

    @staticmethod
    def count(page: Page, unit: Unit, *, has_line: bool) -> None:
        """Compare with nothing what counts otherwise than before."""
        if page.unit != unit or page.has_line != has_line:
            page.shown, page.falls = None, set()
        page.unit, page.has_line = unit, has_line

    def report(
        self, key: str, page: Page, shown: Decimal | None, level: str | None
    ) -> None:
        """Write down what has to be reported of a gauge."""
        old, change = page.level, ZERO
        if shown is not None and page.shown is not None:
            change = shown - page.shown
        page.shown = page.shown if shown is None else shown
        if change < 0:
            page.falls.add(-change)
        if old is None or level is None or not page.held:
            return
        if page.is_quota and change > 0 and old != "ok":
            self.waiting.append((key, "reset"))
        if not page.is_quota and change >= 5 and not change % 5:
            # What came back as it went may be a hold that was released.
            word = "topped_up?" if change in page.falls else "topped_up"
            self.waiting.append((key, word))
        elif not page.is_quota and change > (CENT * 10 if page.unit.is_money else 0):
            self.waiting.append((key, "topped_up?"))
        if (old, level) == ("ok", "low"):
            self.waiting.append((key, "became_low"))
        if old in {"ok", "low"} and level == "depleted":
            self.waiting.append((key, "depleted"))
        if old in {"low", "depleted"} and level == "ok":
            self.waiting.append((key, "recovered"))

    def change_threshold(
        self, key: str, money: Decimal, days: Decimal, seen: Snapshot
    ) -> None:
        """Write down what a person calls low now: no news."""
        self.money[key], self.days[key] = money, days
        if (page := self.pages.get(key)) is None or page.level is None:
            return
        refused = {scope.key for scope in seen.scopes if scope.is_available is False}
        is_open = seen.is_available is not False and not seen.is_suspended
        old, page.level = page.level, None
        shown = next((one for one in seen.wallets if one.key == key), None)
        amount = page.amount
        if shown and shown.is_in_doubt:
            amount = None
        level = self.stands(key, amount, can_pay=is_open and page.scope not in refused)
        page.level = level or old

    def availability(self, seen: Snapshot, shown: set[str]) -> str | None:
        """Return whether the account can be used."""
        if seen.is_suspended:
            return "suspended"
        levels = []
        for key in shown & self.pages.keys():
            page = self.pages[key]
            if not self.is_dormant(key, page.amount) and page.level:
                levels.append(page.level)
        usable = "low" if "low" in levels else "available"
        if seen.is_available is not None:
            return usable if seen.is_available else "depleted"
        if not levels:
            return None
        return "depleted" if set(levels) == {"depleted"} else usable


# The world


@dataclass
class World:
    """A provider with an account: what it holds, and what it leaves out."""

    random: Random
    has_projects: bool
    balances: dict[str, Decimal] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    unit: Unit = USD
    used: int = 10
    is_suspended: bool = False
    is_available: bool | None = None
    refused: set[str] = field(default_factory=set)
    has_line: bool = True
    is_terse: bool = False

    def __post_init__(self) -> None:
        """Begin with some money."""
        keys = ["p_usd", "p_credits", "q_usd"] if self.has_projects else []
        for key in ("usd", "eur", "line", *keys):
            self.balances[key] = Decimal(self.random.choice([0, 0, 3, 20, 20, 100]))

    def live(self) -> None:
        """Let something happen."""
        random = self.random
        key = random.choice(list(self.balances))
        match random.choice(
            ["spend"] * 8 + ["top_up"] * 3 + ["flutter", "use", "use", "odd", "odd"]
        ):
            case "spend":
                spent = Decimal(random.randint(1, 1300)).scaleb(-2)
                self.balances[key] -= min(spent, max(self.balances[key], ZERO))
            case "top_up":
                self.balances[key] += random.choice([5, 10, 20, 50])
            case "flutter":
                self.balances[key] += random.choice([-2, -1, 1, 2]) * CENT
            case "use":
                self.used += random.randint(0, 30)
                if self.used > 110:
                    self.used = random.choice([0, 0, 100])
            case "odd":
                self.turn_odd(key)

    def turn_odd(self, key: str) -> None:
        """Let the provider change what it says, or how."""
        match self.random.randint(0, 8):
            case 0:
                self.hidden ^= {key}
            case 1:
                self.gone ^= {self.random.choice("pq")}
            case 2:
                self.unit = EUR if self.unit is USD else USD
            case 3:
                self.is_suspended = not self.is_suspended
            case 4:
                self.is_available = self.random.choice([None, None, True, False])
            case 5:
                self.refused ^= {self.random.choice("pq")}
            case 6:
                self.has_line = not self.has_line
            case 7:
                self.is_terse = not self.is_terse
            case 8:
                self.hidden, self.gone, self.refused = set(), set(), set()
                self.is_suspended, self.is_available = False, None

    def snapshot(self) -> Snapshot:
        """Return the answer."""
        facts = Snapshot(is_suspended=self.is_suspended, is_available=self.is_available)
        if self.is_terse and (self.is_suspended or self.is_available is False):
            return facts
        scopes = [
            Scope(
                key=scope,
                is_whole=scope not in self.refused,
                is_available=False if scope in self.refused else None,
            )
            for scope in ("pq" if self.has_projects else "")
            if scope not in self.gone
        ]
        silent = self.gone | self.refused
        return replace(
            facts,
            scopes=tuple(scopes),
            wallets=tuple(
                self.wallet(key, balance)
                for key, balance in self.balances.items()
                if key not in self.hidden and key[0] not in silent
            ),
            quotas=(
                Quota(
                    key="plan",
                    unit=CREDITS,
                    used=Decimal(self.used),
                    limit=Decimal(100),
                ),
            ),
        )

    def wallet(self, key: str, balance: Decimal) -> Wallet:
        """Return a wallet."""
        unit = self.unit if key == "usd" else CREDITS if "credits" in key else USD
        return Wallet(
            key=key,
            unit=unit,
            scope=key[0] if key[1] == "_" else ACCOUNT,
            balance=balance,
            available=balance + 30 if key == "line" and self.has_line else None,
        )


# The home


@dataclass
class Home:
    """What the coordinator does, in its plainest form, with the notebook beside it."""

    random: Random
    state: AccountState = field(default_factory=AccountState)
    book: Notebook = field(default_factory=Notebook)
    amounts: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    now: datetime = NOW
    view: View | None = None
    asked_at: datetime | None = None
    is_armed: bool = True

    def __post_init__(self) -> None:
        """Begin with an empty disk."""
        self.save()

    @property
    def settings(self) -> Settings:
        """Return the settings of now."""
        day = self.now.replace(hour=0, minute=0)
        starts = {Period.TODAY: day, Period.THIS_MONTH: day.replace(day=1)}
        return Settings(
            interval=INTERVAL, starts=starts, spread=0.1 * self.random.random()
        )

    def save(self) -> None:
        """Write to the disk what would be needed after a kill."""
        self.disk = json.dumps(encode(self.state))
        self.paper = deepcopy((self.book, self.amounts))

    def start(self) -> None:
        """Read from the disk."""
        self.state = decode(json.loads(self.disk))
        self.book, self.amounts = deepcopy(self.paper)
        self.asked_at = None
        self.is_armed = self.random.random() < 0.6
        self.view = look_again(self.state, self.settings, self.now, None)

    def restart(self) -> None:
        """Stop in order, and start again."""
        before = replace(self.state, received=None)
        self.save()
        self.start()
        # Whatever is stored is read again as it was; another day may have begun.
        again = decode(json.loads(self.disk))
        assert again == before

    def poll(self, world: World) -> timedelta:
        """Poll once, and compare with the notebook. Return when to poll next."""
        outcome: Snapshot | Failure | None = None
        if self.state.schedule.wait(Ability.BALANCE, self.now) is None:
            outcome = world.snapshot()
            if self.random.random() < 0.15:
                outcome = Failure(
                    problem=self.random.choice([*Problem]),
                    retry_after=self.random.choice([None, None, timedelta(hours=1)]),
                )
            if self.asked_at is not None and self.now >= self.asked_at:
                assert self.now - self.asked_at >= INTERVAL
            self.asked_at = self.now
        step = advance(self.state, outcome, self.settings, self.now, self.view)
        assert step.error is None
        assert step.next_poll > timedelta()
        if isinstance(outcome, Snapshot):
            assert step.next_poll >= INTERVAL
            assert step.view.is_current
            assert step.view.problem is None
            self.book.answer(outcome, step.view, self.now)
        elif outcome:
            assert step.view.problem is outcome.problem
        self.view = step.view
        if self.is_armed:
            self.deliver()
        elif self.random.random() < 0.5:
            self.save()
        return step.next_poll

    def deliver(self) -> None:
        """Deliver what has happened, and compare it with the notebook."""
        assert self.view is not None
        self.view, events, changes = deliver(self.state, self.view)
        self.compare(events)
        for change in changes:
            self.follow(change)
        if self.view.is_current:
            for wallet in self.view.snapshot.wallets:
                if wallet.balance is not None and wallet.key in self.state.gauges:
                    self.amounts.setdefault(wallet.key, {})["balance"] = wallet.balance
        for key, page in self.book.pages.items():
            assert self.view.levels.get(key) == page.level, key
        assert self.state.gauges.keys() == self.book.pages.keys()
        assert self.view.availability == self.book.availability(
            self.view.snapshot, set(self.view.gauges)
        )
        # The machine may die here: then, and only then, an alert comes twice.
        if events and self.random.random() < 0.1:
            self.start()
        elif events or self.random.random() < 0.3:
            self.save()

    def compare(self, events: list[Event]) -> None:
        """Compare what was delivered with what had to be reported."""
        found = Counter((event.gauge, event.activity.value) for event in events)
        expected = Counter(self.book.waiting)
        self.book.waiting = []
        for (key, word), count in list(expected.items()):
            if word == "topped_up?":
                del expected[key, word]
                known = expected.get((key, "topped_up"), 0)
                delivered = found.pop((key, "topped_up"), 0)
                assert known <= delivered <= known + count
                expected.pop((key, "topped_up"), None)
        found = Counter(
            {one: n for one, n in found.items() if one[1] != "spend_jumped"}
        )
        assert found == expected
        for event in events:
            if event.activity.value in LEVEL_ALERTS:
                assert event.old_level is not event.level

    def follow(self, change: AmountsChanged) -> None:
        """Compare a change with the last amount that was delivered."""
        assert change.before != change.after
        known = self.amounts.get(change.gauge, {})
        if "balance" in known:
            assert change.before["balance"] == known["balance"]

    def change_threshold(self) -> None:
        """Let a person change what is low."""
        if self.view is None or self.state.events or not self.book.pages:
            return
        key = self.random.choice(list(self.book.pages))
        money = Decimal(self.random.choice([0, 0, 5, 10, 25]))
        days = Decimal(self.random.choice([0, 0, 0, 3, 14]))
        self.book.change_threshold(key, money, days, self.view.snapshot)
        self.view = set_thresholds(
            self.state,
            key,
            Thresholds(amount=money, days=days),
            self.view,
        )
        assert self.state.events == []
        assert self.view.levels.get(key) == self.book.pages[key].level
        self.save()


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_random_history(seed: int) -> None:
    """Whatever happens, the home hears what the notebook says, and hears it once."""
    random = Random(seed)
    world = World(random, has_projects=bool(seed % 2))
    home = Home(random)
    for _ in range(STEPS_A_HISTORY):
        for _ in range(random.choice([0, 1, 1, 1, 3])):
            world.live()
        next_poll = home.poll(world)
        match random.randint(0, 19):
            case 0:
                home.restart()
            case 1:
                home.start()
            case 2:
                home.change_threshold()
            case 3:
                # The clock is set.
                home.now -= timedelta(minutes=random.choice([1, 90, 3000]))
                home.asked_at = None
            case 4:
                home.now += timedelta(hours=random.choice([5, 30, 200]))
        if not home.is_armed and random.random() < 0.5:
            home.is_armed = True
            home.deliver()
        home.now += next_poll


# What the histories found, as small as it gets


def settings() -> Settings:
    """Return settings without a calendar."""
    return Settings(interval=INTERVAL, starts={})


def see(
    state: AccountState, view: View | None, polls: int, **facts: Any
) -> tuple[View, list[str]]:
    """Return the view after the next answer, and what was delivered."""
    step = advance(state, Snapshot(**facts), settings(), NOW + polls * INTERVAL, view)
    view, events, _ = deliver(state, step.view)
    return view, [event.activity.value for event in events]


def line(balance: int, available: int | None = None) -> tuple[Wallet, ...]:
    """Return a wallet with a credit line, of which the answer may leave out a part."""
    return (
        Wallet(
            key="usd",
            unit=USD,
            balance=Decimal(balance),
            available=None if available is None else Decimal(available),
        ),
    )


def test_refusals_use_up_no_patience() -> None:
    """A credit line is still known after refusals that hold no amount."""
    state, view = AccountState(), None
    view, _ = see(state, view, 0, wallets=line(-20, 80))
    # In hours of their own: within one, nothing is computed.
    for poll in (4, 8, 12):
        view, _ = see(state, view, poll, is_suspended=True)
    # The balance alone says nothing: it is neither depleted nor recovered by it.
    view, events = see(state, view, 13, wallets=line(-20))
    assert (events, view.snapshot.wallets[0].is_in_doubt) == ([], True)
    view, events = see(state, view, 14, wallets=line(-20, 80))
    assert events == ["recovered"]


def test_threshold_changed_while_the_amount_is_unknown() -> None:
    """A threshold that is changed in a moment of doubt loses no later alert."""
    state = AccountState()
    view, _ = see(state, None, 0, wallets=line(20, 120))
    view, _ = see(state, view, 1, wallets=line(20))
    view = set_thresholds(state, "usd", Thresholds(amount=Decimal(50)), view)
    assert view.levels["usd"] == "ok"
    _, events = see(state, view, 2, wallets=line(-99, 1))
    assert events == ["became_low"]


def test_depleted_quota_beside_a_wallet_in_doubt() -> None:
    """An account is depleted only when nothing that it holds can be spent."""
    quota = Quota(key="plan", unit=CREDITS, used=Decimal(10), limit=Decimal(100))
    state = AccountState()
    view, _ = see(state, None, 0, wallets=line(20, 120), quotas=(quota,))
    quota = replace(quota, used=Decimal(100))
    view, _ = see(state, view, 1, wallets=line(20), quotas=(quota,))
    assert view.availability == "available"
