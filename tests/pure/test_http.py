"""The way to the network, through real sockets; any provider shows it."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime
import gzip
import json
from typing import Any, override
from urllib.parse import quote

from aiohttp import ClientSession, ClientTimeout, web
import pytest
import voluptuous as vol

from custom_components.api_balance.model import Snapshot, Unit, Wallet
from custom_components.api_balance.providers.base import (
    InvalidCredentials,
    NotInAnswer,
    PaymentRequired,
    Provider,
    ProviderError,
    ProviderFault,
    RateLimited,
    Refusal,
    UnexpectedAnswer,
    Unreachable,
    ask_each,
)
from custom_components.api_balance.providers.catalog import load
from custom_components.api_balance.providers.fields import amount
from custom_components.api_balance.providers.http import connect
from custom_components.api_balance.providers.other import OtherService

from ..recording import (
    RECORDED_AT,
    Answer,
    Answering,
    Asked,
    Handler,
    RecordedProvider,
    always,
    connected,
    full_recording,
    joined,
    served,
)
from .test_providers import PAGE

pytestmark = [
    pytest.mark.usefixtures("socket_enabled"),
    pytest.mark.freeze_time(RECORDED_AT),
]


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


# One of them has to wait.
@pytest.mark.freeze_time(RECORDED_AT, tick=True)
@pytest.mark.parametrize("fault", FAULTS)
async def test_faults(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever happens on the way has its own name, and holds no key."""
    handler, error, path = FAULTS[fault]
    provider = load("telnyx")
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
    assert await retry_after(load("telnyx"), 429, headers) == wait


@pytest.mark.parametrize("name", ["X-RateLimit-Reset", "RateLimit-Reset"])
async def test_reset_of_a_limit_that_holds(name: str) -> None:
    """When a rate limit resets is no pause where another thing is wrong."""
    assert await retry_after(load("telnyx"), 429, {name: "3600"}) == 3600
    assert await retry_after(load("telnyx"), 503, {name: "3600"}) is None
    headers = {name: "3600", "Retry-After-Ms": "1500"}
    assert await retry_after(load("telnyx"), 503, headers) == 1.5


def test_errors_are_flat() -> None:
    """An account that has to pay is no answer that is not understood."""
    assert not issubclass(PaymentRequired, UnexpectedAnswer)
    assert PaymentRequired().problem == "payment_required"


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


class Unusual(Provider):
    """A provider with its key in the path and in the body, and with odd errors."""

    id = "unusual"
    hosts = {"com": "https://api.example.com"}
    explains_success = True

    @override
    @classmethod
    def headers(cls, credentials: Mapping[str, str]) -> Mapping[str, str]:
        """Return no headers: the key is elsewhere."""
        return {}

    @override
    @classmethod
    def explain(cls, refusal: Refusal) -> ProviderError | None:
        """Know rate limits by their status, and bad keys by a field."""
        if refusal.status == 422:
            return RateLimited()
        return InvalidCredentials() if refusal.field("error") == "key" else None

    @override
    async def fetch(self) -> Snapshot:
        """Send the key twice."""
        key = quote(self._credentials["api_key"], safe="")
        answer = await self._client.post(
            f"/balance/{key}", {vol.Required("left"): amount}, {"key": key}
        )
        unit = Unit.named("credits")
        return Snapshot(
            wallets=(Wallet(key="credits", unit=unit, balance=answer["left"]),)
        )


async def read_unusual(answering: Answering, key: str = "sk/1") -> Snapshot:
    """Return what is read of an account of the unusual provider."""
    return await joined(Unusual, answering, {"api_key": key}).read()


async def test_key_in_path_and_body() -> None:
    """A key goes where the provider wants it, as it is."""
    asked: list[Asked] = []

    def answering_asked(request: Asked) -> Answer:
        asked.append(request)
        return Answer('{"left": 7}')

    assert (await read_unusual(answering_asked)).wallets[0].balance == 7
    assert str(asked[0]) == "POST /balance/sk%2F1"
    assert asked[0].content == {"key": "sk%2F1"}
    with pytest.raises(InvalidCredentials):
        await read_unusual(answering_asked, "sk\u00e91")


async def test_error_in_a_success() -> None:
    """An error with the status of a success is what the provider means by it."""
    with pytest.raises(InvalidCredentials):
        await read_unusual(always('{"error": "key", "left": 0}'))
    with pytest.raises(UnexpectedAnswer, match="left"):
        await read_unusual(always('{"error": "other"}'))


@pytest.mark.parametrize(("headers", "wait"), [({}, None), ({"Retry_After": "30"}, 30)])
async def test_rate_limit_of_another_status(headers: dict[str, str], wait: Any) -> None:
    """A rate limit that only the provider knows brings its pause, too."""
    with pytest.raises(RateLimited) as caught:
        await read_unusual(always("", 422, **headers))
    pause = caught.value.retry_after
    assert (pause and pause.total_seconds()) == wait
