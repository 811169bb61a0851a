"""An entry's life, and what becomes of a provider's errors."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.api_balance.const import DOMAIN
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.helpers.storage import Store
from homeassistant.setup import async_setup_component

from .conftest import AddAccount, Poll, state_of
from .simulator import Html, Http, Reset, Simulator
from .simulator.deepgram import Deepgram
from .simulator.deepseek import DeepSeek
from .simulator.telnyx import Telnyx

BALANCE = "sensor.telnyx_balance"
STATUS = "sensor.telnyx_update_status"


async def test_load_and_unload(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An account loads and unloads without a word of complaint."""
    for provider in simulator.providers:
        entry = await add_account(provider)
        assert await hass.config_entries.async_unload(entry.entry_id)
        assert entry.state is ConfigEntryState.NOT_LOADED
    ours = [
        record.getMessage()
        for record in caplog.records
        if record.levelname in ("WARNING", "ERROR") and DOMAIN in record.getMessage()
    ]
    assert len(ours) == 1
    assert "has not been tested by Home Assistant" in ours[0]


@pytest.mark.parametrize(
    "fault", [Http(429), Http(503), Http(503, retry_after=90), Reset(), Html()]
)
async def test_start_during_an_outage(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount, fault: Any
) -> None:
    """An account whose provider does not answer is tried again."""
    telnyx = simulator[Telnyx]
    telnyx.fail(fault)
    entry = await add_account(telnyx, ConfigEntryState.SETUP_RETRY)
    assert "Telnyx" in (entry.reason or "")

    telnyx.heal()
    await hass.config_entries.async_reload(entry.entry_id)


async def test_wait_is_kept_over_a_restart(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A provider that wants to be left alone is, also by a new start."""
    telnyx = simulator[Telnyx]
    telnyx.fail(Http(429, retry_after=3600))
    entry = await add_account(telnyx, ConfigEntryState.SETUP_RETRY)
    telnyx.heal()
    asked = len(telnyx.requests)

    freezer.tick(timedelta(minutes=59))
    await hass.config_entries.async_reload(entry.entry_id)
    assert len(telnyx.requests) == asked

    freezer.tick(timedelta(minutes=1))
    await hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED


async def test_rate_limit_in_passing(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount, poll: Poll
) -> None:
    """A short limit hides nothing, and is waited out."""
    await async_setup_component(hass, "homeassistant", {})
    telnyx = simulator[Telnyx]
    await add_account(telnyx)
    telnyx.fail(Http(429, retry_after=600))
    await poll(timedelta(minutes=12))
    assert state_of(hass, STATUS) == "rate_limited"
    assert state_of(hass, BALANCE) == "300.00"

    telnyx.heal()
    asked = len(telnyx.requests)
    await poll(timedelta(minutes=9))
    await hass.services.async_call(
        "homeassistant", "update_entity", {"entity_id": BALANCE}, blocking=True
    )
    assert len(telnyx.requests) == asked
    assert state_of(hass, BALANCE) == "300.00"
    await poll(timedelta(minutes=2))
    assert len(telnyx.requests) == asked + 1
    assert state_of(hass, STATUS) == "ok"


@pytest.mark.parametrize("retry_after", [None, 86400])
async def test_rate_limit_that_lasts(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    poll: Poll,
    retry_after: int | None,
) -> None:
    """Numbers that grow old while a limit lasts are not shown."""
    telnyx = simulator[Telnyx]
    await add_account(telnyx)
    telnyx.fail(Http(429, retry_after=retry_after))
    await poll(timedelta(minutes=12))
    await poll(timedelta(minutes=12))
    await poll(timedelta(minutes=12))
    assert state_of(hass, BALANCE) == STATE_UNAVAILABLE
    assert state_of(hass, STATUS) == "rate_limited"


async def test_fault_with_retry_after(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount, poll: Poll
) -> None:
    """A provider at fault is asked again when it says."""
    telnyx = simulator[Telnyx]
    await add_account(telnyx)
    telnyx.fail(Http(503, retry_after=3600))
    await poll(timedelta(minutes=12))
    asked = len(telnyx.requests)
    telnyx.heal()
    await poll(timedelta(minutes=50))
    assert len(telnyx.requests) == asked
    assert state_of(hass, BALANCE) == STATE_UNAVAILABLE
    await poll(timedelta(minutes=11))
    assert state_of(hass, BALANCE) == "300.00"


async def test_manual_update_in_the_quiet_time_of_a_fault(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount, poll: Poll
) -> None:
    """A person's update does not disturb a provider that wants to be left alone."""
    await async_setup_component(hass, "homeassistant", {})
    telnyx = simulator[Telnyx]
    await add_account(telnyx)
    telnyx.fail(Http(503, retry_after=3600))
    await poll(timedelta(minutes=12))
    asked = len(telnyx.requests)
    telnyx.heal()
    await hass.services.async_call(
        "homeassistant", "update_entity", {"entity_id": BALANCE}, blocking=True
    )
    assert len(telnyx.requests) == asked
    assert state_of(hass, BALANCE) == STATE_UNAVAILABLE
    assert state_of(hass, STATUS) == "provider_fault"


async def test_limit_of_a_part(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount, poll: Poll
) -> None:
    """A limit in the middle of a poll puts off the next one."""
    deepgram = simulator[Deepgram]
    garage = deepgram.add_project("Garage")
    deepgram.fail_project(garage, Http(429, retry_after=3600))
    await add_account(deepgram)
    assert state_of(hass, "sensor.deepgram_home_balance") == "104.56822227"
    asked = len(deepgram.requests)
    await poll(timedelta(minutes=59))
    assert len(deepgram.requests) == asked
    await poll(timedelta(minutes=2))
    assert len(deepgram.requests) > asked


async def test_refusals_count_over_a_restart(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount, poll: Poll
) -> None:
    """The second refusal in a row asks for a key, wherever the first one fell."""
    telnyx = simulator[Telnyx]
    entry = await add_account(telnyx)
    telnyx.revoke_key()
    await poll(timedelta(minutes=12))
    assert not hass.config_entries.flow.async_progress()
    await hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert [
        flow["context"]["source"] for flow in hass.config_entries.flow.async_progress()
    ] == ["reauth"]


async def test_key_that_is_accepted_again(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    poll: Poll,
    issue_registry: ir.IssueRegistry,
) -> None:
    """Nobody is asked for a new key any more when the old one works again."""
    telnyx = simulator[Telnyx]
    entry = await add_account(telnyx)
    issue = ("homeassistant", f"config_entry_reauth_{DOMAIN}_{entry.entry_id}")
    telnyx.revoke_key()
    await poll(timedelta(minutes=12))
    await poll(timedelta(minutes=12))
    assert len(hass.config_entries.flow.async_progress()) == 1
    assert issue_registry.async_get_issue(*issue)
    telnyx.restore_key()
    asked = len(telnyx.requests)
    await poll(timedelta(minutes=58))
    assert len(telnyx.requests) == asked
    await poll(timedelta(minutes=2))
    assert state_of(hass, STATUS) == "ok"
    assert not hass.config_entries.flow.async_progress()
    assert not issue_registry.async_get_issue(*issue)
    asked = len(telnyx.requests)
    await poll(timedelta(minutes=12))
    assert len(telnyx.requests) > asked


async def test_refusals_with_a_pause(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount, poll: Poll
) -> None:
    """Refusals that do not follow each other prove nothing."""
    telnyx = simulator[Telnyx]
    await add_account(telnyx)
    for _ in range(3):
        telnyx.revoke_key()
        await poll(timedelta(minutes=12))
        assert state_of(hass, STATUS) == "bad_key"
        telnyx.restore_key()
        await poll(timedelta(minutes=12))
        assert state_of(hass, STATUS) == "ok"
    assert not hass.config_entries.flow.async_progress()


async def test_first_refusal_of_a_new_account(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount
) -> None:
    """A key that never worked is asked for at once."""
    telnyx = simulator[Telnyx]
    telnyx.revoke_key()
    await add_account(telnyx, ConfigEntryState.SETUP_ERROR)
    assert len(hass.config_entries.flow.async_progress()) == 1


async def test_missing_permission(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    poll: Poll,
    issue_registry: ir.IssueRegistry,
) -> None:
    """A missing permission is named in a repair issue, while polling goes on."""
    deepgram = simulator[Deepgram]
    entry = await add_account(deepgram)
    issue_id = f"missing_permission_{entry.entry_id}"
    deepgram.weaken_key()
    await poll()
    await poll()
    await poll()
    issue = issue_registry.async_get_issue(DOMAIN, issue_id)
    assert issue is not None
    assert issue.translation_placeholders == {
        "account": "Deepgram",
        "provider": "Deepgram",
        "permission": "billing:read",
    }
    assert issue.learn_more_url == "https://console.deepgram.com"
    assert not hass.config_entries.flow.async_progress()
    assert state_of(hass, "sensor.deepgram_update_status") == "missing_permission"

    deepgram.fail(Reset())
    await poll()
    assert issue_registry.async_get_issue(DOMAIN, issue_id)

    deepgram.heal()
    deepgram.restore_key()
    await poll()
    assert not issue_registry.async_get_issue(DOMAIN, issue_id)
    assert state_of(hass, "sensor.deepgram_update_status") == "ok"


async def test_missing_permission_of_a_part(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    issue_registry: ir.IssueRegistry,
) -> None:
    """A permission that is missing for one project is told too."""
    deepgram = simulator[Deepgram]
    garage = deepgram.add_project("Garage")
    deepgram.fail_project(
        garage, Http(403, body="User does not have sufficient permissions.")
    )
    entry = await add_account(deepgram)
    assert issue_registry.async_get_issue(
        DOMAIN, f"missing_permission_{entry.entry_id}"
    )


async def test_unexpected_answer_that_persists(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    poll: Poll,
    issue_registry: ir.IssueRegistry,
) -> None:
    """A provider that changed its answer is told when it persists."""
    telnyx = simulator[Telnyx]
    entry = await add_account(telnyx)
    issue_id = f"unexpected_answer_{entry.entry_id}"
    telnyx.fail(Http(200, body='{"data": {"balance": [1]}}'))
    await poll()
    await poll()
    assert not issue_registry.async_get_issue(DOMAIN, issue_id)
    assert state_of(hass, BALANCE) == STATE_UNAVAILABLE
    await poll()
    issue = issue_registry.async_get_issue(DOMAIN, issue_id)
    assert issue is not None
    assert issue.translation_placeholders == {
        "account": "Telnyx",
        "provider": "Telnyx",
        "path": "data.balance",
    }
    assert issue.learn_more_url is None

    await hass.config_entries.async_remove(entry.entry_id)
    assert not issue_registry.async_get_issue(DOMAIN, issue_id)


async def test_unexpected_answer_of_a_part(
    simulator: Simulator,
    add_account: AddAccount,
    poll: Poll,
    issue_registry: ir.IssueRegistry,
) -> None:
    """A project whose answer is not understood is named when that persists."""
    deepgram = simulator[Deepgram]
    garage = deepgram.add_project("Garage")
    deepgram.fail_project(garage, Http(200, body='{"balances": 5}'))
    entry = await add_account(deepgram)
    issue_id = f"unexpected_answer_{entry.entry_id}"
    await poll()
    assert not issue_registry.async_get_issue(DOMAIN, issue_id)
    await poll()
    issue = issue_registry.async_get_issue(DOMAIN, issue_id)
    assert issue is not None
    assert issue.translation_placeholders == {
        "account": "Deepgram",
        "provider": "Deepgram",
        "path": "Garage",
    }
    deepgram.heal()
    await poll()
    assert not issue_registry.async_get_issue(DOMAIN, issue_id)


async def test_one_line_at_start_and_end(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    poll: Poll,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An outage is logged once when it begins and once when it ends."""
    telnyx = simulator[Telnyx]
    await add_account(telnyx)
    caplog.clear()
    telnyx.fail(Http(500))
    await poll()
    await poll()
    telnyx.heal()
    await poll()
    lines = [
        (record.levelname, record.getMessage())
        for record in caplog.records
        if record.name == "custom_components.api_balance"
        and record.levelname != "DEBUG"
    ]
    assert lines == [
        ("ERROR", "Error fetching Telnyx data: Telnyx has a problem on its side"),
        ("INFO", "Fetching Telnyx data recovered"),
    ]


@pytest.mark.parametrize(
    "broken",
    [
        {"version": 1, "minor_version": 1, "key": "x", "data": {"wallets": 5}},
        {"version": 99, "minor_version": 1, "key": "x", "data": {}},
        {"version": 1, "minor_version": 1, "key": "x", "data": []},
    ],
)
async def test_record_that_cannot_be_read(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    simulator: Simulator,
    add_account: AddAccount,
    broken: dict[str, Any],
) -> None:
    """A broken or foreign record is never fatal."""
    hass_storage[f"{DOMAIN}.entry_telnyx"] = broken
    await add_account(simulator[Telnyx])
    saved = hass_storage[f"{DOMAIN}.entry_telnyx"]["data"]
    assert saved["wallets"]["usd"]["has_held_money"] is True


async def test_record_is_set_aside(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    simulator: Simulator,
    add_account: AddAccount,
    tmp_path: Path,
) -> None:
    """What cannot be read is not written over: a later version may know it."""
    hass.config.config_dir = str(tmp_path)
    key = f"{DOMAIN}.entry_telnyx"
    hass_storage[key] = {"version": 99, "minor_version": 1, "key": key, "data": {}}
    record = tmp_path / ".storage" / key
    record.parent.mkdir()
    record.write_text("of a later version")
    await add_account(simulator[Telnyx])
    assert record.with_name(f"{key}.broken").read_text() == "of a later version"


async def test_record_is_written_when_it_changes(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    simulator: Simulator,
    add_account: AddAccount,
    poll: Poll,
) -> None:
    """A poll without news writes nothing; removing the account removes the record."""
    deepseek = simulator[DeepSeek]
    entry = await add_account(deepseek)
    key = f"{DOMAIN}.{entry.entry_id}"
    written = hass_storage[key]
    deepseek.spend(Decimal(1))
    await poll()
    assert hass_storage[key] is written
    deepseek.add_currency("USD", Decimal(0))
    await poll()
    assert hass_storage[key] is not written
    assert hass_storage[key]["data"]["wallets"]["usd"]["has_held_money"] is False

    await hass.config_entries.async_remove(entry.entry_id)
    assert key not in hass_storage


async def test_scope_that_goes_while_the_record_is_written(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whatever happens while a slow disk writes finds the account as it is now."""
    deepgram = simulator[Deepgram]
    lab = deepgram.add_project("Garage")
    deepgram.add_balance(lab, Decimal(9))
    await add_account(deepgram)
    deepgram.remove_project(lab)
    writing, is_quick = asyncio.Event(), asyncio.Event()
    save = Store.async_save

    async def slow(store: Store[Any], data: Any) -> None:
        writing.set()
        await is_quick.wait()
        await save(store, data)

    with patch.object(Store, "async_save", slow):
        freezer.move_to("2026-11-22 07:55:00+00:00")
        async_fire_time_changed(hass)
        await writing.wait()
        freezer.move_to("2026-11-22 08:00:00+00:00")
        async_fire_time_changed(hass)
        is_quick.set()
        await hass.async_block_till_done()
    assert state_of(hass, "sensor.deepgram_garage_balance") is None
    assert "KeyError" not in caplog.text


async def test_remove_a_device(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    simulator: Simulator,
    add_account: AddAccount,
    device_registry: dr.DeviceRegistry,
) -> None:
    """Only a device without a wallet can be removed by hand."""
    assert await async_setup_component(hass, "config", {})
    entry = await add_account(simulator[Deepgram])
    client = await hass_ws_client(hass)
    stale = device_registry.async_get_or_create(
        config_entry_id=entry.entry_id, identifiers={(DOMAIN, "gone")}
    )
    devices = {
        device.id
        for device in dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    }
    assert len(devices) == 3
    removed = set()
    for device_id in devices:
        response = await client.remove_device(device_id)
        removed |= {device_id} if response["success"] else set()
    assert removed == {stale.id}


async def test_remove_a_device_in_an_outage(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    simulator: Simulator,
    add_account: AddAccount,
    device_registry: dr.DeviceRegistry,
) -> None:
    """As long as nothing is known of an account, its devices stay."""
    assert await async_setup_component(hass, "config", {})
    telnyx = simulator[Telnyx]
    entry = await add_account(telnyx)
    telnyx.fail(Reset())
    await hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    client = await hass_ws_client(hass)
    (device,) = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    response = await client.remove_device(device.id)
    assert response["error"]["message"] == (
        "Failed to remove device entry, rejected by integration"
    )
