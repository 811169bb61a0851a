"""Every provider of the registry in Home Assistant, from nothing but its recording."""

from collections.abc import Iterator
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from custom_components.api_balance.const import DOMAIN
from custom_components.api_balance.diagnostics import async_get_config_entry_diagnostics
from custom_components.api_balance.providers.base import Provider
from custom_components.api_balance.providers.catalog import load_all
from homeassistant.config_entries import SOURCE_USER, ConfigEntryState
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, section
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.entity import Entity

from .conftest import our_log
from .recording import RECORDED_ADDRESS, RecordedProvider, full_recording, served

PACKAGE = Path(__file__).parents[1] / "custom_components" / DOMAIN
TEXTS = json.loads((PACKAGE / "translations/en.json").read_text())


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
async def test_every_provider(
    hass: HomeAssistant,
    entity_registry: er.EntityRegistry,
    provider: type[Provider],
    snapshot: SnapshotAssertion,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The flow makes an account that shows what is recorded, and no secret of it."""
    monkeypatch.setattr(
        Entity, "entity_registry_enabled_default", property(lambda entity: True)
    )
    caplog.set_level(logging.DEBUG)
    recording = full_recording(provider)
    simulated = RecordedProvider(recording)
    form = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}, data={"provider": provider.id}
    )
    for path, fields in fields_of(form):
        assert fields
        assert fields <= texts_below(f"{path}.data")
        assert fields <= texts_below(f"{path}.data_description")
    async with served(simulated.handle) as address:
        result = await hass.config_entries.flow.async_configure(
            form["flow_id"], entered(provider, recording.credentials, address)
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
    assert simulated.complaints == []
    assert result["type"] is FlowResultType.CREATE_ENTRY
    entry = result["result"]
    assert entry.title == provider.title(entry.data)
    assert entry.state is ConfigEntryState.LOADED

    entities = er.async_entries_for_config_entry(entity_registry, entry.entry_id)
    states = {
        entity.entity_id: hass.states.get(entity.entity_id) for entity in entities
    }
    for wallet in recording.expect["snapshot"].get("wallets", ()):
        entity_id = entity_registry.async_get_entity_id(
            Platform.SENSOR, DOMAIN, f"{entry.entry_id}_{wallet['key']}_balance"
        )
        shown = states.get(entity_id) if entity_id else None
        assert (shown and shown.state) == wallet.get("balance")
    assert {
        entity_id: " ".join(
            filter(None, (state.state, state.attributes.get("unit_of_measurement")))
        )
        for entity_id, state in states.items()
        if state
    } == snapshot

    visible = repr(
        [
            states,
            entities,
            dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id),
            (entry.title, entry.unique_id),
            await async_get_config_entry_diagnostics(hass, entry),
            our_log(caplog),
        ]
    )
    assert [secret for secret in recording.secrets if secret in visible] == []


def fields_of(form: Any) -> Iterator[tuple[str, set[str]]]:
    """Yield the fields of a form and of its sections, with the path of their texts."""
    path = f"config.step.{form['step_id']}"
    schema = form["data_schema"].schema
    sections = {
        str(name): value.schema.schema
        for name, value in schema.items()
        if isinstance(value, section)
    }
    yield path, {str(name) for name in schema} - set(sections)
    for name, fields in sections.items():
        yield f"{path}.sections.{name}", {str(field) for field in fields}


def texts_below(path: str) -> set[str]:
    """Return the keys of the texts at a path of the translations."""
    texts: Any = TEXTS
    for step in path.split("."):
        texts = texts.get(step, {})
    return set(texts)
