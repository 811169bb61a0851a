"""Budgets: what a month costs, and when that is too much, as the home shows it."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.api_balance.const import DOMAIN
from homeassistant.const import (
    STATE_OFF,
    STATE_ON,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
    EntityCategory,
)
from homeassistant.core import Event, HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component

from .conftest import AddAccount, Poll, set_number, state_of
from .past import remember
from .simulator import Http, Simulator
from .simulator.deepgram import Deepgram
from .simulator.deepseek import DeepSeek
from .simulator.openai import OpenAI
from .simulator.telnyx import Telnyx

BUDGET = "number.telnyx_monthly_budget"
DAY = "number.telnyx_billing_day"
FORECAST = "sensor.telnyx_forecast_this_month"
MONTH = "sensor.telnyx_spent_this_month"
OVER = "binary_sensor.telnyx_over_budget"
ACTIVITY = "event.telnyx_budget_activity"
SOON = timedelta(minutes=12)

type SetTo = Callable[..., Awaitable[None]]


def attributes(hass: HomeAssistant, entity_id: str) -> dict[str, Any]:
    """Return the attributes of an entity."""
    state = hass.states.get(entity_id)
    assert state is not None
    return dict(state.attributes)


def number(hass: HomeAssistant, entity_id: str) -> float:
    """Return the state of an entity that shows a number."""
    return float(state_of(hass, entity_id) or "")


@pytest.fixture
def set_to(hass: HomeAssistant) -> SetTo:
    """Return what sets a number, as a person does."""

    async def set_to(value: float, entity_id: str = BUDGET) -> None:
        await set_number(hass, entity_id, value)

    return set_to


@pytest.fixture
async def seen(hass: HomeAssistant) -> list[str]:
    """Return what automations of a person have run for."""
    await hass.config.async_set_time_zone("UTC")
    automations = [
        {
            "triggers": {"trigger": f"{DOMAIN}.{trigger}", "target": {}},
            "actions": {"event": "seen", "event_data": {"what": trigger}},
        }
        for trigger in ("over_budget", "budget_at_risk")
    ]
    automations.append(
        {
            "triggers": {
                "trigger": "state",
                "entity_id": OVER,
                "from": "off",
                "to": "on",
            },
            "actions": {"event": "seen", "event_data": {"what": "on"}},
        }
    )
    found: list[str] = []

    async def note(event: Event) -> None:
        found.append(event.data["what"])

    hass.bus.async_listen("seen", note)
    assert await async_setup_component(hass, "automation", {"automation": automations})
    return found


@pytest.fixture
def telnyx(hass_storage: dict[str, Any], simulator: Simulator) -> Telnyx:
    """Return an account that was spent evenly for four weeks, 1.25 dollars an hour."""
    telnyx = simulator[Telnyx]
    telnyx.set_credit_limit(Decimal(0))
    remember(hass_storage, telnyx.id)
    return telnyx


async def test_month(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    seen: list[str],
    telnyx: Telnyx,
    add_account: AddAccount,
    poll: Poll,
    set_to: SetTo,
) -> None:
    """A month with a budget, a restart in it, and an outage over its end."""
    entry = await add_account(telnyx)
    # 20 days and a half, and nine days and a half to come.
    assert number(hass, MONTH) == 0
    assert number(hass, BUDGET) == 0
    assert number(hass, FORECAST) == pytest.approx(900, abs=9)
    found = attributes(hass, FORECAST)
    assert found["spent"] == pytest.approx(615, abs=0.001)
    assert found["spent"] < found["low"] < number(hass, FORECAST) < found["high"]
    assert found["month_start"] == datetime.fromisoformat("2026-11-01T00:00:00+00:00")
    assert found["month_end"] == datetime.fromisoformat("2026-12-01T00:00:00+00:00")
    assert found["unit_of_measurement"] == "USD"
    assert "state_class" not in found
    # Without a budget nothing is over it.
    assert state_of(hass, OVER) is None
    assert state_of(hass, ACTIVITY) is None

    await set_to(1000)
    assert state_of(hass, OVER) == STATE_OFF
    assert state_of(hass, ACTIVITY) == STATE_UNKNOWN
    telnyx.set_balance(Decimal(80))
    await poll(SOON)
    assert seen == ["budget_at_risk"]
    assert state_of(hass, OVER) == STATE_OFF
    found = attributes(hass, ACTIVITY)
    assert found["event_type"] == "budget_at_risk"
    assert found["spent"] == pytest.approx(835, abs=0.001)
    assert (found["budget"], found["unit"]) == (1000, "USD")
    assert found["forecast"] == number(hass, FORECAST)
    assert found["month_start"] == datetime.fromisoformat("2026-11-01T00:00:00+00:00")

    # Topped up, and spent while Home Assistant is restarted.
    telnyx.set_balance(Decimal(580))
    await poll(SOON)
    seen.clear()
    await hass.config_entries.async_unload(entry.entry_id)
    telnyx.set_balance(Decimal(400))
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert sorted(seen) == ["on", "over_budget"]
    assert state_of(hass, OVER) == STATE_ON
    assert attributes(hass, ACTIVITY)["spent"] == pytest.approx(1015, abs=0.001)
    seen.clear()
    await hass.config_entries.async_reload(entry.entry_id)
    telnyx.set_balance(Decimal(390))
    await poll(SOON)
    assert seen == []
    assert state_of(hass, OVER) == STATE_ON

    # An outage over the end of the month, in which 120 dollars are spent.
    await set_to(1080)
    assert state_of(hass, OVER) == STATE_OFF
    freezer.move_to("2026-11-30 20:00:00+00:00")
    await poll(timedelta(seconds=1))
    telnyx.fail(Http(503))
    await poll(SOON)
    assert state_of(hass, OVER) == state_of(hass, FORECAST) == STATE_UNAVAILABLE
    freezer.move_to("2026-12-01 00:00:00+00:00")
    async_fire_time_changed(hass)
    await hass.async_block_till_done(wait_background_tasks=True)
    telnyx.heal()
    telnyx.set_balance(Decimal(270))
    seen.clear()
    freezer.move_to("2026-12-01 04:00:01+00:00")
    async_fire_time_changed(hass)
    await hass.async_block_till_done(wait_background_tasks=True)
    # Half of it was spent in November.
    assert seen[0] == "over_budget"
    assert "on" not in seen
    assert state_of(hass, OVER) == STATE_OFF
    assert attributes(hass, FORECAST)["spent"] == pytest.approx(60, abs=0.1)
    assert number(hass, MONTH) == pytest.approx(60, abs=0.1)


async def test_new_account(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    poll: Poll,
    set_to: SetTo,
) -> None:
    """What was spent before an account was added is not made up."""
    telnyx = simulator[Telnyx]
    await add_account(telnyx)
    await set_to(5)
    telnyx.spend(Decimal(4))
    await poll(SOON)
    assert state_of(hass, FORECAST) == state_of(hass, OVER) == STATE_UNKNOWN
    assert attributes(hass, FORECAST)["spent"] is None
    telnyx.spend(Decimal(2))
    await poll(SOON)
    assert state_of(hass, FORECAST) == STATE_UNKNOWN
    assert state_of(hass, OVER) == STATE_ON
    await set_to(0)
    assert state_of(hass, OVER) == STATE_UNAVAILABLE
    await set_to(20)
    assert state_of(hass, OVER) == STATE_UNKNOWN


async def test_billing_day(
    hass: HomeAssistant,
    entity_registry: er.EntityRegistry,
    telnyx: Telnyx,
    add_account: AddAccount,
    set_to: SetTo,
) -> None:
    """The month of a budget may begin on another day."""
    await hass.config.async_set_time_zone("UTC")
    entry = await add_account(telnyx)
    day = entity_registry.async_get(DAY)
    assert day is not None
    assert day.disabled_by is er.RegistryEntryDisabler.INTEGRATION
    assert day.entity_category is EntityCategory.CONFIG
    entity_registry.async_update_entity(DAY, disabled_by=None)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert number(hass, DAY) == 1
    await set_to(28, DAY)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert number(hass, DAY) == 28
    found = attributes(hass, FORECAST)
    assert found["month_start"] == datetime.fromisoformat("2026-10-28T00:00:00+00:00")
    assert found["month_end"] == datetime.fromisoformat("2026-11-28T00:00:00+00:00")
    assert found["spent"] == pytest.approx(615 + 4 * 24 * 1.25, abs=0.001)


async def test_budget_set_in_an_outage(
    hass: HomeAssistant,
    telnyx: Telnyx,
    add_account: AddAccount,
    poll: Poll,
    set_to: SetTo,
) -> None:
    """A budget that is set in an outage counts too."""
    await add_account(telnyx)
    telnyx.fail(Http(503))
    await poll(SOON)
    await set_to(100)
    assert number(hass, BUDGET) == 100
    assert state_of(hass, OVER) == STATE_UNAVAILABLE
    telnyx.heal()
    await poll(SOON)
    assert state_of(hass, OVER) == STATE_ON


async def test_provider_that_reports_costs(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    seen: list[str],
    simulator: Simulator,
    add_account: AddAccount,
    poll: Poll,
    set_to: SetTo,
) -> None:
    """An account without a balance has a budget of what its provider reports."""
    openai = simulator[OpenAI]
    entry = await add_account(openai)
    month = "sensor.openai_spent_this_month"
    forecast, over = (
        "sensor.openai_forecast_this_month",
        "binary_sensor.openai_over_budget",
    )
    start = number(hass, month)
    assert state_of(hass, forecast) == STATE_UNKNOWN
    assert attributes(hass, forecast)["spent"] == start
    await set_to(start + 20, "number.openai_monthly_budget")
    assert state_of(hass, over) == STATE_OFF
    for _ in range(16):
        openai.spend(Decimal("0.25"))
        await poll(timedelta(minutes=35))
    spent = number(hass, month)
    assert spent == start + 4
    assert number(hass, forecast) > spent
    assert seen == ["budget_at_risk"]
    openai.spend(Decimal("16.01"))
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert seen == ["budget_at_risk", "over_budget"]
    assert state_of(hass, over) == STATE_ON
    found = attributes(hass, "event.openai_budget_activity")
    assert found["spent"] == pytest.approx(start + 20.01)
    freezer.move_to("2026-12-01 01:00:00+00:00")
    openai.spend(Decimal(1))
    await poll(timedelta(seconds=1))
    assert attributes(hass, forecast)["spent"] == number(hass, month) == 1
    assert state_of(hass, over) == STATE_OFF


async def test_several_currencies(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount
) -> None:
    """Each currency has a budget that its name tells apart."""
    deepseek = simulator[DeepSeek]
    deepseek.add_currency("USD", Decimal(200))
    await add_account(deepseek)
    for currency in ("usd", "cny"):
        found = attributes(hass, f"number.deepseek_monthly_budget_{currency}")
        assert found["unit_of_measurement"] == currency.upper()


async def test_budget_of_all_projects(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    poll: Poll,
    set_to: SetTo,
) -> None:
    """A budget is that of the account, over all its projects."""
    deepgram = simulator[Deepgram]
    garage = deepgram.add_project("Garage")
    balance = deepgram.add_balance(garage, Decimal(90))
    await add_account(deepgram)
    await set_to(50, "number.deepgram_monthly_budget")
    deepgram.set_balance(balance, Decimal(30))
    await poll()
    assert state_of(hass, "binary_sensor.deepgram_over_budget") == STATE_ON
