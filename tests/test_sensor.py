"""Sensors: what a person sees of an account."""

from datetime import timedelta
from decimal import Decimal
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import async_capture_events
from syrupy.assertion import SnapshotAssertion

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import (
    EVENT_STATE_CHANGED,
    EVENT_STATE_REPORTED,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
)
from homeassistant.core import EventStateReportedData, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.entity import Entity

from .conftest import SHAPES, AddAccount, Poll, each_shape, our_log, state_of
from .simulator import Simulator
from .simulator.deepgram import Deepgram
from .simulator.deepseek import DeepSeek
from .simulator.faults import Http, Reset
from .simulator.telnyx import Telnyx
from .simulator.vonage import Vonage


@each_shape
async def test_entities(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    entity_registry: er.EntityRegistry,
    snapshot: SnapshotAssertion,
    provider_id: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An account shows what its provider gives, in its own units."""
    disabled: set[str | None] = set()

    def enable(entity: Entity) -> bool:
        if not entity.entity_description.entity_registry_enabled_default:
            disabled.add(entity.unique_id)
        return True

    monkeypatch.setattr(Entity, "entity_registry_enabled_default", property(enable))
    entry = await add_account(simulator[provider_id])
    # Home Assistant's own form of a snapshot differs from version to version.
    entities = {
        entity.entity_id: {
            "unique_id": entity.unique_id,
            "name": entity.original_name,
            "category": entity.entity_category and entity.entity_category.value,
            "is_disabled_by_default": entity.unique_id in disabled,
            "state": state.state,
            "attributes": {str(key): value for key, value in state.attributes.items()},
        }
        for entity in er.async_entries_for_config_entry(entity_registry, entry.entry_id)
        if (state := hass.states.get(entity.entity_id))
    }
    assert entities == snapshot


async def test_numbers_are_exact(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount, poll: Poll
) -> None:
    """A balance arrives as the provider wrote it."""
    deepgram = simulator[Deepgram]
    project = deepgram.add_project("Exact")
    deepgram.add_balance(project, Decimal("104.56822227"))
    deepgram.add_balance(project, Decimal("0.00000003"))
    await add_account(deepgram)
    assert state_of(hass, "sensor.deepgram_exact_balance") == "104.56822230"


async def test_units_are_not_mixed(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount
) -> None:
    """What is not money has its own sensor, with the unit in words."""
    deepgram = simulator[Deepgram]
    project = deepgram.projects[0]
    deepgram.add_balance(project, Decimal("12.5"), "hour")
    await add_account(deepgram)
    state = hass.states.get("sensor.deepgram_home_balance_hours")
    assert state is not None
    assert state.state == "12.5"
    assert state.attributes["unit_of_measurement"] == "hours"
    assert "device_class" not in state.attributes
    assert state_of(hass, "sensor.deepgram_home_balance") == "104.56822227"


async def test_outage(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount, poll: Poll
) -> None:
    """An outage makes numbers unavailable, says why, and ends."""
    telnyx = simulator[Telnyx]
    await add_account(telnyx)
    assert state_of(hass, "sensor.telnyx_balance") == "300.00"

    telnyx.fail(Http(503))
    await poll()
    assert state_of(hass, "sensor.telnyx_balance") == STATE_UNAVAILABLE
    assert state_of(hass, "sensor.telnyx_availability") == STATE_UNAVAILABLE
    assert state_of(hass, "sensor.telnyx_update_status") == "provider_fault"

    telnyx.heal()
    telnyx.fail(Reset())
    await poll()
    assert state_of(hass, "sensor.telnyx_update_status") == "unreachable"

    telnyx.heal()
    await poll()
    assert state_of(hass, "sensor.telnyx_balance") == "300.00"
    assert state_of(hass, "sensor.telnyx_update_status") == "ok"


async def test_unchanged_data_writes_no_state(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount, poll: Poll
) -> None:
    """A poll without changes writes no state."""
    # Whoever knows a past forecasts, and then it is news that time has passed.
    simulator[Deepgram].fail(Http(503), path="billing")
    for id_ in SHAPES:
        await add_account(simulator[id_])
    changes = async_capture_events(hass, EVENT_STATE_CHANGED)
    reports: set[str] = set()

    @callback
    def is_ours(data: EventStateReportedData) -> bool:
        reports.add(data["entity_id"])
        return False

    hass.bus.async_listen(
        EVENT_STATE_REPORTED, lambda event: None, event_filter=is_ours
    )
    await poll()
    assert [event.data["entity_id"] for event in changes] == []
    assert reports == set()


async def test_last_update(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    poll: Poll,
    entity_registry: er.EntityRegistry,
) -> None:
    """The time of the last update is there for those who enable it."""
    telnyx = simulator[Telnyx]
    entry = await add_account(telnyx)
    entity_registry.async_update_entity("sensor.telnyx_last_update", disabled_by=None)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    last_update = state_of(hass, "sensor.telnyx_last_update")
    telnyx.fail(Http(503))
    await poll()
    assert state_of(hass, "sensor.telnyx_last_update") == last_update
    telnyx.heal()
    await poll()
    assert str(state_of(hass, "sensor.telnyx_last_update")) > str(last_update)


async def test_currency_that_appears_and_goes(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount, poll: Poll
) -> None:
    """A row that is missing is unavailable, never zero, and comes back."""
    deepseek = simulator[DeepSeek]
    await add_account(deepseek)
    assert state_of(hass, "sensor.deepseek_balance_usd") is None

    deepseek.add_currency("USD", Decimal(5))
    await poll()
    assert state_of(hass, "sensor.deepseek_balance_usd") == "5.00"

    deepseek.remove_currency("USD")
    await poll()
    assert state_of(hass, "sensor.deepseek_balance_usd") == STATE_UNAVAILABLE
    assert state_of(hass, "sensor.deepseek_availability") == "available"

    deepseek.add_currency("USD", Decimal(7))
    await poll()
    assert state_of(hass, "sensor.deepseek_balance_usd") == "7.00"


async def test_project_that_appears_and_goes(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    poll: Poll,
    device_registry: dr.DeviceRegistry,
    entity_registry: er.EntityRegistry,
) -> None:
    """A project brings its device, takes it along, and may come back."""
    deepgram = simulator[Deepgram]
    entry = await add_account(deepgram)

    def names() -> set[str | None]:
        (account,) = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
        devices = dr.async_entries_for_parent_device(device_registry, account.id)
        return {device.name for device in devices}

    before = names()
    lab = deepgram.add_project("Garage")
    deepgram.add_balance(lab, Decimal(9))
    for _ in range(86):
        await poll()
    assert names() - before == {"Garage"}
    assert state_of(hass, "sensor.deepgram_garage_balance") == "9"

    deepgram.rename_project(lab, "Laboratory")
    await poll(timedelta(days=1, minutes=1))
    assert names() - before == {"Laboratory"}

    # One short list forgets nothing; a week of them does.
    deepgram.remove_project(lab)
    await poll(timedelta(days=1, minutes=1))
    assert names() - before == {"Laboratory"}
    assert state_of(hass, "sensor.deepgram_garage_balance") == STATE_UNAVAILABLE
    await poll(timedelta(days=7))
    await poll()
    assert names() == before
    assert state_of(hass, "sensor.deepgram_garage_balance") is None
    assert entity_registry.async_get("sensor.deepgram_garage_balance") is None


async def test_project_that_fails(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount, poll: Poll
) -> None:
    """A project that does not answer is unavailable; its neighbor is not."""
    deepgram = simulator[Deepgram]
    garage = deepgram.add_project("Garage")
    deepgram.add_balance(garage, Decimal(9))
    deepgram.fail_project(garage, Http(500))
    await add_account(deepgram)
    assert state_of(hass, "sensor.deepgram_garage_balance") is None
    assert state_of(hass, "sensor.deepgram_update_status") == "provider_fault"
    assert state_of(hass, "sensor.deepgram_availability") == "available"

    deepgram.heal()
    await poll()
    assert state_of(hass, "sensor.deepgram_garage_balance") == "9"
    assert state_of(hass, "sensor.deepgram_update_status") == "ok"

    deepgram.fail_project(garage, Http(500))
    await poll()
    assert state_of(hass, "sensor.deepgram_garage_balance") == STATE_UNAVAILABLE

    # A project that is not found, while the list cannot be read, is not known.
    deepgram.fail_project(garage, Http(404))
    deepgram.fail(Http(500), path="^/v1/projects$")
    await poll()
    assert state_of(hass, "sensor.deepgram_garage_balance") == STATE_UNAVAILABLE
    assert state_of(hass, "sensor.deepgram_home_balance") == "104.56822227"


async def test_spent_to_the_end(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount, poll: Poll
) -> None:
    """A project whose list is empty has nothing left, also after a restart."""
    deepgram = simulator[Deepgram]
    entry = await add_account(deepgram)
    (balance,) = [
        state.entity_id
        for state in hass.states.async_all("sensor")
        if state.entity_id.endswith("_balance")
    ]
    assert state_of(hass, "sensor.deepgram_availability") == "available"

    await hass.config_entries.async_unload(entry.entry_id)
    deepgram.clear_balances(deepgram.projects[0])
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert state_of(hass, balance) == "0"
    assert state_of(hass, "sensor.deepgram_availability") == "depleted"

    deepgram.add_balance(deepgram.projects[0], Decimal(20))
    await poll()
    assert state_of(hass, balance) == "20"
    assert state_of(hass, "sensor.deepgram_availability") == "available"


async def test_project_without_money(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount
) -> None:
    """A project that never had a balance has no wallet and no zero."""
    deepgram = simulator[Deepgram]
    deepgram.add_project("Empty")
    await add_account(deepgram)
    assert state_of(hass, "sensor.deepgram_empty_balance") is None
    assert state_of(hass, "sensor.deepgram_availability") == "available"


async def test_word_of_the_provider(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount, poll: Poll
) -> None:
    """Where the provider says whether the account can be used, that is what counts."""
    deepseek = simulator[DeepSeek]
    await add_account(deepseek)
    assert state_of(hass, "sensor.deepseek_availability") == "available"

    deepseek.set_is_available(False)
    await poll()
    assert state_of(hass, "sensor.deepseek_availability") == "depleted"


async def test_credit_line(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount, poll: Poll
) -> None:
    """A balance below zero is in order as long as the credit line reaches."""
    telnyx = simulator[Telnyx]
    telnyx.set_balance(Decimal("-154.29"))
    telnyx.set_credit_limit(Decimal(500))
    await add_account(telnyx)
    assert state_of(hass, "sensor.telnyx_balance") == "-154.29"
    assert state_of(hass, "sensor.telnyx_available_credit") == "345.71"
    assert state_of(hass, "sensor.telnyx_availability") == "available"

    telnyx.set_balance(Decimal(-500))
    await poll()
    assert state_of(hass, "sensor.telnyx_available_credit") == "0.00"
    assert state_of(hass, "sensor.telnyx_availability") == "depleted"


async def test_refused_for_want_of_money(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount, poll: Poll
) -> None:
    """An answer that asks for payment is a state of the account."""
    deepseek, telnyx = simulator[DeepSeek], simulator[Telnyx]
    for provider in (deepseek, telnyx):
        await add_account(provider)
        provider.fail(Http(402))
    await poll()
    assert state_of(hass, "sensor.deepseek_availability") == "depleted"
    assert state_of(hass, "sensor.deepseek_balance_cny") == STATE_UNKNOWN
    assert state_of(hass, "sensor.deepseek_update_status") == "ok"
    # Telnyx does not document it: it may come from anything on the way.
    assert state_of(hass, "sensor.telnyx_balance") == STATE_UNAVAILABLE
    assert state_of(hass, "sensor.telnyx_update_status") == "unexpected_answer"


async def test_tiny_amount(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount
) -> None:
    """No state has an exponent."""
    telnyx = simulator[Telnyx]
    telnyx.fail(Http(200, body='{"data": {"balance": "0E-8", "currency": "USD"}}'))
    await add_account(telnyx)
    assert state_of(hass, "sensor.telnyx_balance") == "0"


async def test_unexpected_exception(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    poll: Poll,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An error nobody thought of has a status and one log line, without its text."""
    telnyx = simulator[Telnyx]
    entry = await add_account(telnyx)
    provider = type(entry.runtime_data.provider)
    with patch.object(provider, "fetch", side_effect=KeyError("MARKED-KEY")):
        await poll()
        await poll()
    assert state_of(hass, "sensor.telnyx_update_status") == "internal_error"
    assert state_of(hass, "sensor.telnyx_balance") == STATE_UNAVAILABLE
    assert our_log(caplog).count("KeyError") == 1
    assert "MARKED-KEY" not in caplog.text
    await poll()
    assert state_of(hass, "sensor.telnyx_balance") == "300.00"
    telnyx.spend(Decimal(1))
    estimate = "custom_components.api_balance.insight.learning.estimate"
    with patch(estimate, side_effect=ZeroDivisionError):
        await poll()
    # A conclusion that fails hides no fact.
    assert state_of(hass, "sensor.telnyx_balance") == "299.00"
    assert our_log(caplog).count("ZeroDivisionError") == 1


async def test_auto_top_up_that_is_not_told_at_first(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount, poll: Poll
) -> None:
    """What the provider tells later is there without a reload."""
    vonage = simulator[Vonage]
    vonage.fail(Http(200, body='{"value": 5.5}'))
    await add_account(vonage)
    assert state_of(hass, "binary_sensor.vonage_automatic_top_up") is None
    vonage.heal()
    await poll()
    assert state_of(hass, "binary_sensor.vonage_automatic_top_up") == "off"


async def test_projects_refused_for_want_of_money(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    poll: Poll,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An account whose projects are refused has lost none of them."""
    deepgram = simulator[Deepgram]
    deepgram.add_balance(deepgram.add_project("Garage"), Decimal(9))
    await add_account(deepgram)
    deepgram.fail(Http(402), path="balances")
    await poll()
    assert state_of(hass, "sensor.deepgram_availability") == "depleted"
    deepgram.heal()
    await poll()
    assert state_of(hass, "sensor.deepgram_garage_balance") == "9"
    assert "unique" not in our_log(caplog)


async def test_nothing_is_told(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount
) -> None:
    """An account that tells nothing is neither empty nor available."""
    telnyx = simulator[Telnyx]
    telnyx.fail(Http(200, body='{"data": {}}'))
    entry = await add_account(telnyx)
    assert entry.state is ConfigEntryState.LOADED
    assert state_of(hass, "sensor.telnyx_availability") == "unknown"
