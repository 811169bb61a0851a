"""Actions."""

from datetime import timedelta
from decimal import Decimal
import json
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components import api_balance
from custom_components.api_balance.const import DOMAIN
from custom_components.api_balance.providers.base import SPEND_DIMENSIONS
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, EventStateChangedData, HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.service import async_get_all_descriptions
from homeassistant.setup import async_setup_component

from .conftest import AddAccount, Poll
from .simulator import Http, Simulator
from .simulator.deepgram import Deepgram
from .simulator.deepseek import DeepSeek
from .simulator.telnyx import Telnyx


@pytest.fixture
async def accounts(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount, poll: Poll
) -> dict[str, MockConfigEntry]:
    """Return accounts: one low, one with a low and a full wallet, one in order."""
    telnyx, deepseek = simulator[Telnyx], simulator[DeepSeek]
    deepseek.add_currency("USD", Decimal(20))
    entries = {
        provider.id: await add_account(provider)
        for provider in (telnyx, deepseek, simulator[Deepgram])
    }
    await hass.services.async_call(
        "number",
        "set_value",
        {"entity_id": "number.telnyx_low_balance_threshold", "value": 50},
        blocking=True,
    )
    telnyx.set_balance(Decimal("-60.00"))
    deepseek.add_currency("USD", Decimal(0))
    await poll(timedelta(minutes=12))
    return entries


async def remind(hass: HomeAssistant, **target: Any) -> dict[str, dict[str, Any]]:
    """Remind, and return what was told by whom."""
    events: list[Event[EventStateChangedData]] = async_capture_events(
        hass, EVENT_STATE_CHANGED
    )
    await hass.services.async_call(
        DOMAIN, "remind", blocking=True, target=target or None
    )
    await hass.async_block_till_done()
    told = {}
    for event in events:
        state = event.data["new_state"]
        assert state is not None
        assert state.domain == "event"
        assert state.entity_id not in told
        told[state.entity_id] = {
            key: state.attributes[key]
            for key in ("event_type", "old", "new", "threshold", "unit")
        }
    return told


TELNYX = {
    "event.telnyx_activity": {
        "event_type": "reminder",
        "old": 40.0,
        "new": 40.0,
        "threshold": 50.0,
        "unit": "USD",
    }
}
DEEPSEEK = {
    "event.deepseek_activity_usd": {
        "event_type": "reminder",
        "old": 0.0,
        "new": 0.0,
        "threshold": None,
        "unit": "USD",
    }
}


@pytest.mark.usefixtures("accounts")
async def test_remind(hass: HomeAssistant, simulator: Simulator, poll: Poll) -> None:
    """Every wallet that is still low or depleted is told again, each time."""
    assert await remind(hass) == TELNYX | DEEPSEEK
    assert await remind(hass) == TELNYX | DEEPSEEK
    simulator[Telnyx].top_up(Decimal(300))
    await poll(timedelta(minutes=12))
    assert await remind(hass) == DEEPSEEK
    simulator[DeepSeek].fail(Http(503))
    await poll(timedelta(minutes=12))
    assert await remind(hass) == {}


@pytest.mark.usefixtures("accounts")
@pytest.mark.parametrize(
    ("entity_id", "expected"),
    [
        ("event.telnyx_activity", TELNYX),
        ("binary_sensor.telnyx_low_balance", TELNYX),
        ("sensor.telnyx_balance", TELNYX),
        ("sensor.telnyx_available_credit", TELNYX),
        ("binary_sensor.deepseek_low_balance_usd", DEEPSEEK),
        ("binary_sensor.deepseek_low_balance_cny", {}),
        (
            ["event.telnyx_activity", "sensor.deepseek_balance_usd", "sun.sun"],
            TELNYX | DEEPSEEK,
        ),
    ],
)
async def test_remind_of_some(
    hass: HomeAssistant, entity_id: str | list[str], expected: dict[str, Any]
) -> None:
    """A target says of which wallets."""
    assert await remind(hass, entity_id=entity_id) == expected


async def test_remind_of_a_device(
    hass: HomeAssistant,
    accounts: dict[str, MockConfigEntry],
    device_registry: dr.DeviceRegistry,
) -> None:
    """A device is as good as its wallets."""
    (device,) = dr.async_entries_for_config_entry(
        device_registry, accounts["telnyx"].entry_id
    )
    assert await remind(hass, device_id=device.id) == TELNYX


async def test_remind_of_an_account_that_is_not_loaded(
    hass: HomeAssistant,
    accounts: dict[str, MockConfigEntry],
) -> None:
    """An account that is not loaded is passed over, unless it is asked for."""
    await hass.config_entries.async_unload(accounts["telnyx"].entry_id)
    assert await remind(hass) == DEEPSEEK
    with pytest.raises(ServiceValidationError) as raised:
        await remind(hass, entity_id=["event.telnyx_activity"])
    assert raised.value.translation_key == "account_not_loaded"
    assert str(raised.value) == (
        "Telnyx is not set up at the moment. Its page in API Balance says why"
    )


async def test_remind_beside_an_account_that_is_not_loaded(
    hass: HomeAssistant, accounts: dict[str, MockConfigEntry]
) -> None:
    """An account that is not loaded silences no other one of the target."""
    await hass.config_entries.async_unload(accounts["telnyx"].entry_id)
    events = async_capture_events(hass, EVENT_STATE_CHANGED)
    with pytest.raises(ServiceValidationError) as raised:
        await remind(
            hass,
            entity_id=[
                "event.telnyx_activity",
                "binary_sensor.deepseek_low_balance_usd",
            ],
        )
    assert raised.value.translation_key == "account_not_loaded"
    assert [event.data["entity_id"] for event in events] == list(DEEPSEEK)


@pytest.mark.usefixtures("accounts")
@pytest.mark.parametrize(
    "target",
    [
        {"entity_id": ["sensor.telnyx_availability", "sun.sun"]},
        {"label_id": "nothing"},
    ],
)
async def test_remind_of_nothing(hass: HomeAssistant, target: dict[str, Any]) -> None:
    """A target without a wallet is a mistake."""
    with pytest.raises(ServiceValidationError) as raised:
        await remind(hass, **target)
    assert raised.value.translation_key == "no_wallet"
    assert str(raised.value).startswith("The target has no balance of API Balance. ")


async def test_remind_without_an_account(hass: HomeAssistant) -> None:
    """The action is there before any account is."""
    assert await async_setup_component(hass, DOMAIN, {})
    assert await remind(hass) == {}


async def test_descriptions(hass: HomeAssistant) -> None:
    """The editor knows the actions, their fields, and what to call them."""
    assert await async_setup_component(hass, DOMAIN, {})
    descriptions = (await async_get_all_descriptions(hass))[DOMAIN]
    folder = Path(api_balance.__path__[0])
    icons = json.loads((folder / "icons.json").read_text())["services"]
    texts = json.loads((folder / "translations/en.json").read_text())["services"]
    assert icons.keys() == texts.keys() == descriptions.keys()
    assert texts.keys() == hass.services.async_services_for_domain(DOMAIN).keys()
    for action, text in texts.items():
        fields = dict(descriptions[action]["fields"])
        sections = {key: fields.pop(key) for key in text.get("sections", ())}
        for section in sections.values():
            fields |= section["fields"]
        assert icons[action].get("sections", {}).keys() == sections.keys()
        assert text.get("fields", {}).keys() == fields.keys()
        for named in (text, *text.get("fields", {}).values()):
            assert {"name", "description"} <= named.keys()


async def test_targets(hass: HomeAssistant) -> None:
    """The reminder is for what the integration has, the questions for its accounts."""
    assert await async_setup_component(hass, DOMAIN, {})
    descriptions = (await async_get_all_descriptions(hass))[DOMAIN]
    targets = descriptions["remind"]["target"]["entity"]
    assert {target["integration"] for target in targets} == {DOMAIN}
    for action in descriptions.keys() - {"remind"}:
        if action.startswith("get_"):
            assert descriptions[action]["response"] == {"optional": False}
        account = descriptions[action]["fields"]["account"]
        assert account["required"] is True
        assert account["selector"] == {"config_entry": {"integration": DOMAIN}}


async def test_groups(hass: HomeAssistant) -> None:
    """What can be grouped by is what the actions know, and has a name."""
    assert await async_setup_component(hass, DOMAIN, {})
    fields = (await async_get_all_descriptions(hass))[DOMAIN]["get_spend"]["fields"]
    folder = Path(api_balance.__path__[0])
    texts = json.loads((folder / "translations/en.json").read_text())
    selector = fields["group_by"]["selector"]["select"]
    assert tuple(selector["options"]) == SPEND_DIMENSIONS
    assert tuple(fields["filters"]["fields"]) == SPEND_DIMENSIONS
    options = texts["selector"][selector["translation_key"]]["options"]
    assert options.keys() == set(SPEND_DIMENSIONS)
