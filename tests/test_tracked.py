"""A balance that a person enters, where the provider reports costs alone."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed
import voluptuous as vol

from custom_components.api_balance.const import DOMAIN
from homeassistant.config_entries import SOURCE_USER
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from .conftest import AddAccount, Poll, set_number, state_of
from .simulator import Http, Simulator
from .simulator.anthropic import Anthropic
from .simulator.costs import Biller, today
from .simulator.openai import OpenAI
from .simulator.telnyx import Telnyx

BALANCE = "sensor.openai_balance_estimated"
ACTIVITY = "event.openai_activity"
NUMBER = "number.openai_set_balance"

type Act = Callable[..., Awaitable[None]]


@pytest.fixture
async def openai(simulator: Simulator, add_account: AddAccount) -> OpenAI:
    """Return an account that reports costs, and has spent 0.06 today."""
    await add_account(simulator[OpenAI])
    return simulator[OpenAI]


@pytest.fixture
def act(hass: HomeAssistant) -> Act:
    """Return what calls the action."""

    async def call(account: str = "entry_openai", **data: Any) -> None:
        await hass.services.async_call(
            DOMAIN, "set_balance", {"account": account, **data}, blocking=True
        )
        await hass.async_block_till_done()

    return call


def amount_of(hass: HomeAssistant, entity_id: str) -> Decimal:
    """Return the amount that an entity shows."""
    return Decimal(state_of(hass, entity_id) or "")


def reports(provider: Biller) -> int:
    """Return how many cost reports the provider was asked for."""
    return sum("cost" in request.path for request in provider.requests)


async def test_flow(hass: HomeAssistant, simulator: Simulator, poll: Poll) -> None:
    """The flow asks once what is left, and costs since then are taken off."""
    openai = simulator[OpenAI]
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], {"provider": "openai"}
    )
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"],
        {**openai.credentials, "advanced": {"base_url": openai.url}},
    )
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "balance")
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], {"USD": 20}
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    entry = result["result"]
    await hass.async_block_till_done()
    assert "balances" not in entry.data
    assert amount_of(hass, BALANCE) == Decimal(20)
    openai.spend(Decimal("1.25"))
    await poll()
    assert amount_of(hass, BALANCE) == Decimal("18.75")
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert amount_of(hass, BALANCE) == Decimal("18.75")


async def test_flow_without_an_answer(
    hass: HomeAssistant, openai: OpenAI, poll: Poll
) -> None:
    """Where nothing was entered there is no balance, and it can be entered later."""
    assert hass.states.get(BALANCE) is None
    assert state_of(hass, NUMBER) == STATE_UNKNOWN
    openai.requests.clear()
    await poll()
    assert reports(openai) == 1
    await set_number(hass, NUMBER, 12.5)
    assert amount_of(hass, BALANCE) == Decimal("12.5")
    openai.spend(Decimal("0.5"))
    await poll()
    assert amount_of(hass, BALANCE) == Decimal("12.0")
    assert amount_of(hass, NUMBER) == Decimal("12.0")


async def test_alerts(
    hass: HomeAssistant, openai: OpenAI, act: Act, poll: Poll
) -> None:
    """An estimated balance alerts, is topped up and recovers like any other."""
    await act(balance=10)
    await set_number(hass, "number.openai_low_balance_threshold", 5)
    openai.spend(Decimal(6))
    await poll()
    assert state_of(hass, "binary_sensor.openai_low_balance") == "on"
    state = hass.states.get(ACTIVITY)
    assert state
    assert state.attributes["event_type"] == "became_low"
    assert state_of(hass, "sensor.openai_availability") == "low"
    events: list[str] = []

    def seen(event: Any) -> None:
        state = event.data["new_state"]
        if state.entity_id == ACTIVITY and state.state != STATE_UNAVAILABLE:
            events.append(state.attributes["event_type"])

    hass.bus.async_listen("state_changed", seen)
    await act(top_up="25.50")
    assert amount_of(hass, BALANCE) == Decimal("29.50")
    assert events == ["topped_up", "recovered"]
    assert state_of(hass, "binary_sensor.openai_low_balance") == "off"
    top_up = hass.states.get("sensor.openai_last_top_up")
    assert top_up
    assert top_up.attributes["amount"] == 25.5


async def test_correction(
    hass: HomeAssistant, openai: OpenAI, act: Act, poll: Poll
) -> None:
    """A new entry says by how much the estimate was off, and nothing was spent by it."""
    await act(balance=10)
    spent = state_of(hass, "sensor.openai_spent_today")
    await act(balance="7.75")
    state = hass.states.get(ACTIVITY)
    assert state
    assert state.attributes["event_type"] == "balance_set"
    assert state.attributes["difference"] == -2.25
    assert (state.attributes["old"], state.attributes["new"]) == (10, 7.75)
    assert amount_of(hass, BALANCE) == Decimal("7.75")
    assert state_of(hass, "sensor.openai_spent_today") == spent
    assert state_of(hass, "sensor.openai_last_top_up") == STATE_UNKNOWN
    await poll()
    assert amount_of(hass, BALANCE) == Decimal("7.75")


async def test_late_costs(
    hass: HomeAssistant, openai: OpenAI, act: Act, poll: Poll
) -> None:
    """Costs of the days before that arrive after the entry are taken off."""
    openai.spend(Decimal(3))
    await act(balance=10)
    openai.add_cost(Decimal(2), today() - timedelta(days=1))
    await poll()
    assert amount_of(hass, BALANCE) == Decimal(8)
    state = hass.states.get(BALANCE)
    assert state
    assert state.attributes["newest_cost"].date() == today()


async def test_report_that_fails(
    hass: HomeAssistant, openai: OpenAI, act: Act, poll: Poll
) -> None:
    """A balance that was entered in an outage counts from the first report on."""
    openai.fail(Http(503))
    await act(balance=10)
    openai.heal()
    openai.spend(Decimal(1))
    await poll()
    assert amount_of(hass, BALANCE) == Decimal(10)
    openai.spend(Decimal(1))
    await poll()
    assert amount_of(hass, BALANCE) == Decimal(9)


async def test_report_that_has_to_wait(
    hass: HomeAssistant, openai: OpenAI, act: Act, poll: Poll
) -> None:
    """While the report may not be asked for, the balance stays as it was."""
    await act(balance=10)
    openai.fail(Http(429, retry_after=7200))
    with pytest.raises(HomeAssistantError):
        await hass.services.async_call(
            DOMAIN,
            "get_spend",
            {"account": "entry_openai"},
            blocking=True,
            return_response=True,
        )
    openai.heal()
    openai.spend(Decimal(1))
    await poll()
    assert state_of(hass, "sensor.openai_update_status") == "ok"
    assert amount_of(hass, BALANCE) == 10
    await poll(timedelta(hours=2))
    assert amount_of(hass, BALANCE) == 9


async def test_requests(openai: OpenAI, act: Act, poll: Poll) -> None:
    """The report is asked for once when costs have changed, and not otherwise."""
    await act(balance=10)
    await poll()
    openai.requests.clear()
    for _ in range(3):
        await poll()
    assert reports(openai) == 3
    openai.spend(Decimal(1))
    await poll()
    assert reports(openai) == 5


async def test_wrong_use(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    openai: OpenAI,
    act: Act,
) -> None:
    """What cannot be set says so."""
    await add_account(simulator[Telnyx])
    for data, key in (
        ({"account": "entry_telnyx", "balance": 1}, "no_balance_to_set"),
        ({"balance": 1, "currency": "eur"}, "no_balance_to_set"),
        ({"top_up": 1}, "balance_not_set"),
    ):
        with pytest.raises(ServiceValidationError) as error:
            await act(**data)
        assert error.value.translation_key == key
    await act(balance=1, currency="usd")
    for time in ("2026-01-01 12:00:00", "2027-01-01 12:00:00"):
        with pytest.raises(ServiceValidationError) as error:
            await act(top_up=1, time=time)
        assert error.value.translation_key == "balance_not_set"
    wrong: list[dict[str, Any]] = [
        {},
        {"balance": "much"},
        {"balance": "NaN"},
        {"top_up": 0},
        {"balance": 1, "top_up": 1},
    ]
    for data in wrong:
        with pytest.raises(vol.Invalid):
            await act(**data)
    assert hass.states.get("sensor.telnyx_balance_estimated") is None


@pytest.mark.parametrize("kind", [OpenAI, Anthropic])
async def test_months(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    act: Act,
    freezer: FrozenDateTimeFactory,
    kind: type[Biller],
) -> None:
    """Over three months the estimate follows the true balance, late costs included."""
    provider = simulator[kind]
    provider.give_past(days=0)
    await add_account(provider)
    name = provider.id
    await act(f"entry_{name}", balance=100)
    true, random = Decimal(100), Random(7)
    late: list[tuple[int, Decimal, Any]] = []
    errors: list[Decimal] = []
    for number in range(270):
        freezer.tick(timedelta(hours=8))
        spent = Decimal(random.randint(0, 60)) / 100
        true -= spent
        # A tenth of the costs is booked up to a day late.
        delay = random.randint(1, 3) if random.random() < 0.1 else 0
        late.append((number + delay, spent, today()))
        for due, amount, day in late:
            if due == number:
                provider.add_cost(amount, day)
        late = [one for one in late if one[0] > number]
        if number == 100:
            # A top-up of which nobody has said anything, and then its correction.
            true += 50
        if number == 103:
            await act(f"entry_{name}", top_up=50)
        async_fire_time_changed(hass)
        await hass.async_block_till_done(wait_background_tasks=True)
        waiting = sum((amount for _, amount, _ in late), Decimal())
        shown = amount_of(hass, f"sensor.{name}_balance_estimated")
        missing = 50 if 100 <= number < 103 else 0
        errors.append(abs(shown - true - waiting + missing))
    # Nothing is lost at the ends of months, or when old days are settled.
    assert max(errors) == 0
