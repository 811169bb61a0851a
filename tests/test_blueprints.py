"""Blueprints: each from its file, in a real automation."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock
from urllib.parse import parse_qs, urlsplit

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
    async_mock_service,
)

from custom_components.api_balance.coordinator import SIGNAL_POLLED
from homeassistant import config as conf_util
from homeassistant.components.automation.const import DOMAIN as AUTOMATION
from homeassistant.components.blueprint.models import Blueprint, DomainBlueprints
from homeassistant.components.blueprint.schemas import BLUEPRINT_SCHEMA
from homeassistant.components.persistent_notification import (
    DOMAIN as PERSISTENT_NOTIFICATION,
)
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import (
    EVENT_HOMEASSISTANT_STARTED,
    EVENT_STATE_CHANGED,
    SERVICE_RELOAD,
    STATE_UNAVAILABLE,
)
from homeassistant.core import CoreState, HomeAssistant, ServiceCall, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import (
    device_registry as dr,
    entity_registry as er,
    label_registry as lr,
)
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.setup import async_setup_component
from homeassistant.util import yaml as yaml_util

from .conftest import AddAccount, Poll as PollAccounts, state_of
from .past import remember
from .simulator import Http, Simulator
from .simulator.deepgram import Deepgram
from .simulator.deepseek import DeepSeek
from .simulator.elevenlabs import ElevenLabs
from .simulator.telnyx import Telnyx
from .simulator.twilio import Twilio
from .simulator.vonage import Vonage

ROOT = Path(__file__).parents[1]
BLUEPRINTS = ROOT / "blueprints/automation"
FILES = sorted((BLUEPRINTS / "api_balance").glob("*.yaml"))
REPOSITORY = "https://github.com/api-balance/ha-api-balance/blob/main/"

TELNYX_LOW = "binary_sensor.telnyx_low_balance"
TELNYX_THRESHOLD = "number.telnyx_low_balance_threshold"
TOP_UP = "https://portal.telnyx.com/#/app/account/billing"

type Json = dict[str, Any]
type Automate = Callable[..., Awaitable[None]]
type Poll = Callable[[], Awaitable[None]]
type Pass = Callable[[timedelta], Awaitable[None]]
type Restart = Callable[..., Awaitable[None]]


@pytest.fixture(autouse=True)
def from_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Home Assistant find the blueprints where they lie."""
    monkeypatch.setattr(
        DomainBlueprints, "blueprint_folder", property(lambda self: BLUEPRINTS)
    )
    # Where it finds none of its own, Home Assistant would write examples.
    monkeypatch.setattr(DomainBlueprints, "async_populate", AsyncMock())


@pytest.fixture
async def automations(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Json]:
    """Return the automations that a reload finds, by name."""
    found: Json = {}

    async def read(hass: HomeAssistant) -> Json:
        return {AUTOMATION: list(found.values())}

    monkeypatch.setattr(conf_util, "async_hass_config_yaml", read)
    assert await async_setup_component(hass, AUTOMATION, {})
    yield found
    # Their triggers have timers.
    found.clear()
    await reload_automations(hass)


async def reload_automations(hass: HomeAssistant) -> None:
    """Let Home Assistant read the automations."""
    await hass.services.async_call(AUTOMATION, SERVICE_RELOAD, blocking=True)
    await settle()


async def settle() -> None:
    """Let run what can run.

    Not as async_block_till_done: that waits for automations that wait.
    """
    for _ in range(100):
        await asyncio.sleep(0)


async def until(hass: HomeAssistant, is_so: Callable[[], bool]) -> None:
    """Wait for the state change that makes something so."""
    changed = asyncio.Event()
    stop = hass.bus.async_listen(
        EVENT_STATE_CHANGED, callback(lambda event: changed.set())
    )
    while not is_so():
        changed.clear()
        await changed.wait()
    stop()
    await settle()


@pytest.fixture
def automate(
    hass: HomeAssistant, automations: Json, freezer: FrozenDateTimeFactory
) -> Automate:
    """Return what makes an automation of a blueprint, as the editor would."""

    async def make(name: str, **inputs: Any) -> None:
        automations[name] = {
            "id": name,
            "alias": name,
            "use_blueprint": {"path": f"api_balance/{name}.yaml", "input": inputs},
        }
        await reload_automations(hass)
        assert state_of(hass, f"automation.{name}") == "on"
        freezer.tick()

    return make


@pytest.fixture
def restart(
    hass: HomeAssistant, automations: Json, freezer: FrozenDateTimeFactory
) -> Restart:
    """Return what loads all anew, in the order of a start.

    What happens while nothing runs is done in between.
    """

    async def load_anew(
        entry: MockConfigEntry, meanwhile: Callable[[], object] = lambda: None
    ) -> None:
        await hass.config_entries.async_unload(entry.entry_id)
        kept = dict(automations)
        automations.clear()
        await reload_automations(hass)
        hass.set_state(CoreState.starting)
        freezer.tick()
        meanwhile()
        await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done(wait_background_tasks=True)
        automations.update(kept)
        await reload_automations(hass)
        freezer.tick()
        hass.set_state(CoreState.running)
        hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
        await settle()

    return load_anew


@pytest.fixture
def pass_time(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> Pass:
    """Return what lets time pass minute by minute, without a poll in between."""

    async def wait(duration: timedelta) -> None:
        for _ in range(int(duration / timedelta(minutes=1))):
            for seconds in (2, 58):
                freezer.tick(seconds)
                async_fire_time_changed(hass)
                await hass.async_block_till_done(wait_background_tasks=True)

    return wait


@pytest.fixture
def poll(poll: PollAccounts, pass_time: Pass) -> Poll:
    """Return what polls every account, and gives the automations their time."""

    async def poll_and_wait() -> None:
        # Not at once: what was told just before needs a second to be heard.
        await pass_time(timedelta(minutes=1))
        await poll()
        await pass_time(timedelta(minutes=2))

    return poll_and_wait


@pytest.fixture
def phone(hass: HomeAssistant, device_registry: dr.DeviceRegistry) -> dr.DeviceEntry:
    """Return the device of a phone with the app."""
    entry = MockConfigEntry(domain="mobile_app")
    entry.add_to_hass(hass)
    return device_registry.async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={("mobile_app", "phone")},
        name="My phone",
    )


@pytest.fixture
def pushed(hass: HomeAssistant) -> list[ServiceCall]:
    """Return what is sent to the phone."""
    return async_mock_service(hass, "notify", "mobile_app_my_phone")


@pytest.fixture
def shown(hass: HomeAssistant) -> list[ServiceCall]:
    """Return what is shown in Home Assistant."""
    return async_mock_service(hass, PERSISTENT_NOTIFICATION, "create")


@pytest.fixture
def dismissed(hass: HomeAssistant) -> list[ServiceCall]:
    """Return what is taken away in Home Assistant."""
    return async_mock_service(hass, PERSISTENT_NOTIFICATION, "dismiss")


def titles(calls: list[ServiceCall]) -> list[str]:
    """Return the titles of messages, or what is said to the app instead, and forget."""
    found = [call.data.get("title", call.data["message"]) for call in calls]
    calls.clear()
    return found


def event_type(hass: HomeAssistant, entity_id: str) -> str | None:
    """Return what happened last to a balance."""
    state = hass.states.get(entity_id)
    return state.attributes["event_type"] if state else None


async def set_threshold(hass: HomeAssistant, entity_id: str, value: float) -> None:
    """Change what is called low."""
    await hass.services.async_call(
        "number",
        "set_value",
        {"entity_id": entity_id, "value": value},
        blocking=True,
    )
    await hass.async_block_till_done()


# The files


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_metadata(path: Path) -> None:
    """A blueprint tells where it comes from, and explains all that it asks for."""
    data = yaml_util.load_yaml_dict(path)
    blueprint = Blueprint(
        data, path=path.name, expected_domain=AUTOMATION, schema=BLUEPRINT_SCHEMA
    )
    metadata = blueprint.metadata
    assert metadata["name"].startswith("API Balance: ")
    assert metadata["description"]
    assert metadata["homeassistant"] == {"min_version": "2026.10.0"}
    assert metadata["source_url"] == REPOSITORY + str(path.relative_to(ROOT))
    assert blueprint.validate() is None
    for field in [*metadata["input"].values(), *blueprint.inputs.values()]:
        assert field["name"]
    for field in blueprint.inputs.values():
        assert field["description"]
        assert field["selector"]
    # An import writes the file anew.
    assert yaml_util.parse_yaml(blueprint.yaml()) == blueprint.data
    # Every input has a use.
    assert yaml_util.extract_inputs(data) == set(blueprint.inputs)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_import_link(path: Path) -> None:
    """The README has a button that imports each blueprint."""
    prefix = "https://my.home-assistant.io/redirect/blueprint_import/?"
    readme = (ROOT / "README.md").read_text()
    links = [
        parse_qs(urlsplit(prefix + part.partition(")")[0]).query)["blueprint_url"]
        for part in readme.split(prefix)[1:]
    ]
    assert [REPOSITORY + str(path.relative_to(ROOT))] in links
    assert len(links) == len(FILES)


# Low balance notice


async def test_warning(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    poll: Poll,
    automate: Automate,
    phone: dr.DeviceEntry,
    pushed: list[ServiceCall],
    shown: list[ServiceCall],
    dismissed: list[ServiceCall],
) -> None:
    """A phone gets the warning with its button once, and it goes when mended."""
    telnyx = simulator[Telnyx]
    await add_account(telnyx)
    await set_threshold(hass, TELNYX_THRESHOLD, 50)
    await automate("low_balance_notice", phones=[phone.id], reminder_hours=0)
    await poll()
    assert pushed == []

    telnyx.set_balance(Decimal(-70))
    await poll()
    (call,) = pushed
    assert call.data == {
        "title": "Telnyx is low",
        "message": "Available credit: 30.00 USD\nBalance: -70.00 USD",
        "data": {
            "tag": "api_balance_binary_sensor_telnyx_low_balance",
            "group": "api_balance",
            "actions": [{"action": "URI", "title": "Top up", "uri": TOP_UP}],
        },
    }
    pushed.clear()
    for _ in range(3):
        await poll()
    assert pushed == []

    telnyx.set_balance(Decimal(-100))
    await poll()
    assert titles(pushed) == ["Telnyx is depleted"]

    telnyx.top_up(Decimal(300))
    await poll()
    (call,) = pushed
    assert call.data == {
        "message": "clear_notification",
        "data": {"tag": "api_balance_binary_sensor_telnyx_low_balance"},
    }
    assert dismissed[0].data == {
        "notification_id": "api_balance_binary_sensor_telnyx_low_balance"
    }
    assert shown == []


async def test_outage_and_warning(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    poll: Poll,
    automate: Automate,
    shown: list[ServiceCall],
    dismissed: list[ServiceCall],
) -> None:
    """An outage neither swallows a warning, nor repeats it, nor takes it away."""
    telnyx = simulator[Telnyx]
    await add_account(telnyx)
    await set_threshold(hass, TELNYX_THRESHOLD, 50)
    await automate("low_balance_notice", reminder_hours=0)

    telnyx.fail(Http(503))
    await poll()
    telnyx.set_balance(Decimal(-70))
    await poll()
    assert shown == []
    telnyx.heal()
    await poll()
    (call,) = shown
    assert call.data == {
        "notification_id": "api_balance_binary_sensor_telnyx_low_balance",
        "title": "Telnyx is low",
        "message": "Available credit: 30.00 USD  \nBalance: -70.00 USD\n\n"
        f"[Top up]({TOP_UP})",
    }
    shown.clear()

    telnyx.fail(Http(503))
    await poll()
    telnyx.heal()
    for _ in range(3):
        await poll()
    assert shown == []
    assert dismissed == []


async def test_reminder(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    poll: Poll,
    pass_time: Pass,
    automate: Automate,
    shown: list[ServiceCall],
    dismissed: list[ServiceCall],
) -> None:
    """Reminders come by the clock, also through outages, until it is mended."""
    telnyx = simulator[Telnyx]
    await add_account(telnyx)
    await set_threshold(hass, TELNYX_THRESHOLD, 50)
    await automate("low_balance_notice", reminder_hours=2)
    telnyx.set_balance(Decimal(-70))
    await poll()
    assert titles(shown) == ["Telnyx is low"]

    await pass_time(timedelta(hours=1, minutes=50))
    assert titles(shown) == []
    await pass_time(timedelta(minutes=15))
    assert titles(shown) == ["Telnyx is low"]
    await pass_time(timedelta(hours=1))
    telnyx.fail(Http(503))
    await pass_time(timedelta(minutes=20))
    telnyx.heal()
    await pass_time(timedelta(minutes=20))
    assert titles(shown) == []
    await pass_time(timedelta(minutes=30))
    assert titles(shown) == ["Telnyx is low"]

    # What is due during an outage comes after it.
    await pass_time(timedelta(hours=1, minutes=30))
    telnyx.fail(Http(503))
    await pass_time(timedelta(minutes=40))
    assert titles(shown) == []
    telnyx.heal()
    await pass_time(timedelta(minutes=60))
    assert titles(shown) == ["Telnyx is low"]

    telnyx.top_up(Decimal(500))
    await pass_time(timedelta(hours=5))
    assert titles(shown) == []
    assert len(dismissed) == 1


async def test_warning_after_a_restart(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    poll: Poll,
    pass_time: Pass,
    automate: Automate,
    restart: Restart,
    shown: list[ServiceCall],
    dismissed: list[ServiceCall],
) -> None:
    """A restart repeats no warning, keeps the reminders, and misses nothing."""
    telnyx = simulator[Telnyx]
    entry = await add_account(telnyx)
    await set_threshold(hass, TELNYX_THRESHOLD, 50)
    await automate("low_balance_notice", reminder_hours=2)
    telnyx.set_balance(Decimal(-70))
    await poll()
    assert titles(shown) == ["Telnyx is low"]

    await restart(entry)
    await pass_time(timedelta(hours=1, minutes=30))
    assert titles(shown) == []
    await restart(entry)
    await pass_time(timedelta(minutes=36))
    assert titles(shown) == ["Telnyx is low"]

    # Used up, and later mended, while nothing runs.
    await restart(entry, lambda: telnyx.set_balance(Decimal(-100)))
    await pass_time(timedelta(minutes=6))
    assert titles(shown) == ["Telnyx is depleted"]
    assert dismissed == []
    await restart(entry, lambda: telnyx.set_balance(Decimal(300)))
    await pass_time(timedelta(minutes=6))
    assert titles(shown) == []
    assert len(dismissed) == 1


async def test_choice(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    poll: Poll,
    automate: Automate,
    entity_registry: er.EntityRegistry,
    device_registry: dr.DeviceRegistry,
    label_registry: lr.LabelRegistry,
    shown: list[ServiceCall],
) -> None:
    """Only what is chosen is told, by entity, by label, or by a device's label."""
    telnyx, deepgram = simulator[Telnyx], simulator[Deepgram]
    deepseek = simulator[DeepSeek]
    garage = deepgram.add_project("Garage")
    in_garage = deepgram.add_balance(garage, Decimal(9))
    for provider in (telnyx, deepgram, deepseek):
        await add_account(provider)
    label_id = label_registry.async_create("Voice").label_id
    home = entity_registry.async_get("binary_sensor.deepgram_home_low_balance")
    assert home and home.device_id
    device_registry.async_update_child_device(home.device_id, labels={label_id})
    entity_registry.async_update_entity(
        "binary_sensor.deepseek_low_balance_cny", labels={label_id}
    )
    await automate("low_balance_notice", wallets=[TELNYX_LOW], labels=[label_id])

    for name in ("deepgram_garage", "deepgram_home", "telnyx"):
        await set_threshold(hass, f"number.{name}_low_balance_threshold", 5)
    await set_threshold(hass, "number.deepseek_low_balance_threshold_cny", 5)
    await poll()
    deepgram.set_balance(in_garage, Decimal(4))
    deepgram.spend(sum(deepgram.amounts(deepgram.projects[0]), Decimal(-4)))
    telnyx.set_balance(Decimal(-96))
    deepseek.add_currency("CNY", Decimal(4))
    await poll()
    assert sorted(titles(shown)) == [
        "Deepgram Home is low",
        "Deepseek is low",
        "Telnyx is low",
    ]


async def test_several_balances_of_a_device(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    poll: Poll,
    automate: Automate,
    shown: list[ServiceCall],
) -> None:
    """Where a device has several balances, each has a message that names it."""
    deepseek = simulator[DeepSeek]
    deepseek.add_currency("USD", Decimal(5))
    await add_account(deepseek)
    await automate("low_balance_notice", reminder_hours=0)
    for currency in ("usd", "cny"):
        entity_id = f"number.deepseek_low_balance_threshold_{currency}"
        await set_threshold(hass, entity_id, 4.5)
    deepseek.add_currency("USD", Decimal(4))
    await poll()
    (call,) = shown
    assert call.data["message"].startswith(
        "Low balance (USD)  \nBalance (CNY): 110.00 CNY  \nBalance (USD): 4.00 USD"
    )
    shown.clear()
    deepseek.add_currency("CNY", Decimal(4))
    await poll()
    (call,) = shown
    assert call.data["message"].startswith("Low balance (CNY)")


async def test_other_notifiers(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    poll: Poll,
    automate: Automate,
    pushed: list[ServiceCall],
    shown: list[ServiceCall],
) -> None:
    """A notifier without buttons gets the address, and the all-clear if wanted."""
    sent = async_mock_service(hass, "notify", "send_message")
    telnyx = simulator[Telnyx]
    await add_account(telnyx)
    # A phone that is gone is no reason to tell nobody.
    await automate(
        "low_balance_notice",
        notifiers=["notify.mail"],
        phones=["gone"],
        all_clear=True,
    )
    await set_threshold(hass, TELNYX_THRESHOLD, 50)
    telnyx.set_balance(Decimal(-70))
    await poll()
    telnyx.set_balance(Decimal(300))
    await poll()
    assert [call.data for call in sent] == [
        {
            "entity_id": ["notify.mail"],
            "title": "Telnyx is low",
            "message": "Available credit: 30.00 USD\nBalance: -70.00 USD\n" + TOP_UP,
        },
        {
            "entity_id": ["notify.mail"],
            "title": "Telnyx is no longer low",
            "message": "Available credit: 400.00 USD\nBalance: 300.00 USD",
        },
    ]
    assert pushed == shown == []


async def test_a_phone_that_fails(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    poll: Poll,
    automate: Automate,
    phone: dr.DeviceEntry,
) -> None:
    """A phone that cannot be reached hinders nobody else."""
    async_mock_service(
        hass, "notify", "mobile_app_my_phone", raise_exception=HomeAssistantError("off")
    )
    other = async_mock_service(hass, "notify", "mobile_app_other_phone")
    (entry,) = hass.config_entries.async_entries("mobile_app")
    second = dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={("mobile_app", "other")},
        name="Other phone",
    )
    telnyx = simulator[Telnyx]
    await add_account(telnyx)
    await automate("low_balance_notice", phones=[phone.id, second.id])
    await set_threshold(hass, TELNYX_THRESHOLD, 50)
    telnyx.set_balance(Decimal(-70))
    await poll()
    assert titles(other) == ["Telnyx is low"]


async def test_by_hand_and_by_the_own_schedule(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    poll: Poll,
    automate: Automate,
    shown: list[ServiceCall],
) -> None:
    """What is low can be told again, by hand or with the action for it."""
    for provider in (simulator[Telnyx], simulator[DeepSeek]):
        await add_account(provider)
    await set_threshold(hass, TELNYX_THRESHOLD, 500)
    await automate("low_balance_notice", reminder_hours=0)
    # It was low before there was an automation.
    for _ in range(3):
        await poll()
    assert shown == []

    await hass.services.async_call(
        AUTOMATION,
        "trigger",
        {"entity_id": "automation.low_balance_notice"},
        blocking=True,
    )
    await hass.async_block_till_done()
    assert titles(shown) == ["Telnyx is low"]

    await hass.services.async_call("api_balance", "remind", blocking=True)
    await poll()
    assert titles(shown) == ["Telnyx is low"]
    await poll()
    assert shown == []


async def test_spend_that_jumps_in_the_same_poll(
    hass: HomeAssistant,
    hass_storage: Json,
    simulator: Simulator,
    add_account: AddAccount,
    poll: Poll,
    automate: Automate,
    shown: list[ServiceCall],
) -> None:
    """What happens beside the alert does not hide it."""
    telnyx = simulator[Telnyx]
    telnyx.set_credit_limit(Decimal(0))
    remember(hass_storage, telnyx.id)
    await add_account(telnyx)
    await set_threshold(hass, TELNYX_THRESHOLD, 50)
    await automate("low_balance_notice", reminder_hours=0)
    telnyx.set_balance(Decimal(40))
    await poll()
    assert event_type(hass, "event.telnyx_activity") == "spend_jumped"
    assert titles(shown) == ["Telnyx is low"]


async def test_balances_of_one_device(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    poll: Poll,
    automate: Automate,
    restart: Restart,
    shown: list[ServiceCall],
) -> None:
    """What happens to one balance is not reported of another one."""
    deepseek = simulator[DeepSeek]
    deepseek.add_currency("USD", Decimal(100))
    entry = await add_account(deepseek)
    for currency in ("usd", "cny"):
        entity_id = f"number.deepseek_low_balance_threshold_{currency}"
        await set_threshold(hass, entity_id, 50)
    await automate("low_balance_notice", reminder_hours=0, all_clear=True)

    def reported() -> list[tuple[str, str]]:
        found = [
            (call.data["title"], call.data["message"].partition("  ")[0])
            for call in shown
        ]
        shown.clear()
        return found

    deepseek.add_currency("USD", Decimal(20))
    await poll()
    assert reported() == [("Deepseek is low", "Low balance (USD)")]

    # After an outage and after a restart.
    for again in (False, True):
        deepseek.fail(Http(503))
        await poll()
        deepseek.heal()
        deepseek.add_currency("CNY", Decimal(20))
        await (restart(entry) if again else poll())
        await poll()
        assert reported() == [("Deepseek is low", "Low balance (CNY)")]
        deepseek.fail(Http(503))
        await poll()
        deepseek.heal()
        deepseek.add_currency("CNY", Decimal(100))
        await poll()
        assert reported() == [("Deepseek is no longer low", "Low balance (CNY)")]


async def test_two_accounts_at_once(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    poll: Poll,
    automate: Automate,
    restart: Restart,
    shown: list[ServiceCall],
) -> None:
    """Accounts that become low within a second are each reported once."""
    telnyx, deepseek = simulator[Telnyx], simulator[DeepSeek]
    await add_account(deepseek)
    entry = await add_account(telnyx)
    await set_threshold(hass, TELNYX_THRESHOLD, 50)
    await set_threshold(hass, "number.deepseek_low_balance_threshold_cny", 50)
    await automate("low_balance_notice", reminder_hours=0)
    telnyx.set_balance(Decimal(-70))
    deepseek.add_currency("CNY", Decimal(20))
    await poll()
    assert sorted(titles(shown)) == ["Deepseek is low", "Telnyx is low"]
    await restart(entry)
    await poll()
    await poll()
    assert shown == []


async def test_automatic_top_up_is_no_problem(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    pass_time: Pass,
    automate: Automate,
    shown: list[ServiceCall],
) -> None:
    """An account that tops itself up is not reported for that."""
    vonage = simulator[Vonage]
    vonage.has_auto_reload = True
    await add_account(vonage)
    assert state_of(hass, "binary_sensor.vonage_automatic_top_up") == "on"
    await automate("low_balance_notice", reminder_hours=1)
    await pass_time(timedelta(hours=2))
    await hass.services.async_call(
        AUTOMATION,
        "trigger",
        {"entity_id": "automation.low_balance_notice"},
        blocking=True,
    )
    await hass.async_block_till_done()
    assert shown == []


async def test_account_that_was_added_while_low(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    pass_time: Pass,
    automate: Automate,
    shown: list[ServiceCall],
) -> None:
    """What was low from the first answer on is reported with the first reminder."""
    await automate("low_balance_notice", reminder_hours=2)
    deepseek = simulator[DeepSeek]
    deepseek.add_currency("CNY", Decimal(0))
    await add_account(deepseek)
    await pass_time(timedelta(hours=1))
    assert shown == []
    await pass_time(timedelta(hours=1, minutes=10))
    assert titles(shown) == ["Deepseek is depleted"]


async def test_low_project(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    poll: Poll,
    automate: Automate,
    shown: list[ServiceCall],
) -> None:
    """A project is reported with the page of its account."""
    deepgram = simulator[Deepgram]
    garage = deepgram.add_project("Garage")
    in_garage = deepgram.add_balance(garage, Decimal(9))
    await add_account(deepgram)
    await automate("low_balance_notice")
    deepgram.set_balance(in_garage, Decimal(0))
    await poll()
    (call,) = shown
    assert call.data["title"] == "Deepgram Garage is depleted"
    assert "[Top up](https://" in call.data["message"]


async def test_low_quota(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    poll: Poll,
    automate: Automate,
    shown: list[ServiceCall],
    dismissed: list[ServiceCall],
) -> None:
    """A quota is reported as a balance is, until it is reset."""
    elevenlabs = simulator[ElevenLabs]
    elevenlabs.extension = Decimal(0)
    await add_account(elevenlabs)
    await automate("low_balance_notice", reminder_hours=0)
    elevenlabs.used = elevenlabs.limit
    await poll()
    assert titles(shown) == ["Elevenlabs is depleted"]
    elevenlabs.used = Decimal(0)
    await poll()
    assert len(dismissed) == 1


# Daily money report


async def test_report(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    poll: Poll,
    automate: Automate,
    freezer: FrozenDateTimeFactory,
    phone: dr.DeviceEntry,
    pushed: list[ServiceCall],
    shown: list[ServiceCall],
) -> None:
    """One message a day tells every amount on its own, and what cannot be read."""
    sent = async_mock_service(hass, "notify", "send_message")
    await hass.config.async_set_time_zone("UTC")
    deepseek, telnyx = simulator[DeepSeek], simulator[Telnyx]
    deepseek.add_currency("USD", Decimal(5))
    deepgram = simulator[Deepgram]
    for provider in (deepseek, telnyx, deepgram):
        await add_account(provider)
    telnyx.set_balance(Decimal(-100))
    deepgram.fail(Http(503))
    await poll()
    freezer.move_to("2026-11-21 13:00:00+00:00")
    await automate(
        "daily_money_report",
        time="13:30:00",
        phones=[phone.id],
        notifiers=["notify.mail"],
    )
    pushed.clear()

    freezer.move_to("2026-11-21 13:29:59+00:00")
    async_fire_time_changed(hass)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert pushed == []
    freezer.move_to("2026-11-21 13:30:00+00:00")
    async_fire_time_changed(hass)
    await hass.async_block_till_done(wait_background_tasks=True)
    (call,) = pushed
    assert call.data["title"] == "API balances"
    assert call.data["data"]["tag"] == "api_balance_report"
    report = (
        "Deepgram Home: not known\n"
        "Deepgram: not known, Problem at the provider\n"
        "Deepseek: Balance (CNY) 110.00 CNY, Balance (USD) 5.00 USD,"
        " Spent this month (CNY) 0.00 CNY, Spent this month (USD) 0.00 USD,"
        " Spent today (CNY) 0.00 CNY, Spent today (USD) 0.00 USD\n"
        "Telnyx: Available credit 0.00 USD, Balance -100.00 USD,"
        " Spent this month 400.00 USD, Spent today 400.00 USD, Time left 0.00 d,"
        " Depleted"
    )
    assert call.data["message"] == report
    assert [message.data for message in sent] == [
        {"entity_id": ["notify.mail"], "title": "API balances", "message": report}
    ]
    assert shown == []


async def test_report_of_some(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    automate: Automate,
    entity_registry: er.EntityRegistry,
    device_registry: dr.DeviceRegistry,
    label_registry: lr.LabelRegistry,
    shown: list[ServiceCall],
) -> None:
    """What is chosen is told, also of an account that failed to start."""
    telnyx = simulator[Telnyx]
    entry = await add_account(telnyx)
    await add_account(simulator[DeepSeek])
    await add_account(simulator[Deepgram])
    chosen = entity_registry.async_get("sensor.telnyx_balance")
    labeled = entity_registry.async_get("sensor.deepseek_balance_cny")
    assert chosen and labeled and labeled.device_id
    label_id = label_registry.async_create("Told").label_id
    device_registry.async_update_device(labeled.device_id, labels={label_id})
    # Hidden is left out.
    entity_registry.async_update_entity(
        "sensor.telnyx_available_credit", hidden_by=er.RegistryEntryHider.USER
    )
    await automate("daily_money_report", accounts=[chosen.device_id], labels=[label_id])

    async def report() -> str:
        await hass.services.async_call(
            AUTOMATION,
            "trigger",
            {"entity_id": "automation.daily_money_report", "skip_condition": False},
            blocking=True,
        )
        text: str = shown.pop().data["message"] if shown else ""
        return text

    deepseek = (
        "Deepseek: Balance (CNY) 110.00 CNY, Spent this month (CNY) 0.00 CNY,"
        " Spent today (CNY) 0.00 CNY  \n"
    )
    assert await report() == (
        f"{deepseek}Telnyx: Balance 300.00 USD, Spent this month 0.00 USD,"
        " Spent today 0.00 USD"
    )

    await hass.config_entries.async_unload(entry.entry_id)
    telnyx.fail(Http(503))
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    assert await report() == f"{deepseek}Telnyx: not known, Problem at the provider"

    for account in hass.config_entries.async_entries("api_balance"):
        await hass.config_entries.async_remove(account.entry_id)
    assert await report() == ""


# Fall back when depleted


@pytest.fixture
async def house(hass: HomeAssistant) -> Json:
    """Return what the fallback is to do with the things of the house."""
    assert await async_setup_component(hass, "homeassistant", {})
    assert await async_setup_component(
        hass, "input_boolean", {"input_boolean": {"local": {}, "cloud": {}}}
    )
    assert await async_setup_component(
        hass,
        "template",
        {
            "template": {
                "select": {
                    "name": "Assistant",
                    "options": "{{ ['preferred', 'Local'] }}",
                    "optimistic": True,
                    "select_option": [],
                }
            }
        },
    )
    await hass.services.async_call(
        "input_boolean", "turn_on", {"entity_id": "input_boolean.cloud"}, blocking=True
    )
    await hass.async_block_till_done()
    await hass.services.async_call(
        "select",
        "select_option",
        {"entity_id": "select.assistant", "option": "preferred"},
        blocking=True,
    )
    return {
        "account": "sensor.telnyx_availability",
        "turn_on": ["input_boolean.local"],
        "turn_off": ["input_boolean.cloud"],
        "satellites": ["select.assistant"],
        "fallback_pipeline": "Local",
        "fallback_actions": [{"event": "fell_back"}],
        "usual_actions": [{"event": "went_back"}],
    }


def things(hass: HomeAssistant) -> tuple[str | None, ...]:
    """Return how the things of the house stand."""
    return tuple(
        state_of(hass, entity_id)
        for entity_id in (
            "input_boolean.local",
            "input_boolean.cloud",
            "select.assistant",
        )
    )


USUAL = ("off", "on", "preferred")
FALLBACK = ("on", "off", "Local")


def make_poll(hass: HomeAssistant, freezer: FrozenDateTimeFactory, entry: str) -> Poll:
    """Return what polls an account while an automation may wait."""

    async def poll() -> None:
        polled = asyncio.Event()
        stop = async_dispatcher_connect(
            hass, SIGNAL_POLLED.format(entry), callback(lambda: polled.set())
        )
        # Longer than a provider is left alone after an outage.
        freezer.tick(timedelta(hours=2))
        async_fire_time_changed(hass)
        await polled.wait()
        stop()
        await settle()

    return poll


@pytest.fixture
def poll_once(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> Poll:
    """Return what polls Telnyx while an automation may wait."""
    return make_poll(hass, freezer, "entry_telnyx")


@pytest.fixture
def poll_deepseek(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> Poll:
    """Return what polls DeepSeek while an automation may wait."""
    return make_poll(hass, freezer, "entry_deepseek")


async def test_fallback(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    poll_once: Poll,
    automate: Automate,
    house: Json,
) -> None:
    """While an account is depleted the house takes another way, and then goes back."""
    fell_back = async_capture_events(hass, "fell_back")
    went_back = async_capture_events(hass, "went_back")
    telnyx = simulator[Telnyx]
    await add_account(telnyx)
    await automate("fall_back_when_depleted", **house)
    await set_threshold(hass, TELNYX_THRESHOLD, 500)
    await poll_once()
    assert state_of(hass, "sensor.telnyx_availability") == "low"
    assert things(hass) == USUAL

    telnyx.set_balance(Decimal(-100))
    await poll_once()
    assert things(hass) == FALLBACK
    telnyx.fail(Http(503))
    await poll_once()
    telnyx.heal()
    await poll_once()
    assert things(hass) == FALLBACK
    assert (len(fell_back), len(went_back)) == (1, 0)

    # Mended while nobody could see it.
    telnyx.fail(Http(503))
    await poll_once()
    telnyx.set_balance(Decimal(300))
    await poll_once()
    assert things(hass) == FALLBACK
    telnyx.heal()
    await poll_once()
    assert things(hass) == USUAL
    assert (len(fell_back), len(went_back)) == (1, 1)

    # What a person does meanwhile stays, also through an outage.
    await hass.services.async_call(
        "input_boolean", "turn_on", {"entity_id": "input_boolean.local"}, blocking=True
    )
    telnyx.fail(Http(503))
    await poll_once()
    telnyx.heal()
    await poll_once()
    assert things(hass) == ("on", "on", "preferred")
    assert (len(fell_back), len(went_back)) == (1, 1)


async def test_fallback_with_few_inputs(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    poll_once: Poll,
    automate: Automate,
    house: Json,
) -> None:
    """An account is depleted; inputs that are not used do nothing."""
    telnyx = simulator[Telnyx]
    await add_account(telnyx)
    account, turn_on = house["account"], house["turn_on"]
    await automate("fall_back_when_depleted", account=account, turn_on=turn_on)
    telnyx.set_credit_limit(Decimal(0))
    telnyx.set_balance(Decimal(0))
    await poll_once()
    assert things(hass)[:2] == ("on", "on")
    telnyx.set_balance(Decimal(50))
    await poll_once()
    assert things(hass)[:2] == ("off", "on")


@pytest.mark.usefixtures("shown")
async def test_fallback_over_restarts(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    poll_once: Poll,
    automate: Automate,
    restart: Restart,
    house: Json,
) -> None:
    """What happens while nothing runs is made up for, and nothing else is done."""
    telnyx = simulator[Telnyx]
    entry = await add_account(telnyx)
    await automate("fall_back_when_depleted", **house)
    fell_back = async_capture_events(hass, "fell_back")
    went_back = async_capture_events(hass, "went_back")

    await restart(entry)
    assert (len(fell_back), len(went_back)) == (0, 0)

    await restart(entry, lambda: telnyx.set_balance(Decimal(-100)))
    assert things(hass) == FALLBACK
    await restart(entry)
    assert things(hass) == FALLBACK
    assert went_back == []
    telnyx.set_balance(Decimal(300))
    await poll_once()
    assert things(hass) == USUAL
    assert len(went_back) == 1

    telnyx.set_balance(Decimal(-100))
    await poll_once()
    assert things(hass) == FALLBACK
    await restart(entry, lambda: telnyx.set_balance(Decimal(300)))
    assert things(hass) == USUAL
    assert len(went_back) == 2

    count = len(fell_back)
    await restart(entry)
    await poll_once()
    assert things(hass) == USUAL
    assert (len(fell_back), len(went_back)) == (count, 2)


@pytest.mark.usefixtures("shown")
async def test_fallback_when_a_suspension_ends_unseen(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    automate: Automate,
    restart: Restart,
    freezer: FrozenDateTimeFactory,
    house: Json,
) -> None:
    """A suspension that ended while Home Assistant was stopped is made up for."""
    twilio = simulator[Twilio]
    entry = await add_account(twilio)
    # Low afterwards, which is no alert of a balance.
    await set_threshold(hass, "number.twilio_low_balance_threshold", 100_000)
    house["account"] = "sensor.twilio_availability"
    await automate("fall_back_when_depleted", **house)
    await restart(entry, lambda: twilio.set_status("suspended"))
    assert state_of(hass, "sensor.twilio_availability") == "suspended"
    assert things(hass) == FALLBACK
    await restart(entry, lambda: twilio.set_status("active"))
    assert state_of(hass, "sensor.twilio_availability") == "low"
    assert things(hass) == USUAL


@pytest.mark.usefixtures("shown")
async def test_fallback_and_outages_after_a_restart(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    poll_deepseek: Poll,
    automate: Automate,
    restart: Restart,
    house: Json,
) -> None:
    """Outages long after a fallback do nothing, even where one balance is depleted."""
    deepseek = simulator[DeepSeek]
    deepseek.add_currency("USD", Decimal(0))
    entry = await add_account(deepseek)
    house["account"] = "sensor.deepseek_availability"
    await automate("fall_back_when_depleted", **house)
    went_back = async_capture_events(hass, "went_back")
    deepseek.add_currency("CNY", Decimal(0))
    await poll_deepseek()
    assert things(hass) == FALLBACK
    deepseek.add_currency("CNY", Decimal(100))
    await poll_deepseek()
    assert (things(hass), len(went_back)) == (USUAL, 1)
    deepseek.add_currency("USD", Decimal(5))
    await poll_deepseek()
    deepseek.add_currency("USD", Decimal(0))
    await poll_deepseek()
    await restart(entry)
    for _ in range(2):
        deepseek.fail(Http(503))
        await poll_deepseek()
        deepseek.heal()
        await poll_deepseek()
    assert len(went_back) == 1


async def test_fallback_and_a_start_during_an_outage(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    poll_once: Poll,
    automate: Automate,
    restart: Restart,
    house: Json,
) -> None:
    """A provider that is down at the start is waited for."""
    telnyx = simulator[Telnyx]
    entry = await add_account(telnyx)
    await automate("fall_back_when_depleted", **house)
    telnyx.set_balance(Decimal(-100))
    await poll_once()
    assert things(hass) == FALLBACK

    def top_up_in_the_dark() -> None:
        telnyx.set_balance(Decimal(300))
        telnyx.fail(Http(503))

    await restart(entry, top_up_in_the_dark)
    assert state_of(hass, "sensor.telnyx_availability") == STATE_UNAVAILABLE
    assert things(hass) == FALLBACK
    telnyx.heal()
    await poll_once()
    await until(hass, lambda: things(hass) == USUAL)
    assert state_of(hass, "sensor.telnyx_availability") == "available"
