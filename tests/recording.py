"""Recorded answers of providers, and a server on loopback that gives them."""

from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
import json
from pathlib import Path
import sys
from types import SimpleNamespace
from typing import Any, cast, override

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
import pytest
import voluptuous as vol

from custom_components.api_balance.model import ACCOUNT
from custom_components.api_balance.providers.base import Provider, SpendQuery
from custom_components.api_balance.providers.catalog import (
    CATALOG,
    Group,
    Listing,
    load,
)
from custom_components.api_balance.providers.http import connect

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

FOLDER = Path(__file__).parent / "providers"

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
        """Return what must be seen nowhere."""
        return [
            self.credentials[item.key]
            for item in load(self.provider).credentials
            if item.is_secret and item.key in self.credentials
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


def _answer(recorded: Mapping[str, Any]) -> web.Response:
    """Return a recorded answer as the provider sends it."""
    headers = recorded.get("headers")
    if "text" in recorded:
        return web.Response(
            text=recorded["text"], status=recorded["status"], headers=headers
        )
    return web.json_response(
        recorded["json"], status=recorded["status"], headers=headers
    )


class RecordedProvider:
    """A server that gives recorded answers to those who show the credentials."""

    def __init__(self, recording: Recording) -> None:
        """Keep what to answer, which a test may change in between."""
        self.answers = dict(recording.answers)
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._credentials = recording.credentials

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request, or tell what is wrong with it."""
        asked = f"{request.method} {request.path_qs}"
        self.requests.append(asked)
        recorded = self.answers.get(asked)
        if recorded is None:
            return self._complain(f"{asked}: not recorded")
        for name, value in recorded["shown"].items():
            if request.headers.get(name) != _shown(value, self._credentials):
                return self._complain(f"{asked}: {name} is not shown as recorded")
        if "Authorization" in request.headers.keys() - recorded["shown"].keys():
            return self._complain(f"{asked}: Authorization is shown, not recorded")
        if "sent" in recorded and await request.json() != recorded["sent"]:
            return self._complain(f"{asked}: something else was sent")
        return _answer(recorded)

    def _complain(self, what: str) -> web.Response:
        """Say what is wrong with a request, for a test to show."""
        self.complaints.append(what)
        return web.Response(status=418, text=what)


def _shown(value: str, credentials: Mapping[str, str]) -> str:
    """Return a header as the provider wants it; {basic:a:b} is basic authentication."""
    if value.startswith("{basic:"):
        pair = ":".join(credentials[key] for key in value[7:-1].split(":"))
        return f"Basic {b64encode(pair.encode()).decode()}"
    return _fill(value, credentials)


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
                field.name: plain(value)
                for field in fields(fact)
                if field.name != "as_of"
                and (value := getattr(fact, field.name)) != _default(field)
            }
        case _:
            return fact


def _default(field: Any) -> Any:
    """Return what a field holds when nothing was told."""
    if field.default_factory is not MISSING:
        return field.default_factory()
    return field.default
