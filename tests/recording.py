"""Recorded answers of providers, given without a socket or by a server on loopback."""

from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
import json
from pathlib import Path
import sys
from types import SimpleNamespace
from typing import Any, Self, cast, override

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from multidict import CIMultiDict
import pytest
import voluptuous as vol
from yarl import URL

from custom_components.api_balance.model import ACCOUNT
from custom_components.api_balance.providers.base import Provider, SpendQuery
from custom_components.api_balance.providers.catalog import (
    CATALOG,
    Group,
    Listing,
    load,
)
from custom_components.api_balance.providers.http import Session, connect

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

FOLDER = Path(__file__).parent / "providers"

# A recorded answer holds this word where the provider writes a secret, such as a key.
SECRET = "-secret-"

# Every provider shows how these look; `missing_permission` only where keys have permissions,
# `debt` where there are wallets.
EVERY_PROVIDER = ("full", "minimal", "zero", "bad_key")


# When the answers were recorded, as far as it matters: what a request asks for may
# depend on the day.
RECORDED_AT = "2026-11-21T12:00:00+00:00"


# A test would call a field that is missing or misspelled something else.
_RECORDING = vol.Schema(
    {
        vol.Required("about"): str,
        vol.Required("source"): str,
        vol.Required("answers"): {
            str: {
                vol.Required("shown"): {str: str},
                vol.Required("status"): int,
                vol.Required(vol.Any("json", "text")): object,
                "sent": object,
                "headers": {str: str},
            }
        },
        vol.Required("expect"): dict,
        "credentials": dict,
        "region": str,
        "report": str,
        "scope": str,
        "query": dict,
    }
)


@dataclass(frozen=True)
class Recording:
    """What a provider answers to each request, and what it means."""

    provider: str
    name: str
    credentials: dict[str, str]
    region: str | None
    answers: Mapping[str, Mapping[str, Any]]
    expect: Mapping[str, Any]
    path: Path
    # Only of reports: which, of what, and what was asked.
    report: str | None
    scope: str
    query: SpendQuery

    @property
    def secrets(self) -> list[str]:
        """Return what must be seen nowhere, by the credentials or by an answer."""
        return [
            *(
                self.credentials[item.key]
                for item in load(self.provider).credentials
                if item.is_secret and item.key in self.credentials
            ),
            *(
                text
                for answer in self.answers.values()
                for text in _texts(answer.get("json"))
                if SECRET in text
            ),
        ]

    @override
    def __str__(self) -> str:
        """Return the name in the list of tests."""
        return f"{self.provider}-{self.name}"


def read_recording(path: Path) -> Recording:
    """Return the recording of a file."""
    try:
        content = _RECORDING(json.loads(path.read_text()))
    except (ValueError, vol.Invalid) as err:
        raise ValueError(f"{path}: {err}") from None
    id_ = path.relative_to(FOLDER).parts[0]
    assert id_ in CATALOG, f"{path}: CATALOG has no provider with the id {id_}"
    provider = load(id_)
    credentials = example_credentials(provider) | content.get("credentials", {})
    return Recording(
        provider=provider.id,
        name=path.stem,
        credentials=credentials,
        region=content.get("region"),
        answers={
            _fill(asked, credentials): answer
            for asked, answer in content["answers"].items()
        },
        expect=content["expect"],
        path=path,
        report=content.get("report"),
        scope=content.get("scope", ACCOUNT),
        query=_read_query(content.get("query", {})),
    )


def _texts(content: Any) -> Iterable[str]:
    """Yield every text of an answer."""
    match content:
        case str():
            yield content
        case list():
            for item in content:
                yield from _texts(item)
        case dict():
            for item in content.values():
                yield from _texts(item)


def _read_query(content: Mapping[str, Any]) -> SpendQuery:
    """Return what a recorded report was asked for."""
    return SpendQuery(
        **{
            name: date.fromisoformat(content[name])
            for name in ("start", "end")
            if name in content
        },
        filters=content.get("filters", {}),
        group_by=tuple(content.get("group_by", ())),
    )


def _fill(text: str, credentials: Mapping[str, str]) -> str:
    """Return a text of a recording with the credentials in it."""
    for key, value in credentials.items():
        text = text.replace(f"{{{key}}}", str(value))
    return text


RECORDED_ADDRESS = "https://recorded.example"


def recordings(simulated: str = "*") -> list[Recording]:
    """Return all recordings, or those of a provider."""
    return [read_recording(path) for path in sorted(FOLDER.glob(f"{simulated}/*.json"))]


def reports() -> list[Recording]:
    """Return the recordings of reports: what is not part of a poll."""
    return [read_recording(path) for path in sorted(FOLDER.glob("*/reports/*.json"))]


def full_recording(provider: type[Provider]) -> Recording:
    """Return the recording of everything a provider gives."""
    return read_recording(FOLDER / provider.id / "full.json")


def example_credentials(provider: type[Provider]) -> dict[str, str]:
    """Return credentials that a recording knows."""
    return {
        item.key: f"example-{item.key}"
        for item in provider.credentials
        if item.is_required
    }


def register(monkeypatch: pytest.MonkeyPatch, provider: type[Provider]) -> None:
    """List one more provider for a test, or another one in the place of its id."""
    listing = Listing(provider.id, provider.name, Group.OTHER)
    monkeypatch.setitem(cast(dict[str, Listing], CATALOG), provider.id, listing)
    package = load.__module__.rpartition(".")[0]
    module = SimpleNamespace(provider=provider)
    monkeypatch.setitem(
        cast(dict[str, object], sys.modules), f"{package}.{provider.id}", module
    )


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request, however it was sent."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    content: Any = None

    @override
    def __str__(self) -> str:
        """Return the name of the request in a recording."""
        return f"{self.method} {self.target}"


@dataclass(frozen=True)
class Answer:
    """An answer, however it is sent."""

    body: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def recorded(cls, recorded: Mapping[str, Any]) -> Self:
        """Return a recorded answer as the provider sends it."""
        body = recorded.get("text")
        return cls(
            json.dumps(recorded["json"]) if body is None else body,
            recorded["status"],
            recorded.get("headers", {}),
        )


type Answering = Callable[[Asked], Answer]


def always(body: str = "", status: int = 200, **headers: str) -> Answering:
    """Return what gives the same answer to every request."""
    answer = Answer(
        body, status, {name.replace("_", "-"): value for name, value in headers.items()}
    )
    return lambda asked: answer


class RecordedProvider:
    """Recorded answers for those who show the credentials."""

    def __init__(self, recording: Recording) -> None:
        """Keep what to answer, which a test may change in between."""
        self.answers = dict(recording.answers)
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._credentials = recording.credentials

    def answer(self, asked: Asked) -> Answer:
        """Answer a request, or say what is wrong with it."""
        self.requests.append(str(asked))
        recorded = self.answers.get(str(asked))
        if recorded is None:
            return self._complain(f"{asked}: not recorded")
        for name, value in recorded["shown"].items():
            if asked.headers.get(name) != shown(value, self._credentials):
                return self._complain(f"{asked}: {name} is not shown as recorded")
        if "Authorization" in asked.headers.keys() - recorded["shown"].keys():
            return self._complain(f"{asked}: Authorization is shown, not recorded")
        if "sent" in recorded and asked.content != filled(
            recorded["sent"], self._credentials
        ):
            return self._complain(f"{asked}: something else was sent")
        return Answer.recorded(recorded)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request that came through a socket."""
        asked = Asked(
            method=request.method,
            target=request.path_qs,
            headers=request.headers,
            content=await request.json() if request.can_read_body else None,
        )
        answer = self.answer(asked)
        return web.Response(
            text=answer.body,
            status=answer.status,
            headers=answer.headers,
            content_type="application/json",
        )

    def _complain(self, what: str) -> Answer:
        """Say what is wrong with a request, for a test to show."""
        self.complaints.append(what)
        return Answer(what, 418)


def filled(content: Any, credentials: Mapping[str, str]) -> Any:
    """Return recorded content with the credentials in its texts."""
    match content:
        case str():
            return _fill(content, credentials)
        case list():
            return [filled(item, credentials) for item in content]
        case dict():
            return {key: filled(item, credentials) for key, item in content.items()}
        case _:
            return content


def shown(value: str, credentials: Mapping[str, str]) -> str:
    """Return a header as the provider wants it; {basic:a:b} is basic authentication."""
    if value.startswith("{basic:"):
        pair = ":".join(credentials[key] for key in value[7:-1].split(":"))
        return f"Basic {b64encode(pair.encode()).decode()}"
    return _fill(value, credentials)


class _Response:
    """An answer as the session gives it, as far as the client reads it."""

    def __init__(self, answer: Answer) -> None:
        self.status = answer.status
        self.headers = CIMultiDict(answer.headers)
        self.content = self
        self._body = answer.body.encode()

    async def iter_any(self) -> AsyncIterator[bytes]:
        """Yield the whole body at once."""
        yield self._body

    def close(self) -> None:
        """Close nothing: there is no connection."""


class _Session:
    """A session that has each request answered at once, without a socket."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering

    @asynccontextmanager
    async def request(
        self,
        method: str,
        url: URL,
        *,
        params: Iterable[tuple[str, str]],
        json: Any,
        headers: Mapping[str, str],
        **options: object,
    ) -> AsyncIterator[_Response]:
        """Answer a request."""
        asked = Asked(
            method=method,
            target=url.extend_query(list(params)).raw_path_qs,
            headers=CIMultiDict(headers),
            content=json,
        )
        yield _Response(self._answering(asked))


def joined(
    provider: type[Provider],
    answering: Answering,
    credentials: Mapping[str, str] | None = None,
    region: str | None = None,
) -> Provider:
    """Return the provider of an account, answered without a socket."""
    session = cast(Session, _Session(answering))
    credentials = credentials or full_recording(provider).credentials
    return connect(provider, session, credentials, region, RECORDED_ADDRESS)


@asynccontextmanager
async def served(handler: Handler) -> AsyncIterator[str]:
    """Serve every path with a handler on loopback; yield the address."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    async with TestServer(app, host="127.0.0.1") as server:
        yield str(server.make_url("")).rstrip("/")


@asynccontextmanager
async def connected(
    provider: type[Provider],
    address: str,
    credentials: Mapping[str, str] | None = None,
    region: str | None = None,
) -> AsyncIterator[Provider]:
    """Yield the provider of an account, the example unless told, at an address."""
    async with ClientSession() as session:
        yield connect(
            provider,
            session,
            credentials or full_recording(provider).credentials,
            region,
            address,
        )


def plain(fact: Any) -> Any:
    """Return a fact as JSON can hold it, without what was not told."""
    match fact:
        case Enum():
            return fact.value
        case Decimal():
            return str(fact)
        case datetime():
            return fact.isoformat()
        case timedelta():
            return fact.total_seconds()
        case tuple():
            return [plain(part) for part in fact]
        case frozenset():
            return sorted(fact)
        case Mapping():
            return {key: plain(value) for key, value in fact.items()}
        case _ if is_dataclass(fact):
            return {
                item.name: plain(value)
                for item in fields(fact)
                if item.name != "as_of"
                and (value := getattr(fact, item.name)) != _default(item)
            }
        case _:
            return fact


def _default(item: Any) -> Any:
    """Return what a field holds when nothing was reported."""
    if item.default_factory is not MISSING:
        return item.default_factory()
    return item.default
