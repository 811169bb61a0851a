"""What was spent, and how long the money lasts, as the home shows it."""

from datetime import timedelta
from decimal import Decimal
import json
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    async_capture_events,
    async_fire_time_changed,
)

from custom_components.api_balance.const import DOMAIN
from custom_components.api_balance.insight.account import Settings, advance, fill
from custom_components.api_balance.insight.state import AccountState
from custom_components.api_balance.model import Period, Snapshot, Spend, Unit, Wallet
from homeassistant.const import EVENT_STATE_CHANGED, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .conftest import AddAccount, Poll, set_number, state_of
from .past import remember
from .simulator import Http, Reset, Simulator
from .simulator.deepgram import Deepgram
from .simulator.telnyx import Telnyx
from .simulator.twilio import Twilio

TODAY = "sensor.telnyx_spent_today"
MONTH = "sensor.telnyx_spent_this_month"
DAILY = "sensor.telnyx_daily_spend"
TIME_LEFT = "sensor.telnyx_time_left"
RUNS_OUT = "sensor.telnyx_runs_out"
TOP_UP = "sensor.telnyx_last_top_up"
LOW = "binary_sensor.telnyx_low_balance"
ACTIVITY = "event.telnyx_activity"
RECORD = f"{DOMAIN}.entry_telnyx"
SOON = timedelta(minutes=13)


@pytest.fixture
def telnyx(simulator: Simulator) -> Telnyx:
    """Return an account with 300 dollars and no credit line."""
    telnyx = simulator[Telnyx]
    telnyx.set_credit_limit(Decimal(0))
    return telnyx


def number(hass: HomeAssistant, entity_id: str) -> float:
    """Return the state of a sensor that shows a number."""
    return float(state_of(hass, entity_id) or "")


def attributes(hass: HomeAssistant, entity_id: str) -> dict[str, Any]:
    """Return the attributes of an entity."""
    state = hass.states.get(entity_id)
    assert state is not None
    return dict(state.attributes)


def seen_event(hass: HomeAssistant) -> dict[str, Any]:
    """Return the last event of the wallet, without what every entity has."""
    others = ("event_types", "friendly_name", "icon", "device_class")
    found = attributes(hass, ACTIVITY)
    return {name: value for name, value in found.items() if name not in others}


async def set_days(hass: HomeAssistant, days: float) -> None:
    """Say how little time left is low."""
    await set_number(hass, "number.telnyx_low_time_threshold", days)


async def test_spent_today_and_this_month(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    telnyx: Telnyx,
    add_account: AddAccount,
    poll: Poll,
) -> None:
    """Spend counts from the first sight on, and begins anew at the home's midnight."""
    await hass.config.async_set_time_zone("Asia/Kolkata")
    entry = await add_account(telnyx)
    assert number(hass, TODAY) == number(hass, MONTH) == 0
    telnyx.spend(Decimal("1.25"))
    await poll(SOON)
    telnyx.spend(Decimal("0.30"))
    telnyx.top_up(Decimal(50))
    await poll(SOON)
    telnyx.spend(Decimal("0.70"))
    await poll(SOON)
    assert number(hass, TODAY) == number(hass, MONTH)
    assert number(hass, TODAY) == pytest.approx(2.25, abs=0.31)
    assert attributes(hass, TODAY)["last_reset"] == "2026-11-21T12:00:00+00:00"
    spent = number(hass, TODAY)

    # Midnight is no whole hour in UTC.
    freezer.move_to("2026-11-21 18:12:00+00:00")
    await poll(SOON)
    freezer.move_to("2026-11-21 18:30:00+00:00")
    async_fire_time_changed(hass)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert number(hass, TODAY) == 0
    assert attributes(hass, TODAY)["last_reset"] == "2026-11-21T18:30:00+00:00"
    assert number(hass, MONTH) == spent

    telnyx.spend(Decimal("0.50"))
    await poll(SOON)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    # The account was last asked five minutes before midnight.
    assert number(hass, TODAY) == pytest.approx(0.5 * 13 / 18)
    assert number(hass, MONTH) == pytest.approx(spent + 0.5)

    freezer.move_to("2026-11-30 18:30:00+00:00")
    async_fire_time_changed(hass)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert attributes(hass, MONTH)["last_reset"] == "2026-11-30T18:30:00+00:00"
    assert number(hass, MONTH) == 0


async def test_midnight_in_an_outage(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    telnyx: Telnyx,
    add_account: AddAccount,
    poll: Poll,
) -> None:
    """What is not known at midnight is divided when it is."""
    await hass.config.async_set_time_zone("UTC")
    freezer.move_to("2026-11-21 20:00:00+00:00")
    await add_account(telnyx)
    telnyx.fail(Http(503))
    freezer.move_to("2026-11-21 23:00:00+00:00")
    await poll(SOON)
    freezer.move_to("2026-11-22 00:00:00+00:00")
    async_fire_time_changed(hass)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert state_of(hass, TODAY) == STATE_UNAVAILABLE
    telnyx.heal()
    telnyx.spend(Decimal(8))
    freezer.move_to("2026-11-22 04:00:00+00:00")
    async_fire_time_changed(hass)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert number(hass, TODAY) == pytest.approx(4)
    assert number(hass, MONTH) == 8


async def test_number_of_the_provider_wins(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount, poll: Poll
) -> None:
    """Where the provider says what was spent, that is what counts; once."""
    twilio = simulator[Twilio]
    await add_account(twilio)
    month, today = "sensor.twilio_spent_this_month", "sensor.twilio_spent_today"
    told = number(hass, month)
    assert told > 0
    assert number(hass, today) == 0
    twilio.spend(Decimal("2.00"))
    await poll()
    assert number(hass, month) == told + 2
    assert number(hass, today) == 2
    names = [state.name for state in hass.states.async_all("sensor")]
    assert len(names) == len(set(names))


async def test_collecting(
    hass: HomeAssistant, telnyx: Telnyx, add_account: AddAccount, poll: Poll
) -> None:
    """Nothing is forecast of an account that was added just now."""
    await add_account(telnyx)
    telnyx.spend(Decimal(1))
    await poll(SOON)
    for entity_id in (DAILY, TIME_LEFT, RUNS_OUT, TOP_UP):
        assert state_of(hass, entity_id) == STATE_UNKNOWN
    assert attributes(hass, TIME_LEFT)["forecast"] == "collecting"


async def test_forecast(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    telnyx: Telnyx,
    add_account: AddAccount,
    poll: Poll,
) -> None:
    """What was spent for four weeks tells how long the rest lasts, and calmly so."""
    remember(hass_storage, "telnyx", an_hour=Decimal("0.50"))
    await add_account(telnyx)
    assert number(hass, DAILY) == pytest.approx(12, rel=0.02)
    assert number(hass, TIME_LEFT) == pytest.approx(25, rel=0.04)
    found = attributes(hass, TIME_LEFT)
    assert (found["forecast"], found["unit_of_measurement"]) == ("ok", "d")
    assert found["confidence"] == "high"
    sooner, later = (
        attributes(hass, RUNS_OUT)[name] for name in ("earliest", "latest")
    )
    assert sooner <= dt_util.utcnow() + timedelta(days=25) <= later

    shown = set()
    for _ in range(96):
        telnyx.spend(Decimal("0.12"))
        await poll(timedelta(minutes=15))
        shown.add(state_of(hass, RUNS_OUT))
    assert len(shown) <= 3
    runs_out = dt_util.parse_datetime(state_of(hass, RUNS_OUT) or "")
    assert runs_out is not None
    left = runs_out - dt_util.utcnow()
    assert left / timedelta(days=1) == pytest.approx(number(hass, TIME_LEFT), abs=0.51)


async def test_nothing_is_spent(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    telnyx: Telnyx,
    add_account: AddAccount,
) -> None:
    """Without spending there is no end in sight, and no time is short."""
    remember(hass_storage, "telnyx", an_hour=Decimal(0))
    entry = await add_account(telnyx)
    await set_days(hass, 30)
    assert number(hass, DAILY) == 0
    assert state_of(hass, TIME_LEFT) == state_of(hass, RUNS_OUT) == STATE_UNKNOWN
    assert attributes(hass, TIME_LEFT)["forecast"] == "idle"
    assert state_of(hass, LOW) == "off"

    # All of it is remembered.
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert number(hass, "number.telnyx_low_time_threshold") == 30
    assert attributes(hass, TIME_LEFT)["forecast"] == "idle"

    await set_number(hass, "number.telnyx_low_balance_threshold", 1000)
    assert state_of(hass, LOW) == "on"


async def test_nothing_is_left(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    telnyx: Telnyx,
    add_account: AddAccount,
    poll: Poll,
) -> None:
    """Of an empty wallet no time is left, and when it ran out is not said."""
    remember(hass_storage, "telnyx")
    await add_account(telnyx)
    telnyx.set_balance(Decimal(0))
    await poll(SOON)
    assert number(hass, TIME_LEFT) == 0
    assert state_of(hass, RUNS_OUT) == STATE_UNKNOWN


async def test_low_time(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    telnyx: Telnyx,
    add_account: AddAccount,
    poll: Poll,
) -> None:
    """A wallet is low when the time that is left is, and in order again after that."""
    remember(hass_storage, "telnyx", an_hour=Decimal("0.50"))
    await add_account(telnyx)
    await set_days(hass, 10)
    assert state_of(hass, LOW) == "off"
    changes = async_capture_events(hass, EVENT_STATE_CHANGED)
    telnyx.spend(Decimal(200))
    await poll(SOON)
    assert state_of(hass, LOW) == "on"
    low, jumped = (
        state.attributes
        for change in changes
        if change.data["entity_id"] == ACTIVITY and (state := change.data["new_state"])
    )
    assert low["event_type"] == "became_low"
    assert low["time_left"] < low["time_threshold"] == 10
    assert jumped["event_type"] == "spend_jumped"
    telnyx.top_up(Decimal(1000))
    await poll(SOON)
    assert state_of(hass, LOW) == "off"
    assert seen_event(hass)["event_type"] == "recovered"
    assert seen_event(hass)["time_left"] > 10


async def test_last_top_up(
    hass: HomeAssistant,
    telnyx: Telnyx,
    add_account: AddAccount,
    poll: Poll,
) -> None:
    """The last top-up is known with its amount, also after a restart."""
    entry = await add_account(telnyx)
    assert attributes(hass, TOP_UP)["amount"] is None
    telnyx.top_up(Decimal(50))
    await poll(SOON)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert state_of(hass, TOP_UP) == "2026-11-21T12:13:00+00:00"
    found = attributes(hass, TOP_UP)
    assert (found["amount"], found["unit"]) == (50.0, "USD")


async def test_spend_jumped(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    telnyx: Telnyx,
    add_account: AddAccount,
    poll: Poll,
) -> None:
    """Spending far above the habit is told with how much, and against what."""
    remember(hass_storage, "telnyx")
    await add_account(telnyx)
    for _ in range(6):
        telnyx.spend(Decimal(10))
        await poll(SOON)
    event = seen_event(hass)
    assert event["event_type"] == "spend_jumped"
    assert event["spent"] > 5 * event["usual"] > 0
    assert event["hours"] >= 1
    assert event["unit"] == "USD"


async def test_next_expiry(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount
) -> None:
    """When credit expires next is known where the provider tells."""
    await add_account(simulator[Deepgram])
    (expiry,) = [
        state.state
        for state in hass.states.async_all("sensor")
        if state.entity_id.endswith("_next_expiry")
    ]
    at = dt_util.parse_datetime(expiry)
    assert at is not None
    assert at > dt_util.utcnow()
    assert state_of(hass, "sensor.telnyx_next_expiry") is None


async def test_record_is_small(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    telnyx: Telnyx,
    add_account: AddAccount,
    poll: Poll,
) -> None:
    """Sixty days of a wallet take less than 50 kB on disk."""
    remember(hass_storage, "telnyx", an_hour=Decimal("123.456789"), days=70)
    entry = await add_account(telnyx)
    await hass.config_entries.async_unload(entry.entry_id)
    data = hass_storage[RECORD]["data"]
    assert len(data["gauges"]["usd"]["ledger"]["history"]["hours"].split()) == 1440
    assert len(json.dumps(data, indent=2)) < 50_000


# The past that the provider tells


def forecast_of(hass: HomeAssistant) -> str:
    """Return what can be said of the dollars of the account at Deepgram."""
    (time_left,) = [
        state
        for state in hass.states.async_all("sensor")
        if state.entity_id.endswith("_time_left")
    ]
    found: str = time_left.attributes["forecast"]
    return found


def reports(deepgram: Deepgram) -> int:
    """Return how often the provider was asked what was spent."""
    return sum("billing" in request.path for request in deepgram.requests)


async def test_past_of_the_provider(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount
) -> None:
    """The past is asked for once, and makes the forecast at once."""
    deepgram = simulator[Deepgram]
    deepgram.give_past(days=40)
    entry = await add_account(deepgram)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert forecast_of(hass) == "ok"
    month = next(
        state
        for state in hass.states.async_all("sensor")
        if state.entity_id.endswith("_spent_this_month")
    )
    first = dt_util.start_of_local_day().replace(day=1)
    assert month.attributes["last_reset"] == dt_util.as_utc(first).isoformat()
    assert reports(deepgram) == 1
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert forecast_of(hass) == "ok"
    assert reports(deepgram) == 1


async def test_past_that_is_not_told(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount, poll: Poll
) -> None:
    """A report that fails in passing hinders nothing, and is asked for later."""
    deepgram = simulator[Deepgram]
    deepgram.give_past(days=40)
    deepgram.fail(Http(503), path="billing")
    await add_account(deepgram)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert forecast_of(hass) == "collecting"
    assert state_of(hass, "sensor.deepgram_update_status") == "ok"
    deepgram.heal()
    await poll(timedelta(minutes=18))
    assert forecast_of(hass) == "collecting"
    assert reports(deepgram) == 1
    deepgram.fail(Reset())
    await poll(timedelta(minutes=60))
    assert reports(deepgram) == 1
    deepgram.heal()
    await poll(timedelta(minutes=18))
    assert forecast_of(hass) == "ok"
    await poll(timedelta(hours=2))
    assert reports(deepgram) == 2


async def test_past_that_may_not_be_told(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount, poll: Poll
) -> None:
    """A report that is refused is asked for again at the next start alone."""
    deepgram = simulator[Deepgram]
    deepgram.give_past(days=40)
    deepgram.fail(Http(403), path="billing")
    entry = await add_account(deepgram)
    await hass.async_block_till_done(wait_background_tasks=True)
    await poll(timedelta(hours=2))
    assert reports(deepgram) == 1
    deepgram.heal()
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert forecast_of(hass) == "ok"


def test_past_of_a_wallet_without_an_amount() -> None:
    """What was spent before is of no use where nobody knows what there is now."""
    usd, now = Unit.money("USD"), dt_util.utcnow()
    snapshot = Snapshot(wallets=(Wallet(key="usd", unit=usd),))
    state, starts = AccountState(), {Period.THIS_MONTH: now}
    settings = Settings(interval=timedelta(minutes=10), starts=starts)
    advance(state, snapshot, settings, now)
    row = Spend(unit=usd, amount=Decimal(1), start=now, end=now)
    fill(state, [row], starts, now)
    assert state.knows_past
    assert state.gauges["usd"].ledger.history.hours == {}


async def test_past_of_a_project(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount
) -> None:
    """What is told in dollars is the past of the wallet in dollars alone."""
    deepgram = simulator[Deepgram]
    deepgram.give_past(days=40)
    deepgram.add_balance(deepgram.projects[0], Decimal(5), units="hour")
    await add_account(deepgram)
    await hass.async_block_till_done(wait_background_tasks=True)
    forecasts = {
        state.entity_id.rpartition("time_left")[2]: state.attributes["forecast"]
        for state in hass.states.async_all("sensor")
        if "_time_left" in state.entity_id
    }
    assert forecasts == {"": "ok", "_hours": "collecting"}
