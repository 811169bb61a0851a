"""Every provider of the registry in Home Assistant, from nothing but its recording."""

from typing import Any

import pytest

from custom_components.api_balance.const import DOMAIN
from custom_components.api_balance.providers.base import Provider
from custom_components.api_balance.providers.catalog import load_all
from homeassistant.config_entries import SOURCE_USER, ConfigEntryState
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er

from .conftest import our_log, state_of
from .recording import RECORDED_ADDRESS, RecordedProvider, full_recording, served
from .simulator import SIMULATED_PROVIDERS


def test_every_provider_is_simulated() -> None:
    """Every provider of the registry speaks in the simulator."""
    simulated = {simulated.id for simulated in SIMULATED_PROVIDERS}
    providers = {provider.id for provider in load_all() if not provider.is_previewed}
    missing = sorted(providers - simulated)
    assert simulated == providers, (
        f"add to SIMULATED_PROVIDERS in tests/simulator/server.py: {missing}"
    )


def entered(
    provider: type[Provider], credentials: dict[str, str], address: str
) -> dict[str, Any]:
    """Return what a person enters to reach a recorded provider."""
    advanced = {"advanced": {"base_url": address}} if provider.hosts else {}
    return advanced | {
        key: str(value).replace(RECORDED_ADDRESS, address)
        if str(value).startswith(RECORDED_ADDRESS)
        else value
        for key, value in credentials.items()
    }


@pytest.mark.parametrize(
    "provider", [pytest.param(provider, id=provider.id) for provider in load_all()]
)
@pytest.mark.usefixtures("socket_enabled")
async def test_add_by_the_flow(
    hass: HomeAssistant,
    entity_registry: er.EntityRegistry,
    provider: type[Provider],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The flow makes an account that shows every balance of the recording."""
    recording = full_recording(provider)
    simulated = RecordedProvider(recording)
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}, data={"provider": provider.id}
    )
    async with served(simulated.handle) as address:
        result = await hass.config_entries.flow.async_configure(
            result["flow_id"], entered(provider, recording.credentials, address)
        )
        for _ in range(provider.is_previewed):
            assert result["type"] is FlowResultType.MENU
            result = await hass.config_entries.flow.async_configure(
                result["flow_id"], {"next_step_id": "save"}
            )
        while result.get("step_id") in ("balance", "thresholds"):
            result = await hass.config_entries.flow.async_configure(
                result["flow_id"], {}
            )
        await hass.async_block_till_done()
    assert result["type"] is FlowResultType.CREATE_ENTRY
    entry = result["result"]
    assert entry.title == provider.title(entry.data)
    assert entry.state is ConfigEntryState.LOADED
    shown = {}
    for wallet in recording.expect["snapshot"].get("wallets", ()):
        entity_id = entity_registry.async_get_entity_id(
            Platform.SENSOR, DOMAIN, f"{entry.entry_id}_{wallet['key']}_balance"
        )
        shown[wallet["key"]] = entity_id and state_of(hass, entity_id)
    assert shown == {
        wallet["key"]: wallet.get("balance")
        for wallet in recording.expect["snapshot"].get("wallets", ())
    }
    for secret in recording.secrets:
        assert secret not in our_log(caplog)
