"""Conditions: each is true exactly while it should be."""

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
from custom_components.api_balance.condition import CONDITIONS
from custom_components.api_balance.const import DOMAIN
from homeassistant.const import STATE_ON
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er, label_registry as lr
from homeassistant.helpers.condition import async_get_all_descriptions
from homeassistant.setup import async_setup_component

from .conftest import AddAccount, Poll, state_of
from .past import remember
from .simulator import Http, Simulator
from .simulator.deepseek import DeepSeek
from .simulator.telnyx import Telnyx

ENTITIES = {
    "is_low": "binary_sensor.telnyx_low_balance",
    "is_depleted": "binary_sensor.telnyx_low_balance",
    "is_over_budget": "binary_sensor.telnyx_over_budget",
    "balance": "sensor.telnyx_balance",
    "time_left": "sensor.telnyx_time_left",
}


SOON = timedelta(minutes=12)


def options_of(condition: str) -> dict[str, Any]:
    """Return the options that a condition cannot do without."""
    values: dict[str, dict[str, Any]] = {
        "balance": {"number": 50.01},
        "time_left": {"number": 72, "unit_of_measurement": "h"},
    }
    if condition not in values:
        return {}
    return {"threshold": {"type": "below", "value": values[condition]}}


async def ask(
    hass: HomeAssistant, condition: str, target: dict[str, Any], **options: Any
) -> None:
    """Add an automation that asks when it is asked."""
    config: dict[str, Any] = {"condition": f"{DOMAIN}.{condition}", "target": target}
    if options := options_of(condition) | options:
        config["options"] = options
    automation = {
        "alias": "Ask",
        "triggers": {"trigger": "event", "event_type": "ask"},
        "conditions": config,
        "actions": {"event": "yes"},
    }
    assert await async_setup_component(hass, "automation", {"automation": automation})
    await hass.async_block_till_done()
    assert state_of(hass, "automation.ask") == STATE_ON


async def answer(hass: HomeAssistant) -> bool:
    """Return whether the condition is true."""
    yes = async_capture_events(hass, "yes")
    hass.bus.async_fire("ask")
    await hass.async_block_till_done()
    return bool(yes)


async def set_threshold(hass: HomeAssistant, entity_id: str, value: float) -> None:
    """Say what is low."""
    await hass.services.async_call(
        "number", "set_value", {"entity_id": entity_id, "value": value}, blocking=True
    )


@pytest.fixture
async def telnyx(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount, poll: Poll
) -> Telnyx:
    """Return an account with 300 dollars, a threshold of 50 and a budget of 250."""
    telnyx = simulator[Telnyx]
    telnyx.set_credit_limit(Decimal(0))
    await add_account(telnyx)
    await set_threshold(hass, "number.telnyx_low_balance_threshold", 50)
    await set_threshold(hass, "number.telnyx_monthly_budget", 250)
    await poll(SOON)
    return telnyx


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("is_low", [False, True, True, False]),
        ("is_depleted", [False, False, True, False]),
        # A top-up does not undo what was spent.
        ("is_over_budget", [False, True, True, True]),
        ("balance", [False, True, True, False]),
    ],
)
@pytest.mark.parametrize("behavior", ["any", "all"])
async def test_condition(
    hass: HomeAssistant,
    telnyx: Telnyx,
    poll: Poll,
    condition: str,
    behavior: str,
    expected: list[bool],
) -> None:
    """A condition is true while it should be, and not while nothing is known."""
    entity_id = ENTITIES[condition]
    await ask(hass, condition, {"entity_id": entity_id}, behavior=behavior)
    answers = []
    for amount in (300, 40, 0, 300):
        telnyx.set_balance(Decimal(amount))
        await poll(SOON)
        answers.append(await answer(hass))
    assert answers == expected

    telnyx.set_balance(Decimal(0))
    await poll(SOON)
    assert await answer(hass)
    telnyx.fail(Http(503))
    await poll(SOON)
    assert not await answer(hass)


async def test_time_left(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    simulator: Simulator,
    add_account: AddAccount,
    poll: Poll,
) -> None:
    """The time that is left is asked for in any unit of time."""
    telnyx = simulator[Telnyx]
    telnyx.set_balance(Decimal(0))
    telnyx.set_credit_limit(Decimal(300))
    remember(hass_storage, telnyx.id)
    await add_account(telnyx)
    await ask(hass, "time_left", {"entity_id": ENTITIES["time_left"]})
    answers = []
    for amount in (300, 40, 0, 300):
        # Another credit line is another time that is left, and no spending.
        telnyx.set_credit_limit(Decimal(amount))
        await poll(SOON)
        answers.append(await answer(hass))
    assert answers == [False, True, True, False]
    telnyx.fail(Http(503))
    await poll(SOON)
    assert not await answer(hass)


@pytest.mark.parametrize("condition", CONDITIONS)
async def test_behavior(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    simulator: Simulator,
    add_account: AddAccount,
    poll: Poll,
    condition: str,
) -> None:
    """Of several wallets it is any or all that count."""
    deepseek = simulator[DeepSeek]
    deepseek.add_currency("USD", Decimal(200))
    remember(hass_storage, deepseek.id, left=Decimal(200))
    await add_account(deepseek)
    for currency in ("cny", "usd"):
        await set_threshold(hass, f"number.deepseek_monthly_budget_{currency}", 700)
    entity_id = ENTITIES[condition].replace("telnyx", "deepseek")
    target = {"entity_id": [f"{entity_id}_cny", f"{entity_id}_usd"]}
    await ask(hass, condition, target, behavior="all")
    deepseek.add_currency("CNY", Decimal(0))
    await poll(SOON)
    assert not await answer(hass)
    deepseek.add_currency("USD", Decimal(0))
    await poll(SOON)
    assert await answer(hass)


@pytest.mark.parametrize("condition", CONDITIONS)
async def test_for(
    hass: HomeAssistant, telnyx: Telnyx, poll: Poll, condition: str
) -> None:
    """A condition may ask that it has been so for a while."""
    target = {"entity_id": ENTITIES[condition]}
    await ask(hass, condition, target, **{"for": {"hours": 1}})
    telnyx.set_balance(Decimal(0))
    await poll(SOON)
    assert not await answer(hass)
    telnyx.set_balance(Decimal(-1))
    await poll(timedelta(minutes=61))
    assert await answer(hass)


@pytest.mark.parametrize("condition", CONDITIONS)
async def test_target(
    hass: HomeAssistant,
    telnyx: Telnyx,
    poll: Poll,
    entity_registry: er.EntityRegistry,
    label_registry: lr.LabelRegistry,
    condition: str,
) -> None:
    """Whatever is targeted, only the entities that show a wallet count."""
    label = label_registry.async_create("Money").label_id
    other = MockConfigEntry(domain="other")
    other.add_to_hass(hass)
    for domain, platform, key in (
        ("binary_sensor", "other", "low_balance"),
        ("sensor", "other", "balance"),
        ("sensor", "other", "time_left"),
        ("binary_sensor", DOMAIN, "other"),
        ("sensor", DOMAIN, "other"),
    ):
        foreign = entity_registry.async_get_or_create(
            domain, platform, f"entry_telnyx_usd_{key}", config_entry=other
        ).entity_id
        entity_registry.async_update_entity(foreign, labels={label})
        hass.states.async_set(
            foreign,
            {"binary_sensor": STATE_ON, "sensor": "1"}[domain],
            {
                "device_class": "problem",
                "level": "depleted",
                "unit_of_measurement": "d",
            },
        )
    entity_registry.async_update_entity(ENTITIES[condition], labels={label})
    await ask(hass, condition, {"label_id": label})
    assert not await answer(hass)
    telnyx.set_balance(Decimal(0))
    await poll(SOON)
    assert await answer(hass)


@pytest.mark.parametrize("condition", CONDITIONS)
async def test_description(hass: HomeAssistant, telnyx: Telnyx, condition: str) -> None:
    """The editor knows a condition's target and fields, and what to call them."""
    await ask(hass, condition, {"entity_id": ENTITIES[condition]})
    descriptions = await async_get_all_descriptions(hass)
    description = descriptions[f"{DOMAIN}.{condition}"]
    assert description is not None
    for target in description["target"]["entity"]:
        assert target["integration"] == DOMAIN
        assert target["domain"] == [ENTITIES[condition].partition(".")[0]]
    folder = Path(api_balance.__path__[0])
    icons = json.loads((folder / "icons.json").read_text())["conditions"]
    texts = json.loads((folder / "translations/en.json").read_text())["conditions"]
    assert icons.keys() == texts.keys() == CONDITIONS.keys()
    assert {"name", "description"} <= texts[condition].keys()
    assert description["fields"].keys() == texts[condition]["fields"].keys()
    assert description["fields"].keys() == {
        "behavior",
        "for",
        *options_of(condition),
    }
