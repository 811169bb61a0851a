"""An entry's life, and what becomes of a provider's errors."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.api_balance.const import DOMAIN
from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.helpers.storage import Store
from homeassistant.setup import async_setup_component
from homeassistant.util.file import WriteError

from .conftest import SHAPES, AddAccount, Poll, our_log, set_number, state_of
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
    for id_ in SHAPES:
        entry = await add_account(simulator[id_])
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
    """The second refusal in a row asks for a key, wherever the first one was.

    The account stays loaded, and the key is tried again every hour.
    """
    telnyx = simulator[Telnyx]
    entry = await add_account(telnyx)
    telnyx.revoke_key()
    await poll(timedelta(minutes=12))
    assert not hass.config_entries.flow.async_progress()
    await hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED
    await hass.async_block_till_done()
    assert state_of(hass, STATUS) == "bad_key"
    assert [
        flow["context"]["source"] for flow in hass.config_entries.flow.async_progress()
    ] == ["reauth"]
    telnyx.restore_key()
    asked = len(telnyx.requests)
    await poll(timedelta(minutes=67))
    assert [request.path for request in telnyx.requests[asked:]] == [
        "/v2/balance",
        "/v2/payment/auto_recharge_prefs",
    ]
    assert (state_of(hass, STATUS), state_of(hass, BALANCE)) == ("ok", "300.00")
    assert not hass.config_entries.flow.async_progress()


async def test_one_refusal_at_a_start(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount, poll: Poll
) -> None:
    """A good key that is refused once at a start is tried again, without a question."""
    telnyx = simulator[Telnyx]
    entry = await add_account(telnyx)
    telnyx.revoke_key()
    await hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED
    telnyx.restore_key()
    await poll(timedelta(minutes=12))
    assert state_of(hass, BALANCE) == "300.00"
    assert not hass.config_entries.flow.async_progress()


async def test_stored_key_that_is_of_no_use(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A key that shows by itself that it is refused is asked for, without a request."""
    deepgram = simulator[Deepgram]
    deepgram.credentials = {"api_key": "eyJ.short.lived"}
    await add_account(deepgram, ConfigEntryState.SETUP_ERROR)
    assert [
        flow["context"]["source"] for flow in hass.config_entries.flow.async_progress()
    ] == ["reauth"]
    assert deepgram.requests == []
    assert [one for one in caplog.records if one.levelname == "ERROR"] == []
    assert "eyJ" not in our_log(caplog)


@pytest.mark.parametrize("status", [429, 503])
async def test_short_retry_after(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    simulator: Simulator,
    add_account: AddAccount,
    poll: Poll,
    status: int,
) -> None:
    """The poll interval is the floor of every wait, and failures slow the polls down."""
    telnyx = simulator[Telnyx]
    await add_account(telnyx)
    telnyx.fail(Http(status, retry_after=1))
    asked = len(telnyx.requests)
    for _ in range(120):
        await poll(timedelta(seconds=30))
    assert len(telnyx.requests) - asked <= 4


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
    await poll(timedelta(minutes=9))
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
    await add_account(telnyx, ConfigEntryState.SETUP_RETRY)
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
        "key_kind": "API key with the role Owner or Admin",
        "path": "billing:read",
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
        "permission": "API key (V2)",
        "key_kind": "API key (V2)",
        "path": "data.balance",
    }
    assert issue.learn_more_url is None

    # It is there again after a reload, and goes when the account is disabled.
    await hass.config_entries.async_reload(entry.entry_id)
    assert issue_registry.async_get_issue(DOMAIN, issue_id)
    await hass.config_entries.async_set_disabled_by(
        entry.entry_id, ConfigEntryDisabler.USER
    )
    assert not issue_registry.async_get_issue(DOMAIN, issue_id)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    assert issue_registry.async_get_issue(DOMAIN, issue_id)

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
        "permission": "API key with the role Owner or Admin",
        "key_kind": "API key with the role Owner or Admin",
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
        {"version": 2, "minor_version": 1, "key": "x", "data": {"gauges": 5}},
        {"version": 2, "minor_version": 1, "key": "x", "data": {"gauges": {"usd": 5}}},
        {"version": 2, "minor_version": 1, "key": "x", "data": {"thresholds": []}},
        {"version": 2, "minor_version": 1, "key": "x", "data": {"events": {}}},
        {"version": 2, "minor_version": 1, "key": "x", "data": {"refusals": "1"}},
        {"version": 2, "minor_version": 1, "key": "x", "data": {"problem": "bored"}},
        {"version": 99, "minor_version": 1, "key": "x", "data": {}},
        {"version": 1, "minor_version": 1, "key": "x", "data": {"wallets": 5}},
        {"version": 2, "minor_version": 1, "key": "x", "data": []},
        {"minor_version": 1, "key": "x", "data": {}},
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
    entry = await add_account(simulator[Telnyx])
    await hass.config_entries.async_unload(entry.entry_id)
    saved = hass_storage[f"{DOMAIN}.entry_telnyx"]["data"]
    assert saved["gauges"]["usd"]["has_held"] is True


async def test_record_is_set_aside(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    simulator: Simulator,
    add_account: AddAccount,
    tmp_path: Path,
) -> None:
    """What cannot be read is kept: a later version may know it."""
    hass.config.config_dir = str(tmp_path)
    key = f"{DOMAIN}.entry_telnyx"
    hass_storage[key] = {"version": 99, "minor_version": 1, "key": key, "data": {}}
    record = tmp_path / ".storage" / key
    record.parent.mkdir()
    record.write_text("of a later version")
    entry = await add_account(simulator[Telnyx])
    (aside,) = record.parent.glob(f"{key}.broken-*")
    assert aside.read_text() == "of a later version"
    await hass.config_entries.async_remove(entry.entry_id)
    assert not aside.exists()


async def test_record_that_cannot_be_read_now(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    simulator: Simulator,
    add_account: AddAccount,
) -> None:
    """A passing error of the disk costs no record: the account is tried again."""
    entry = await add_account(simulator[Telnyx])
    await hass.config_entries.async_unload(entry.entry_id)
    saved = hass_storage[f"{DOMAIN}.entry_telnyx"]
    error = HomeAssistantError("Error while loading")
    error.__cause__ = OSError(5, "Input/output error")
    with patch.object(Store, "async_load", side_effect=error):
        await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert hass_storage[f"{DOMAIN}.entry_telnyx"] is saved
    await hass.config_entries.async_reload(entry.entry_id)
    assert entry.reason is None


async def test_disk_that_is_full(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    simulator: Simulator,
    add_account: AddAccount,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A threshold that could not be written is written when there is room again."""
    await add_account(simulator[Telnyx])
    with patch.object(Store, "_async_write_data", side_effect=WriteError("full")):
        await set_number(hass, "number.telnyx_low_balance_threshold", 42)
    freezer.tick(timedelta(minutes=11))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    saved = hass_storage[f"{DOMAIN}.entry_telnyx"]["data"]
    assert saved["thresholds"]["usd"]["amount"] == "42.0"


async def test_start_of_many_accounts(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    freezer: FrozenDateTimeFactory,
) -> None:
    """At a start the accounts are asked in turn; what was stored is shown until then."""
    telnyx, deepgram = simulator[Telnyx], simulator[Deepgram]
    entries = [await add_account(telnyx), await add_account(deepgram)]
    for entry in entries:
        await hass.config_entries.async_unload(entry.entry_id)
    balance = "sensor.telnyx_balance"
    telnyx.requests.clear()
    deepgram.requests.clear()
    hass.set_state(CoreState.not_running)
    for entry in entries:
        assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert state_of(hass, balance) == "300.00"
    assert not telnyx.requests
    telnyx.spend(Decimal(1))
    for answered in (telnyx, deepgram):
        freezer.tick(timedelta(milliseconds=60))
        async_fire_time_changed(hass)
        await hass.async_block_till_done()
        assert answered.requests
        freezer.tick(timedelta(milliseconds=60))
    assert state_of(hass, balance) == "299.00"


async def test_old_numbers_at_a_start(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Numbers that are too old are not shown before the first answer."""
    entry = await add_account(simulator[Telnyx])
    await hass.config_entries.async_unload(entry.entry_id)
    freezer.tick(timedelta(hours=3))
    hass.set_state(CoreState.not_running)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert state_of(hass, "sensor.telnyx_balance") == "unavailable"
    freezer.tick(timedelta(seconds=1))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert state_of(hass, "sensor.telnyx_balance") == "300.00"


async def test_provider_of_another_version(hass: HomeAssistant) -> None:
    """An account whose provider is not known says so."""
    entry = MockConfigEntry(domain=DOMAIN, title="Nimbus", data={"provider": "nimbus"})
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert entry.reason == (
        "This version of API Balance does not know the provider nimbus. Update API"
        " Balance, or delete the account"
    )


async def test_record_of_the_first_version(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    simulator: Simulator,
    add_account: AddAccount,
) -> None:
    """Thresholds, levels and spend of 0.1.0 are there after the update."""
    telnyx = simulator[Telnyx]
    telnyx.set_credit_limit(Decimal(0))
    telnyx.set_balance(Decimal(9))
    at = "2026-11-21T11:00:00+00:00"
    hass_storage[f"{DOMAIN}.entry_telnyx"] = {
        "version": 1,
        "minor_version": 1,
        "key": "x",
        "data": {
            "wallets": {
                "usd": {
                    "unit": "USD",
                    "is_money": True,
                    "scope": "account",
                    "label": None,
                    "has_held_money": True,
                    "patience": 2,
                },
                "eur": {
                    "unit": "EUR",
                    "is_money": True,
                    "scope": "account",
                    "label": None,
                    "has_held_money": False,
                },
            },
            "watched": {
                "usd": {
                    "level": "ok",
                    "amount": "12",
                    "is_available": True,
                    "runway": 86399999999999,
                }
            },
            "amounts": {"usd": {"balance": "12", "available": "12"}},
            "thresholds": {"usd": {"amount": "10", "days": "0"}},
            "ledgers": {
                "usd": {
                    "seen": {
                        "unit": "USD",
                        "is_money": True,
                        "at": at,
                        "amount": "12",
                        "is_available": True,
                        "credit_limit": "0",
                        "granted": None,
                        "paid": None,
                        "lots": [],
                    },
                    "refund": "0",
                    "top_ups": [],
                    "tallies": {"today": {"since": at, "amount": "1.5"}},
                    "history": {
                        "hours": [498683, "1.5"],
                        "since": at,
                        "until": at,
                        "filled_until": 0,
                    },
                }
            },
            "jumping": [],
            "knows_past": True,
            "refusals": 0,
            "quiet_until": "2026-11-21T11:30:00+00:00",
            "has_worked": True,
        },
    }
    await add_account(telnyx)
    assert state_of(hass, "binary_sensor.telnyx_low_balance") == "on"
    assert state_of(hass, "number.telnyx_low_balance_threshold") == "10.0"
    assert state_of(hass, "sensor.telnyx_spent_today") == "4.50"


async def test_record_is_written_when_it_changes(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    simulator: Simulator,
    add_account: AddAccount,
    poll: Poll,
) -> None:
    """A poll without changes writes nothing; removing the account removes the record."""
    deepseek = simulator[DeepSeek]
    entry = await add_account(deepseek)
    key = f"{DOMAIN}.{entry.entry_id}"
    await poll(timedelta(seconds=11))
    written = hass_storage[key]
    await poll(timedelta(minutes=15))
    await poll(timedelta(seconds=11))
    assert hass_storage[key] is written
    deepseek.add_currency("USD", Decimal(0))
    await poll(timedelta(minutes=15))
    await poll(timedelta(seconds=11))
    assert hass_storage[key] is not written
    assert "has_held" not in hass_storage[key]["data"]["gauges"]["usd"]

    await hass.config_entries.async_remove(entry.entry_id)
    assert key not in hass_storage


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
        for account in dr.async_entries_for_config_entry(
            device_registry, entry.entry_id
        )
        for device in (
            account,
            *dr.async_entries_for_parent_device(device_registry, account.id),
        )
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
    """While an account is not loaded, its devices stay."""
    assert await async_setup_component(hass, "config", {})
    telnyx = simulator[Telnyx]
    entry = await add_account(telnyx)
    await hass.config_entries.async_unload(entry.entry_id)
    client = await hass_ws_client(hass)
    (device,) = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    response = await client.remove_device(device.id)
    assert response["error"]["message"] == (
        "Failed to remove device entry, rejected by integration"
    )
