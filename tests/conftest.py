"""Fixtures for all tests."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.syrupy import HomeAssistantSnapshotExtension
from syrupy.assertion import SnapshotAssertion

from custom_components.api_balance.const import DOMAIN
from custom_components.api_balance.providers.catalog import load_all
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .recording import RECORDED_AT
from .simulator import SimulatedProvider, Simulator

# For what really has to wait.
with_running_clock = pytest.mark.freeze_time(RECORDED_AT, tick=True)

# What is the same for every provider is tested with these, which differ in what they need:
# projects and an own word before the key, regions, several fields and a choice of them, a
# key in the address, a quota, a header of the own, two fields and nothing but recordings.
SHAPES = (
    "deepgram",
    "telnyx",
    "twilio",
    "pushover",
    "elevenlabs",
    "vonage",
    "fortysix_elks",
)
each_shape = pytest.mark.parametrize("provider_id", SHAPES)

type AddAccount = Callable[..., Awaitable[MockConfigEntry]]
type Poll = Callable[..., Awaitable[None]]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """Let every test begin at the same moment, whenever it is run.

    But for those end to end: what they start has clocks of its own.
    """
    for item in items:
        is_here = item.path.parent == Path(__file__).parent
        if is_here and not item.get_closest_marker("freeze_time"):
            item.add_marker(pytest.mark.freeze_time(RECORDED_AT))


def state_of(hass: HomeAssistant, entity_id: str) -> str | None:
    """Return the state of an entity, None where there is none."""
    state = hass.states.get(entity_id)
    return state.state if state else None


def our_log(caplog: pytest.LogCaptureFixture) -> str:
    """Return what was logged, without what simulated providers say of their visitors."""
    return "\n".join(
        line for line in caplog.text.splitlines() if "aiohttp.access" not in line
    )


async def set_number(hass: HomeAssistant, entity_id: str, value: float) -> None:
    """Set a number, as a person does."""
    await hass.services.async_call(
        "number", "set_value", {"entity_id": entity_id, "value": value}, blocking=True
    )
    await hass.async_block_till_done()


async def first_poll(hass: HomeAssistant) -> None:
    """Let the first poll after a start happen."""
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=1))
    await hass.async_block_till_done()


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations(enable_custom_integrations: None) -> None:
    """Let Home Assistant find the integration."""


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Return snapshots that know what differs between two runs."""
    return snapshot.use_extension(HomeAssistantSnapshotExtension)


@pytest.fixture
async def simulator(socket_enabled: None) -> AsyncIterator[Simulator]:
    """Return all providers, on loopback."""
    async with Simulator() as running:
        yield running


@pytest.fixture
def add_account(hass: HomeAssistant) -> AddAccount:
    """Return what adds an account of a provider, as the flow would."""

    async def add(
        provider: SimulatedProvider, state: ConfigEntryState = ConfigEntryState.LOADED
    ) -> MockConfigEntry:
        entry = MockConfigEntry(
            domain=DOMAIN,
            title=provider.id.capitalize(),
            data={
                "provider": provider.id,
                "base_url": provider.url,
                "account_ids": [],
                **provider.credentials,
            },
            entry_id=f"entry_{provider.id}",
        )
        entry.add_to_hass(hass)
        await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        assert entry.state is state
        return entry

    return add


@pytest.fixture
def poll(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> Poll:
    """Return what lets time pass until every account was polled once more."""

    slowest = max(provider.poll_interval for provider in load_all())

    async def pass_time(after: timedelta = slowest * 1.15) -> None:
        freezer.tick(after)
        async_fire_time_changed(hass)
        await hass.async_block_till_done(wait_background_tasks=True)

    return pass_time
