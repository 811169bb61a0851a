"""What outlives a restart: the stored form and what is refused of it."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
import json
from typing import Any

import pytest

from custom_components.api_balance.insight.account import Settings, advance, fill
from custom_components.api_balance.insight.jump import Jump
from custom_components.api_balance.insight.levels import Activity, Event, Level
from custom_components.api_balance.insight.movements import Kind, Ledger, Movement
from custom_components.api_balance.insight.schedule import Ability, Schedule
from custom_components.api_balance.insight.state import (
    AccountState,
    GaugeState,
    decode,
    encode,
)
from custom_components.api_balance.model import (
    Failure,
    Gauge,
    Lot,
    Period,
    Problem,
    Scope,
    Snapshot,
    Spend,
    Unit,
    Wallet,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
USD = Unit.money("USD")


def again(value: Any) -> Any:
    """Return what is read of what was stored."""
    return decode(json.loads(json.dumps(encode(value))), type(value))


def test_nothing_takes_no_space() -> None:
    """What has its default is not stored."""
    assert encode(AccountState()) == {}
    assert decode({}) == AccountState()


def test_everything_at_once() -> None:
    """All that a state can hold is read again as it was."""
    ledger = Ledger()
    gauge = Gauge(
        key="usd",
        unit=USD,
        remaining=Decimal("1.50"),
        lots=(Lot(id="a", amount=Decimal(1), expires_at=NOW), Lot(id="b", amount=None)),
    )
    ledger.observe(gauge, NOW, {Period.TODAY: NOW})
    ledger.top_ups = [Movement(kind=Kind.TOP_UP, amount=Decimal(5), start=NOW, end=NOW)]
    ledger.falls, ledger.refund = [Decimal("0.01")], Decimal("0.2")
    state = AccountState(
        gauges={
            "usd": GaugeState(
                unit=USD,
                scope="p",
                label="Home",
                has_held=True,
                patience=1,
                missing_since=NOW,
                ledger=ledger,
                level=Level.LOW,
                shown_level=Level.OK,
                amounts={"balance": Decimal("1E-8")},
                runway=timedelta(hours=5),
                is_jumping=True,
            )
        },
        events=[
            Event(
                activity=Activity.SPEND_JUMPED,
                gauge="usd",
                unit=USD,
                at=NOW,
                before=Decimal(2),
                level=Level.LOW,
                runway=timedelta(0),
                jump=Jump(spent=Decimal(9), usual=Decimal(1), hours=2),
            )
        ],
        schedule=Schedule(retry_at={Ability.PURCHASES: NOW}, failures=3),
        snapshot=Snapshot(
            account_ids=frozenset({"b", "a"}),
            scopes=(Scope(key="p", is_available=False, problem=Problem.WRONG_KEY),),
            wallets=(Wallet(key="usd", unit=USD, balance=Decimal(-1)),),
            spend=(
                Spend(
                    unit=USD,
                    amount=Decimal("0.10"),
                    start=NOW,
                    end=NOW,
                    labels={"line_item": "a", "tag": ("b", "c")},
                ),
            ),
        ),
        updated_at=NOW,
        problem=Problem.UNREACHABLE,
        detail="a path",
        refusals=2,
        misreadings=1,
        knows_past=True,
    )
    assert again(state) == state


def test_what_is_not_stored() -> None:
    """The last answer is needed while running only: after a start it is new again."""
    state = AccountState()
    told = Snapshot(wallets=(Wallet(key="usd", unit=USD, balance=Decimal(1)),))
    advance(state, told, Settings(interval=timedelta(minutes=15), starts={}), NOW)
    assert state.received == told
    assert again(state).received is None


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        # One refusal proves nothing, once the account has answered; polls slow down.
        (Problem.BAD_KEY, timedelta(minutes=15)),
        (Problem.MISSING_PERMISSION, timedelta(hours=1)),
        (Problem.WRONG_KEY, timedelta(hours=1)),
        (Problem.PAYMENT_REQUIRED, timedelta(minutes=15)),
        (Problem.UNEXPECTED_ANSWER, timedelta(minutes=15)),
        (Problem.RATE_LIMITED, timedelta(minutes=15)),
    ],
)
def test_failure_after_an_answer(last: Problem, expected: timedelta) -> None:
    """How long to wait follows from why the poll failed, also over a restart."""
    settings = Settings(interval=timedelta(minutes=15), starts={})
    state = AccountState()
    told = Snapshot(wallets=(Wallet(key="usd", unit=USD, balance=Decimal(1)),))
    view = advance(state, told, settings, NOW).view
    step = advance(state, Failure(problem=last), settings, NOW, view)
    assert step.next_poll == expected
    assert step.view.needs_new_key is False
    assert step.view.misreadings == (last is Problem.UNEXPECTED_ANSWER)
    state = again(state)
    step = advance(state, Failure(problem=last), settings, NOW, None)
    assert step.view.needs_new_key is (last is Problem.BAD_KEY)


def test_part_that_is_misread() -> None:
    """A project that is not understood is named, and counted like an account."""
    settings = Settings(interval=timedelta(minutes=15), starts={})
    state = AccountState()
    part = Scope(key="p", label="Home", problem=Problem.UNEXPECTED_ANSWER)
    for count in (1, 2):
        view = advance(state, Snapshot(scopes=(part,)), settings, NOW).view
        assert (view.problem, view.detail) == (Problem.UNEXPECTED_ANSWER, "Home")
        assert view.misreadings == count
        assert view.label("p") == "Home"
        assert view.label("q") == "q"
    refused = Scope(key="p", problem=Problem.MISSING_PERMISSION)
    view = advance(state, Snapshot(scopes=(refused,)), settings, NOW).view
    assert (view.problem, view.detail) == (Problem.MISSING_PERMISSION, None)
    assert view.misreadings == 0


def test_part_that_asks_to_wait() -> None:
    """An answer that names a pause is shown until the poll after it."""
    settings = Settings(interval=timedelta(minutes=15), starts={})
    state, pause = AccountState(), timedelta(hours=3)
    told = Snapshot(
        wallets=(Wallet(key="usd", unit=USD, balance=Decimal(1)),), retry_after=pause
    )
    step = advance(state, told, settings, NOW)
    assert step.next_poll == pause
    later = advance(state, None, settings, NOW + pause / 2, step.view)
    assert later.next_poll == pause / 2
    assert later.view.is_current
    late = advance(state, None, settings, NOW + 2 * pause, step.view)
    assert (late.next_poll, late.view.is_current) == (timedelta(minutes=15), False)


def test_past_of_several_wallets() -> None:
    """A report fills the only wallet of its unit; which of two was spent is not known."""
    starts = {Period.TODAY: NOW, Period.THIS_MONTH: NOW.replace(day=1)}
    settings = Settings(interval=timedelta(minutes=15), starts=starts)
    eur = Unit.money("EUR")
    state = AccountState()
    told = Snapshot(
        wallets=(
            Wallet(key="usd", unit=USD, balance=Decimal(1)),
            Wallet(key="eur_a", unit=eur, balance=Decimal(1)),
            Wallet(key="eur_b", unit=eur, balance=Decimal(1)),
            Wallet(key="hours", unit=Unit.named("hours"), balance=None),
        )
    )
    advance(state, told, settings, NOW)
    day = datetime.combine(date(2026, 11, 1), NOW.timetz())
    fill(
        state,
        [
            Spend(unit=unit, amount=Decimal(9), start=day, end=day)
            for unit in (USD, eur)
        ],
        starts,
        NOW,
    )
    assert state.knows_past
    spent = {
        key: sum(one.ledger.history.hours.values()) for key, one in state.gauges.items()
    }
    assert spent["usd"] == pytest.approx(Decimal(9), abs=Decimal("0.001"))
    assert (spent["eur_a"], spent["eur_b"], spent["hours"]) == (0, 0, 0)


@pytest.mark.parametrize(
    "data",
    [
        {"thresholds": {"usd": {"amount": "NaN"}}},
        {"thresholds": {"usd": {"amount": "1e99"}}},
        {"thresholds": {"usd": {"amount": "much"}}},
        {"updated_at": "yesterday"},
        {"problem": "bored"},
        {"gauges": {"usd": {"unit": {"code": 5, "is_money": True}, "scope": "a"}}},
        {"gauges": {"usd": {"scope": "a"}}},
        {"gauges": {"usd": {"runway": "1e300"}}},
        {"events": {"a": 1}},
    ],
)
def test_records_that_are_none(data: dict[str, Any]) -> None:
    """What is no record is refused with one kind of error."""
    with pytest.raises(ValueError, match=r".*"):
        decode(data)


@pytest.mark.parametrize(
    "history",
    [
        {"first": 1, "hours": "1 " * 2000, "filled_until": 0},
        {"first": 10**12, "hours": "1", "filled_until": 0},
        {"first": 1, "hours": "1e99", "filled_until": 0},
    ],
)
def test_hours_that_nobody_has(history: dict[str, Any]) -> None:
    """More hours than are kept are refused, without using memory."""
    history |= {"since": None, "until": None}
    gauge = {
        "unit": {"code": "USD", "is_money": True},
        "scope": "account",
        "ledger": {"history": history},
    }
    with pytest.raises(ValueError, match=r".*"):
        decode({"gauges": {"usd": gauge}})


def test_past_of_several_days() -> None:
    """What is reported of several days is spread over those that have begun."""
    starts = {Period.TODAY: NOW, Period.THIS_MONTH: NOW.replace(day=1)}
    settings = Settings(interval=timedelta(minutes=15), starts=starts)
    state = AccountState()
    wallet = Wallet(key="usd", unit=USD, balance=Decimal(1))
    advance(state, Snapshot(wallets=(wallet,)), settings, NOW)
    midnight = datetime.combine(NOW.date(), time(), UTC)
    start = midnight - timedelta(days=3)
    end = midnight + timedelta(days=20)
    fill(
        state,
        [Spend(unit=USD, amount=Decimal(8), start=start, end=end)],
        starts,
        NOW,
    )
    history = state.gauges["usd"].ledger.history
    days = [
        sum(amount for _, amount in history.between(day, day + timedelta(days=1)))
        for day in (start + timedelta(days=number) for number in range(4))
    ]
    assert days == [pytest.approx(Decimal(2), abs=Decimal("0.001"))] * 4
