"""A real Home Assistant, driven through its APIs, against the simulator."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
import json
from pathlib import Path

import pytest

from tests.simulator import Http, Redirect, SimulatedProvider
from tests.simulator.deepgram import Deepgram

from .accounts import (
    DOMAIN,
    add_account,
    choose_provider,
    entities_of,
    entity_id_of,
    find_mistakes,
    give_credentials,
    our_complaints,
    read_holding,
)
from .conftest import MARK, PROVIDERS, TAIL, Bench, marked_key
from .home_assistant import HomeAssistant

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.usefixtures("socket_enabled"),
    pytest.mark.timeout(300),
]


# Where a redirect leads, at the host of another provider.
ELSEWHERE = "/elsewhere"


async def find_all_mistakes(bench: Bench) -> list[str]:
    """Return every entity of every account that is missing or wrong."""
    return [
        mistake
        for simulated in bench.providers
        for mistake in await find_mistakes(
            bench.home, bench.entry_id(simulated.id), await read_holding(simulated)
        )
    ]


async def enable_all_entities(bench: Bench) -> None:
    """Enable what is disabled by default."""
    for provider in PROVIDERS:
        entry_id = bench.entry_id(provider)
        for entity in (await entities_of(bench.home, entry_id)).values():
            await bench.home.call(
                "config/entity_registry/update",
                entity_id=entity["entity_id"],
                disabled_by=None,
            )
        await bench.home.reload_entry(entry_id)


def is_stored(home: HomeAssistant, entry_id: str) -> bool:
    """Tell whether an entry would survive a power cut."""
    path = home.folder / ".storage" / "core.config_entries"
    return path.exists() and entry_id in path.read_text()


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_flow(bench: Bench, provider: str) -> None:
    """A bad key shows an error, and a good one after it makes an entry."""
    refused = bench.refused[provider]
    assert (refused["type"], refused["step_id"]) == ("form", "credentials")
    assert refused["errors"] == {"base": "bad_key"}
    assert bench.created[provider]["type"] == "create_entry"
    assert MARK not in bench.created[provider]["title"]
    entry = await bench.home.until_entry(bench.entry_id(provider), "loaded")
    assert entry["title"] == bench.created[provider]["title"]


async def test_same_account_twice(bench: Bench) -> None:
    """An account that is there already is refused."""
    telnyx = bench.simulator["telnyx"]
    result = await add_account(bench.home, "telnyx", telnyx.credentials, telnyx.url)
    assert (result["type"], result["reason"]) == ("abort", "already_configured")


async def test_states(bench: Bench) -> None:
    """Every entity shows what the provider has, also those disabled by default."""
    assert await find_all_mistakes(bench) == []
    await enable_all_entities(bench)
    assert await find_all_mistakes(bench) == []


async def test_polling(bench: Bench) -> None:
    """What is spent shows with the next poll."""
    deepseek = bench.simulator["deepseek"]
    balance = await entity_id_of(bench.home, bench.entry_id("deepseek"), "cny_balance")
    before = Decimal(bench.home.states[balance]["state"])
    deepseek.spend(Decimal("12.34"))
    await bench.home.update_entity(balance)
    await bench.home.until_state(balance, str(before - Decimal("12.34")))
    assert await find_all_mistakes(bench) == []


async def test_revoked_key(bench: Bench, expected_complaints: list[str]) -> None:
    """A key refused twice in a row starts a reauthentication, which a new key ends."""
    expected_complaints.append("Telnyx")
    home, telnyx = bench.home, bench.simulator["telnyx"]
    entry_id = bench.entry_id("telnyx")
    balance = await entity_id_of(home, entry_id, "usd_balance")
    status = await entity_id_of(home, entry_id, "update_status")

    telnyx.credentials["api_key"] = marked_key("telnyx", "next")
    await home.update_entity(balance)
    await home.until_state(status, "bad_key")
    await home.until_state(balance, "unavailable")
    assert await home.flows(DOMAIN) == []

    # Not an update: those have a cool-down of ten seconds.
    await home.reload_entry(entry_id)
    flow = await home.until_flow(DOMAIN, "reauth", entry_id)
    step = await home.show_flow(flow["flow_id"])
    assert step["step_id"] == "credentials"
    step = await give_credentials(
        home, step, {"api_key": marked_key("telnyx", "bad")}, telnyx.url
    )
    assert step["errors"] == {"base": "bad_key"}
    result = await give_credentials(home, step, telnyx.credentials, telnyx.url)
    assert (result["type"], result["reason"]) == ("abort", "reauth_successful")

    await home.until_entry(entry_id, "loaded")
    assert await find_all_mistakes(bench) == []
    assert await home.flows(DOMAIN) == []
    assert await home.issues() == []


async def test_restart(bench: Bench) -> None:
    """A restart keeps every id and every state; what is foreseen may move a little."""
    home = bench.home
    began = datetime.now(UTC)
    foreseen = ("_daily_spend", "_time_left", "_runs_out")

    async def picture() -> object:
        entities = await home.entities(DOMAIN)
        return {
            entity["unique_id"]: (
                entity["entity_id"],
                entity["device_id"],
                entity["unique_id"].endswith(foreseen)
                or home.states.get(entity["entity_id"], {}).get("state"),
            )
            for entity in entities
            if not entity["unique_id"].endswith("_last_update")
        }

    async def forecast() -> dict[str, float]:
        states = {
            entity["unique_id"]: home.states[entity["entity_id"]]["state"]
            for entity in await home.entities(DOMAIN)
            if entity["unique_id"].endswith(foreseen)
        }
        return {
            key: (datetime.fromisoformat(state) - began) / timedelta(days=1)
            if key.endswith("_runs_out")
            else float(state)
            for key, state in states.items()
            if state != "unknown"
        }

    before, foreseen_before = await picture(), await forecast()
    assert foreseen_before
    await home.restart()
    for provider in PROVIDERS:
        await home.until_entry(bench.entry_id(provider), "loaded")
    assert await picture() == before
    assert await forecast() == pytest.approx(foreseen_before, rel=0.05)
    assert await find_all_mistakes(bench) == []


async def test_spent_to_the_end_in_the_dark(bench: Bench) -> None:
    """A project whose balances are gone after a power cut is at zero, not missing."""
    home, deepgram = bench.home, bench.simulator[Deepgram]
    entry_id = bench.entry_id("deepgram")
    (project_id,) = deepgram.projects
    balance = await entity_id_of(home, entry_id, f"{project_id}_usd_balance")
    availability = await entity_id_of(home, entry_id, "availability")

    async def check() -> bool:
        return is_stored(home, entry_id)

    await home.until(check, "the entry on disk")
    await home.kill()
    deepgram.clear_balances(project_id)
    await home.start()
    await home.until_entry(entry_id, "loaded")
    assert Decimal(home.states[balance]["state"]) == 0
    assert home.states[availability]["state"] == "depleted"

    deepgram.top_up(Decimal("25.5"))
    await home.update_entity(balance)
    await home.until_state(balance, "25.5")
    await home.until_state(availability, "available")
    assert await find_all_mistakes(bench) == []


async def provoke(
    bench: Bench, simulated: SimulatedProvider, other: SimulatedProvider
) -> None:
    """Let a provider fail in ways that tempt to tell too much."""
    home, entry_id = bench.home, bench.entry_id(simulated.id)
    body = json.dumps([simulated.credentials["api_key"]])
    for fault in (
        Redirect(f"{other.url}{ELSEWHERE}"),
        Http(status=HTTPStatus.INTERNAL_SERVER_ERROR, body=body),
        Http(status=HTTPStatus.FORBIDDEN, body=body),
        Http(status=HTTPStatus.OK, body=body),
    ):
        simulated.fail(fault)
        await home.reload_entry(entry_id)
        step = await choose_provider(home, simulated.id)
        step = await give_credentials(home, step, simulated.credentials, simulated.url)
        assert step["errors"]
        await home.abort_flow(step["flow_id"])
        simulated.heal()
    simulated.revoke_key()
    for _ in range(2):
        await home.reload_entry(entry_id)
    await home.until_flow(DOMAIN, "reauth", entry_id)


async def told_by(bench: Bench) -> dict[str, str]:
    """Return all that Home Assistant tells, as text."""
    home = bench.home
    told = {
        "states": await home.call("get_states"),
        "entities": await home.call("config/entity_registry/list"),
        "devices": await home.call("config/device_registry/list"),
        "entries": await home.call("config_entries/get"),
        "issues": await home.issues(),
        "flows": await home.call("config_entries/flow/progress"),
        "steps": [
            await home.show_flow(flow["flow_id"]) for flow in await home.flows(DOMAIN)
        ],
        "log": await home.call("system_log/list"),
        "created": bench.created,
        "refused": bench.refused,
        **{
            f"diagnostics of {provider}": await home.diagnostics(
                bench.entry_id(provider)
            )
            for provider in PROVIDERS
        },
    }
    return {name: json.dumps(content) for name, content in told.items()}


def files_with_a_key(folder: Path) -> set[str]:
    """Return the files in a folder that hold a key or its end."""
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and holds_a_key(path.read_bytes().decode(errors="replace"))
    }


def holds_a_key(text: str) -> bool:
    """Tell whether a text holds a key or its end."""
    return MARK in text or TAIL in text


async def test_key_is_nowhere_else(
    bench: Bench, expected_complaints: list[str]
) -> None:
    """A key stands in its entry's data and goes to its provider, and that is all."""
    expected_complaints += ["Deepgram", "Telnyx", "DeepSeek"]
    home, providers = bench.home, bench.providers
    for simulated, other in zip(providers, providers[1:] + providers[:1], strict=True):
        await provoke(bench, simulated, other)

    told = await told_by(bench)
    assert [name for name, text in told.items() if holds_a_key(text)] == []
    assert not holds_a_key("".join(our_complaints(home)))

    for simulated in providers:
        others = {f"{MARK}-{other.id}" for other in providers if other is not simulated}
        assert simulated.requests
        for request in simulated.requests:
            assert request.path != ELSEWHERE
            assert not holds_a_key(f"{request.path} {request.query}")
            headers = str(request.headers)
            assert not any(key in headers for key in others)

    # What waits to be written is written now.
    await home.stop()
    assert files_with_a_key(home.folder) == {".storage/core.config_entries"}
    for simulated in providers:
        simulated.restore_key()
    await home.start()
    for provider in PROVIDERS:
        await home.until_entry(bench.entry_id(provider), "loaded")
