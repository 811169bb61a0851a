"""What is Deepgram's alone: projects that come and go, and single balances."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

from aiohttp import web
from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.api_balance.model import Problem, Snapshot, Unit
from custom_components.api_balance.providers.base import (
    MAX_REQUESTS_AT_ONCE,
    MissingPermission,
    ProviderFault,
    RateLimited,
    ReportsOneBalance,
    UnexpectedAnswer,
    WrongCredentialKind,
)
from custom_components.api_balance.providers.deepgram import Deepgram

from .conftest import with_running_clock
from .recording import RecordedProvider, connected, full_recording, served

HOME = "11111111-aaaa-4aaa-8aaa-111111111111"
LAB = "22222222-bbbb-4bbb-8bbb-222222222222"
GARDEN = "33333333-cccc-4ccc-8ccc-333333333333"
LIST = "GET /v1/projects"
PURCHASES = [
    f"GET /v1/projects/{HOME}/purchases?limit=1000",
    f"GET /v1/projects/{LAB}/purchases?limit=1000",
]
BALANCES = [f"GET /v1/projects/{HOME}/balances", f"GET /v1/projects/{LAB}/balances"]
SHOWN = {"Authorization": "Token {api_key}"}

pytestmark = pytest.mark.usefixtures("socket_enabled")


def answer(json: Any, status: int = 200, **headers: str) -> dict[str, Any]:
    """Return an answer as a recording holds it."""
    return {"shown": SHOWN, "status": status, "json": json, "headers": headers}


NOT_FOUND = answer({"category": "NOT_FOUND"}, 404)
FAULT = answer({}, 500)
TEN_MINUTES = {"Retry-After": "600"}
LIMIT = answer({}, 429, **TEN_MINUTES)


@pytest.fixture
def simulated() -> RecordedProvider:
    """Return a provider with two projects."""
    return RecordedProvider(full_recording(Deepgram))


@pytest.fixture
async def deepgram(
    simulated: RecordedProvider, socket_enabled: None
) -> AsyncIterator[Deepgram]:
    """Return the provider of its account."""
    async with (
        served(simulated.handle) as address,
        connected(Deepgram, address) as provider,
    ):
        assert isinstance(provider, Deepgram)
        yield provider


def asked(simulated: RecordedProvider) -> list[str]:
    """Return what was asked since the last time; side by side there is no order."""
    requests = sorted(simulated.requests)
    simulated.requests.clear()
    return requests


def problems(snapshot: Snapshot) -> dict[str, Problem | None]:
    """Return what is wrong with each project."""
    return {scope.key: scope.problem for scope in snapshot.scopes}


async def test_one_request_per_project(
    deepgram: Deepgram, simulated: RecordedProvider, freezer: FrozenDateTimeFactory
) -> None:
    """The projects are asked for at first, and once a day."""
    await deepgram.read()
    assert asked(simulated) == sorted([LIST, *PURCHASES, *BALANCES])

    freezer.tick(timedelta(hours=23, minutes=59))
    await deepgram.read()
    assert asked(simulated) == BALANCES

    freezer.tick(timedelta(minutes=1))
    await deepgram.read()
    assert asked(simulated) == sorted([LIST, *PURCHASES, *BALANCES])


async def test_project_that_is_gone(
    deepgram: Deepgram, simulated: RecordedProvider
) -> None:
    """A project that cannot be found leads to the list, which tells that it is gone."""
    await deepgram.read()
    asked(simulated)
    simulated.answers[BALANCES[0]] = NOT_FOUND
    simulated.answers[LIST] = answer({"projects": [{"project_id": LAB, "name": "Lab"}]})

    snapshot = await deepgram.read()

    assert problems(snapshot) == {LAB: None}
    assert snapshot.account_ids == {LAB}
    assert asked(simulated) == sorted([*BALANCES, LIST])


async def test_project_that_stays_and_cannot_be_found(
    deepgram: Deepgram, simulated: RecordedProvider
) -> None:
    """The list is asked for again, but never twice in a poll, nor anything else."""
    simulated.answers[BALANCES[0]] = NOT_FOUND
    snapshot = await deepgram.read()
    assert problems(snapshot) == {HOME: Problem.UNEXPECTED_ANSWER, LAB: None}
    assert asked(simulated) == sorted([LIST, *PURCHASES, *BALANCES])
    assert await deepgram.read() == snapshot
    assert asked(simulated) == sorted([*BALANCES, LIST, BALANCES[0]])


async def test_project_that_cannot_be_found_nor_listed(
    deepgram: Deepgram, simulated: RecordedProvider
) -> None:
    """Where the list fails, too, the answers of the other projects stay."""
    await deepgram.read()
    asked(simulated)
    simulated.answers |= {BALANCES[0]: NOT_FOUND, LIST: FAULT}
    snapshot = await deepgram.read()
    assert problems(snapshot) == {HOME: Problem.UNEXPECTED_ANSWER, LAB: None}
    assert asked(simulated) == sorted([*BALANCES, LIST])


async def test_limit_at_a_project_that_replaces_another(
    deepgram: Deepgram, simulated: RecordedProvider
) -> None:
    """After a limit nothing else is asked, and no purchases are."""
    await deepgram.read()
    asked(simulated)
    new = [f"GET /v1/projects/{GARDEN}/{part}" for part in ("purchases", "balances")]
    new[0] += "?limit=1000"
    simulated.answers |= {
        LIST: answer(
            {"projects": [{"project_id": id_} for id_ in (GARDEN, HOME, LAB)]}
        ),
        BALANCES[0]: NOT_FOUND,
        new[0]: answer({"orders": []}),
        new[1]: LIMIT,
    }

    snapshot = await deepgram.read()

    assert problems(snapshot) == {
        GARDEN: Problem.RATE_LIMITED,
        HOME: Problem.UNEXPECTED_ANSWER,
        LAB: None,
    }
    assert snapshot.retry_after == timedelta(minutes=10)
    assert asked(simulated) == sorted([*BALANCES, LIST, BALANCES[0], new[1]])


async def test_project_that_appears(
    deepgram: Deepgram, simulated: RecordedProvider, freezer: FrozenDateTimeFactory
) -> None:
    """A new project is seen with the next list."""
    everything = simulated.answers[LIST]
    simulated.answers[LIST] = answer({"projects": [{"project_id": LAB}]})
    assert problems(await deepgram.read()) == {LAB: None}

    simulated.answers[LIST] = everything
    freezer.tick(timedelta(days=1))
    assert problems(await deepgram.read()) == {HOME: None, LAB: None}


async def test_list_that_fails(
    deepgram: Deepgram, simulated: RecordedProvider, freezer: FrozenDateTimeFactory
) -> None:
    """Without a new list the known projects are asked, and the list is tried again."""
    await deepgram.read()
    everything = simulated.answers[LIST]
    simulated.answers[LIST] = FAULT
    freezer.tick(timedelta(days=1))
    asked(simulated)
    assert problems(await deepgram.read()) == {HOME: None, LAB: None}
    assert asked(simulated) == sorted([LIST, *BALANCES])

    simulated.answers[LIST] = everything
    await deepgram.read()
    assert asked(simulated) == sorted([LIST, *PURCHASES, *BALANCES])


async def test_project_that_fails(
    deepgram: Deepgram, simulated: RecordedProvider
) -> None:
    """One project that fails does not hide the other, nor is it empty."""
    simulated.answers[BALANCES[0]] = FAULT
    snapshot = await deepgram.read()
    assert problems(snapshot) == {HOME: Problem.PROVIDER_FAULT, LAB: None}
    assert [scope.is_whole for scope in snapshot.scopes] == [False, True]
    assert {wallet.scope for wallet in snapshot.wallets} == {LAB}


async def test_all_projects_fail(
    deepgram: Deepgram, simulated: RecordedProvider
) -> None:
    """When every project fails, the poll does."""
    simulated.answers |= dict.fromkeys(BALANCES, FAULT)
    with pytest.raises(ProviderFault):
        await deepgram.read()


def many(count: int) -> list[str]:
    """Return the ids of many projects."""
    return [f"{number:08}-aaaa-4aaa-8aaa-000000000000" for number in range(count)]


async def test_limit_ends_the_poll(
    deepgram: Deepgram, simulated: RecordedProvider
) -> None:
    """After a limit no further project is asked, beyond those asked side by side."""
    ids = many(12)
    simulated.answers = {
        LIST: answer({"projects": [{"project_id": id_} for id_ in ids]})
    }
    simulated.answers |= {f"GET /v1/projects/{id_}/balances": LIMIT for id_ in ids}
    with pytest.raises(RateLimited):
        await deepgram.read()
    assert len(asked(simulated)) <= 1 + MAX_REQUESTS_AT_ONCE


async def test_requests_side_by_side() -> None:
    """At most four requests are under way, and each answer belongs to its project."""
    under_way = most = 0

    async def handle(request: web.Request) -> web.StreamResponse:
        nonlocal under_way, most
        if request.path == "/v1/projects":
            projects = [{"project_id": id_, "name": id_} for id_ in many(9)]
            return web.json_response({"projects": projects})
        if request.path.endswith("/purchases"):
            return web.json_response({"orders": []})
        under_way += 1
        most = max(most, under_way)
        # Until the others are there, too.
        for _ in range(50):
            await asyncio.sleep(0)
        under_way -= 1
        number = int(request.path.split("/")[3][:8])
        balance = {"amount": number, "units": "usd"}
        return web.json_response({"balances": [balance]})

    async with served(handle) as address, connected(Deepgram, address) as provider:
        snapshot = await provider.read()
    assert 1 < most <= MAX_REQUESTS_AT_ONCE
    assert {wallet.scope: wallet.balance for wallet in snapshot.wallets} == {
        id_: Decimal(number) for number, id_ in enumerate(many(9))
    }


@with_running_clock
@pytest.mark.parametrize("stalling", ["balances", "purchases"])
async def test_project_that_stalls(
    monkeypatch: pytest.MonkeyPatch, simulated: RecordedProvider, stalling: str
) -> None:
    """One deadline ends the whole poll; what was answered in time stays."""
    monkeypatch.setattr(
        "custom_components.api_balance.providers.base.POLL_SECONDS", 0.5
    )

    async def handle(request: web.Request) -> web.StreamResponse:
        if request.path == f"/v1/projects/{HOME}/{stalling}":
            await asyncio.get_running_loop().create_future()
        return await simulated.handle(request)

    async with served(handle) as address, connected(Deepgram, address) as provider:
        snapshot = await provider.read()
    is_missing = stalling == "balances"
    assert problems(snapshot) == {
        HOME: Problem.UNREACHABLE if is_missing else None,
        LAB: None,
    }
    wallets = {wallet.scope for wallet in snapshot.wallets}
    assert wallets == ({LAB} if is_missing else {HOME, LAB})


async def test_project_that_has_to_pay(
    deepgram: Deepgram, simulated: RecordedProvider
) -> None:
    """A project that is refused because a payment is required is no changed answer."""
    simulated.answers[BALANCES[0]] = answer({}, 402)
    snapshot = await deepgram.read()
    assert problems(snapshot) == {HOME: None, LAB: None}
    availability = [scope.is_available for scope in snapshot.scopes]
    assert availability == [False, None]
    assert snapshot.is_available is None
    assert {wallet.scope for wallet in snapshot.wallets} == {LAB}

    simulated.answers[BALANCES[1]] = answer({}, 402)
    snapshot = await deepgram.read()
    assert [scope.is_available for scope in snapshot.scopes] == [False, False]
    assert snapshot.account_ids == {HOME, LAB}
    assert snapshot.is_available is False


async def test_purchases_that_are_gone(
    deepgram: Deepgram, simulated: RecordedProvider, freezer: FrozenDateTimeFactory
) -> None:
    """Only what a project lists now says when its credit expires."""
    assert expiring(await deepgram.read()) == 1
    simulated.answers[PURCHASES[0]] = answer({"orders": []})
    freezer.tick(timedelta(days=1))
    assert expiring(await deepgram.read()) == 0


@pytest.mark.parametrize("id_", ["account", "Account", "..", "", "x" * 200, "\ud83d"])
async def test_id_that_is_none(
    deepgram: Deepgram, simulated: RecordedProvider, id_: str
) -> None:
    """An id that no entity can be named by is refused."""
    simulated.answers[LIST] = answer({"projects": [{"project_id": id_}]})
    with pytest.raises(UnexpectedAnswer) as caught:
        await deepgram.read()
    assert caught.value.path == "projects.0.project_id"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Ho\ud83dme", "Ho me"),
        ("Home\ud83d", "Home"),
        ("Ho\x00me\n", "Ho me"),
        ("\u202eemoH", "emoH"),
        ("Home \U0001f600", "Home \U0001f600"),
        ("x" * 1000, "x" * 127 + "\u2026"),
        ("x" * 100_000, None),
        ("of example-api_key", None),
        ("of EXAMPLE-API_KEY", None),
    ],
    ids=range(9),
)
async def test_name_of_a_project(
    deepgram: Deepgram, simulated: RecordedProvider, name: str, shown: str | None
) -> None:
    """A name is a text that can be stored and shown, and holds no key."""
    simulated.answers[LIST] = answer({"projects": [{"project_id": LAB, "name": name}]})
    (scope,) = (await deepgram.read()).scopes
    assert scope.label == shown


async def test_unit_with_letters_of_no_currency(
    deepgram: Deepgram, simulated: RecordedProvider
) -> None:
    """Letters that are not ASCII make no currency."""
    simulated.answers[BALANCES[1]] = answer(
        {"balances": [{"amount": 1, "units": "\u00df\u00df\u00df"}]}
    )
    wallets = (await deepgram.read()).wallets
    (unit,) = [wallet.unit for wallet in wallets if wallet.scope == LAB]
    assert unit == Unit.named("\u00df\u00df\u00df")


async def test_wait_of_one_project(
    deepgram: Deepgram, simulated: RecordedProvider
) -> None:
    """A project that asks for patience gets it, whatever else is wrong."""
    simulated.answers[BALANCES[0]] = answer({}, 503, **TEN_MINUTES)
    assert (await deepgram.read()).retry_after == timedelta(minutes=10)
    simulated.answers |= {BALANCES[0]: FAULT, BALANCES[1]: LIMIT}
    with pytest.raises(RateLimited) as caught:
        await deepgram.read()
    assert caught.value.retry_after == timedelta(minutes=10)


def expiring(snapshot: Snapshot) -> int:
    """Return of how many lots it is known when they expire."""
    lots = [lot for wallet in snapshot.wallets for lot in wallet.lots]
    assert len(lots) == 4
    return sum(lot.expires_at is not None for lot in lots)


async def test_purchases_that_fail(
    deepgram: Deepgram, simulated: RecordedProvider
) -> None:
    """Purchases only adorn the balances; what fails for a while is tried again."""
    known = simulated.answers[PURCHASES[0]]
    simulated.answers[PURCHASES[0]] = FAULT
    assert expiring(await deepgram.read()) == 0
    assert asked(simulated) == sorted([LIST, *PURCHASES, *BALANCES])
    simulated.answers[PURCHASES[0]] = known
    assert expiring(await deepgram.read()) == 1
    assert asked(simulated) == sorted([PURCHASES[0], *BALANCES])
    assert expiring(await deepgram.read()) == 1
    assert asked(simulated) == BALANCES


async def test_purchases_that_are_refused(
    deepgram: Deepgram, simulated: RecordedProvider
) -> None:
    """What the key may not read is not asked for again before tomorrow."""
    simulated.answers[PURCHASES[0]] = NOT_FOUND
    await deepgram.read()
    asked(simulated)
    await deepgram.read()
    assert asked(simulated) == BALANCES


async def test_limit_at_the_purchases(
    deepgram: Deepgram, simulated: RecordedProvider
) -> None:
    """A limit of the purchases keeps the balances; the purchases are tried again."""
    known = simulated.answers[PURCHASES[0]]
    simulated.answers[PURCHASES[0]] = LIMIT
    assert problems(await deepgram.read()) == {HOME: None, LAB: None}
    assert asked(simulated) == sorted([LIST, *PURCHASES, *BALANCES])
    simulated.answers[PURCHASES[0]] = known
    await deepgram.read()
    assert asked(simulated) == sorted([PURCHASES[0], *BALANCES])


async def test_missing_permission_is_named(
    deepgram: Deepgram, simulated: RecordedProvider
) -> None:
    """The permission is the one the provider names."""
    simulated.answers[LIST] = answer(
        {
            "category": "INSUFFICIENT_PERMISSIONS",
            "details": "Check that your account has the 'project:read' scope.",
        },
        403,
    )
    with pytest.raises(MissingPermission) as caught:
        await deepgram.read()
    assert caught.value.permission == "project:read"


def test_short_lived_token() -> None:
    """A token for speech is known as such before it is sent."""
    with pytest.raises(WrongCredentialKind):
        Deepgram.headers({"api_key": "eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl"})


async def test_one_balance(deepgram: Deepgram, simulated: RecordedProvider) -> None:
    """A single balance is asked for by its id, whatever stands in it."""
    assert isinstance(deepgram, ReportsOneBalance)
    simulated.answers[f"GET /v1/projects/{HOME}/balances/b%2F1"] = answer(
        {"balance_id": "b/1", "amount": 0.1, "units": "usd"}
    )
    lot = await deepgram.fetch_balance(HOME, "b/1")
    assert (lot.id, lot.amount) == ("b/1", Decimal("0.1"))
