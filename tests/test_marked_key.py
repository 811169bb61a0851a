"""A marked key is found nowhere but in its entry's data, whatever goes wrong."""

from itertools import pairwise
import json
import logging

import pytest

from custom_components.api_balance.const import DOMAIN
from custom_components.api_balance.diagnostics import async_get_config_entry_diagnostics
from homeassistant.config_entries import SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    device_registry as dr,
    entity_registry as er,
    issue_registry as ir,
)

from .conftest import AddAccount, Poll, each_shape, our_log
from .simulator import Fault, Html, Http, Redirect, Reset, SimulatedProvider, Simulator

MARK = "MARKED"


@pytest.fixture
async def marked(simulator: Simulator) -> Simulator:
    """Return providers whose keys are easily found."""
    for provider in simulator.providers:
        provider.credentials = provider.new_key(MARK)
    return simulator


async def fail(
    hass: HomeAssistant, provider: SimulatedProvider, fault: Fault
) -> object:
    """Return what the flow says of a provider that fails."""
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}, data={"provider": provider.id}
    )
    provider.fail(fault)
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"],
        {**provider.credentials, "advanced": {"base_url": provider.url}},
    )
    provider.heal()
    hass.config_entries.flow.async_abort(result["flow_id"])
    return {**result, "data_schema": str(result["data_schema"])}


@each_shape
async def test_key_is_nowhere_else(
    hass: HomeAssistant,
    marked: Simulator,
    add_account: AddAccount,
    poll: Poll,
    caplog: pytest.LogCaptureFixture,
    provider_id: str,
) -> None:
    """Whatever a provider does, its key stays where it belongs."""
    caplog.set_level(logging.DEBUG)
    provider = marked[provider_id]
    body = json.dumps(provider.credentials)
    elsewhere = next(
        a for a, b in pairwise((*marked.providers, *marked.providers)) if b is provider
    )
    entry = await add_account(provider)
    told: list[object] = []
    for fault in (
        Redirect(f"{elsewhere.url}/elsewhere"),
        Http(500, body=body),
        Http(403, body=body),
        Http(400, body=body),
        Http(429, body=body),
        Http(200, body=body),
        Html(),
        Reset(),
    ):
        told.append(await fail(hass, provider, fault))
        provider.fail(fault)
        await poll()
        told.append(await async_get_config_entry_diagnostics(hass, entry))
        provider.heal()
    provider.revoke_key()
    await poll()
    await poll()
    told += [
        hass.states.async_all(),
        list(er.async_get(hass).entities.values()),
        dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id),
        list(ir.async_get(hass).issues.values()),
        [
            {key: value for key, value in flow.items() if key != "data_schema"}
            for flow in hass.config_entries.flow.async_progress()
        ],
        (entry.title, entry.unique_id, entry.reason),
        [(request.path, request.headers) for request in elsewhere.requests],
    ]
    assert MARK not in our_log(caplog)
    assert [text for item in told if MARK in (text := repr(item))] == []
    assert MARK in json.dumps(dict(entry.data))
