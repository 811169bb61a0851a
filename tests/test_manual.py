"""An account without an API, that a person keeps."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.api_balance.const import DOMAIN
from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER, ConfigEntry
from homeassistant.const import STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import ServiceValidationError

from .conftest import AddAccount, state_of
from .simulator import Simulator
from .simulator.openai import OpenAI

BALANCE = "sensor.sim_card_balance_estimated"
ENTERED = {
    "name": "SIM card",
    "currency": "eur",
    "balance": 15,
    "usual_period": "month",
}


async def start(hass: HomeAssistant) -> Any:
    """Start to add a manual account."""
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], {"provider": "manual"}
    )
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "manual")
    return result


async def add(hass: HomeAssistant, **entered: Any) -> ConfigEntry:
    """Add a manual account that is low below 5."""
    result = await start(hass)
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], ENTERED | entered
    )
    assert result["step_id"] == "thresholds"
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], {"SIM card (EUR)": 5}
    )
    await hass.async_block_till_done()
    assert result["type"] is FlowResultType.CREATE_ENTRY
    entry: ConfigEntry = result["result"]
    return entry


async def record(hass: HomeAssistant, entry: ConfigEntry, **data: Any) -> None:
    """Record what was spent."""
    await hass.services.async_call(
        DOMAIN, "record_spend", {"account": entry.entry_id, **data}, blocking=True
    )
    await hass.async_block_till_done()


async def pass_time(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, length: timedelta
) -> None:
    """Let time pass, hour by hour."""
    for _ in range(length // timedelta(hours=2)):
        freezer.tick(timedelta(hours=2))
        async_fire_time_changed(hass)
        await hass.async_block_till_done()


def activity(hass: HomeAssistant) -> dict[str, Any]:
    """Return what happened last."""
    state = hass.states.get("event.sim_card_activity")
    assert state
    return dict(state.attributes)


async def test_spend_is_recorded(hass: HomeAssistant) -> None:
    """What is recorded is taken off, counts as spent, and alerts."""
    entry = await add(hass)
    assert entry.title == "SIM card"
    assert state_of(hass, BALANCE) == "15.00"
    assert state_of(hass, "sensor.sim_card_update_status") == "ok"
    await record(hass, entry, amount=4, note="a call to the sea")
    assert state_of(hass, BALANCE) == "11.00"
    assert activity(hass)["event_type"] == "spend_recorded"
    assert activity(hass)["note"] == "a call to the sea"
    assert state_of(hass, "sensor.sim_card_spent_today") == "4"
    await record(hass, entry, amount="7.50")
    assert state_of(hass, BALANCE) == "3.50"
    assert activity(hass)["event_type"] == "became_low"
    assert state_of(hass, "sensor.sim_card_availability") == "low"
    await hass.services.async_call(
        DOMAIN, "set_balance", {"account": entry.entry_id, "top_up": 20}, blocking=True
    )
    await hass.async_block_till_done()
    assert state_of(hass, BALANCE) == "23.50"
    assert activity(hass)["event_type"] == "recovered"
    assert state_of(hass, "sensor.sim_card_spent_today") == "11.50"
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert state_of(hass, BALANCE) == "23.50"


async def test_usual_amount(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    """A usual amount is taken off day by day, and can be changed."""
    entry = await add(hass, usual_amount=1, usual_period="day")
    await pass_time(hass, freezer, timedelta(days=3, hours=2))
    assert state_of(hass, BALANCE) == "12.00"
    assert state_of(hass, "sensor.sim_card_time_left") != STATE_UNKNOWN
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    )
    form = result["data_schema"]
    assert form
    assert {str(key) for key in form.schema} == {
        "usual_amount",
        "usual_period",
    }
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], {"usual_amount": 60.875, "usual_period": "month"}
    )
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert state_of(hass, BALANCE) == "12.00"
    await pass_time(hass, freezer, timedelta(days=4))
    assert state_of(hass, BALANCE) == "4.00"
    assert state_of(hass, "binary_sensor.sim_card_low_balance") == "on"


async def test_mistakes(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount
) -> None:
    """A currency has three letters, an account is added once, and reports stay true."""
    result = await start(hass)
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], ENTERED | {"currency": "euro"}
    )
    assert result["errors"] == {"currency": "unknown_currency"}
    result = await hass.config_entries.flow.async_configure(result["flow_id"], ENTERED)
    assert result["step_id"] == "thresholds"
    await hass.config_entries.flow.async_configure(result["flow_id"], {})
    result = await start(hass)
    result = await hass.config_entries.flow.async_configure(result["flow_id"], ENTERED)
    assert result["reason"] == "already_configured"
    entry = await add_account(simulator[OpenAI])
    with pytest.raises(ServiceValidationError) as error:
        await record(hass, entry, amount=1)
    assert error.value.translation_key == "spend_is_reported"


async def test_exactly_what_was_entered(hass: HomeAssistant) -> None:
    """Amounts are kept as they are written."""
    entry = await add(hass, balance=0.1)
    for _ in range(3):
        await record(hass, entry, amount="0.01")
    assert Decimal(state_of(hass, BALANCE) or "") == Decimal("0.07")


async def test_record_that_is_lost(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    """Without its record the balance has to be set again, and can be."""
    entry = await add(hass)
    await hass.config_entries.async_unload(entry.entry_id)
    del hass_storage[f"{DOMAIN}.{entry.entry_id}"]
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    with pytest.raises(ServiceValidationError) as error:
        await record(hass, entry, amount=1)
    assert error.value.translation_key == "balance_not_set"
    await hass.services.async_call(
        DOMAIN, "set_balance", {"account": entry.entry_id, "balance": 9}, blocking=True
    )
    await hass.async_block_till_done()
    assert Decimal(state_of(hass, BALANCE) or "") == 9
