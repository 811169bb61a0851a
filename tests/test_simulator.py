"""The simulator through real sockets."""

import asyncio
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator, Mapping
from datetime import date
from decimal import Decimal
from http import HTTPStatus
from pathlib import Path
import signal
import sys

from aiohttp import (
    ClientError,
    ClientPayloadError,
    ClientResponseError,
    ClientSession,
    ClientTimeout,
)
import pytest

from .conftest import with_running_clock
from .simulator import (
    FAULTS,
    OWN_PROVIDERS,
    SIMULATED_PROVIDERS,
    CommandError,
    Cut,
    Fault,
    Hang,
    Html,
    Http,
    Huge,
    NotANumber,
    Redirect,
    Reset,
    SimulatedProvider,
    Simulator,
    WrongType,
)
from .simulator.deepgram import Deepgram
from .simulator.deepseek import DeepSeek
from .simulator.telnyx import Telnyx
from .simulator.wire import read

# What providers answer to a bad key; Pushover calls it a bad request.
REFUSED = {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
MISSING_PROJECT = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
async def simulator(socket_enabled: None) -> AsyncGenerator[Simulator]:
    """Run the simulator."""
    async with Simulator() as running:
        yield running


@pytest.fixture
async def session(socket_enabled: None) -> AsyncGenerator[ClientSession]:
    """Open a client that asks only once."""
    async with ClientSession(timeout=ClientTimeout(total=10)) as opened:
        yield opened


class Answer:
    """One answer, read to the end."""

    def __init__(self, status: int, text: str, headers: Mapping[str, str]) -> None:
        """Keep the answer."""
        self.status = status
        self.text = text
        self.headers = headers

    @property
    def json(self) -> object:
        """The body, its numbers as Decimals."""
        return read(self.text)

    @property
    def is_refusal(self) -> bool:
        """Whether the key was not accepted."""
        return self.status in REFUSED


async def ask(
    session: ClientSession,
    provider: SimulatedProvider,
    path: str,
    authorization: str | None = None,
) -> Answer:
    """Ask a provider as its customer does."""
    headers, params = provider.authorization, provider.params
    if authorization is not None:
        headers, params = {"Authorization": authorization}, {}
    url = provider.url + path
    async with session.get(
        url, headers=headers, params=params, allow_redirects=False
    ) as response:
        return Answer(response.status, await response.text(), response.headers)


def first_path(provider: SimulatedProvider) -> str:
    """Name the first path of a provider's API."""
    return next(iter(provider.routes())).path


# What every provider has


@pytest.mark.parametrize("provider_type", OWN_PROVIDERS)
async def test_every_provider_answers_its_customer_only(
    simulator: Simulator, session: ClientSession, provider_type: type[SimulatedProvider]
) -> None:
    """The right key is accepted, any other is not, and all requests are logged."""
    provider = simulator[provider_type]
    path = first_path(provider)
    assert (await ask(session, provider, path)).status == HTTPStatus.OK
    for authorization in ("", "Basic x", f"{provider.scheme} wrong"):
        assert (await ask(session, provider, path, authorization)).is_refusal
    first, *_, last = provider.requests
    assert [request.path for request in provider.requests] == [path] * 4
    assert provider.authorization.items() <= first.headers.items()
    assert provider.params.items() <= first.query.items()
    assert (last.method, last.headers["Authorization"]) == (
        "GET",
        f"{provider.scheme} wrong",
    )


@pytest.mark.parametrize("provider_type", OWN_PROVIDERS)
async def test_every_key_can_be_revoked_and_restored(
    simulator: Simulator, session: ClientSession, provider_type: type[SimulatedProvider]
) -> None:
    """A revoked key is refused until it is restored."""
    provider = simulator[provider_type]
    provider.revoke_key()
    refused = await ask(session, provider, first_path(provider))
    provider.restore_key()
    restored = await ask(session, provider, first_path(provider))
    assert refused.is_refusal
    assert not restored.is_refusal
    assert restored.status == HTTPStatus.OK


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize("provider_type", OWN_PROVIDERS)
async def test_every_provider_fails_and_heals(
    simulator: Simulator,
    session: ClientSession,
    provider_type: type[SimulatedProvider],
    status: int,
) -> None:
    """A fault lasts until healed."""
    provider = simulator[provider_type]
    path = first_path(provider)
    provider.fail(Http(status, retry_after=7))
    for _ in range(2):
        failed = await ask(session, provider, path)
        assert (failed.status, failed.headers["Retry-After"]) == (status, "7")
        assert failed.text
    provider.heal()
    assert (await ask(session, provider, path)).status == HTTPStatus.OK


async def test_credentials_may_be_chosen(
    session: ClientSession, socket_enabled: None
) -> None:
    """A test may mark a key to find it again."""
    chosen = {"telnyx": {"api_key": "marked"}}
    async with Simulator(credentials=chosen) as simulator:
        assert simulator["telnyx"].credentials == {"api_key": "marked"}
        answer = await ask(session, simulator["telnyx"], "/v2/balance", "Bearer marked")
    assert answer.status == HTTPStatus.OK


def test_credentials_of_an_unknown_provider_are_a_mistake() -> None:
    """A misspelled provider does not go unnoticed."""
    with pytest.raises(KeyError, match="telnix"):
        Simulator(credentials={"telnix": {}})


async def test_ports_follow_the_registry(socket_enabled: None) -> None:
    """A given port is the control's, and the providers' follow."""
    count = len(SIMULATED_PROVIDERS) + 1
    # Below what anybody else is given; a run in which one is taken is passed over.
    for port in range(10_000, 20_000, count):
        try:
            async with Simulator(port) as simulator:
                urls = [
                    simulator.url,
                    *(provider.url for provider in simulator.providers),
                ]
                break
        except OSError:
            continue
    assert urls == [f"http://127.0.0.1:{port + number}" for number in range(count)]


# Faults


async def test_faults_may_be_limited(
    simulator: Simulator, session: ClientSession
) -> None:
    """A fault strikes so many times and only where the path matches."""
    deepgram = simulator[Deepgram]
    deepgram.fail(Http(500), times=1, path="/balances$")
    balances = f"/v1/projects/{deepgram.projects[0]}/balances"
    statuses = [
        (await ask(session, deepgram, path)).status
        for path in ("/v1/projects", balances, balances)
    ]
    assert statuses == [200, 500, 200]


async def test_http_fault_may_bring_its_own_body(
    simulator: Simulator, session: ClientSession
) -> None:
    """Body and headers of a fault may be given."""
    telnyx = simulator["telnyx"]
    telnyx.fail(Http(429, body="slow down", headers={"x-ratelimit-reset": "9"}))
    answer = await ask(session, telnyx, "/v2/balance")
    assert (answer.status, answer.text) == (429, "slow down")
    assert answer.headers["x-ratelimit-reset"] == "9"


@pytest.mark.usefixtures("freezer")
async def test_hang_does_not_outlive_the_simulator(
    session: ClientSession, socket_enabled: None
) -> None:
    """A client that still waits is let go when the simulator stops, at any time."""
    async with asyncio.TaskGroup() as tasks, Simulator() as simulator:
        telnyx = simulator["telnyx"]
        telnyx.fail(Hang())
        waiting = tasks.create_task(lost(session, telnyx, "/v2/balance"))
        while not telnyx.requests:
            await asyncio.sleep(0)
    assert waiting.result()


async def lost(session: ClientSession, provider: SimulatedProvider, path: str) -> bool:
    """Whether the connection broke instead of an answer."""
    try:
        await ask(session, provider, path)
    except ClientError:
        return True
    return False


@with_running_clock
async def test_hang(simulator: Simulator, session: ClientSession) -> None:
    """A hanging provider takes the request and never answers."""
    telnyx = simulator["telnyx"]
    telnyx.fail(Hang())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await ask(session, telnyx, "/v2/balance")
    assert len(telnyx.requests) == 1


@pytest.mark.parametrize(
    ("fault", "error"), [(Reset(), ClientError), (Cut(True), ClientPayloadError)]
)
async def test_broken_connection(
    simulator: Simulator,
    session: ClientSession,
    fault: Fault,
    error: type[Exception],
) -> None:
    """The connection ends before the answer or within it."""
    telnyx = simulator["telnyx"]
    telnyx.fail(fault)
    with pytest.raises(error) as caught:
        await ask(session, telnyx, "/v2/balance")
    assert not isinstance(caught.value, ClientResponseError)
    assert telnyx.requests


async def test_redirect(simulator: Simulator, session: ClientSession) -> None:
    """A redirect names the address it was given."""
    simulator["telnyx"].fail(Redirect(simulator["deepseek"].url, 307))
    answer = await ask(session, simulator["telnyx"], "/v2/balance")
    assert answer.status == HTTPStatus.TEMPORARY_REDIRECT
    assert answer.headers["Location"] == simulator["deepseek"].url


async def test_html(simulator: Simulator, session: ClientSession) -> None:
    """A page for people comes with status 200."""
    simulator["telnyx"].fail(Html())
    answer = await ask(session, simulator["telnyx"], "/v2/balance")
    assert answer.status == HTTPStatus.OK
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.text.startswith("<!doctype html>")


async def test_cut(simulator: Simulator, session: ClientSession) -> None:
    """A cut answer is the beginning of the honest one, and no JSON."""
    telnyx = simulator["telnyx"]
    honest = await ask(session, telnyx, "/v2/balance")
    telnyx.fail(Cut())
    answer = await ask(session, telnyx, "/v2/balance")
    assert honest.text.startswith(answer.text)
    with pytest.raises(ValueError, match="line 1"):
        assert answer.json


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (WrongType(), "[]"),
        (WrongType("null"), "null"),
        (WrongType("text"), '"unexpected"'),
        (
            WrongType("nested"),
            '{"balance_id":"B","amount":{"value":104.56822227,"scale":2},'
            '"units":"usd","purchase_order_id":"P"}',
        ),
        (
            NotANumber(),
            '{"balance_id":"B","amount":NaN,"units":"usd","purchase_order_id":"P"}',
        ),
        (
            NotANumber("-Infinity"),
            '{"balance_id":"B","amount":-Infinity,'
            '"units":"usd","purchase_order_id":"P"}',
        ),
    ],
)
async def test_wrong_values(
    simulator: Simulator, session: ClientSession, fault: Fault, expected: str
) -> None:
    """Well-formed nonsense stands in the place of the answer or of its numbers."""
    deepgram = simulator[Deepgram]
    balances = f"/v1/projects/{deepgram.projects[0]}/balances"
    honest = (await ask(session, deepgram, balances)).json
    assert isinstance(honest, dict)
    (balance,) = honest["balances"]
    deepgram.fail(fault)
    text = (await ask(session, deepgram, f"{balances}/{balance['balance_id']}")).text
    text = text.replace(balance["balance_id"], "B")
    assert text.replace(balance["purchase_order_id"], "P") == expected


@pytest.mark.parametrize("compressed", [False, True])
async def test_huge(
    simulator: Simulator, session: ClientSession, compressed: bool
) -> None:
    """A huge answer is true JSON of more than 1 MiB, small on the way if compressed."""
    telnyx = simulator["telnyx"]
    honest = await ask(session, telnyx, "/v2/balance")
    telnyx.fail(Huge(compressed=compressed))
    answer = await ask(session, telnyx, "/v2/balance")
    assert answer.json == honest.json
    assert len(answer.text) > 1024 * 1024
    assert (answer.headers.get("Content-Encoding") == "gzip") is compressed
    assert (int(answer.headers["Content-Length"]) < 10_000) is compressed


async def test_huge_asks_before_compressing(
    simulator: Simulator, session: ClientSession
) -> None:
    """Nothing is compressed for a client that does not accept it."""
    simulator["telnyx"].fail(Huge(compressed=True))
    session.headers["Accept-Encoding"] = "identity"
    answer = await ask(session, simulator["telnyx"], "/v2/balance")
    assert "Content-Encoding" not in answer.headers


# Deepgram


async def test_deepgram_projects_and_balances(
    simulator: Simulator, session: ClientSession
) -> None:
    """Amounts are numbers, digit by digit, and every project has its own."""
    deepgram = simulator[Deepgram]
    home = deepgram.projects[0]
    office = deepgram.add_project("Office")
    hours = deepgram.add_balance(office, Decimal("12.5"), "hour")
    deepgram.spend(Decimal("0.00000001"))
    assert (await ask(session, deepgram, "/v1/projects")).json == {
        "projects": [
            {"project_id": home, "name": "Home"},
            {"project_id": office, "name": "Office"},
        ]
    }
    assert (await ask(session, deepgram, f"/v1/projects/{home}")).json == {
        "project_id": home,
        "name": "Home",
        "mip_opt_out": False,
    }
    path = f"/v1/projects/{office}/balances"
    single = {
        "balance_id": hours,
        "amount": Decimal("12.5"),
        "units": "hour",
        "purchase_order_id": "",
    }
    assert (await ask(session, deepgram, path)).json == {"balances": [single]}
    assert (await ask(session, deepgram, f"{path}/{hours}")).json == single
    text = (await ask(session, deepgram, f"/v1/projects/{home}/balances")).text
    assert '"amount":104.56822226,' in text
    deepgram.clear_balances(home)
    text = (await ask(session, deepgram, f"/v1/projects/{home}/balances")).text
    assert text == '{"balances":[]}'


async def test_deepgram_spends_the_oldest_dollars_first(simulator: Simulator) -> None:
    """Money leaves balance after balance, and only the last falls below zero."""
    deepgram = simulator[Deepgram]
    project = deepgram.add_project("Office")
    with pytest.raises(CommandError, match="no dollars"):
        deepgram.spend(Decimal(1), project)
    deepgram.top_up(Decimal(5), project)
    deepgram.top_up(Decimal(7), project)
    deepgram.spend(Decimal(6), project)
    assert deepgram.amounts(project) == [Decimal(0), Decimal(6)]
    deepgram.spend(Decimal(10), project)
    assert deepgram.amounts(project) == [Decimal(0), Decimal(-4)]


async def test_deepgram_missing_things(
    simulator: Simulator, session: ClientSession
) -> None:
    """What is not there is refused in the documented forms."""
    deepgram = simulator[Deepgram]
    home = deepgram.projects[0]
    malformed = await ask(session, deepgram, "/v1/projects/project/balances")
    missing = await ask(session, deepgram, f"/v1/projects/{MISSING_PROJECT}/balances")
    balance = await ask(session, deepgram, f"/v1/projects/{home}/balances/other")
    deepgram.remove_project(home)
    removed = await ask(session, deepgram, f"/v1/projects/{home}/balances")
    assert {answer.status for answer in (malformed, missing, balance, removed)} == {404}
    assert malformed.text.startswith("UUID parsing failed: invalid character: ")
    assert '"category":"NOT_FOUND"' in missing.text
    assert '"category":"NOT_FOUND"' in balance.text
    assert '"category":"NOT_FOUND"' in removed.text


async def test_deepgram_project_may_fail_alone(
    simulator: Simulator, session: ClientSession
) -> None:
    """One project fails, the other does not."""
    deepgram = simulator[Deepgram]
    office = deepgram.add_project("Office")
    deepgram.fail_project(office, Http(403))
    good, bad = [
        await ask(session, deepgram, f"/v1/projects/{project}/balances")
        for project in deepgram.projects
    ]
    assert (good.status, bad.status) == (200, 403)
    assert "billing:read" in bad.text


async def test_deepgram_refusals(simulator: Simulator, session: ClientSession) -> None:
    """A bad key and a missing permission come in all their forms."""
    deepgram = simulator[Deepgram]
    balances = f"/v1/projects/{deepgram.projects[0]}/balances"
    key = deepgram.credentials["api_key"]

    bearer = await ask(session, deepgram, balances, f"Bearer {key}")
    deepgram.refuse_keys_with("403")
    forbidden = await ask(session, deepgram, balances, "Token wrong")
    assert bearer.status == HTTPStatus.UNAUTHORIZED
    assert '"err_code":"INVALID_AUTH"' in bearer.text
    assert forbidden.status == HTTPStatus.FORBIDDEN
    assert '"category":"UNAUTHORIZED"' in forbidden.text

    deepgram.weaken_key()
    projects = await ask(session, deepgram, "/v1/projects")
    live = await ask(session, deepgram, balances)
    deepgram.refuse_permissions_with("401")
    documented = await ask(session, deepgram, balances)
    deepgram.refuse_permissions_with("401_text")
    plain = await ask(session, deepgram, balances)
    assert projects.status == HTTPStatus.OK
    assert (live.status, documented.status, plain.status) == (403, 401, 401)
    assert '"category":"INSUFFICIENT_PERMISSIONS"' in live.text
    assert '"err_code":"INSUFFICIENT_PERMISSIONS"' in documented.text
    assert plain.text == "User does not have sufficient permissions."
    assert plain.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [("0.75", None), ("1.5", None)]),
        ("accessor=a", [("0.5", None), ("1.5", None)]),
        ("deployment=beta", [("0.25", None)]),
        ("tag=tag1", [("0.25", None)]),
        ("line_item=sync::aura-2", [("1.5", None)]),
        ("grouping=accessor", [("0.5", "a"), ("0.25", "b"), ("1.5", "a")]),
        ("grouping=accessor&start=2025-01-17", [("1.5", "a")]),
        (
            "grouping=accessor&grouping=tags&end=2025-01-16",
            [("0.5", "a"), ("0.25", "b")],
        ),
    ],
)
async def test_deepgram_breakdown(
    simulator: Simulator,
    session: ClientSession,
    query: str,
    expected: list[tuple[str, str | None]],
) -> None:
    """Costs are filtered and summed by day and group."""
    deepgram = simulator[Deepgram]
    project = deepgram.add_project("Office")
    day = date(2025, 1, 16)
    tags = ("tag1", "tag2")
    deepgram.add_cost(project, Decimal("0.2"), day, "a")
    deepgram.add_cost(project, Decimal("0.3"), day, "a")
    deepgram.add_cost(project, Decimal("0.25"), day, "b", "beta", tags=tags)
    deepgram.add_cost(
        project, Decimal("1.5"), date(2025, 1, 17), "a", line_item="sync::aura-2"
    )
    # Of a date given twice the first counts.
    query += "&start=2025-01-16&end=2025-01-23"
    path = f"/v1/projects/{project}/billing/breakdown?{query}"
    answer = (await ask(session, deepgram, path)).json
    assert isinstance(answer, dict)
    results = [
        (str(result["dollars"]), result["grouping"]["accessor"])
        for result in answer["results"]
    ]
    assert results == expected
    assert answer["resolution"] == {"units": "day", "amount": 1}


@pytest.mark.parametrize(
    "path",
    [
        "billing/breakdown?grouping=tag",
        "billing/breakdown?deployment=dedicated",
        "billing/breakdown?start=yesterday",
        "billing/fields?end=2025-13-01",
        "purchases?limit=0",
        "purchases?limit=many",
    ],
)
async def test_deepgram_bad_query(
    simulator: Simulator, session: ClientSession, path: str
) -> None:
    """A query that the specification does not allow is refused."""
    deepgram = simulator[Deepgram]
    project = deepgram.projects[0]
    answer = await ask(session, deepgram, f"/v1/projects/{project}/{path}")
    assert answer.status == HTTPStatus.BAD_REQUEST
    assert '"err_code":"INVALID_QUERY_PARAMETER"' in answer.text


async def test_deepgram_fields_and_purchases(
    simulator: Simulator, session: ClientSession
) -> None:
    """Fields name what costs are made of; purchases are the newest first."""
    deepgram = simulator[Deepgram]
    path = f"/v1/projects/{deepgram.projects[0]}"
    deepgram.add_cost(deepgram.projects[0], Decimal(1), tags=("production", "dev"))
    assert (await ask(session, deepgram, f"{path}/billing/fields")).json == {
        "accessors": [deepgram.accessor],
        "deployments": ["hosted"],
        "tags": ["dev", "production"],
        "line_items": {
            "streaming::nova-3": "Nova - 3 (Stream)",
            "sync::aura-2": "Aura -2 (Sync)",
        },
    }
    deepgram.top_up(Decimal("25.5"))
    purchases = (await ask(session, deepgram, f"{path}/purchases?limit=1")).json
    assert isinstance(purchases, dict)
    assert (purchases["page"], purchases["limit"]) == (0, 1)
    (order,) = purchases["orders"]
    assert (order["amount"], order["units"]) == (Decimal("25.5"), "usd")
    assert "expiration" not in order


# Telnyx and DeepSeek


async def test_telnyx_balance(simulator: Simulator, session: ClientSession) -> None:
    """Amounts are strings, and a credit line adds to what is available."""
    telnyx = simulator[Telnyx]
    assert (await ask(session, telnyx, "/v2/balance")).json == {
        "data": {
            "record_type": "balance",
            "pending": "10.00",
            "balance": "300.00",
            "credit_limit": "100.00",
            "available_credit": "400.00",
            "currency": "USD",
        }
    }
    telnyx.set_credit_limit(Decimal(500))
    telnyx.set_currency("EUR")
    telnyx.set_pending(None)
    telnyx.spend(Decimal("454.29"), "EUR")
    telnyx.top_up(Decimal("0.29"))
    assert (await ask(session, telnyx, "/v2/balance")).json == {
        "data": {
            "record_type": "balance",
            "balance": "-154.00",
            "credit_limit": "500.00",
            "available_credit": "346.00",
            "currency": "EUR",
        }
    }
    with pytest.raises(CommandError, match="EUR"):
        telnyx.spend(Decimal(1), "USD")


async def test_telnyx_errors(simulator: Simulator, session: ClientSession) -> None:
    """Errors carry the documented codes, which are strings."""
    telnyx = simulator["telnyx"]
    codes = []

    async def note(path: str = "/v2/balance", authorization: str | None = None) -> None:
        answer = (await ask(session, telnyx, path, authorization)).json
        assert isinstance(answer, dict)
        codes.append(answer["errors"][0]["code"])

    await note("/balance")
    await note(authorization=f"Token {telnyx.credentials['api_key']}")
    telnyx.weaken_key()
    await note()
    telnyx.fail(Http(429))
    await note()
    telnyx.fail(Http(503))
    await note()
    assert codes == ["10005", "10009", "10010", "10011", "10007"]


async def test_deepseek_balance(simulator: Simulator, session: ClientSession) -> None:
    """Rows come and go in changing order; granted money is spent first."""
    deepseek = simulator[DeepSeek]
    cny = {
        "currency": "CNY",
        "total_balance": "110.00",
        "granted_balance": "10.00",
        "topped_up_balance": "100.00",
    }
    usd = {
        "currency": "USD",
        "total_balance": "0.00",
        "granted_balance": "0.00",
        "topped_up_balance": "0.00",
    }
    answer = await ask(session, deepseek, "/user/balance")
    assert answer.json == {"is_available": True, "balance_infos": [cny]}
    deepseek.add_currency("USD")
    orders = []
    for _ in range(2):
        balance = (await ask(session, deepseek, "/user/balance")).json
        assert isinstance(balance, dict)
        orders.append(balance["balance_infos"])
    assert orders == [[usd, cny], [cny, usd]]
    deepseek.remove_currency("USD")
    deepseek.spend(Decimal(110))
    deepseek.grant(Decimal("0.00"))
    spent = dict.fromkeys(cny.keys() - {"currency"}, "0.00")
    answer = await ask(session, deepseek, "/user/balance")
    assert answer.json == {"is_available": False, "balance_infos": [cny | spent]}
    deepseek.set_is_available(True)
    deepseek.remove_currency("CNY")
    answer = await ask(session, deepseek, "/user/balance")
    assert answer.json == {"is_available": True, "balance_infos": []}
    with pytest.raises(CommandError, match="there is none"):
        deepseek.top_up(Decimal(1))


async def test_deepseek_errors(simulator: Simulator, session: ClientSession) -> None:
    """The refusal repeats the end of the key, and permissions are unknown."""
    deepseek = simulator["deepseek"]
    refused = await ask(session, deepseek, "/user/balance", "Bearer sk-wrong-cafe")
    assert "Authentication Fails, Your api key: ****cafe is invalid" in refused.text
    token = await ask(session, deepseek, "/user/balance", "Token sk-wrong-cafe")
    assert token.text.startswith("Authentication Fails (auth header format should be")
    assert (refused.status, token.status) == (401, 401)
    assert (await ask(session, deepseek, "/v1/user/balance")).status == 404
    assert not deepseek.knows_permissions
    with pytest.raises(CommandError, match="no permissions"):
        deepseek.weaken_key()


# Control, spending by itself, and the program


async def test_control_lists_providers(
    simulator: Simulator, session: ClientSession
) -> None:
    """Another process finds every address, every credential and every command."""
    async with session.get(simulator.url) as response:
        listed = await response.json()
    assert [provider["id"] for provider in listed] == [
        provider.id for provider in SIMULATED_PROVIDERS
    ]
    for shown, provider in zip(listed, simulator.providers, strict=True):
        assert shown["url"] == provider.url
        assert shown["credentials"] == provider.credentials
        assert {"spend", "top_up", "fail", "heal", "revoke_key"} <= set(
            shown["commands"]
        )


async def test_control_runs_commands(
    simulator: Simulator, session: ClientSession
) -> None:
    """Commands arrive with arguments of the right types and tell their result."""
    telnyx, deepgram = simulator[Telnyx], simulator[Deepgram]

    async def command(path: str, /, **arguments: object) -> object:
        url = f"{simulator.url}/providers/{path}"
        async with session.post(url, json=arguments) as response:
            assert response.status == HTTPStatus.OK
            result: object = (await response.json())["result"]
            return result

    assert await command("telnyx/spend", amount="0.01") is None
    assert telnyx.balance == Decimal("299.99")
    project_id = await command("deepgram/add_project", name="Office")
    assert deepgram.projects[1] == project_id
    await command(
        "deepgram/add_cost",
        project_id=project_id,
        dollars="0.25",
        day="2025-01-16",
        tags=["tag1"],
    )
    await command("telnyx/fail", fault="html", times=1)
    fault = {"kind": "http", "status": 429, "retry_after": 30}
    await command("telnyx/fail", fault=fault, path="balance")
    limited = await ask(session, telnyx, "/v2/balance?a=1&a=2")
    assert (limited.status, limited.headers["Retry-After"]) == (429, "30")
    await command("telnyx/heal")
    assert (await ask(session, telnyx, "/v2/balance")).status == HTTPStatus.OK
    async with session.get(f"{simulator.url}/providers/telnyx/requests") as response:
        requests = await response.json()
    assert len(requests) == 2
    assert requests[0]["path"] == "/v2/balance"
    assert requests[0]["query"] == {"a": ["1", "2"]}
    assert requests[0]["headers"]["Authorization"].startswith("Bearer KEY")


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("telnix/heal", "", "no provider 'telnix'"),
        ("telnyx/routes", "", "no command 'routes'"),
        ("telnyx/spend", "{", "not JSON"),
        ("telnyx/spend", "[]", "no JSON object"),
        ("telnyx/spend", "{}", "amount: "),
        ("telnyx/spend", '{"amount": "much"}', "amount: "),
        ("telnyx/spend", '{"amount": "1", "walet": "USD"}', "walet: "),
        ("telnyx/spend", '{"amount": "1", "wallet": "EUR"}', "no wallet 'EUR'"),
        ("telnyx/fail", '{"fault": "flood"}', "no fault 'flood'"),
        ("telnyx/fail", '{"fault": {"kind": "redirect"}}', "fault.to: "),
        ("telnyx/fail", '{"fault": 1}', "fault: "),
        ("deepgram/remove_project", '{"project_id": "x"}', "no project 'x'"),
        ("deepseek/weaken_key", "", "no permissions to lose"),
    ],
)
async def test_control_explains_bad_commands(
    simulator: Simulator, session: ClientSession, path: str, body: str, expected: str
) -> None:
    """A bad command is refused with a clear text and changes nothing."""
    url = f"{simulator.url}/providers/{path}"
    async with session.post(url, data=body) as response:
        assert response.status == HTTPStatus.BAD_REQUEST
        assert expected in await response.text()
    assert simulator[Telnyx].balance == Decimal(300)


@pytest.mark.parametrize("kind", FAULTS)
async def test_every_fault_has_its_kind(
    simulator: Simulator, session: ClientSession, kind: str
) -> None:
    """Another process can order every fault by name."""
    fault = {"kind": kind} | ({"to": "http://127.0.0.1"} if kind == "redirect" else {})
    url = f"{simulator.url}/providers/telnyx/fail"
    async with session.post(url, json={"fault": fault}) as response:
        assert response.status == HTTPStatus.OK


async def test_spending_by_itself(simulator: Simulator) -> None:
    """Every provider spends, and a provider without money does not stop the others."""
    deepgram, telnyx, deepseek = (
        simulator[Deepgram],
        simulator[Telnyx],
        simulator[DeepSeek],
    )
    deepgram.clear_balances(deepgram.projects[0])
    simulator.start_spending(every=0)
    with pytest.raises(RuntimeError):
        simulator.start_spending()
    await asyncio.sleep(0)
    await simulator.stop_spending()
    balance = telnyx.balance
    assert Decimal(299) < balance < Decimal(300)
    await asyncio.sleep(0)
    assert telnyx.balance == balance
    assert deepseek.amount("CNY") < Decimal(110)


@pytest.mark.parametrize("end", ["terminate", "interrupt"])
async def test_program(session: ClientSession, end: str) -> None:
    """The program prints addresses and keys, answers, and ends in good order."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.simulator", "--port", "0", "--spend"),
        cwd=Path(__file__).parents[1],
        stdout=PIPE,
    )
    assert process.stdout is not None
    printed = {}
    for _ in range(len(SIMULATED_PROVIDERS) + 1):
        name, *rest = (await process.stdout.readline()).decode().split()
        printed[name] = rest
    assert list(printed) == [
        *(provider.id for provider in SIMULATED_PROVIDERS),
        "control",
    ]
    url, credentials = printed["telnyx"]
    headers = {"Authorization": f"Bearer {credentials.removeprefix('api_key=')}"}
    async with session.get(f"{url}/v2/balance", headers=headers) as response:
        assert response.status == HTTPStatus.OK
    async with session.get(*printed["control"]) as response:
        assert [provider["url"] for provider in await response.json()] == [
            printed[provider.id][0] for provider in SIMULATED_PROVIDERS
        ]
    process.send_signal({"terminate": signal.SIGTERM, "interrupt": signal.SIGINT}[end])
    assert await process.wait() == 0
