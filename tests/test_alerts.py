"""The warning: once when it counts, never late and never noise."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any, override

from aiohttp import web
from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.api_balance.const import DOMAIN
from custom_components.api_balance.insight.levels import Activity
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import (
    EVENT_HOMEASSISTANT_STARTED,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
)
from homeassistant.core import CoreState, Event, HomeAssistant
from homeassistant.setup import async_setup_component

from .conftest import AddAccount, Poll, first_poll, set_number, state_of
from .simulator import Http, Simulator
from .simulator.deepseek import DeepSeek
from .simulator.digital_ocean import DigitalOcean
from .simulator.faults import Exchange, Fault, Html, Reset
from .simulator.telnyx import Telnyx

LOW = "binary_sensor.telnyx_low_balance"
ACTIVITY = "event.telnyx_activity"
AVAILABILITY = "sensor.telnyx_availability"
THRESHOLD = "number.telnyx_low_balance_threshold"
DAYS = "number.telnyx_low_time_threshold"
RECORD = f"{DOMAIN}.entry_telnyx"

# A person's automations: one waits for the state, one for the event.
AUTOMATIONS = [
    {
        "triggers": {
            "trigger": "state",
            "entity_id": LOW,
            "from": "off",
            "to": "on",
        },
        "actions": {"event": "low_seen"},
        "mode": "queued",
    },
    {
        "triggers": {
            "trigger": "event.received",
            "target": {"entity_id": ACTIVITY},
            "options": {"event_type": list(Activity)},
        },
        "actions": {
            "event": "activity_seen",
            "event_data": {"happened": "{{ trigger.to_state.attributes.event_type }}"},
        },
        "mode": "queued",
    },
]


@dataclass
class Seen:
    """What the automations ran for since it was last asked."""

    low: int = 0
    activities: list[str] = field(default_factory=list)

    def all(self) -> tuple[int, list[str]]:
        """Return how often the state turned on, and what happened."""
        seen = self.low, self.activities
        self.low, self.activities = 0, []
        return seen


NOTHING: tuple[int, list[str]] = (0, [])
WARNED = (1, ["became_low"])

type SetTo = Callable[..., Awaitable[None]]


@pytest.fixture
async def seen(hass: HomeAssistant) -> Seen:
    """Return what the automations ran for."""
    seen = Seen()

    async def low(event: Event) -> None:
        seen.low += 1

    async def activity(event: Event) -> None:
        seen.activities.append(event.data["happened"])

    hass.bus.async_listen("low_seen", low)
    hass.bus.async_listen("activity_seen", activity)
    assert await async_setup_component(hass, "automation", {"automation": AUTOMATIONS})
    return seen


@pytest.fixture
def set_threshold(hass: HomeAssistant) -> SetTo:
    """Return what sets a number, as a person does."""

    async def set_to(value: float, entity_id: str = THRESHOLD) -> None:
        await set_number(hass, entity_id, value)

    return set_to


@pytest.fixture
async def telnyx(simulator: Simulator) -> Telnyx:
    """Return an account with 20 dollars and no credit line."""
    telnyx = simulator[Telnyx]
    telnyx.set_credit_limit(Decimal(0))
    telnyx.set_balance(Decimal(20))
    return telnyx


@pytest.fixture
async def entry(
    telnyx: Telnyx, seen: Seen, add_account: AddAccount, set_threshold: SetTo
) -> MockConfigEntry:
    """Return the entry of the account, with a threshold of 10 dollars."""
    entry = await add_account(telnyx)
    await set_threshold(10)
    assert seen.all() == NOTHING
    return entry


def attributes(hass: HomeAssistant, entity_id: str) -> dict[str, Any]:
    """Return the attributes of an entity."""
    state = hass.states.get(entity_id)
    assert state is not None
    return dict(state.attributes)


def told(hass: HomeAssistant, entity_id: str = ACTIVITY) -> dict[str, Any]:
    """Return the last event of a wallet."""
    names = ("event_type", "old", "new", "threshold", "unit")
    return {name: attributes(hass, entity_id).get(name) for name in names}


def levels(hass: HomeAssistant) -> tuple[str | None, str, str | None]:
    """Return what the binary sensor, its attribute and the account say."""
    return (
        state_of(hass, LOW),
        attributes(hass, LOW)["level"],
        state_of(hass, AVAILABILITY),
    )


async def restart(
    hass: HomeAssistant, entry: MockConfigEntry, meanwhile: Callable[[], object]
) -> None:
    """Set the account up while Home Assistant starts, and end before it has started."""
    await hass.config_entries.async_unload(entry.entry_id)
    meanwhile()
    hass.set_state(CoreState.not_running)
    await hass.config_entries.async_setup(entry.entry_id)
    await first_poll(hass)


async def started(hass: HomeAssistant) -> None:
    """Let Home Assistant have started."""
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await hass.async_block_till_done()


@pytest.mark.usefixtures("entry")
async def test_low_depleted_and_back(
    hass: HomeAssistant, telnyx: Telnyx, seen: Seen, poll: Poll
) -> None:
    """Each turn for the worse is told once, and so is the way back."""
    assert levels(hass) == ("off", "ok", "available")

    telnyx.set_balance(Decimal("9.50"))
    await poll()
    assert levels(hass) == ("on", "low", "low")
    assert seen.all() == WARNED
    amounts = {"old": 20.0, "new": 9.5, "threshold": 10.0, "unit": "USD"}
    assert told(hass) == {"event_type": "became_low", **amounts}

    telnyx.set_balance(Decimal(5))
    await poll()
    await poll()
    assert seen.all() == NOTHING

    telnyx.set_balance(Decimal(0))
    await poll()
    assert levels(hass) == ("on", "depleted", "depleted")
    assert seen.all() == (0, ["depleted"])
    assert told(hass)["old"] == 5.0

    telnyx.top_up(Decimal(30))
    await poll()
    assert levels(hass) == ("off", "ok", "available")
    assert seen.all() == (0, ["topped_up", "recovered"])
    amounts = {"old": 0.0, "new": 30.0, "threshold": 10.0, "unit": "USD"}
    assert told(hass) == {"event_type": "recovered", **amounts}

    telnyx.set_balance(Decimal(0))
    await poll()
    assert seen.all() == (1, ["depleted"])


async def test_without_a_threshold(
    hass: HomeAssistant,
    telnyx: Telnyx,
    seen: Seen,
    add_account: AddAccount,
    poll: Poll,
) -> None:
    """A threshold of zero is off; nothing left is told all the same."""
    await add_account(telnyx)
    assert (state_of(hass, THRESHOLD), state_of(hass, DAYS)) == ("0.0", "0.0")
    telnyx.set_balance(Decimal("0.01"))
    await poll()
    assert levels(hass) == ("off", "ok", "available")
    assert seen.all() == NOTHING

    telnyx.set_balance(Decimal("-0.50"))
    await poll()
    assert seen.all() == (1, ["depleted"])
    assert told(hass)["threshold"] is None


async def test_threshold_survives(
    hass: HomeAssistant, entry: MockConfigEntry, set_threshold: SetTo
) -> None:
    """What a person set is there after a reload and under another name."""
    await set_threshold(12.34)
    await set_threshold(7.5, DAYS)
    hass.config_entries.async_update_entry(entry, title="Phone")
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert state_of(hass, THRESHOLD) == "12.34"
    assert state_of(hass, DAYS) == "7.5"


async def test_threshold_of_the_flow(
    hass: HomeAssistant, telnyx: Telnyx, seen: Seen, set_threshold: SetTo
) -> None:
    """What was entered when the account was added counts until it is changed."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Telnyx",
        data={
            "provider": "telnyx",
            "base_url": telnyx.url,
            "account_ids": [],
            "thresholds": {"usd": "15.5"},
            **telnyx.credentials,
        },
    )
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert state_of(hass, THRESHOLD) == "15.5"
    await set_threshold(0)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert state_of(hass, THRESHOLD) == "0.0"
    assert seen.all() == NOTHING


@pytest.mark.usefixtures("entry")
async def test_threshold_that_is_moved(
    hass: HomeAssistant, seen: Seen, set_threshold: SetTo
) -> None:
    """The sensor follows a person's change at once; no alert is sent for it."""
    await set_threshold(25)
    assert levels(hass) == ("on", "low", "low")
    await set_threshold(19)
    assert levels(hass) == ("off", "ok", "available")
    await set_threshold(20)
    assert levels(hass) == ("on", "low", "low")
    await set_threshold(0)
    assert levels(hass) == ("off", "ok", "available")
    assert seen.activities == []


@pytest.mark.usefixtures("entry")
async def test_threshold_that_is_set_in_an_outage(
    hass: HomeAssistant, telnyx: Telnyx, seen: Seen, set_threshold: SetTo, poll: Poll
) -> None:
    """A threshold set during an outage counts, and alerts when money has moved."""
    telnyx.fail(Http(503))
    await poll()
    await set_threshold(15)
    assert state_of(hass, THRESHOLD) == "15.0"
    telnyx.heal()
    telnyx.set_balance(Decimal(14))
    await poll()
    assert levels(hass) == ("on", "low", "low")
    assert seen.all() == WARNED


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("fault", [Http(503), Http(500), Reset(), Html()])
async def test_outage(
    hass: HomeAssistant, telnyx: Telnyx, seen: Seen, poll: Poll, fault: Fault
) -> None:
    """An outage neither warns nor hides what happened meanwhile."""
    telnyx.fail(fault)
    await poll()
    await poll()
    assert state_of(hass, LOW) == STATE_UNAVAILABLE
    assert seen.all() == NOTHING

    telnyx.heal()
    telnyx.set_balance(Decimal(3))
    await poll()
    assert levels(hass) == ("on", "low", "low")
    assert seen.all() == WARNED
    assert told(hass)["old"] == 20.0

    telnyx.fail(fault)
    await poll()
    telnyx.heal()
    await poll()
    assert levels(hass) == ("on", "low", "low")
    assert seen.all() == NOTHING


@pytest.mark.usefixtures("entry")
async def test_topped_up_in_an_outage(
    hass: HomeAssistant, telnyx: Telnyx, seen: Seen, poll: Poll
) -> None:
    """What was mended in the dark is told, and the next warning comes."""
    telnyx.set_balance(Decimal(3))
    await poll()
    assert seen.all() == WARNED
    telnyx.fail(Http(503))
    await poll()
    telnyx.heal()
    telnyx.set_balance(Decimal(40))
    await poll()
    assert seen.all() == (0, ["topped_up", "recovered"])
    telnyx.set_balance(Decimal(4))
    await poll()
    assert seen.all() == WARNED


async def test_spent_in_a_restart(
    hass: HomeAssistant, telnyx: Telnyx, seen: Seen, entry: MockConfigEntry, poll: Poll
) -> None:
    """Stopped at 20 and started at 3 warns once, when Home Assistant has started."""
    await restart(hass, entry, lambda: telnyx.set_balance(Decimal(3)))
    assert levels(hass) == ("off", "ok", "available")
    assert state_of(hass, "sensor.telnyx_balance") == "3.00"
    assert seen.all() == NOTHING
    await started(hass)
    assert levels(hass) == ("on", "low", "low")
    assert seen.all() == WARNED
    await poll()
    assert seen.all() == NOTHING


@pytest.mark.parametrize(("spent", "topped_up"), [(60, 50), (0, 50)])
async def test_top_up_while_stopped(
    hass: HomeAssistant,
    telnyx: Telnyx,
    seen: Seen,
    entry: MockConfigEntry,
    poll: Poll,
    freezer: FrozenDateTimeFactory,
    spent: int,
    topped_up: int,
) -> None:
    """What was paid in during a stop is a top-up, and takes no spend back."""
    telnyx.set_balance(Decimal(100))
    await poll()
    telnyx.set_balance(Decimal(100 - spent))
    await poll()
    seen.all()

    def pay_in() -> None:
        freezer.tick(timedelta(hours=6))
        telnyx.top_up(Decimal(topped_up))

    await restart(hass, entry, pay_in)
    await started(hass)
    await poll()
    assert seen.all() == (0, ["topped_up"])
    assert Decimal(state_of(hass, "sensor.telnyx_spent_today") or "") == spent


async def test_poll_before_the_start_is_over(
    hass: HomeAssistant,
    telnyx: Telnyx,
    seen: Seen,
    entry: MockConfigEntry,
    poll: Poll,
) -> None:
    """However often the provider is asked while Home Assistant starts, it waits."""
    await restart(hass, entry, lambda: None)
    telnyx.set_balance(Decimal(3))
    await poll()
    assert seen.all() == NOTHING
    await started(hass)
    assert seen.all() == WARNED


async def test_low_before_and_after_a_restart(
    hass: HomeAssistant, telnyx: Telnyx, seen: Seen, entry: MockConfigEntry, poll: Poll
) -> None:
    """Stopped while low and started while low stays silent."""
    telnyx.set_balance(Decimal(5))
    await poll()
    assert seen.all() == WARNED
    await restart(hass, entry, lambda: telnyx.set_balance(Decimal(4)))
    assert levels(hass) == ("on", "low", "low")
    await started(hass)
    await poll()
    assert levels(hass) == ("on", "low", "low")
    assert seen.all() == NOTHING


async def test_spent_while_unloaded(
    hass: HomeAssistant, telnyx: Telnyx, seen: Seen, entry: MockConfigEntry
) -> None:
    """An account that is disabled for a while warns when it is back."""
    await hass.config_entries.async_unload(entry.entry_id)
    telnyx.set_balance(Decimal(0))
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert seen.all() == (1, ["depleted"])


async def test_poll_that_ends_with_the_account(
    hass: HomeAssistant, telnyx: Telnyx, seen: Seen, entry: MockConfigEntry
) -> None:
    """What the last poll before the end tells is news for the next start."""
    telnyx.set_balance(Decimal(3))
    refresh = hass.async_create_task(entry.runtime_data.async_refresh())
    await hass.config_entries.async_unload(entry.entry_id)
    await refresh
    await hass.async_block_till_done()
    assert seen.all() == NOTHING
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert seen.all() == WARNED


async def test_poll_while_home_assistant_stops(
    hass: HomeAssistant, telnyx: Telnyx, seen: Seen, entry: MockConfigEntry, poll: Poll
) -> None:
    """What is heard while Home Assistant stops is news for the next start."""
    telnyx.set_balance(Decimal(3))
    hass.set_state(CoreState.stopping)
    await entry.runtime_data.async_refresh()
    await hass.async_block_till_done()
    assert seen.all() == NOTHING
    hass.set_state(CoreState.running)
    await restart(hass, entry, lambda: None)
    await started(hass)
    assert seen.all() == WARNED


@pytest.mark.parametrize(
    ("balance", "shown"),
    [
        (3, ("on", "low", "low")),
        (0, ("on", "depleted", "depleted")),
        (20, ("off", "ok", "available")),
    ],
)
async def test_set_up(
    hass: HomeAssistant,
    telnyx: Telnyx,
    seen: Seen,
    poll: Poll,
    balance: int,
    shown: tuple[str, str, str],
) -> None:
    """Set up while low: the state is on, and there is no alarm."""
    telnyx.set_balance(Decimal(balance))
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Telnyx",
        data={
            "provider": "telnyx",
            "base_url": telnyx.url,
            "account_ids": [],
            "thresholds": {"usd": "10"},
            **telnyx.credentials,
        },
    )
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    await poll()
    assert levels(hass) == shown
    assert seen.all() == NOTHING
    assert told(hass)["event_type"] is None


@pytest.mark.parametrize(
    "balance",
    [
        # Low and depleted, but for the credit line.
        "8.00",
        "-2.00",
    ],
)
async def test_credit_that_is_not_told(
    hass: HomeAssistant,
    telnyx: Telnyx,
    seen: Seen,
    entry: MockConfigEntry,
    poll: Poll,
    balance: str,
) -> None:
    """A balance does not take the place of what can be spent, but for good."""
    telnyx.set_credit_limit(Decimal(100))
    telnyx.set_balance(Decimal(balance))
    await poll()
    assert levels(hass) == ("off", "ok", "available")
    # A credit line is no top-up.
    assert seen.all() == NOTHING

    body = f'{{"data": {{"balance": "{balance}", "currency": "USD"}}}}'
    telnyx.fail(Http(200, body=body))
    await poll()
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert levels(hass) == ("off", "ok", STATE_UNKNOWN)
    assert state_of(hass, "sensor.telnyx_balance") == balance
    telnyx.heal()
    await poll()
    assert levels(hass) == ("off", "ok", "available")
    assert seen.all() == NOTHING


@pytest.mark.usefixtures("entry")
async def test_credit_that_is_no_longer_told(
    hass: HomeAssistant, telnyx: Telnyx, seen: Seen, poll: Poll
) -> None:
    """What is left out again and again does not silence the warning."""
    telnyx.set_credit_limit(Decimal(100))
    telnyx.set_balance(Decimal(8))
    await poll()
    seen.all()
    telnyx.fail(Http(200, body='{"data": {"balance": "8.00", "currency": "USD"}}'))
    await poll()
    await poll()
    assert seen.all() == NOTHING
    await poll()
    assert levels(hass) == ("on", "low", "low")
    assert seen.all() == WARNED
    telnyx.heal()
    await poll()
    assert levels(hass) == ("off", "ok", "available")
    assert seen.all() == (0, ["recovered"])


@pytest.mark.usefixtures("entry")
async def test_edge(
    hass: HomeAssistant, telnyx: Telnyx, seen: Seen, poll: Poll
) -> None:
    """A balance that flutters at the threshold warns once."""
    for balance in ("10.01", "10.00", "10.01", "9.99", "10.05", "10.00", "10.09"):
        telnyx.set_balance(Decimal(balance))
        await poll()
    assert seen.all() == WARNED
    assert levels(hass) == ("on", "low", "low")


@pytest.mark.usefixtures("entry")
async def test_top_up(
    hass: HomeAssistant, telnyx: Telnyx, seen: Seen, poll: Poll
) -> None:
    """A top-up is reported; it ends low where it is clear of the threshold."""
    telnyx.top_up(Decimal(5))
    await poll()
    assert seen.all() == (0, ["topped_up"])
    amounts = {"old": 20.0, "new": 25.0, "threshold": 10.0, "unit": "USD"}
    assert told(hass) == {"event_type": "topped_up", **amounts}

    telnyx.set_balance(Decimal(2))
    await poll()
    assert seen.all() == WARNED
    telnyx.top_up(Decimal(5))
    await poll()
    assert seen.all() == (0, ["topped_up"])
    assert levels(hass) == ("on", "low", "low")
    telnyx.top_up(Decimal(5))
    await poll()
    assert seen.all() == (0, ["topped_up", "recovered"])
    assert levels(hass) == ("off", "ok", "available")


@pytest.mark.usefixtures("entry")
async def test_currency_that_changes(
    hass: HomeAssistant, telnyx: Telnyx, seen: Seen, poll: Poll
) -> None:
    """Another currency is another wallet: no warning, however little is in it."""
    telnyx.set_currency("EUR")
    telnyx.set_balance(Decimal("0.50"))
    await poll()
    assert state_of(hass, LOW) == STATE_UNAVAILABLE
    (low,) = (
        state
        for state in hass.states.async_all("binary_sensor")
        if state.entity_id not in {LOW, "binary_sensor.telnyx_automatic_top_up"}
    )
    assert low.state == "off"
    telnyx.set_currency("USD")
    await poll()
    assert levels(hass)[0] == "on"
    assert seen.all() == WARNED


@pytest.mark.usefixtures("entry")
async def test_clock_that_is_set_back(
    hass: HomeAssistant,
    telnyx: Telnyx,
    seen: Seen,
    poll: Poll,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A wait does not outgrow what a provider may ask for when the clock is set back."""
    telnyx.fail(Http(503, retry_after=3600))
    await poll()
    telnyx.heal()
    telnyx.set_balance(Decimal(3))
    freezer.tick(timedelta(days=-400))
    async_fire_time_changed(hass)
    entry = hass.config_entries.async_entries(DOMAIN)[0]
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert seen.all() == WARNED


async def test_record_is_written_at_once(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    telnyx: Telnyx,
    seen: Seen,
    entry: MockConfigEntry,
    set_threshold: SetTo,
    poll: Poll,
    freezer: FrozenDateTimeFactory,
) -> None:
    """An alert and a threshold are written at once, an amount in a moment."""

    def written() -> tuple[str, str]:
        usd = hass_storage[RECORD]["data"]["gauges"]["usd"]
        return usd["level"], usd["ledger"]["gauge"]["remaining"]

    await poll(timedelta(hours=2))
    assert written() == ("ok", "20.00")
    telnyx.set_balance(Decimal(19))
    await poll(timedelta(minutes=13))
    assert written() == ("ok", "20.00")
    await poll(timedelta(seconds=11))
    assert written() == ("ok", "19.00")
    data = hass_storage[RECORD]
    # Nothing changes, nothing is written.
    for _ in range(3):
        await poll(timedelta(minutes=13))
        await poll(timedelta(seconds=11))
    assert hass_storage[RECORD] is data

    telnyx.set_balance(Decimal(4))
    await poll(timedelta(minutes=13))
    assert written() == ("low", "4.00")
    await set_threshold(3)
    assert hass_storage[RECORD]["data"]["thresholds"]["usd"] == {"amount": "3.0"}


async def test_old_record_does_not_come_back(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    telnyx: Telnyx,
    entry: MockConfigEntry,
    poll: Poll,
) -> None:
    """What an account had still to write is written when it is unloaded, not later."""
    telnyx.set_balance(Decimal(18))
    await poll(timedelta(minutes=13))
    await hass.config_entries.async_reload(entry.entry_id)
    assert hass_storage[RECORD]["data"]["snapshot"]["wallets"][0]["balance"] == "18.00"
    telnyx.set_balance(Decimal(4))
    await poll(timedelta(minutes=13))
    await poll(timedelta(hours=2))
    assert hass_storage[RECORD]["data"]["gauges"]["usd"]["level"] == "low"

    telnyx.set_balance(Decimal("3.90"))
    await poll(timedelta(minutes=13))
    await hass.config_entries.async_remove(entry.entry_id)
    await poll(timedelta(hours=2))
    assert RECORD not in hass_storage


@dataclass(frozen=True)
class Late(Fault):
    """Answers truly, but not before it is told to."""

    asked: asyncio.Event = field(default_factory=asyncio.Event)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    @override
    async def answer(self, exchange: Exchange) -> web.StreamResponse:
        self.asked.set()
        response = await exchange.honest()
        await self.may_answer.wait()
        return response


async def test_late_poll_writes_no_old_record(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    telnyx: Telnyx,
    entry: MockConfigEntry,
    set_threshold: SetTo,
    poll: Poll,
) -> None:
    """A poll that ends after its account writes nothing over what is known since."""
    assert await async_setup_component(hass, "homeassistant", {})
    await poll(timedelta(minutes=13))
    telnyx.set_balance(Decimal(18))
    late = Late()
    telnyx.fail(late, times=1)
    update = hass.async_create_task(
        hass.services.async_call(
            "homeassistant",
            "update_entity",
            {"entity_id": "sensor.telnyx_balance"},
            blocking=True,
        )
    )
    await late.asked.wait()
    await hass.config_entries.async_reload(entry.entry_id)
    late.may_answer.set()
    await update
    await set_threshold(5)
    for _ in range(6):
        await poll(timedelta(minutes=13))
        thresholds = hass_storage[RECORD]["data"]["thresholds"]
        assert thresholds == {"usd": {"amount": "5.0"}}


@pytest.mark.parametrize("runway", ["soon", 1e300, []])
async def test_record_with_a_strange_time(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    telnyx: Telnyx,
    seen: Seen,
    entry: MockConfigEntry,
    runway: object,
) -> None:
    """A record that cannot be read is set aside, without a warning."""
    await hass.config_entries.async_unload(entry.entry_id)
    hass_storage[RECORD]["data"]["gauges"]["usd"]["runway"] = runway
    telnyx.set_balance(Decimal(0))
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert levels(hass) == ("on", "depleted", "depleted")
    assert seen.all() == NOTHING


# DeepSeek: the provider's own word, and a row for each currency.

CNY = "binary_sensor.deepseek_low_balance_cny"
CNY_ACTIVITY = "event.deepseek_activity_cny"
USD_LOW = "binary_sensor.deepseek_low_balance_usd"
USD_ACTIVITY = "event.deepseek_activity_usd"


@pytest.fixture
def last(hass: HomeAssistant) -> Callable[[], list[str | None]]:
    """Return what tells the last event of the wallet in yuan and of the one in dollars."""
    return lambda: [
        told(hass, CNY_ACTIVITY)["event_type"],
        told(hass, USD_ACTIVITY)["event_type"],
    ]


@pytest.fixture
async def deepseek(
    simulator: Simulator, add_account: AddAccount, set_threshold: SetTo
) -> DeepSeek:
    """Return an account with 110 yuan, and no dollars although there is a row."""
    deepseek = simulator[DeepSeek]
    deepseek.add_currency("USD")
    await add_account(deepseek)
    await set_threshold(20, "number.deepseek_low_balance_threshold_cny")
    return deepseek


async def test_dormant_wallet(
    hass: HomeAssistant,
    deepseek: DeepSeek,
    poll: Poll,
    last: Callable[[], list[str | None]],
) -> None:
    """A row that never held money does not warn, whatever becomes of the other one."""
    assert (state_of(hass, CNY), state_of(hass, USD_LOW)) == ("off", "off")
    deepseek.spend(Decimal(100), "CNY")
    await poll()
    assert last() == ["became_low", None]
    deepseek.spend(Decimal(10), "CNY")
    await poll()
    assert (state_of(hass, CNY), state_of(hass, USD_LOW)) == ("on", "off")
    assert last() == ["depleted", None]


async def test_dormant_wallet_that_is_watched(
    hass: HomeAssistant,
    deepseek: DeepSeek,
    set_threshold: SetTo,
    last: Callable[[], list[str | None]],
) -> None:
    """A threshold that a person sets on a dormant wallet counts."""
    await set_threshold(5, "number.deepseek_low_balance_threshold_usd")
    assert state_of(hass, USD_LOW) == "on"
    # The sensor follows a person's change at once; it is no alert.
    assert last() == [None, None]


async def test_missing_row(
    hass: HomeAssistant,
    deepseek: DeepSeek,
    poll: Poll,
    last: Callable[[], list[str | None]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A row that is missing warns of nothing, and hides nothing of the other one."""
    deepseek.add_currency("USD", Decimal(30))
    await poll()
    assert last() == [None, "topped_up"]
    deepseek.remove_currency("CNY")
    await poll()
    assert (state_of(hass, CNY), state_of(hass, USD_LOW)) == (STATE_UNAVAILABLE, "off")
    deepseek.spend(Decimal(30), "USD")
    deepseek.set_is_available(True)
    await poll()
    assert told(hass, USD_ACTIVITY)["event_type"] == "depleted"
    deepseek.add_currency("CNY", Decimal(7))
    await poll()
    assert last() == ["became_low", "depleted"]
    assert told(hass, CNY_ACTIVITY)["old"] == 110.0
    assert "Exception" not in caplog.text


async def test_missing_row_beside_a_dormant_one(
    hass: HomeAssistant,
    deepseek: DeepSeek,
    poll: Poll,
    last: Callable[[], list[str | None]],
) -> None:
    """A dormant row does not warn when the other one is missing for a while."""
    deepseek.remove_currency("CNY")
    await poll()
    assert (state_of(hass, CNY), state_of(hass, USD_LOW)) == (STATE_UNAVAILABLE, "off")
    deepseek.add_currency("CNY", Decimal(110))
    await poll()
    assert last() == [None, None]


async def test_word_of_the_provider(
    hass: HomeAssistant,
    deepseek: DeepSeek,
    poll: Poll,
    last: Callable[[], list[str | None]],
) -> None:
    """An account that the provider calls unusable is depleted until it says otherwise."""
    deepseek.set_is_available(False)
    await poll()
    assert state_of(hass, CNY) == "on"
    assert attributes(hass, CNY)["level"] == "depleted"
    assert state_of(hass, "sensor.deepseek_availability") == "depleted"
    assert last() == ["depleted", None]

    deepseek.set_is_available(True)
    await poll()
    assert state_of(hass, CNY) == "off"
    assert last() == ["recovered", None]


async def test_refused_for_want_of_money(
    hass: HomeAssistant,
    deepseek: DeepSeek,
    poll: Poll,
    last: Callable[[], list[str | None]],
) -> None:
    """An answer that asks for payment tells no amount, but that the account is empty."""
    deepseek.fail(Http(402))
    await poll()
    assert state_of(hass, CNY) == "on"
    assert state_of(hass, USD_LOW) == STATE_UNAVAILABLE
    assert state_of(hass, "sensor.deepseek_balance_cny") == STATE_UNKNOWN
    assert state_of(hass, "sensor.deepseek_availability") == "depleted"
    assert last() == ["depleted", None]
    assert told(hass, CNY_ACTIVITY)["new"] is None
    deepseek.heal()
    await poll()
    assert last() == ["recovered", None]


async def test_payment_that_is_required_over_a_restart(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
) -> None:
    """A provider that begins to require a payment unseen is reported once."""
    deepseek = simulator[DeepSeek]
    entry = await add_account(deepseek)
    low, activity = "binary_sensor.deepseek_low_balance_cny", CNY_ACTIVITY
    deepseek.fail(Http(402))
    await restart(hass, entry, lambda: None)
    await started(hass)
    assert state_of(hass, low) == "on"
    assert attributes(hass, low)["level"] == "depleted"
    assert told(hass, activity)["event_type"] == "depleted"
    at = state_of(hass, activity)
    await restart(hass, entry, lambda: None)
    await started(hass)
    assert (state_of(hass, low), state_of(hass, activity)) == ("on", at)
    deepseek.heal()
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert told(hass, activity)["event_type"] == "recovered"


async def test_postpaid(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    set_threshold: SetTo,
    poll: Poll,
) -> None:
    """Debt that is paid later warns when a person says how deep it may get."""
    ocean = simulator[DigitalOcean]
    low = "binary_sensor.digital_ocean_low_balance"
    activity = "event.digital_ocean_activity"
    await add_account(ocean)
    assert state_of(hass, low) == "off"
    ocean.spend(Decimal(100))
    ocean.send_invoice()
    await poll()
    assert state_of(hass, low) == "off"
    assert told(hass, activity)["event_type"] is None

    await set_threshold(-150, "number.digital_ocean_low_balance_threshold")
    assert state_of(hass, low) == "off"
    ocean.spend(Decimal(50))
    ocean.send_invoice()
    await poll()
    assert state_of(hass, low) == "on"
    assert told(hass, activity) == {
        "event_type": "became_low",
        "old": -123.44,
        "new": -173.44,
        "threshold": -150.0,
        "unit": "USD",
    }
    ocean.top_up(Decimal("173.44"))
    await poll()
    assert state_of(hass, low) == "off"
    assert told(hass, activity)["event_type"] == "recovered"


async def test_start_during_an_outage(
    hass: HomeAssistant,
    telnyx: Telnyx,
    seen: Seen,
    entry: MockConfigEntry,
    poll: Poll,
) -> None:
    """An account that starts in an outage has its entities, and alerts afterwards."""
    telnyx.fail(Reset())
    await restart(hass, entry, lambda: telnyx.set_balance(Decimal(3)))
    assert entry.state is ConfigEntryState.LOADED
    assert state_of(hass, LOW) == STATE_UNAVAILABLE
    assert state_of(hass, "sensor.telnyx_update_status") == "unreachable"
    await started(hass)
    assert seen.all() == NOTHING
    telnyx.heal()
    await poll()
    assert levels(hass) == ("on", "low", "low")
    assert seen.all() == WARNED


async def test_amount_that_is_not_told(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount, poll: Poll
) -> None:
    """As long as nothing is known the state is unknown, and what follows is no news."""
    deepseek = simulator[DeepSeek]
    row = '{"currency": "CNY", "granted_balance": "1.00"}'
    body = f'{{"is_available": true, "balance_infos": [{row}]}}'
    deepseek.fail(Http(200, body=body))
    await add_account(deepseek)
    assert state_of(hass, CNY) == STATE_UNKNOWN
    deepseek.heal()
    deepseek.spend(Decimal(110))
    await poll()
    assert state_of(hass, CNY) == "on"
    assert told(hass, CNY_ACTIVITY)["event_type"] is None


async def test_every_provider(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount, poll: Poll
) -> None:
    """Every wallet of every provider has a warning that is silent at first."""
    for provider in simulator.providers:
        await add_account(provider)
    await poll()
    lows = [
        state
        for state in hass.states.async_all("binary_sensor")
        if state.attributes.get("device_class") == "problem"
    ]
    assert lows
    assert {state.state for state in lows} <= {"off", "on"}
    assert {state.state for state in hass.states.async_all("event")} == {"unknown"}
