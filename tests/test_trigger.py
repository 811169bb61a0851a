"""Triggers: each fires exactly when it should, whatever happens in between."""

from collections.abc import Awaitable, Callable
from copy import deepcopy
from dataclasses import dataclass, field
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
from custom_components.api_balance.trigger import TRIGGERS
from homeassistant.const import (
    CONF_PLATFORM,
    EVENT_HOMEASSISTANT_FINAL_WRITE,
    EVENT_HOMEASSISTANT_STARTED,
    STATE_OFF,
    STATE_ON,
)
from homeassistant.core import CoreState, Event, HomeAssistant
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    label_registry as lr,
)
from homeassistant.helpers.trigger import (
    async_get_all_descriptions,
    async_validate_trigger_config,
)
from homeassistant.setup import async_setup_component

from .conftest import AddAccount, Poll, first_poll, state_of
from .past import remember
from .simulator import Http, SimulatedProvider, Simulator
from .simulator.deepgram import Deepgram
from .simulator.deepseek import DeepSeek
from .simulator.elevenlabs import ElevenLabs
from .simulator.telnyx import Telnyx

LOW = "binary_sensor.telnyx_low_balance"
ACTIVITY = "event.telnyx_activity"
OVER_BUDGET = "binary_sensor.telnyx_over_budget"
BUDGET_ACTIVITY = "event.telnyx_budget_activity"
BALANCE = "sensor.telnyx_balance"
AVAILABLE = "sensor.telnyx_available_credit"
TIME_LEFT = "sensor.telnyx_time_left"

ENTITIES = {
    "became_low": LOW,
    "no_longer_low": LOW,
    "became_depleted": LOW,
    "reminder": LOW,
    "topped_up": ACTIVITY,
    "spend_jumped": ACTIVITY,
    "over_budget": OVER_BUDGET,
    "budget_at_risk": BUDGET_ACTIVITY,
    "balance_crossed_threshold": BALANCE,
    "time_left_crossed_threshold": TIME_LEFT,
}
# 606.25 were spent this month, and the forecast is about 890.
BUDGETS = {"over_budget": 700, "budget_at_risk": 1000}
SOON = timedelta(minutes=12)


def below(number: float) -> dict[str, Any]:
    """Return the options of a balance that falls below a number."""
    return {"threshold": {"type": "below", "value": {"number": number}}}


def less_than(number: float, unit: str) -> dict[str, Any]:
    """Return the options of a time that falls below a number of units."""
    value = {"number": number, "unit_of_measurement": unit}
    return {"threshold": {"type": "below", "value": value}}


def options_of(trigger: str) -> dict[str, Any]:
    """Return the options that a trigger cannot do without."""
    match trigger:
        case "balance_crossed_threshold":
            return below(50.01)
        case "time_left_crossed_threshold":
            return less_than(3, "d")
        case _:
            return {}


@dataclass
class Home:
    """A home with an account and one automation."""

    hass: HomeAssistant
    storage: dict[str, Any]
    poll: Poll
    provider: SimulatedProvider
    entry: MockConfigEntry
    fired: list[str] = field(default_factory=list)

    async def automate(
        self, trigger: str, target: dict[str, Any], options: dict[str, Any]
    ) -> None:
        """Add the automation."""
        config: dict[str, Any] = {"trigger": f"{DOMAIN}.{trigger}", "target": target}
        if options:
            config["options"] = options
        automation = {
            "alias": "Watch",
            "triggers": config,
            "actions": {
                "event": "fired",
                "event_data": {"entity_id": "{{ trigger.entity_id }}"},
            },
            "mode": "queued",
        }
        assert await async_setup_component(
            self.hass, "automation", {"automation": automation}
        )
        await self.hass.async_block_till_done()
        assert state_of(self.hass, "automation.watch") == STATE_ON

    async def set_budget(self, amount: float) -> None:
        """Set the budget of the account, as a person does."""
        await self.hass.services.async_call(
            "number",
            "set_value",
            {"entity_id": "number.telnyx_monthly_budget", "value": amount},
            blocking=True,
        )
        await self.hass.async_block_till_done()

    async def turn(self, state: str) -> None:
        """Turn the automation on or off; turned on it begins anew."""
        await self.hass.services.async_call(
            "automation",
            f"turn_{state}",
            {"entity_id": "automation.watch"},
            blocking=True,
        )

    async def pass_time(self, minutes: float = 12) -> None:
        """Let time pass, by default until the account was polled once more."""
        await self.poll(timedelta(minutes=minutes))

    async def restart(self, change: Callable[[], object], *, kill: bool) -> None:
        """Stop Home Assistant and start it, in the order of a start."""
        await self.turn("off")
        if not kill:
            self.hass.set_state(CoreState.final_write)
            self.hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
            await self.hass.async_block_till_done()
            self.hass.set_state(CoreState.running)
        # Home Assistant does not unload when it stops: what that writes does not count.
        on_disk = deepcopy(self.storage)
        await self.hass.config_entries.async_unload(self.entry.entry_id)
        self.storage.update(on_disk)
        entities = er.async_entries_for_config_entry(
            er.async_get(self.hass), self.entry.entry_id
        )
        for entity in entities:
            self.hass.states.async_remove(entity.entity_id)
        change()
        self.hass.set_state(CoreState.not_running)
        await self.hass.config_entries.async_setup(self.entry.entry_id)
        await first_poll(self.hass)
        self.hass.set_state(CoreState.starting)
        await self.turn("on")
        self.hass.set_state(CoreState.running)
        self.hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
        await self.hass.async_block_till_done()

    async def take(self, step: str, set_to: Callable[[str], object]) -> None:
        """Let something happen.

        An amount is polled. `x` is an outage, `reload` that of the automations.
        `again:`, `stop:` and `kill:` are a reload of the account, a restart and a power
        cut, each with the amount that is found afterwards.
        """
        match step.partition(":"):
            case "x", _, _:
                self.provider.fail(Http(503))
                await self.pass_time()
            case "reload", _, _:
                await self.turn("off")
                await self.turn("on")
            case "again", _, amount:
                self.provider.heal()
                await self.hass.config_entries.async_unload(self.entry.entry_id)
                set_to(amount)
                await self.hass.config_entries.async_setup(self.entry.entry_id)
            case ("stop" | "kill") as how, _, amount:
                self.provider.heal()
                await self.restart(lambda: set_to(amount), kill=how == "kill")
            case amount, _, _:
                self.provider.heal()
                set_to(amount)
                await self.pass_time()
        await self.hass.async_block_till_done(wait_background_tasks=True)

    async def go(self, steps: str, set_to: Callable[[str], object]) -> str:
        """Take steps, and return them with a mark for each time it fired."""
        taken = []
        for step in steps.replace("!", "").split():
            self.fired.clear()
            await self.take(step, set_to)
            taken.append(step + "!" * len(self.fired))
        return " ".join(taken)


type MakeHome = Callable[..., Awaitable[Home]]


@pytest.fixture
def make_home(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    simulator: Simulator,
    add_account: AddAccount,
    poll: Poll,
) -> MakeHome:
    """Return what makes a home."""

    async def make(provider: SimulatedProvider, **thresholds: float) -> Home:
        remember(hass_storage, provider.id)
        home = Home(hass, hass_storage, poll, provider, await add_account(provider))

        async def fired(event: Event) -> None:
            home.fired.append(event.data["entity_id"])

        hass.bus.async_listen("fired", fired)
        for entity_id, value in thresholds.items():
            await hass.services.async_call(
                "number",
                "set_value",
                {"entity_id": f"number.{entity_id}", "value": value},
                blocking=True,
            )
        return home

    return make


@pytest.fixture
async def telnyx(simulator: Simulator) -> Telnyx:
    """Return an account with 300 dollars and no credit line."""
    telnyx = simulator[Telnyx]
    telnyx.set_credit_limit(Decimal(0))
    return telnyx


@pytest.fixture
async def home(telnyx: Telnyx, make_home: MakeHome) -> Home:
    """Return a home with that account, which is low from 50 dollars on."""
    return await make_home(telnyx, telnyx_low_balance_threshold=50)


@pytest.mark.parametrize(
    ("trigger", "options", "steps"),
    [
        ("became_low", {}, "40! 30 0 -5 300 x 40! x 30 x 300 52 49! 51 54 300 0!"),
        ("became_low", {}, "x 40! x reload 30 stop:30 stop:20 stop:300 stop:40!"),
        ("became_low", {}, "kill:40! kill:30 again:30 again:300 again:20! kill:20"),
        (
            "became_low",
            {},
            "40! reload x reload 30 300 reload 40! x stop:300 x stop:9!",
        ),
        ("no_longer_low", {}, "300 40 300! 0 300! x 40 x 300! 40 reload 300! reload"),
        ("no_longer_low", {}, "40 stop:300! 40 kill:300! kill:300 40 again:300! 310"),
        ("became_depleted", {}, "40 0! -1 x -1 40 0! 300 x 0! 300 40 reload 0! reload"),
        (
            "became_depleted",
            {},
            "stop:0! stop:0 40 kill:0! kill:0 300 again:0! again:0",
        ),
        (
            "topped_up",
            {},
            "290 320! x 400! 400.01 399 reload stop:500! stop:500 reload",
        ),
        ("topped_up", {}, "kill:400! kill:400 again:500! x stop:500 x again:600! 700!"),
        (
            "balance_crossed_threshold",
            below(100),
            "90! 80 101 x 90! x 80 x 200 99! 200 x x 99 99! 200 reload 90! reload 80 200",
        ),
        (
            "balance_crossed_threshold",
            below(100),
            "stop:150 stop:90! stop:80 stop:200 90! stop:80 150 x stop:90! 80 x stop:200",
        ),
        (
            "balance_crossed_threshold",
            below(100),
            "kill:90! kill:80 kill:200 kill:90! 200 kill:90! 120 kill:80! kill:80",
        ),
        (
            "balance_crossed_threshold",
            below(100),
            "again:200 again:90! again:80 x again:70 x again:200 x again:90! x reload 80",
        ),
        (
            "balance_crossed_threshold",
            below(100),
            "200 x reload 90! 200 x reload 150 90! x reload x reload 200 reload",
        ),
        (
            "balance_crossed_threshold",
            {"threshold": {"type": "above", "value": {"entity": "input_number.limit"}}},
            "90 110! x 120 90 x 101! 90 stop:150! kill:150 kill:90 kill:150! 99 kill:150!",
        ),
        (
            "balance_crossed_threshold",
            {
                "threshold": {
                    "type": "between",
                    "value_min": {"number": 50},
                    "value_max": {"number": 100},
                }
            },
            "200 99! 51 49 x 60! x 200 stop:60! x stop:20 kill:60! again:70 again:300",
        ),
    ],
)
async def test_sequence(
    hass: HomeAssistant,
    home: Home,
    telnyx: Telnyx,
    trigger: str,
    options: dict[str, Any],
    steps: str,
) -> None:
    """A trigger fires once for what happens, however that comes to light."""
    hass.states.async_set("input_number.limit", "100")
    await home.automate(trigger, {"entity_id": ENTITIES[trigger]}, options)
    assert await home.go(steps, lambda to: telnyx.set_balance(Decimal(to))) == steps


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        (less_than(3, "d"), "60! 50 x 40 x 400 60! 400 reload 60! reload 400 x 60!"),
        (less_than(72, "h"), "stop:400 stop:60! stop:50 kill:400 kill:60! kill:50"),
        (less_than(0.5, "w"), "again:400 again:60! again:50 x stop:400 x again:60!"),
    ],
)
async def test_time_left(
    make_home: MakeHome, telnyx: Telnyx, options: dict[str, Any], steps: str
) -> None:
    """The time that is left is watched as a balance is, in any unit of time."""
    telnyx.set_balance(Decimal(0))
    telnyx.set_credit_limit(Decimal(300))
    home = await make_home(telnyx)
    await home.automate(
        "time_left_crossed_threshold", {"entity_id": TIME_LEFT}, options
    )

    def set_to(amount: str) -> None:
        # Another credit line is another time that is left, and no spending.
        telnyx.set_credit_limit(Decimal(amount))

    assert await home.go(steps, set_to) == steps


async def test_spend_jumped(home: Home, telnyx: Telnyx) -> None:
    """A jump is told once, however long it lasts, and again when it comes back."""
    await home.automate("spend_jumped", {"entity_id": ACTIVITY}, {})

    def set_to(amount: str) -> None:
        telnyx.set_balance(Decimal(amount))

    assert await home.go(steps := "299 280! 260 x 240 stop:230 kill:210", set_to) == (
        steps
    )
    for _ in range(72):
        await home.pass_time(30)
    assert await home.go(steps := "209 180! 160", set_to) == steps


async def test_available_credit(
    make_home: MakeHome, simulator: Simulator, hass: HomeAssistant
) -> None:
    """A balance and the credit that is available are watched each on its own."""
    telnyx = simulator[Telnyx]
    telnyx.set_credit_limit(Decimal(100))
    home = await make_home(telnyx)
    await home.automate(
        "balance_crossed_threshold", {"entity_id": [BALANCE, AVAILABLE]}, below(50)
    )
    for how in ("", "stop:", "kill:", "again:", "x "):
        fired: list[list[str]] = []
        for amount in (300, 20, 10, -60, 300):
            home.fired.clear()
            for step in f"{how}{amount}".split():
                await home.take(step, lambda to: telnyx.set_balance(Decimal(to)))
            fired.append(list(home.fired))
        assert fired == [[], [BALANCE], [], [AVAILABLE], []]


@pytest.mark.parametrize(
    ("behavior", "steps"),
    [
        (
            "each",
            "90/200! 90/90! 80/80 200/200 x 90/90!! 200/200 x 200/90! stop:200/200 "
            "stop:90/90!! stop:200/80 again:90/90! again:200/200 again:90/90!! kill:9/9",
        ),
        (
            "first",
            "90/200! 90/90 80/80 200/200 x 90/90! 200/200 x 200/90! stop:200/200 "
            "stop:90/90! stop:200/80 again:90/90 again:200/200 again:90/90! kill:9/9",
        ),
        (
            "all",
            "90/200 90/90! 80/80 200/200 x 90/90! 200/200 x 200/90 stop:200/200 "
            "stop:90/90! stop:200/80 again:90/90! again:200/200 again:90/90! kill:9/9",
        ),
    ],
)
@pytest.mark.parametrize("trigger", ["became_low", "balance_crossed_threshold"])
async def test_behavior(
    make_home: MakeHome, simulator: Simulator, trigger: str, behavior: str, steps: str
) -> None:
    """Of several wallets it is each, the first or all that count."""
    deepseek = simulator[DeepSeek]

    def set_to(amounts: str) -> None:
        for currency, amount in zip(("CNY", "USD"), amounts.split("/"), strict=True):
            deepseek.add_currency(currency, Decimal(amount))

    set_to("200/200")
    home = await make_home(
        deepseek,
        deepseek_low_balance_threshold_cny=100,
        deepseek_low_balance_threshold_usd=100,
    )
    options = below(100) if trigger == "balance_crossed_threshold" else {}
    target = {
        "entity_id": [
            f"{ENTITIES[trigger].replace('telnyx', 'deepseek')}_{currency}"
            for currency in ("cny", "usd")
        ]
    }
    await home.automate(trigger, target, {**options, "behavior": behavior})
    assert await home.go(steps, set_to) == steps


async def test_wallet_that_was_missing(
    make_home: MakeHome, simulator: Simulator
) -> None:
    """A wallet that was left out for a while is compared with what it was before."""
    deepseek = simulator[DeepSeek]
    deepseek.add_currency("USD", Decimal(200))
    home = await make_home(deepseek)
    await home.automate(
        "balance_crossed_threshold",
        {"entity_id": "sensor.deepseek_balance_usd"},
        below(100),
    )
    for amount, expected in ((150, 0), (90, 1), (80, 0)):
        home.fired.clear()
        deepseek.remove_currency("USD")
        await home.pass_time()
        await home.pass_time()
        deepseek.add_currency("USD", Decimal(amount))
        await home.pass_time()
        assert len(home.fired) == expected


@pytest.mark.parametrize("trigger", ["became_low", "balance_crossed_threshold"])
@pytest.mark.parametrize("how", ["", "x ", "stop:", "again:"])
async def test_for(home: Home, telnyx: Telnyx, trigger: str, how: str) -> None:
    """A wait begins with the change, ends with recovery, and acts on what is known."""
    entity_id = ENTITIES[trigger]
    await home.automate(
        trigger,
        {"entity_id": entity_id},
        {**options_of(trigger), "for": {"minutes": 30}},
    )

    def set_to(amount: str) -> None:
        telnyx.set_balance(Decimal(amount))

    await home.go(f"{how}40", set_to)
    await home.go("30 20", set_to)
    assert home.fired == []
    await home.pass_time(7)
    assert home.fired == [entity_id]

    steps = f"10 300 {how}40 300 200 200 200"
    assert await home.go(steps, set_to) == steps

    # The wait ends during an outage, and acts when the amount is known again.
    await home.go("40 x", set_to)
    await home.pass_time(12)
    await home.pass_time(12)
    assert home.fired == []
    telnyx.heal()
    await home.pass_time(30)
    await home.pass_time(2)
    assert home.fired == [entity_id]


@pytest.mark.parametrize("trigger", ["became_low", "balance_crossed_threshold"])
async def test_wait_without_an_object(
    hass: HomeAssistant,
    home: Home,
    telnyx: Telnyx,
    label_registry: lr.LabelRegistry,
    entity_registry: er.EntityRegistry,
    trigger: str,
) -> None:
    """A wait ends when its gauge is no longer targeted, or the automation is off."""
    label = label_registry.async_create("Money").label_id
    entity_id = ENTITIES[trigger]
    entity_registry.async_update_entity(entity_id, labels={label})
    options = {**options_of(trigger), "for": {"minutes": 5}}
    await home.automate(trigger, {"label_id": label}, options)

    def set_to(amount: str) -> None:
        telnyx.set_balance(Decimal(amount))

    await home.go("40", set_to)
    entity_registry.async_update_entity(entity_id, labels=set())
    await home.pass_time(6)
    assert home.fired == []

    entity_registry.async_update_entity(entity_id, labels={label})
    await home.go("300 40", set_to)
    await home.turn(STATE_OFF)
    await home.pass_time(6)
    assert home.fired == []

    # While the account is not loaded, nothing is known of it.
    await home.turn(STATE_ON)
    await home.go("300 40", set_to)
    await hass.config_entries.async_unload(home.entry.entry_id)
    await home.pass_time(6)
    assert home.fired == []
    await home.turn(STATE_OFF)


async def test_quota_reset(
    hass: HomeAssistant, simulator: Simulator, make_home: MakeHome
) -> None:
    """A quota that was low or depleted is available again after its reset, once."""
    elevenlabs = simulator[ElevenLabs]
    elevenlabs.extension = Decimal(0)
    home = await make_home(elevenlabs)
    (device,) = dr.async_entries_for_config_entry(
        dr.async_get(hass), home.entry.entry_id
    )
    await home.automate("quota_reset", {"device_id": device.id}, {})
    for used, expected in ((0, 0), (100_000, 0), (0, 1), (50, 0), (0, 0)):
        home.fired.clear()
        elevenlabs.used = Decimal(used)
        await home.pass_time(70)
        assert len(home.fired) == expected


@pytest.mark.parametrize("trigger", ENTITIES)
@pytest.mark.parametrize("target", ["entity_id", "device_id", "area_id", "label_id"])
async def test_target(
    hass: HomeAssistant,
    home: Home,
    telnyx: Telnyx,
    area_registry: ar.AreaRegistry,
    device_registry: dr.DeviceRegistry,
    entity_registry: er.EntityRegistry,
    label_registry: lr.LabelRegistry,
    trigger: str,
    target: str,
) -> None:
    """Whatever is targeted, only the entities that show a wallet count."""
    await home.set_budget(BUDGETS.get(trigger, 0))
    area = area_registry.async_create("Study").id
    label = label_registry.async_create("Money").label_id
    (device,) = dr.async_entries_for_config_entry(device_registry, home.entry.entry_id)
    other = MockConfigEntry(domain="other")
    other.add_to_hass(hass)
    foreign = [
        *(
            entity_registry.async_get_or_create(
                domain,
                "other",
                f"{home.entry.entry_id}_usd_{key}",
                config_entry=other,
                device_id=device.id,
            ).entity_id
            for domain, key in (
                ("binary_sensor", "low_balance"),
                ("event", "activity"),
                ("sensor", "balance"),
                ("sensor", "time_left"),
            )
        ),
        # Ours, but not of a wallet, or of no account any more.
        *(
            entity_registry.async_get_or_create(
                domain, DOMAIN, f"{home.entry.entry_id}_usd_other", device_id=device.id
            ).entity_id
            for domain in ("binary_sensor", "event", "sensor")
        ),
        *(
            entity_registry.async_get_or_create(
                domain, DOMAIN, f"gone_usd_{key}", device_id=device.id
            ).entity_id
            for domain, key in (
                ("binary_sensor", "low_balance"),
                ("event", "activity"),
                ("sensor", "balance"),
            )
        ),
        "binary_sensor.unregistered",
        "event.unregistered",
        "sensor.unregistered",
    ]
    device_registry.async_update_device(device.id, area_id=area, labels={label})
    targets: dict[str, Any] = {
        "entity_id": [ENTITIES[trigger], *foreign],
        "device_id": device.id,
        "area_id": area,
        "label_id": label,
    }
    await home.automate(trigger, {target: targets[target]}, options_of(trigger))

    def show(amount: int, level: str) -> None:
        for entity_id in foreign:
            states = {
                "binary_sensor": STATE_OFF if level == "ok" else STATE_ON,
                "event": f"2026-11-21T12:00:00.{amount:03}+00:00",
                "sensor": str(amount),
            }
            hass.states.async_set(
                entity_id,
                states[entity_id.partition(".")[0]],
                {
                    "device_class": "problem",
                    "level": level,
                    "event_type": trigger,
                    "unit_of_measurement": "d",
                },
            )

    for amount, level in ((300, "ok"), (40, "low"), (0, "depleted"), (300, "ok")):
        show(amount, level)
        await hass.async_block_till_done()
    assert home.fired == []
    for amount in (40, 0, 300):
        telnyx.set_balance(Decimal(amount))
        await home.pass_time()
        if trigger == "reminder" and amount == 0:
            await hass.services.async_call(DOMAIN, "remind", blocking=True)
    # A device has two sensors of the wallet: its balance and its available credit.
    expected = {ENTITIES[trigger]}
    if trigger == "balance_crossed_threshold" and target != "entity_id":
        expected.add(AVAILABLE)
    assert sorted(home.fired) == sorted(expected)


@pytest.mark.parametrize("target", [{}, {"entity_id": [], "label_id": []}])
async def test_every_account(
    simulator: Simulator,
    add_account: AddAccount,
    home: Home,
    telnyx: Telnyx,
    target: dict[str, Any],
) -> None:
    """Without a target every account is watched, also one that is added later."""
    await home.automate("became_low", target, {})
    deepseek = simulator[DeepSeek]
    await add_account(deepseek)
    telnyx.set_balance(Decimal(40))
    deepseek.add_currency("CNY", Decimal(0))
    await home.pass_time()
    low = "binary_sensor.deepseek_low_balance_cny"
    assert sorted(home.fired) == sorted([LOW, low])


async def test_variables(hass: HomeAssistant, home: Home, telnyx: Telnyx) -> None:
    """An automation gets what happened: amounts, level and threshold."""
    values = {
        name: f"{{{{ trigger.{name} }}}}"
        for name in ("activity", "before", "after", "level", "unit", "threshold")
    }
    assert await async_setup_component(
        hass,
        "automation",
        {
            "automation": {
                "triggers": {
                    "trigger": f"{DOMAIN}.became_low",
                    "target": {"entity_id": LOW},
                },
                "actions": {"event": "happened", "event_data": values},
            }
        },
    )
    await hass.async_block_till_done()
    happened = async_capture_events(hass, "happened")
    telnyx.set_balance(Decimal(40))
    await home.pass_time()
    assert [event.data for event in happened] == [
        {
            "activity": "became_low",
            "before": 300,
            "after": 40,
            "level": "low",
            "unit": "USD",
            "threshold": 50,
        }
    ]


async def test_wait_for_all(
    hass: HomeAssistant, make_home: MakeHome, simulator: Simulator
) -> None:
    """A wait for all ends when one of them recovers."""
    deepseek = simulator[DeepSeek]
    for currency in ("CNY", "USD"):
        deepseek.add_currency(currency, Decimal(200))
    home = await make_home(deepseek)
    target = {
        "entity_id": [f"binary_sensor.deepseek_low_balance_{x}" for x in ("cny", "usd")]
    }
    options = {"behavior": "all", "for": {"minutes": 30}}
    await home.automate("became_depleted", target, options)

    def set_to(amounts: str) -> None:
        for currency, amount in zip(("CNY", "USD"), amounts.split("/"), strict=True):
            deepseek.add_currency(currency, Decimal(amount))

    steps = "0/0 0/200 0/200 0/200 0/0 0/0"
    assert await home.go(steps, set_to) == steps
    await home.pass_time(30)
    assert len(home.fired) == 1


@pytest.mark.parametrize("unit", ["d", "h"])
async def test_time_in_another_unit(
    hass: HomeAssistant, make_home: MakeHome, telnyx: Telnyx, unit: str
) -> None:
    """The threshold holds in whatever unit the time is shown."""
    telnyx.set_balance(Decimal(0))
    telnyx.set_credit_limit(Decimal(300))
    home = await make_home(telnyx)
    er.async_get(hass).async_update_entity_options(
        TIME_LEFT, "sensor", {"unit_of_measurement": unit}
    )
    await home.automate(
        "time_left_crossed_threshold",
        {"entity_id": TIME_LEFT},
        {**less_than(3, "d"), "for": {"minutes": 30}},
    )
    telnyx.set_credit_limit(Decimal(60))
    await home.pass_time()
    assert home.fired == []
    await home.pass_time(30)
    assert home.fired == [TIME_LEFT]


@pytest.mark.parametrize(
    ("trigger", "steps"),
    [
        ("over_budget", "250 220 200! 190 x 180 300 90 reload stop:80 kill:70"),
        ("over_budget", "x 250 stop:200! stop:190 x again:180 reload 100"),
        ("over_budget", "kill:200! kill:190 again:180 300 170 x stop:160"),
        ("over_budget", "reload x reload 200! again:190 x reload 180"),
        ("budget_at_risk", "290 60! 50 x 40 reload stop:30 kill:20 again:10"),
        ("budget_at_risk", "x stop:60! stop:50 kill:40 again:30 20"),
    ],
)
async def test_budget(
    make_home: MakeHome, telnyx: Telnyx, trigger: str, steps: str
) -> None:
    """A month reports once that its budget is at risk, and once that it is exceeded."""
    home = await make_home(telnyx, telnyx_monthly_budget=BUDGETS[trigger])
    await home.automate(trigger, {"entity_id": ENTITIES[trigger]}, {})
    assert await home.go(steps, lambda to: telnyx.set_balance(Decimal(to))) == steps


@pytest.mark.parametrize("trigger", ["over_budget", "budget_at_risk"])
async def test_targets_of_a_budget(
    hass: HomeAssistant,
    make_home: MakeHome,
    telnyx: Telnyx,
    area_registry: ar.AreaRegistry,
    device_registry: dr.DeviceRegistry,
    trigger: str,
) -> None:
    """Whatever of an account is targeted, its budget is reached."""
    home = await make_home(telnyx, telnyx_monthly_budget=BUDGETS[trigger])
    (account,) = dr.async_entries_for_config_entry(device_registry, home.entry.entry_id)
    area = area_registry.async_create("Office")
    device_registry.async_update_device(account.id, area_id=area.id)
    targets = [{"device_id": account.id}, {"area_id": area.id}, {}]
    assert await async_setup_component(
        hass,
        "automation",
        {
            "automation": [
                {
                    "triggers": {"trigger": f"{DOMAIN}.{trigger}", "target": target},
                    "actions": {
                        "event": "happened",
                        "event_data": {
                            name: f"{{{{ trigger.{name} }}}}"
                            for name in ("entity_id", "activity", "after", "threshold")
                        },
                    },
                }
                for target in targets
            ]
        },
    )
    await hass.async_block_till_done()
    happened = async_capture_events(hass, "happened")
    telnyx.set_balance(Decimal(60))
    await home.pass_time()
    assert [event.data["entity_id"] for event in happened] == [ENTITIES[trigger]] * 3
    assert {event.data["activity"] for event in happened} == {trigger}
    assert {event.data["threshold"] for event in happened} == {BUDGETS[trigger]}


async def test_time_that_flutters(make_home: MakeHome, telnyx: Telnyx) -> None:
    """A time that flutters around the threshold fires once."""
    telnyx.set_balance(Decimal(0))
    telnyx.set_credit_limit(Decimal(300))
    home = await make_home(telnyx)
    await home.automate(
        "time_left_crossed_threshold", {"entity_id": TIME_LEFT}, less_than(2, "d")
    )
    steps = "57! 60 57 60 58 60"
    assert await home.go(steps, lambda to: telnyx.set_credit_limit(Decimal(to))) == (
        steps
    )


async def test_project_of_a_targeted_account(
    hass: HomeAssistant, make_home: MakeHome, simulator: Simulator
) -> None:
    """Targeting an account reaches the balances of its projects."""
    deepgram = simulator[Deepgram]
    garage = deepgram.add_project("Garage")
    balance = deepgram.add_balance(garage, Decimal(9))
    home = await make_home(deepgram)
    (account,) = dr.async_entries_for_config_entry(
        dr.async_get(hass), home.entry.entry_id
    )
    await home.automate("became_depleted", {"device_id": account.id}, {})
    deepgram.set_balance(balance, Decimal(0))
    await home.pass_time(70)
    assert home.fired == ["binary_sensor.deepgram_garage_low_balance"]


async def test_several_events_at_once(
    hass: HomeAssistant, home: Home, telnyx: Telnyx
) -> None:
    """Each trigger gets its own of what happens at once."""
    assert await async_setup_component(
        hass,
        "automation",
        {
            "automation": {
                "mode": "queued",
                "triggers": [
                    {"trigger": f"{DOMAIN}.{name}", "target": {"entity_id": entity_id}}
                    for name, entity_id in (
                        ("no_longer_low", LOW),
                        ("topped_up", ACTIVITY),
                    )
                ],
                "actions": {
                    "event": "happened",
                    "event_data": {"activity": "{{ trigger.activity }}"},
                },
            }
        },
    )
    await hass.async_block_till_done()
    happened = async_capture_events(hass, "happened")
    for amount in (40, 400):
        telnyx.set_balance(Decimal(amount))
        await home.pass_time()
    # Home Assistant asks the triggers in their order.
    assert [event.data["activity"] for event in happened] == ["recovered", "topped_up"]


@pytest.mark.parametrize("trigger", ENTITIES)
async def test_set_up_while_low(
    make_home: MakeHome, telnyx: Telnyx, trigger: str
) -> None:
    """Nothing is news of a wallet that is shown for the first time."""
    telnyx.set_balance(Decimal(0))
    home = await make_home(telnyx)
    await home.automate(trigger, {"entity_id": ENTITIES[trigger]}, options_of(trigger))
    steps = "x 0 reload stop:0 kill:0 again:0"
    assert await home.go(steps, lambda to: telnyx.set_balance(Decimal(to))) == steps


async def test_poll_before_the_start_is_over(home: Home, telnyx: Telnyx) -> None:
    """What is polled before anybody listens is compared when they do."""
    hass = home.hass
    await home.automate(
        "balance_crossed_threshold", {"entity_id": [BALANCE, AVAILABLE]}, below(100)
    )
    await home.turn("off")
    await hass.config_entries.async_unload(home.entry.entry_id)
    telnyx.set_balance(Decimal(90))
    hass.set_state(CoreState.not_running)
    await hass.config_entries.async_setup(home.entry.entry_id)
    await home.pass_time()
    telnyx.set_balance(Decimal(80))
    await home.pass_time()
    hass.set_state(CoreState.starting)
    await home.turn("on")
    # An outage in between is looked through as well.
    telnyx.fail(Http(503))
    await home.pass_time()
    telnyx.heal()
    await home.pass_time()
    # Alerts are sent when Home Assistant has started: every automation is there.
    assert home.fired == []
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await home.pass_time()
    assert sorted(home.fired) == [AVAILABLE, BALANCE]


async def test_start_during_an_outage(home: Home, telnyx: Telnyx) -> None:
    """An account that only comes back after the start is compared then, once."""
    hass = home.hass
    await home.automate("balance_crossed_threshold", {"entity_id": BALANCE}, below(100))
    for amount, expected in ((90, [BALANCE]), (80, [])):
        home.fired.clear()
        telnyx.fail(Http(503))
        await hass.config_entries.async_reload(home.entry.entry_id)
        telnyx.set_balance(Decimal(amount))
        telnyx.heal()
        await home.pass_time()
        assert state_of(hass, BALANCE) == f"{amount}.00"
        assert home.fired == expected


async def test_record_that_is_lost(home: Home, telnyx: Telnyx) -> None:
    """What was before is not known without a record, and not made up."""
    await home.automate("balance_crossed_threshold", {"entity_id": BALANCE}, below(100))
    await home.hass.config_entries.async_unload(home.entry.entry_id)
    del home.storage[f"{DOMAIN}.{home.entry.entry_id}"]
    telnyx.set_balance(Decimal(90))
    await home.hass.config_entries.async_setup(home.entry.entry_id)
    steps = "90 200 x 90!"
    assert await home.go(steps, lambda to: telnyx.set_balance(Decimal(to))) == steps


async def test_old_amounts_do_not_come_back(home: Home, telnyx: Telnyx) -> None:
    """What an account has yet to write when it is unloaded is not written later."""
    await home.automate("balance_crossed_threshold", {"entity_id": BALANCE}, below(100))
    steps = "290 300 again:300 90! x"
    assert await home.go(steps, lambda to: telnyx.set_balance(Decimal(to))) == steps
    await home.pass_time(120)
    steps = "kill:90 kill:80"
    assert await home.go(steps, lambda to: telnyx.set_balance(Decimal(to))) == steps


async def test_several_accounts(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    make_home: MakeHome,
    telnyx: Telnyx,
) -> None:
    """Accounts that start one after the other are counted as they were before."""
    deepseek = simulator[DeepSeek]
    deepseek.add_currency("CNY", Decimal(200))
    second = await add_account(deepseek)
    home = await make_home(telnyx)
    balances = [BALANCE, "sensor.deepseek_balance_cny"]
    await home.automate(
        "balance_crossed_threshold",
        {"entity_id": balances},
        {**below(100), "behavior": "first"},
    )

    async def start_both(amount: int) -> None:
        await home.turn("off")
        for entry in (home.entry, second):
            await hass.config_entries.async_unload(entry.entry_id)
        for entity_id in balances:
            hass.states.async_remove(entity_id)
        telnyx.set_balance(Decimal(amount))
        deepseek.add_currency("CNY", Decimal(amount))
        hass.set_state(CoreState.not_running)
        for entry in (home.entry, second):
            await hass.config_entries.async_setup(entry.entry_id)
        await first_poll(hass)
        hass.set_state(CoreState.starting)
        await home.turn("on")
        hass.set_state(CoreState.running)
        hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
        await hass.async_block_till_done()

    await start_both(90)
    assert len(home.fired) == 1
    await start_both(80)
    assert len(home.fired) == 1
    # An account that is not loaded does not count.
    await hass.config_entries.async_unload(second.entry_id)
    await home.go("200 90", lambda to: telnyx.set_balance(Decimal(to)))
    assert home.fired == [BALANCE]


@pytest.mark.parametrize("trigger", TRIGGERS)
async def test_description(hass: HomeAssistant, home: Home, trigger: str) -> None:
    """The editor knows a trigger's target and fields, and what to call them."""
    assert await async_setup_component(hass, "automation", {})
    descriptions = await async_get_all_descriptions(hass)
    description = descriptions[f"{DOMAIN}.{trigger}"]
    assert description is not None
    for target in description["target"]["entity"]:
        assert target["integration"] == DOMAIN
        assert target["domain"] == [ENTITIES.get(trigger, ACTIVITY).partition(".")[0]]
    folder = Path(api_balance.__path__[0])
    icons = json.loads((folder / "icons.json").read_text())["triggers"]
    texts = json.loads((folder / "translations/en.json").read_text())["triggers"]
    assert icons.keys() == texts.keys() == TRIGGERS.keys()
    assert {"name", "description"} <= texts[trigger].keys()
    assert description["fields"].keys() == texts[trigger].get("fields", {}).keys()
    validated = await async_validate_trigger_config(
        hass,
        [
            {
                CONF_PLATFORM: f"{DOMAIN}.{trigger}",
                "target": {"entity_id": ENTITIES.get(trigger, ACTIVITY)},
                "options": options_of(trigger)
                | {
                    key: field["default"]
                    for key, field in description["fields"].items()
                    if "default" in field
                },
            }
        ],
    )
    assert validated[0]["options"].keys() == description["fields"].keys()


async def test_entity_that_was_removed(
    home: Home, telnyx: Telnyx, entity_registry: er.EntityRegistry
) -> None:
    """A sensor that a person removed is not reported, the others are."""
    await home.automate(
        "balance_crossed_threshold",
        {"entity_id": [BALANCE, AVAILABLE]},
        below(100),
    )
    entity_registry.async_remove(AVAILABLE)
    telnyx.set_balance(Decimal(90))
    await home.pass_time()
    assert home.fired == [BALANCE]
