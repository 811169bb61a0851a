"""Levels and alerts: every rule by example, through the pure core."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
import json
from random import Random
from typing import Any
from unittest.mock import patch

import pytest

from custom_components.api_balance.insight import account, learning
from custom_components.api_balance.insight.account import (
    AmountsChanged,
    Settings,
    advance,
    deliver,
    set_thresholds,
)
from custom_components.api_balance.insight.levels import Activity, Level, Thresholds
from custom_components.api_balance.insight.state import AccountState, decode, encode
from custom_components.api_balance.insight.view import View
from custom_components.api_balance.model import (
    Failure,
    Problem,
    Quota,
    Scope,
    Snapshot,
    Unit,
    Wallet,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTES = timedelta(minutes=10)
SETTINGS = Settings(interval=MINUTES, starts={})
USD = Unit.money("USD")
HOURS = Unit.named("hours")
CREDITS = Unit.named("credits")


class Home:
    """An account with a clock, and all that was delivered of it."""

    def __init__(self, **thresholds: Thresholds) -> None:
        """Begin with thresholds by the key of the gauge."""
        self.state = AccountState(thresholds=dict(thresholds))
        self.now = NOW
        self.view: View | None = None
        self.moved: list[AmountsChanged] = []

    def see(self, *parts: Wallet | Quota, **facts: Any) -> list[str]:
        """Return what is delivered after an answer."""
        return self.take(
            Snapshot(
                wallets=tuple(part for part in parts if isinstance(part, Wallet)),
                quotas=tuple(part for part in parts if isinstance(part, Quota)),
                **facts,
            )
        )

    def take(self, outcome: Snapshot | Failure) -> list[str]:
        """Return what is delivered after a poll."""
        self.now += MINUTES
        view = advance(self.state, outcome, SETTINGS, self.now, self.view).view
        self.view, events, self.moved = deliver(self.state, view)
        return [event.activity.value for event in events]

    def restart(self) -> None:
        """Store the state and read it again."""
        self.state = decode(json.loads(json.dumps(encode(self.state))))
        self.view = None

    def level(self, key: str = "usd") -> Level | None:
        """Return the level that the home shows."""
        assert self.view is not None
        return self.view.levels.get(key)


def usd(amount: str | None, key: str = "usd", **facts: Any) -> Wallet:
    """Return a wallet in dollars."""
    balance = None if amount is None else Decimal(amount)
    return Wallet(key=key, **{"unit": USD, "balance": balance, **facts})


def credits_of(used: int, **facts: Any) -> Quota:
    """Return a quota of 100 credits."""
    return Quota(
        key="plan", unit=CREDITS, used=Decimal(used), limit=Decimal(100), **facts
    )


def at(amount: str, days: str = "0") -> Thresholds:
    """Return thresholds."""
    return Thresholds(amount=Decimal(amount), days=Decimal(days))


def news(home: Home, amounts: Iterable[str]) -> list[list[str]]:
    """Return what is delivered of each amount."""
    return [home.see(usd(amount)) for amount in amounts]


def test_low_depleted_and_back() -> None:
    """Each turn is reported once; small top-ups do not skip the hysteresis."""
    home = Home(usd=at("10"))
    assert news(home, ["20", "9.50", "5", "0", "-1"]) == [
        [],
        ["became_low"],
        [],
        ["depleted"],
        [],
    ]
    assert news(home, ["29", "0", "10", "30"]) == [
        ["topped_up", "recovered"],
        ["depleted"],
        ["topped_up"],
        ["topped_up", "recovered"],
    ]


def test_flutter() -> None:
    """An amount that flutters around its threshold alerts once."""
    home = Home(usd=at("5"))
    amounts = ["6"] + ["4.90", "5.20"] * 10
    found = [event for events in news(home, amounts) for event in events]
    assert found.count("became_low") == 1


@pytest.mark.parametrize(
    ("amounts", "levels"),
    [
        (["1.5", "0", "0.9"], [Level.LOW, Level.DEPLETED, Level.LOW]),
        (["9.5", "2", "2.1", "2.3"], [Level.OK, Level.LOW, Level.LOW, Level.OK]),
    ],
)
def test_hours(amounts: list[str], levels: list[Level]) -> None:
    """A wallet of hours follows the same rules, without a last digit to clear."""
    home = Home(usd=at("2"))
    found = []
    for amount in amounts:
        home.see(usd(amount, unit=HOURS))
        found.append(home.level())
    assert found == levels


def test_cents_above_nothing() -> None:
    """A cent above nothing is a flutter, two are not."""
    home = Home()
    news(home, ["5", "0", "0.01"])
    assert home.level() is Level.DEPLETED
    home.see(usd("0.02"))
    assert home.level() is Level.OK


def test_promotion_that_is_used_up() -> None:
    """A used-up promotion of hours beside money does not deplete the account."""
    home = Home()
    hours: dict[str, Any] = {"unit": HOURS, "key": "hours"}
    home.see(usd("104"), usd("5", **hours))
    assert home.see(usd("104"), usd("0", **hours)) == ["depleted"]
    assert home.view is not None
    assert home.view.availability == "available"
    home.see(usd("0"), usd("0", **hours))
    assert home.view.availability == "depleted"


def test_currency_that_was_never_used() -> None:
    """An empty currency beside a depleted one is silent; debt never recovers."""
    home = Home()
    assert news(home, ["5", "0"]) == [[], ["depleted"]]
    assert home.see(usd("0"), usd("0", "eur", unit=Unit.money("EUR"))) == []
    assert home.level("eur") is Level.OK
    home = Home()
    home.see(usd("5"), usd("-2.88", "eur", unit=Unit.money("EUR")))
    assert home.level("eur") is Level.DEPLETED
    assert home.see(usd("5"), usd("0", "eur", unit=Unit.money("EUR"))) == []
    assert home.level("eur") is Level.OK


def test_debt_that_is_watched() -> None:
    """Debt that is paid later is low from a negative threshold on."""
    home = Home(usd=at("-50"))
    owed = [usd(amount, is_postpaid=True) for amount in ("-10", "-60", "-5")]
    assert [home.see(wallet) for wallet in owed] == [
        [],
        ["became_low"],
        ["topped_up", "recovered"],
    ]
    assert home.see(usd(None, is_postpaid=True)) == []
    home = Home()
    assert [home.see(wallet) for wallet in owed] == [[], [], ["topped_up"]]


def test_suspension_without_an_amount() -> None:
    """A suspended account without an amount is depleted, and recovers afterwards."""
    home = Home()
    home.see(usd("20"))
    assert home.see(is_suspended=True) == ["depleted"]
    assert home.level() is Level.DEPLETED
    home.restart()
    assert home.see(usd("20")) == ["recovered"]


def test_scope_that_is_refused() -> None:
    """A project that has to pay is depleted, its neighbor is not."""
    home = Home()
    scopes = (Scope(key="a", is_whole=True), Scope(key="b", is_whole=True))
    wallets = (usd("5", "a_usd", scope="a"), usd("7", "b_usd", scope="b"))
    home.see(*wallets, scopes=scopes)
    refused = (Scope(key="a", is_available=False), scopes[1])
    assert home.see(wallets[1], scopes=refused) == ["depleted"]
    assert (home.level("a_usd"), home.level("b_usd")) == (Level.DEPLETED, Level.OK)
    assert home.see(*wallets, scopes=scopes) == ["recovered"]


def test_quota() -> None:
    """A quota alerts like a wallet, in percent; its reset is no top-up."""
    home = Home(quota_plan=at("20"))
    found = [home.see(credits_of(used)) for used in (10, 85, 100, 0, 5)]
    assert found == [[], ["became_low"], ["depleted"], ["reset", "recovered"], []]
    assert home.see(credits_of(0)) == []
    assert home.view is not None
    assert home.view.availability == "available"
    home = Home(quota_plan=at("20"))
    exceeded = [home.see(credits_of(used, can_exceed=True)) for used in (10, 100)]
    assert exceeded == [[], ["became_low"]]


@pytest.mark.parametrize("facts", [{"is_partial": True}, {"scope": "project"}])
def test_quota_of_a_part(facts: dict[str, Any]) -> None:
    """A quota of a part of the account never alerts."""
    home = Home()
    for used in (10, 100):
        assert home.see(credits_of(used, **facts)) == []
    assert home.level("quota_plan") is None
    assert Quota(key="a", unit=CREDITS, is_unlimited=True).gauge is None


def test_lasts_until_reset() -> None:
    """A quota that lasts until its reset has no short time left."""
    home = Home(quota_plan=at("0", "30"))
    reset = NOW + timedelta(days=2)
    home.see(credits_of(0, resets_at=reset))
    for hour in range(1, 48):
        home.now = NOW + timedelta(hours=hour)
        home.see(credits_of(hour, resets_at=NOW + timedelta(days=3)))
    assert home.view is not None
    assert home.view.outlooks["quota_plan"].lasts_until_reset is True
    assert home.level("quota_plan") is Level.OK


def test_threshold_that_a_person_changes() -> None:
    """The level follows at once, and is no event."""
    home = Home()
    home.see(usd("20"))
    assert home.view is not None
    home.view = set_thresholds(home.state, "usd", at("25"), home.view)
    assert home.level() is Level.LOW
    home.view = set_thresholds(home.state, "usd", at("19.90"), home.view)
    assert home.level() is Level.OK
    assert home.see(usd("19")) == ["became_low"]
    home.view = set_thresholds(home.state, "gone", at("1"), home.view)


def test_events_wait_for_their_delivery() -> None:
    """What nobody could hear is delivered later, once, over a restart too."""
    home = Home(usd=at("10"))
    home.see(usd("20"))
    step = advance(home.state, Snapshot(wallets=(usd("9"),)), SETTINGS, home.now)
    assert step.view.levels["usd"] is Level.OK
    home.restart()
    assert home.see(usd("8")) == ["became_low"]
    assert home.see(usd("7")) == []


def test_amounts_are_delivered_once() -> None:
    """The numbers that automations watch are delivered with their change."""
    home = Home()
    home.see(usd("20"))
    assert home.moved == []
    home.see(usd("9"))
    (change,) = home.moved
    assert (change.before, change.after) == (
        {"balance": Decimal(20)},
        {"balance": Decimal(9)},
    )
    home.take(Failure(problem=Problem.UNREACHABLE))
    assert home.moved == []
    home.restart()
    home.see(usd("9"))
    assert home.moved == []


def test_unchanged_answers_compute_nothing() -> None:
    """Within the hour an unchanged answer returns the same view."""
    home = Home()
    home.see(usd("20"))
    before = home.view
    with patch.object(account, "look_ahead", side_effect=AssertionError):
        home.see(usd("20"))
    assert home.view == before
    assert home.state.updated_at == home.now
    home = Home()
    assert [home.see(usd(None)), home.see(usd(None))] == [[], []]


def test_conclusion_that_fails() -> None:
    """An error in a forecast hides no fact."""
    home = Home()
    home.see(usd("20"))
    with patch.object(learning, "estimate", side_effect=ZeroDivisionError):
        step = advance(
            home.state,
            Snapshot(wallets=(usd("9"),)),
            SETTINGS,
            home.now + timedelta(hours=2),
            home.view,
        )
    assert isinstance(step.error, ZeroDivisionError)
    assert step.view.snapshot.wallets[0].balance == 9
    assert step.view.outlooks["usd"].daily_spend is None


def test_two_wallets_of_one_unit() -> None:
    """What two wallets of one unit have cost is added up."""
    home = Home()
    home.see(usd("20", "a", label="A"), usd("30", "b", label="B"))
    home.state.gauges["a"].ledger.tallies = {}
    home.see(usd("19", "a", label="A"), usd("28", "b", label="B"))
    assert home.view is not None


PROBLEMS = [*Problem]


@pytest.mark.parametrize("seed", range(40))
def test_every_alert_once(seed: int) -> None:
    """Random histories against a model that is as simple as the README.

    Outages, restarts, and kills before anything was saved: every alert is delivered
    exactly once, and the level is what the amounts say.
    """
    random = Random(seed)
    home = Home(usd=at("10"))
    amount, level = Decimal(20), "ok"
    home.see(usd("20"))
    for _ in range(50):
        action = random.choice(["spend", "spend", "top_up", "fail", "restart", "still"])
        if action == "fail":
            outcome = Failure(
                problem=random.choice(PROBLEMS),
                retry_after=random.choice([None, timedelta(seconds=1)]),
            )
            assert home.take(outcome) == []
            continue
        if action == "restart":
            home.restart()
        if action == "spend":
            amount -= min(Decimal(random.randint(1, 1200)).scaleb(-2), amount)
        if action == "top_up":
            amount += random.choice([10, 20, 50])
        expected = _naive(level, amount)
        found = [event for event in home.see(usd(str(amount))) if event != "topped_up"]
        alert = {
            ("ok", "low"): [Activity.BECAME_LOW],
            ("ok", "depleted"): [Activity.DEPLETED],
            ("low", "depleted"): [Activity.DEPLETED],
            ("low", "ok"): [Activity.RECOVERED],
            ("depleted", "ok"): [Activity.RECOVERED],
        }.get((level, expected), [])
        assert [one for one in found if one != "spend_jumped"] == alert
        level = expected
        assert home.level() == level
        data = json.loads(json.dumps(encode(home.state)))
        assert encode(decode(data)) == data


def _naive(level: str, amount: Decimal) -> str:
    """Return the level by the README's words: a threshold of ten dollars."""
    if amount <= 0:
        return "depleted"
    if level == "depleted" and amount <= Decimal("0.01"):
        return "depleted"
    if amount <= 10:
        return "low"
    return (
        level
        if level == "low" and amount <= 11
        else ("ok" if level == "ok" or amount > 11 else "low")
    )
