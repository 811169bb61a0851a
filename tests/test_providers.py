"""The contract of the providers: the same tests for every provider."""

import asyncio
from collections.abc import Iterator
import copy
from datetime import datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
import gzip
from importlib import import_module
import json
from pathlib import Path
import re
from typing import Any

from aiohttp import ClientSession, ClientTimeout, web
import pytest
import voluptuous as vol

from custom_components.api_balance.model import Snapshot
from custom_components.api_balance.providers.base import (
    InvalidCredentials,
    NotInAnswer,
    PaymentRequired,
    Provider,
    ProviderError,
    ProviderFault,
    RateLimited,
    UnexpectedAnswer,
    Unreachable,
    ask_each,
)
from custom_components.api_balance.providers.catalog import load, load_all
from custom_components.api_balance.providers.fields import (
    amount,
    currency,
    epoch,
    identifier,
    label,
    moment,
)
from custom_components.api_balance.providers.http import connect
from custom_components.api_balance.providers.other import OtherService

from .conftest import with_running_clock
from .recording import (
    EVERY_PROVIDER,
    FOLDER,
    RECORDED_AT,
    Handler,
    RecordedProvider,
    Recording,
    connected,
    full_recording,
    plain,
    read_recording,
    recordings,
    served,
)

pytestmark = pytest.mark.usefixtures("socket_enabled")


def each(items: Any) -> Any:
    """Return a fixture parameter for each item, named by it."""
    return [
        pytest.param(item, id=getattr(item, "id", None) or str(item)) for item in items
    ]


@pytest.mark.parametrize("provider", each(load_all()))
def test_declarations(provider: type[Provider]) -> None:
    """A provider says what people need to know, and what it is built from."""
    assert provider.credentials
    for url in (
        *provider.hosts.values(),
        provider.key_url,
        provider.top_up_url,
        provider.status_url,
    ):
        assert url.startswith("https://")
    assert "https://" in (import_module(provider.__module__).__doc__ or "")


@pytest.mark.parametrize("provider", each(load_all()))
def test_recordings_are_there(provider: type[Provider]) -> None:
    """Every provider has the recordings that show its edges."""
    there = {path.stem for path in (FOLDER / provider.id).glob("*.json")}
    missing = set(EVERY_PROVIDER) - there
    assert not missing, f"add to {FOLDER / provider.id}: {sorted(missing)}"
    if provider.permission:
        missing |= {"missing_permission"} - there
    if "wallets" in full_recording(provider).expect["snapshot"]:
        missing |= {"debt"} - there
    assert not missing, f"add to {FOLDER / provider.id}: {sorted(missing)}"


@pytest.mark.parametrize("recording", each(recordings()))
async def test_recorded_answers(recording: Recording) -> None:
    """A recorded answer means what its file says."""
    simulated = RecordedProvider(recording)
    outcome = await meaning(recording, simulated.handle)
    assert simulated.complaints == []
    assert outcome == recording.expect
    assert set(simulated.requests) == set(recording.answers)


@pytest.mark.parametrize("provider", each(load_all()))
def test_credit_lines(provider: type[Provider]) -> None:
    """With a credit line it is told what can be spent: the balance alone ends at zero."""
    for recording in recordings(provider.id):
        for wallet in recording.expect.get("snapshot", {}).get("wallets", ()):
            if Decimal(wallet.get("credit_limit", 0)) > 0:
                assert wallet.keys() & {"available", "is_in_doubt"}, (
                    f"{recording.path}: add what is available"
                )


RECORDED: dict[str, Any] = {
    "about": "the official example",
    "source": "https://example.com/docs/balance",
    "answers": {"GET /v1/balance": {"shown": {}, "status": 200, "json": {}}},
    "expect": {},
}


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("{", "line 1 column 2"),
        (json.dumps({**RECORDED, "expects": {}}), "expects"),
        (json.dumps({**RECORDED, "answers": {"GET /v1/balance": {}}}), "shown"),
    ],
    ids=["not JSON", "misspelled", "missing"],
)
def test_mistakes_in_a_recording(tmp_path: Path, text: str, mistake: str) -> None:
    """A recording that is not well formed is named, with what is wrong in it."""
    path = tmp_path / "full.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"^{re.escape(str(path))}: .*{mistake}"):
        read_recording(path)


async def meaning(recording: Recording, handler: Handler) -> dict[str, Any]:
    """Return in plain words what the provider makes of a provider's answers."""
    provider = load(recording.provider)
    async with served(handler) as address:
        try:
            async with connected(
                provider, address, recording.credentials, recording.region
            ) as client:
                return {"snapshot": plain(await client.read())}
        except ProviderError as err:
            details = {key: plain(value) for key, value in vars(err).items()}
            return {"problem": err.problem.value, **details}


def breakages(content: Any, rebuild: Any) -> Iterator[Any]:
    """Yield the content with each of its parts replaced, and each field left out."""
    wrong: Any
    for wrong in (None, "x", 5, -1.5, True, [], {}, [[]], "NaN", "1e999999999"):
        yield rebuild(wrong)
    children = (
        content.items()
        if isinstance(content, dict)
        else enumerate(content)
        if isinstance(content, list)
        else ()
    )
    for key, child in children:
        if isinstance(content, dict):
            yield rebuild({name: part for name, part in content.items() if name != key})

        def replace(value: Any, key: Any = key) -> Any:
            changed = copy.copy(content)
            changed[key] = value
            return rebuild(changed)

        yield from breakages(child, replace)


@pytest.mark.parametrize("provider", each(load_all()))
async def test_wrong_types(provider: type[Provider]) -> None:
    """An answer of any shape is read, or refused with the path that broke."""
    recording = full_recording(provider)
    simulated = RecordedProvider(recording)
    outcomes: set[type] = set()
    async with served(simulated.handle) as address, ClientSession() as session:
        for asked, answer in recording.answers.items():
            for broken in breakages(answer["json"], lambda value: value):
                simulated.answers = {
                    **recording.answers,
                    asked: {**answer, "json": broken},
                }
                client = connect(
                    provider, session, recording.credentials, base_url=address
                )
                try:
                    outcome: object = await client.read()
                except ProviderError as err:
                    outcome = err
                outcomes.add(type(outcome))
    assert Snapshot in outcomes
    assert any(issubclass(outcome, UnexpectedAnswer) for outcome in outcomes)


def answering(text: str, **response: Any) -> Handler:
    """Return a handler that always gives the same answer."""

    async def handle(request: web.Request) -> web.StreamResponse:
        return web.Response(text=text, **response)

    return handle


async def never(request: web.Request) -> web.StreamResponse:
    """Let the client wait until it leaves."""
    await asyncio.get_running_loop().create_future()
    raise AssertionError


async def reset(request: web.Request) -> web.StreamResponse:
    """Close the connection instead of answering."""
    assert request.transport
    request.transport.abort()
    return web.Response()


async def bomb(request: web.Request) -> web.StreamResponse:
    """Answer little that unpacks to more than can be taken."""
    return web.Response(
        body=gzip.compress(b"[" + b" " * 2_000_000 + b"]"),
        headers={"Content-Encoding": "gzip", "Content-Type": "application/json"},
    )


async def cut_off(request: web.Request) -> web.StreamResponse:
    """Stop in the middle of an announced body."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"data":')
    assert request.transport
    request.transport.close()
    return response


PAGE = "<!DOCTYPE html><html><body>Attention required</body></html>"
DEEP = "[" * 52_000 + "]" * 52_000
NOW = datetime.fromisoformat(RECORDED_AT)
IN_TWO_MINUTES = format_datetime(NOW + timedelta(minutes=2), usegmt=True)

FAULTS: dict[str, tuple[Handler, type[ProviderError], str | None]] = {
    "timeout": (never, Unreachable, None),
    "reset": (reset, Unreachable, None),
    "cut off": (cut_off, Unreachable, None),
    "redirect": (
        answering("", status=302, headers={"Location": "http://127.0.0.1:9/"}),
        UnexpectedAnswer,
        "HTTP 302",
    ),
    "not modified": (answering("", status=304), UnexpectedAnswer, "HTTP 304"),
    "no content": (answering("", status=204), UnexpectedAnswer, "HTTP 204"),
    "page": (answering(PAGE, content_type="text/html"), Unreachable, None),
    "page with a mark": (answering(f"\ufeff\n{PAGE}"), Unreachable, None),
    "page as 402": (answering(PAGE, status=402), Unreachable, None),
    "page as 511": (answering(PAGE, status=511), Unreachable, None),
    "login to the network": (answering("", status=511), Unreachable, None),
    "page as 401": (answering(PAGE, status=401), Unreachable, None),
    "page as 403": (answering(PAGE, status=403), Unreachable, None),
    "half": (answering('{"data": {"bal'), UnexpectedAnswer, "JSON"),
    "nothing": (answering(""), UnexpectedAnswer, "JSON"),
    "list": (answering("[]"), UnexpectedAnswer, None),
    "number": (answering("5"), UnexpectedAnswer, None),
    "something else": (answering('{"unrelated": 1}'), UnexpectedAnswer, None),
    "not a number": (answering('{"data": NaN}'), UnexpectedAnswer, "JSON"),
    "infinite": (answering('{"data": -Infinity}'), UnexpectedAnswer, "JSON"),
    "not text": (
        answering("\u00ff", charset="latin-1"),
        UnexpectedAnswer,
        "JSON",
    ),
    "deep": (answering("[" * 100_000), UnexpectedAnswer, "JSON"),
    "deeper than any answer": (
        answering("[" * 60 + "]" * 60),
        UnexpectedAnswer,
        "JSON",
    ),
    "deep error": (answering(DEEP, status=400), UnexpectedAnswer, "HTTP 400"),
    "deep refusal": (answering(DEEP, status=429), RateLimited, None),
    "huge": (answering("[" + " " * 1_100_000 + "]"), UnexpectedAnswer, "1 MiB"),
    "bomb": (bomb, UnexpectedAnswer, "1 MiB"),
    "teapot": (answering("", status=418), UnexpectedAnswer, "HTTP 418"),
    "provider at fault": (answering("", status=500), ProviderFault, None),
    "gateway": (answering(PAGE, status=502), ProviderFault, None),
    "request timeout": (answering("", status=408), ProviderFault, None),
}


@with_running_clock
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("provider", each(load_all()))
async def test_faults(
    provider: type[Provider], fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever happens on the way has its own name, and holds no key."""
    handler, error, path = FAULTS[fault]
    if fault == "timeout":
        monkeypatch.setattr(
            "custom_components.api_balance.providers.http.TIMEOUT",
            ClientTimeout(total=0.05),
        )
    async with served(handler) as address, connected(provider, address) as client:
        with pytest.raises(error) as caught:
            await client.read()
    assert path is None or path in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    for secret in (*full_recording(provider).secrets, address, PAGE):
        assert secret not in repr(caught.value)


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("provider", each(load_all()))
async def test_refusal_without_a_word(provider: type[Provider], status: int) -> None:
    """A refusal without a reason speaks of the key, never of the account."""
    refused = answering("", status=status)
    outcome = await meaning(full_recording(provider), refused)
    assert outcome.get("problem") in {"bad_key", "missing_permission"}


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"Retry-After": "30"}, 30),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": IN_TWO_MINUTES}, 120),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, None),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00"}, None),
        ({"Retry-After": "0"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "NaN"}, None),
        ({"Retry-After": "1e999999"}, 86400),
        ({"Retry-After": "99999999"}, 86400),
        ({"Retry-After-Ms": "2500"}, 2.5),
        ({"X-RateLimit-Reset": "42"}, 42),
        ({"RateLimit-Reset": "7"}, 7),
        ({"Retry-After": "9", "X-RateLimit-Reset": "42"}, 9),
        (
            {"X-RateLimit-Reset": str(int(NOW.timestamp()) + 600)},
            600,
        ),
        (
            {"X-RateLimit-Reset": str(int(NOW.timestamp() + 600) * 1000)},
            600,
        ),
        ({"X-RateLimit-Reset": "1400000000"}, None),
        ({"X-RateLimit-Reset": "1400000000000"}, None),
    ],
)
async def test_forms_of_retry_after(headers: dict[str, str], wait: Any) -> None:
    """How long a provider wants to be left alone is understood, and bounded."""
    assert await retry_after(load_all()[0], 429, headers) == wait


@pytest.mark.parametrize(("headers", "wait"), [({}, None), ({"Retry-After": "30"}, 30)])
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("provider", each(load_all()))
async def test_retry_after(
    provider: type[Provider], status: int, headers: dict[str, str], wait: float | None
) -> None:
    """Every provider is left alone as long as it wants."""
    assert await retry_after(provider, status, headers) == wait


@pytest.mark.parametrize("name", ["X-RateLimit-Reset", "RateLimit-Reset"])
async def test_reset_of_a_limit_that_holds(name: str) -> None:
    """When a rate limit resets is no pause where another thing is wrong."""
    assert await retry_after(load("telnyx"), 429, {name: "3600"}) == 3600
    assert await retry_after(load("telnyx"), 503, {name: "3600"}) is None
    headers = {name: "3600", "Retry-After-Ms": "1500"}
    assert await retry_after(load("telnyx"), 503, headers) == 1.5


@pytest.mark.parametrize("status", [402, 432, 456])
@pytest.mark.parametrize("provider", each(load_all()))
async def test_payment_required(provider: type[Provider], status: int) -> None:
    """An account is depleted where the provider documents the status, only there."""
    outcome = await meaning(full_recording(provider), answering("", status=status))
    if status in provider.payment_required_statuses:
        assert outcome == {"snapshot": {"is_available": False}}
    else:
        assert outcome == {"problem": "unexpected_answer", "path": f"HTTP {status}"}


def test_errors_are_flat() -> None:
    """An account that has to pay is no answer that is not understood."""
    assert not issubclass(PaymentRequired, UnexpectedAnswer)
    assert PaymentRequired().problem == "payment_required"


@pytest.mark.parametrize(
    "told", ["\u00df\u00df\u00df", "\ufb01\ufb01\ufb01", "US", "U1D", 5, True]
)
def test_no_currency(told: Any) -> None:
    """A currency is three letters of ASCII: others may become more in upper case."""
    with pytest.raises(vol.Invalid):
        currency(told)


def test_labels_and_ids() -> None:
    """What is no text is neither a label nor an id."""
    for validate in (label, identifier):
        assert validate("Home") == "Home"
        with pytest.raises(vol.Invalid):
            validate(Decimal(5))


async def test_deadline_of_a_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    """A poll of several requests ends at its deadline, and only a poll has one."""
    monkeypatch.setattr("custom_components.api_balance.providers.base.POLL_SECONDS", 0)
    provider = load("telnyx")
    simulated = RecordedProvider(full_recording(provider))
    async with served(simulated.handle) as address, connected(provider, address) as it:
        with pytest.raises(Unreachable):
            await it.read()
        assert (await it.fetch()).wallets


async def test_fault_among_many_requests() -> None:
    """A fault of the program ends all requests, and is no error of the provider."""

    async def ask(key: int) -> int:
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup):
        await ask_each([1, 2], ask)


async def retry_after(
    provider: type[Provider], status: int, headers: dict[str, str]
) -> float | None:
    """Return how long a provider wants to be left alone, in seconds."""
    handler = answering("", status=status, headers=headers)
    async with served(handler) as address, connected(provider, address) as client:
        with pytest.raises(RateLimited if status == 429 else ProviderFault) as caught:
            await client.read()
    wait: timedelta | None = caught.value.retry_after
    return wait.total_seconds() if wait else None


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ("0.10", "0.10"),
        ("-104.56822227", "-104.56822227"),
        ("0E-6176", "0"),
        ("1e-999999999", "0"),
        ("0.1234567890123456789012345678901234", "0.1234567890123456789012345679"),
    ],
)
def test_amounts_of_any_length(told: str, meant: str) -> None:
    """What is exact stays so; more digits than can be kept are no reason to refuse."""
    assert str(amount(told)) == str(amount(Decimal(told))) == meant


@pytest.mark.parametrize("told", ["1e29", "1e999999999", "", "x", "1,5", True, None])
def test_no_amount(told: Any) -> None:
    """What no account holds is no amount."""
    with pytest.raises(vol.Invalid):
        amount(told)


def test_time_out_of_reach() -> None:
    """What no calendar holds is no time."""
    with pytest.raises(vol.Invalid):
        epoch(Decimal("1e20"))
    with pytest.raises(vol.Invalid):
        moment("9999-12-31T23:59:59-05:00")


@pytest.mark.parametrize("key", ["line\nbreak", "s\u00e9cret", "tab\there"])
@pytest.mark.parametrize("provider", each(load_all()))
async def test_keys_that_no_header_carries(provider: type[Provider], key: str) -> None:
    """A key that cannot be sent is a bad key, and is not in the error."""
    credentials = full_recording(provider).credentials | {
        item.key: key for item in provider.credentials if item.is_secret
    }
    async with ClientSession() as session:
        with pytest.raises(InvalidCredentials) as caught:
            connect(provider, session, credentials)
    assert repr(key) not in repr(caught.value)


async def test_name_that_no_header_carries() -> None:
    """The name of a header is what a person enters, too."""
    credentials = full_recording(OtherService).credentials
    async with ClientSession() as session:
        with pytest.raises(InvalidCredentials):
            connect(OtherService, session, {**credentials, "key_name": "X-Key\r\nX"})


@pytest.mark.parametrize("path", ["left", "echo.name"])
async def test_key_that_is_echoed(path: str) -> None:
    """Where an answer repeats the key, nothing of it is offered or shown."""
    credentials = full_recording(OtherService).credentials
    key = credentials["api_key"]
    content = json.dumps(
        {
            key: 5,
            "echo": {f"of {key.upper()}": 5, "name": key, "left": 3},
            "keys": [key, f"x{key}x", 7],
        }
    )
    async with served(answering(content)) as address:
        entered = {"url": f"{address}/v1/balance", "balance_path": path}
        paths = {name: "" for name in credentials if name.endswith("_path")}
        async with connected(
            OtherService, address, {**credentials, **paths, **entered}
        ) as provider:
            with pytest.raises(NotInAnswer) as caught:
                await provider.read()
    assert caught.value.usable == ("echo.left", "keys.2")


def test_needs_are_told_apart() -> None:
    """A permission is called one: it would pass for another kind of key."""
    assert load("deepseek").key_needs() == "API key"
    assert load("elevenlabs").key_needs() == "API key; needed permission: user_read"
