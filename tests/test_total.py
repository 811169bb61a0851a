"""All accounts together: how the total is added, and what its sensors show."""

from datetime import timedelta
from decimal import Decimal
import json
from typing import Any, cast

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    get_system_health_info,
)
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)

from custom_components.api_balance.const import DOMAIN
from custom_components.api_balance.entity import async_find_gauge
from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigEntry,
    ConfigEntryDisabler,
    ConfigEntryState,
)
from homeassistant.const import (
    EVENT_STATE_CHANGED,
    EVENT_STATE_REPORTED,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
)
from homeassistant.core import (
    CoreState,
    Event,
    EventStateChangedData,
    EventStateReportedData,
    HomeAssistant,
    callback,
)
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.translation import async_get_translations
from homeassistant.setup import async_setup_component

from .conftest import AddAccount, Poll, first_poll, state_of
from .past import remember
from .simulator import Http, Simulator
from .simulator.deepseek import DeepSeek
from .simulator.digital_ocean import DigitalOcean
from .simulator.openai import OpenAI
from .simulator.telnyx import Telnyx

AVAILABLE_USD = "sensor.all_accounts_available_usd"
AVAILABLE_CNY = "sensor.all_accounts_available_cny"
SPENT_TODAY_USD = "sensor.all_accounts_spent_today_usd"
AVAILABILITY = "sensor.all_accounts_availability"
LOW = "sensor.all_accounts_accounts_low"
NEXT = "sensor.all_accounts_next_to_run_out"
IN_EUR = "sensor.all_accounts_available_in_eur"
RATE = "sensor.usd_in_eur"

type Json = dict[str, Any]


def attributes(hass: HomeAssistant, entity_id: str) -> Json:
    """Return the attributes of an entity that say which accounts it is about."""
    state = hass.states.get(entity_id)
    assert state
    named = ("accounts", "account", "unknown", "not_counted", "missing_rates", "rates")
    return {name: state.attributes[name] for name in named if name in state.attributes}


async def choose(hass: HomeAssistant, name: str = "all_accounts") -> Any:
    """Choose all accounts in place of a provider."""
    flow = hass.config_entries.flow
    result = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    return await flow.async_configure(result["flow_id"], {"provider": name})


async def fill_in(hass: HomeAssistant, result: Any, *inputs: Json) -> Any:
    """Fill in one form after the other, each of which has texts."""
    for user_input in inputs:
        assert result["type"] is FlowResultType.FORM
        assert not result["errors"]
        result = await hass.config_entries.flow.async_configure(
            result["flow_id"], user_input
        )
    await hass.async_block_till_done()
    return result


async def add_total(hass: HomeAssistant, *inputs: Json) -> ConfigEntry[Any]:
    """Add the total as a person does."""
    result = await fill_in(hass, await choose(hass), *(inputs or ({},)))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    entry: ConfigEntry[Any] = result["result"]
    assert entry.state is ConfigEntryState.LOADED
    return entry


async def reconfigure(hass: HomeAssistant, entry: ConfigEntry[Any]) -> Any:
    """Start to change the total."""
    return await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    )


def suggested(result: Any) -> Json:
    """Return what a form suggests."""
    return {
        str(marker): marker.description["suggested_value"]
        for marker in result["data_schema"].schema
        if marker.description
    }


# The flow


async def test_add(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount
) -> None:
    """The total is one device with what all accounts have, each currency for itself."""
    await add_account(simulator[Telnyx])
    await add_account(simulator[DeepSeek])
    result = await choose(hass, " All Accounts ")
    assert result["step_id"] == "total"
    result = await fill_in(hass, result, {})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "All accounts"
    assert result["data"] == {
        "provider": "all_accounts",
        "currency": None,
        "rates": {},
    }
    devices = dr.async_get(hass)
    (device,) = dr.async_entries_for_config_entry(devices, result["result"].entry_id)
    assert device.name == "All accounts"
    assert device.entry_type is dr.DeviceEntryType.SERVICE
    assert {
        entity.entity_id: state_of(hass, entity.entity_id)
        for entity in er.async_entries_for_device(er.async_get(hass), device.id)
    } == {
        AVAILABLE_USD: "400.00",
        AVAILABLE_CNY: "110.00",
        SPENT_TODAY_USD: "0",
        "sensor.all_accounts_spent_today_cny": "0",
        "sensor.all_accounts_spent_this_month_usd": "0",
        "sensor.all_accounts_spent_this_month_cny": "0",
        AVAILABILITY: "available",
        LOW: "0",
        NEXT: STATE_UNKNOWN,
    }


async def test_add_twice(hass: HomeAssistant) -> None:
    """There is one total, also with a form that is open in two windows."""
    first, second = await choose(hass), await choose(hass)
    await fill_in(hass, first, {})
    assert hass.config_entries.flow.async_progress() == []
    assert second["flow_id"] != first["flow_id"]
    result = await choose(hass)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"
    assert len(hass.config_entries.async_entries(DOMAIN)) == 1


async def test_add_with_rates(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount
) -> None:
    """A rate is shown by a sensor or a fixed number; a mistake can be corrected."""
    await add_account(simulator[Telnyx])
    await add_account(simulator[DeepSeek])
    hass.states.async_set(RATE, "0.5")
    configure = hass.config_entries.flow.async_configure
    result = await choose(hass)
    result = await configure(result["flow_id"], {"currency": "Euro"})
    assert result["errors"] == {"currency": "unknown_currency"}
    assert suggested(result) == {"currency": "Euro"}
    result = await configure(result["flow_id"], {"currency": "eur"})

    assert result["step_id"] == "rate"
    assert result["description_placeholders"] == {"currency": "CNY", "target": "EUR"}
    result = await configure(result["flow_id"], {"rate": 0.125, "entity_id": RATE})
    assert result["errors"] == {"base": "one_rate"}
    result = await configure(result["flow_id"], {"rate": 0})
    assert result["errors"] == {"rate": "not_a_rate"}
    result = await configure(result["flow_id"], {"rate": 0.125})

    assert result["description_placeholders"] == {"currency": "USD", "target": "EUR"}
    assert suggested(result) == {}
    result = await fill_in(hass, result, {"entity_id": RATE})
    assert result["data"] == {
        "provider": "all_accounts",
        "currency": "EUR",
        "rates": {
            "CNY": {"rate": "0.125", "entered_at": "2026-11-21T12:00:00+00:00"},
            "USD": {"entity_id": RATE},
        },
    }
    state = hass.states.get(IN_EUR)
    assert state
    assert Decimal(state.state) == Decimal("213.75")
    assert state.attributes["unit_of_measurement"] == "EUR"
    assert attributes(hass, IN_EUR) == {
        "unknown": [],
        "not_counted": [],
        "missing_rates": [],
        "rates": {
            "CNY": {
                "rate": 0.125,
                "source": "fixed",
                "updated": "2026-11-21T12:00:00+00:00",
            },
            "USD": {
                "rate": 0.5,
                "source": RATE,
                "updated": "2026-11-21T12:00:00+00:00",
            },
        },
    }
    spent = state_of(hass, "sensor.all_accounts_spent_today_in_eur")
    assert Decimal(spent or "") == 0


async def test_reconfigure(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount
) -> None:
    """The form suggests what was chosen; another target asks for other rates."""
    await add_account(simulator[Telnyx])
    deepseek = await add_account(simulator[DeepSeek])
    hass.states.async_set(RATE, "0.5")
    entry = await add_total(
        hass, {"currency": "EUR"}, {"rate": 0.125}, {"entity_id": RATE}
    )
    # What was chosen for an account that is not there now is kept.
    await hass.config_entries.async_remove(deepseek.entry_id)
    result = await reconfigure(hass, entry)
    assert suggested(result) == {"currency": "EUR"}
    result = await fill_in(hass, result, {"currency": "EUR"})
    assert suggested(result) == {"rate": 0.125}
    result = await fill_in(hass, result, {"rate": 0.25})
    assert suggested(result) == {"entity_id": RATE}
    result = await fill_in(hass, result, {"entity_id": RATE})
    assert result["reason"] == "reconfigure_successful"
    assert entry.data["rates"]["CNY"]["rate"] == "0.25"
    assert state_of(hass, IN_EUR) == "200.000"

    result = await fill_in(hass, await reconfigure(hass, entry), {"currency": "USD"})
    assert result["description_placeholders"] == {"currency": "CNY", "target": "USD"}
    assert suggested(result) == {}
    await fill_in(hass, result, {})
    assert entry.data["rates"] == {}
    assert hass.states.get(IN_EUR) is None
    assert er.async_get(hass).async_get(IN_EUR) is None
    assert state_of(hass, "sensor.all_accounts_available_in_usd") == "400.00"

    result = await fill_in(hass, await reconfigure(hass, entry), {})
    assert result["reason"] == "reconfigure_successful"
    assert entry.data["currency"] is None
    assert hass.states.get("sensor.all_accounts_available_in_usd") is None
    assert state_of(hass, AVAILABLE_USD) == "400.00"


async def test_forms_are_explained(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount
) -> None:
    """Every field of the forms has a name and a description."""
    await add_account(simulator[Telnyx])
    text = await async_get_texts(hass)
    first = await choose(hass)
    second = await fill_in(hass, first, {"currency": "EUR"})
    for form in (first, second):
        for field in form["data_schema"].schema:
            for kind in ("data", "data_description"):
                path = f"component.{DOMAIN}.config.step.{form['step_id']}"
                assert f"{path}.{kind}.{field}" in text


async def async_get_texts(hass: HomeAssistant) -> dict[str, str]:
    """Return the texts of the config flow."""
    return await async_get_translations(hass, "en", "config", {DOMAIN})


# Sums


async def test_sums(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount, poll: Poll
) -> None:
    """Sums follow the accounts; what has nothing to spend is named."""
    telnyx, deepseek = simulator[Telnyx], simulator[DeepSeek]
    deepseek.add_currency("USD", topped_up=Decimal(20))
    for provider in (telnyx, deepseek, simulator[DigitalOcean], simulator[OpenAI]):
        await add_account(provider)
    await add_total(hass)
    assert state_of(hass, AVAILABLE_USD) == "420.00"
    assert state_of(hass, AVAILABLE_CNY) == "110.00"
    assert attributes(hass, AVAILABLE_USD) == {
        "unknown": [],
        "not_counted": ["Digital_ocean", "Openai"],
    }
    assert state_of(hass, SPENT_TODAY_USD) == "0.06"
    assert state_of(hass, "sensor.all_accounts_spent_this_month_usd") == "36.27"

    telnyx.spend(Decimal("1.50"))
    deepseek.spend(Decimal("0.25"), "USD")
    await poll()
    assert state_of(hass, AVAILABLE_USD) == "418.25"
    assert state_of(hass, SPENT_TODAY_USD) == "1.81"
    state = hass.states.get(SPENT_TODAY_USD)
    assert state
    assert "state_class" not in state.attributes


async def test_outage(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount, poll: Poll
) -> None:
    """An account that cannot be read makes the sums of its currencies unknown."""
    telnyx = simulator[Telnyx]
    await add_account(telnyx)
    await add_account(simulator[DeepSeek])
    await add_account(simulator[OpenAI])
    await add_total(hass)
    telnyx.fail(Http(503))
    await poll()
    assert state_of(hass, AVAILABLE_USD) == STATE_UNKNOWN
    assert state_of(hass, SPENT_TODAY_USD) == STATE_UNKNOWN
    assert attributes(hass, AVAILABLE_USD)["unknown"] == ["Telnyx"]
    assert state_of(hass, AVAILABLE_CNY) == "110.00"
    assert state_of(hass, AVAILABILITY) == STATE_UNKNOWN
    assert attributes(hass, AVAILABILITY) == {"unknown": ["Telnyx"]}
    assert state_of(hass, LOW) == STATE_UNKNOWN
    assert attributes(hass, LOW) == {"accounts": [], "unknown": ["Telnyx"]}

    telnyx.heal()
    await poll()
    assert state_of(hass, AVAILABLE_USD) == "400.00"
    assert state_of(hass, AVAILABILITY) == "available"
    assert state_of(hass, LOW) == "0"


async def test_low(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount, poll: Poll
) -> None:
    """What is low is counted and named, and an outage of another does not hide it."""
    telnyx, deepseek = simulator[Telnyx], simulator[DeepSeek]
    await add_account(telnyx)
    await add_account(deepseek)
    await add_total(hass)
    deepseek.spend(Decimal(110))
    await poll()
    assert state_of(hass, AVAILABILITY) == "depleted"
    assert state_of(hass, LOW) == "1"
    assert attributes(hass, LOW) == {"accounts": ["Deepseek"], "unknown": []}
    assert state_of(hass, AVAILABLE_CNY) == "0.00"

    telnyx.fail(Http(503))
    await poll()
    assert state_of(hass, AVAILABILITY) == "depleted"
    assert state_of(hass, LOW) == STATE_UNKNOWN
    assert attributes(hass, LOW) == {"accounts": ["Deepseek"], "unknown": ["Telnyx"]}


async def test_next_to_run_out(
    hass: HomeAssistant,
    hass_storage: Json,
    simulator: Simulator,
    add_account: AddAccount,
) -> None:
    """The account that runs out next is named beside the time."""
    remember(hass_storage, "telnyx", left=Decimal(400))
    entry = await add_account(simulator[Telnyx])
    await add_account(simulator[DeepSeek])
    await add_total(hass)
    state = hass.states.get(NEXT)
    assert state
    assert state.state == state_of(hass, "sensor.telnyx_runs_out")
    assert attributes(hass, NEXT) == {"account": "Telnyx", "unknown": []}
    assert state.attributes["unit"] == "USD"

    await hass.config_entries.async_set_disabled_by(
        entry.entry_id, ConfigEntryDisabler.USER
    )
    await hass.async_block_till_done()
    assert state_of(hass, NEXT) == STATE_UNKNOWN
    assert attributes(hass, NEXT) == {"account": None, "unknown": []}


async def test_unknown_amount(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount, poll: Poll
) -> None:
    """A currency that an answer leaves out may still be there."""
    deepseek = simulator[DeepSeek]
    deepseek.add_currency("USD", topped_up=Decimal(20))
    await add_account(deepseek)
    await add_account(simulator[Telnyx])
    await add_total(hass)
    assert state_of(hass, AVAILABLE_USD) == "420.00"
    deepseek.remove_currency("USD")
    await poll()
    assert state_of(hass, AVAILABLE_USD) == STATE_UNKNOWN
    assert attributes(hass, AVAILABLE_USD)["unknown"] == ["Deepseek"]
    assert state_of(hass, AVAILABLE_CNY) == "110.00"


async def test_accounts_that_come_and_go(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount
) -> None:
    """Accounts are followed from their first to their last day."""
    total = await add_total(hass)
    assert state_of(hass, LOW) == "0"
    assert state_of(hass, AVAILABILITY) == STATE_UNKNOWN
    assert hass.states.get(AVAILABLE_USD) is None
    telnyx = await add_account(simulator[Telnyx])
    assert state_of(hass, AVAILABLE_USD) == "400.00"
    assert state_of(hass, AVAILABILITY) == "available"
    deepseek = await add_account(simulator[DeepSeek])
    assert state_of(hass, AVAILABLE_CNY) == "110.00"

    await hass.config_entries.async_unload(telnyx.entry_id)
    await hass.async_block_till_done()
    assert state_of(hass, AVAILABLE_USD) == STATE_UNAVAILABLE
    # Its currencies are not known now.
    assert state_of(hass, AVAILABLE_CNY) == STATE_UNKNOWN
    assert attributes(hass, AVAILABLE_CNY)["unknown"] == ["Telnyx"]
    await hass.config_entries.async_setup(telnyx.entry_id)
    simulator[Telnyx].spend(Decimal(1))
    await hass.config_entries.async_reload(telnyx.entry_id)
    await hass.async_block_till_done()
    assert state_of(hass, AVAILABLE_USD) == "399.00"

    hass.config_entries.async_update_entry(telnyx, title="Alarm")
    await hass.config_entries.async_unload(telnyx.entry_id)
    await hass.async_block_till_done()
    assert attributes(hass, AVAILABLE_CNY)["unknown"] == ["Alarm"]

    await hass.config_entries.async_remove(telnyx.entry_id)
    await hass.async_block_till_done()
    assert state_of(hass, AVAILABLE_USD) == STATE_UNAVAILABLE
    assert state_of(hass, AVAILABLE_CNY) == "110.00"
    await hass.config_entries.async_set_disabled_by(
        deepseek.entry_id, ConfigEntryDisabler.USER
    )
    await hass.async_block_till_done()
    assert state_of(hass, AVAILABLE_CNY) == STATE_UNAVAILABLE
    assert await hass.config_entries.async_unload(total.entry_id)
    assert state_of(hass, AVAILABLE_CNY) == STATE_UNAVAILABLE


async def test_renamed_account(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount, poll: Poll
) -> None:
    """A new name is shown at once."""
    deepseek = await add_account(simulator[DeepSeek])
    await add_total(hass)
    simulator[DeepSeek].spend(Decimal(110))
    await poll()
    hass.config_entries.async_update_entry(deepseek, title="Language model")
    await hass.async_block_till_done()
    assert attributes(hass, LOW)["accounts"] == ["Language model"]
    # What is no account changes nothing.
    other = MockConfigEntry(domain="other")
    other.add_to_hass(hass)
    hass.config_entries.async_update_entry(other, title="Other")
    assert attributes(hass, LOW)["accounts"] == ["Language model"]


async def test_start_before_the_accounts(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount
) -> None:
    """While accounts are still to come, no sum is known; then it is whole."""
    accounts = [await add_account(simulator[one]) for one in (Telnyx, DeepSeek)]
    hass.states.async_set(RATE, "0.5")
    total = await add_total(
        hass, {"currency": "EUR"}, {"rate": 0.125}, {"entity_id": RATE}
    )
    for entry in (total, *accounts):
        await hass.config_entries.async_unload(entry.entry_id)
    hass.states.async_remove(RATE)
    seen = []

    @callback
    def look(event: Event[EventStateChangedData]) -> None:
        state = event.data["new_state"]
        if state and event.data["entity_id"] in (AVAILABLE_USD, IN_EUR, LOW):
            seen.append((state.entity_id, state.state))

    hass.bus.async_listen(EVENT_STATE_CHANGED, look)
    hass.set_state(CoreState.not_running)
    for entry in (total, *accounts):
        await hass.config_entries.async_setup(entry.entry_id)
    await first_poll(hass)
    assert attributes(hass, IN_EUR)["missing_rates"] == ["USD"]
    hass.states.async_set(RATE, "0.5")
    await hass.async_block_till_done()
    assert state_of(hass, AVAILABLE_USD) == "400.00"
    assert {state for _, state in seen} == {STATE_UNKNOWN, "400.00", "213.75000", "0"}


async def test_rate_that_is_missing(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount
) -> None:
    """Without a rate there is no converted total, and it says which is missing."""
    await add_account(simulator[Telnyx])
    hass.states.async_set(RATE, "0.5")
    await add_total(hass, {"currency": "EUR"}, {"entity_id": RATE})
    assert state_of(hass, IN_EUR) == "200.000"
    for broken in (STATE_UNAVAILABLE, STATE_UNKNOWN, "0", "-1", "dear"):
        hass.states.async_set(RATE, broken)
        await hass.async_block_till_done()
        assert state_of(hass, IN_EUR) == STATE_UNKNOWN
        assert attributes(hass, IN_EUR)["missing_rates"] == ["USD"]
        hass.states.async_set(RATE, "0.25")
        await hass.async_block_till_done()
        assert state_of(hass, IN_EUR) == "100.0000"
    hass.states.async_remove(RATE)
    await hass.async_block_till_done()
    assert state_of(hass, IN_EUR) == STATE_UNKNOWN
    hass.states.async_set(RATE, "0.5")

    # A currency that nobody was asked about.
    deepseek = await add_account(simulator[DeepSeek])
    assert state_of(hass, IN_EUR) == STATE_UNKNOWN
    assert attributes(hass, IN_EUR)["missing_rates"] == ["CNY"]
    await hass.config_entries.async_remove(deepseek.entry_id)
    await hass.async_block_till_done()
    assert state_of(hass, IN_EUR) == "200.000"


async def test_unchanged_data_writes_no_state(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount, poll: Poll
) -> None:
    """A sensor whose value is the same is not written, whatever else has changed."""
    await async_setup_component(hass, "homeassistant", {})
    telnyx = simulator[Telnyx]
    await add_account(telnyx)
    await add_account(simulator[DeepSeek])
    await add_total(hass)
    telnyx.spend(Decimal(1))
    await poll()
    changes = async_capture_events(hass, EVENT_STATE_CHANGED)
    reports: set[str] = set()

    @callback
    def is_ours(data: EventStateReportedData) -> bool:
        reports.add(data["entity_id"])
        return False

    hass.bus.async_listen(
        EVENT_STATE_REPORTED, lambda event: None, event_filter=is_ours
    )
    telnyx.spend(Decimal(1))
    await poll(timedelta(minutes=35))
    written = {event.data["entity_id"] for event in changes} | reports
    assert {one for one in written if one.startswith("sensor.all_accounts")} == {
        AVAILABLE_USD,
        SPENT_TODAY_USD,
        "sensor.all_accounts_spent_this_month_usd",
    }
    asked = len(telnyx.requests)
    await hass.services.async_call(
        "homeassistant", "update_entity", {"entity_id": AVAILABLE_USD}, blocking=True
    )
    assert state_of(hass, AVAILABLE_USD) == "398.00"
    assert len(telnyx.requests) == asked


# What is about accounts is not about their total


async def test_actions(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount, poll: Poll
) -> None:
    """No action takes the total for an account."""
    deepseek = await add_account(simulator[DeepSeek])
    total = await add_total(hass)
    with pytest.raises(ServiceValidationError) as caught:
        await hass.services.async_call(
            DOMAIN,
            "get_balances",
            {"account": total.entry_id},
            blocking=True,
            return_response=True,
        )
    assert caught.value.translation_key == "no_account"
    # Neither a reminder of all nor one of a sensor that is no balance.
    await hass.services.async_call(DOMAIN, "remind", {}, blocking=True)
    await hass.config_entries.async_unload(deepseek.entry_id)
    await hass.services.async_call(DOMAIN, "remind", {}, blocking=True)
    with pytest.raises(ServiceValidationError):
        await hass.services.async_call(
            DOMAIN, "remind", {"entity_id": AVAILABLE_CNY}, blocking=True
        )


async def test_triggers_and_conditions(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount, poll: Poll
) -> None:
    """A total is no balance that a trigger or a condition could be about."""
    deepseek = simulator[DeepSeek]
    await add_account(deepseek)
    await add_total(hass)
    # Whatever its unique id ends with.
    registry = er.async_get(hass)
    registry.async_update_entity(AVAILABLE_CNY, new_unique_id="total_available")
    assert async_find_gauge(hass, AVAILABLE_CNY, ("available", "balance")) is None
    assert async_find_gauge(hass, "sensor.deepseek_balance_cny", ("balance",))


async def test_system_health(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount
) -> None:
    """System health counts accounts."""
    assert await async_setup_component(hass, "system_health", {})
    await add_account(simulator[Telnyx])
    await add_total(hass)
    info = await get_system_health_info(hass, DOMAIN)
    assert info.pop("accounts") == 1
    assert len(info) == 1
    assert await next(iter(info.values())) == "ok"


async def test_remove_the_device(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    """The one device of the total goes with the total only."""
    await async_setup_component(hass, "config", {})
    total = await add_total(hass)
    devices = dr.async_get(hass)
    (device,) = dr.async_entries_for_config_entry(devices, total.entry_id)
    client = await hass_ws_client(hass)
    response = await client.remove_device(device.id)
    assert not response["success"]
    await hass.config_entries.async_remove(total.entry_id)
    assert dr.async_entries_for_config_entry(devices, total.entry_id) == []


async def diagnose(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, entry: ConfigEntry[Any]
) -> Json:
    """Return the diagnostics of an entry."""
    found = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    return cast(Json, found)


def exactly(amount: str) -> Json:
    """Return an amount as it stands in diagnostics."""
    return {"__type": str(Decimal), "repr": repr(Decimal(amount))}


async def test_diagnostics(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    simulator: Simulator,
    add_account: AddAccount,
) -> None:
    """The diagnostics have numbers of accounts, and no names."""
    await add_account(simulator[Telnyx])
    await add_account(simulator[DigitalOcean])
    hass.states.async_set(RATE, "0.5")
    total = await add_total(hass, {"currency": "EUR"}, {"entity_id": RATE})
    diagnostics = await diagnose(hass, hass_client, total)
    text = json.dumps(diagnostics)
    assert not [name for name in ("Telnyx", "Digital", RATE) if name in text]
    sums = diagnostics.pop("sums")
    assert diagnostics == {
        "state": "loaded",
        "currency": "EUR",
        "rates": {
            "USD": {
                "amount": exactly("0.5"),
                "is_fixed": False,
                "updated": "2026-11-21T12:00:00+00:00",
            }
        },
        "availability": "available",
        "low": 0,
        "unread": 0,
        "next_to_run_out": None,
    }
    assert sums["available_USD"] == {
        "amount": exactly("400.00"),
        "unknown": 0,
        "not_counted": 1,
        "missing_rates": [],
    }
    assert sums["available_converted"]["amount"] == exactly("200.000")

    result = await fill_in(hass, await reconfigure(hass, total), {})
    assert result["reason"] == "reconfigure_successful"
    diagnostics = await diagnose(hass, hass_client, total)
    assert not [name for name in diagnostics["sums"] if "converted" in name]
    await hass.config_entries.async_unload(total.entry_id)
    assert await diagnose(hass, hass_client, total) == {"state": "not_loaded"}
