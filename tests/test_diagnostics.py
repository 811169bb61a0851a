"""Diagnostics and system health."""

import json

from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    get_system_health_info,
)
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from syrupy.assertion import SnapshotAssertion
from syrupy.filters import props

from custom_components.api_balance.const import DOMAIN
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component

from .conftest import AddAccount, each_shape
from .simulator import Http, Simulator
from .simulator.deepgram import Deepgram


@each_shape
async def test_diagnostics(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    simulator: Simulator,
    add_account: AddAccount,
    snapshot: SnapshotAssertion,
    provider_id: str,
) -> None:
    """The diagnostics tell what a provider said, and not whose account it is."""
    provider = simulator[provider_id]
    entry = await add_account(provider)
    diagnostics = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    text = json.dumps(diagnostics)
    secrets = [
        *provider.credentials.values(),
        provider.url,
        *simulator[Deepgram].projects,
    ]
    assert not [secret for secret in secrets if secret in text]
    assert diagnostics == snapshot(
        exclude=props("as_of", "expires_at", "update_interval", "updated_at")
    )


async def test_diagnostics_of_an_account_that_does_not_load(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    simulator: Simulator,
    add_account: AddAccount,
) -> None:
    """Also an account that cannot start has something to tell."""
    telnyx = simulator["telnyx"]
    telnyx.fail(Http(503))
    entry = await add_account(telnyx, ConfigEntryState.SETUP_RETRY)
    assert await get_diagnostics_for_config_entry(hass, hass_client, entry) == {
        "provider": "telnyx",
        "source": "official",
        "region": None,
        "has_own_address": True,
        "state": "setup_retry",
        "reason": "provider_fault",
    }


async def test_system_health(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount
) -> None:
    """System health tells which providers can be reached."""
    assert await async_setup_component(hass, "system_health", {})
    entry = await add_account(simulator["telnyx"])
    MockConfigEntry(
        domain=DOMAIN, title=entry.title, data={**entry.data, "api_key": "second"}
    ).add_to_hass(hass)
    await add_account(simulator["deepseek"])
    info = await get_system_health_info(hass, DOMAIN)
    assert info.pop("accounts") == 3
    assert {name: await check for name, check in info.items()} == {
        f"{name} ({simulator[id_].url.removeprefix('http://')})": "ok"
        for id_, name in (("deepseek", "DeepSeek"), ("telnyx", "Telnyx"))
    }
