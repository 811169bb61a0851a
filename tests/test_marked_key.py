"""A marked key of every vendor is found nowhere but in its entry's data."""

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

from .conftest import AddAccount, Poll, our_log
from .simulator import VENDORS, Fault, Html, Http, Redirect, Reset, Simulator, Vendor

MARK = "MARKED"


@pytest.fixture
async def marked(simulator: Simulator) -> Simulator:
    """Return vendors whose keys are easily found."""
    for vendor in simulator.vendors:
        vendor.credentials = vendor.new_key(MARK)
    return simulator


async def fail(hass: HomeAssistant, vendor: Vendor, fault: Fault) -> object:
    """Return what the flow says of a vendor that fails."""
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}, data={"provider": vendor.id}
    )
    vendor.fail(fault)
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"],
        {**vendor.credentials, "advanced": {"base_url": vendor.url}},
    )
    vendor.heal()
    hass.config_entries.flow.async_abort(result["flow_id"])
    return {**result, "data_schema": str(result["data_schema"])}


@pytest.mark.parametrize("vendor_id", [vendor.id for vendor in VENDORS])
async def test_key_is_nowhere_else(
    hass: HomeAssistant,
    marked: Simulator,
    add_account: AddAccount,
    poll: Poll,
    caplog: pytest.LogCaptureFixture,
    vendor_id: str,
) -> None:
    """Whatever a vendor does, its key stays where it belongs."""
    caplog.set_level(logging.DEBUG)
    vendor = marked[vendor_id]
    body = json.dumps(vendor.credentials)
    elsewhere = next(
        a for a, b in pairwise((*marked.vendors, *marked.vendors)) if b is vendor
    )
    entry = await add_account(vendor)
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
        told.append(await fail(hass, vendor, fault))
        vendor.fail(fault)
        await poll()
        told.append(await async_get_config_entry_diagnostics(hass, entry))
        vendor.heal()
    vendor.revoke_key()
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
