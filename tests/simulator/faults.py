"""What can go wrong on the way, the same for every provider."""

from abc import ABC, abstractmethod
import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
import gzip
import socket
import struct
from typing import Annotated, Literal, override

from aiohttp import web
from pydantic import BeforeValidator, InstanceOf, TypeAdapter

from .wire import answer, read, write


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request, and what the provider would have said to it."""

    request: web.Request
    honest: Callable[[], Awaitable[web.Response]]
    error: Callable[[int], web.Response]
    stopping: asyncio.Event

    def hang_up(self) -> web.Response:
        """Close the connection, so that no answer reaches the client."""
        if (transport := self.request.transport) is not None:
            # Without lingering the client gets a reset, not an orderly end.
            transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            transport.abort()
        return web.Response()


class Fault(ABC):
    """Answers in the provider's place."""

    @abstractmethod
    async def answer(self, exchange: Exchange) -> web.StreamResponse:
        """Answer one request."""


@dataclass(frozen=True)
class Http(Fault):
    """Answers with a status, and with the provider's own body unless one is given."""

    status: int = 503
    retry_after: int | str | None = None
    body: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @override
    async def answer(self, exchange: Exchange) -> web.StreamResponse:
        response = exchange.error(self.status)
        if self.body is not None:
            response = web.Response(text=self.body, status=self.status)
        if self.retry_after is not None:
            response.headers["Retry-After"] = str(self.retry_after)
        response.headers.update(self.headers)
        return response


@dataclass(frozen=True)
class Hang(Fault):
    """Never answers; ends when the client leaves or the simulator stops."""

    @override
    async def answer(self, exchange: Exchange) -> web.StreamResponse:
        # No timer ends it: under a frozen clock none would ever go off.
        await exchange.stopping.wait()
        return exchange.hang_up()


@dataclass(frozen=True)
class Reset(Fault):
    """Closes the connection without a word."""

    @override
    async def answer(self, exchange: Exchange) -> web.StreamResponse:
        return exchange.hang_up()


@dataclass(frozen=True)
class Redirect(Fault):
    """Sends the client, and whatever it carries, to another address."""

    to: str
    status: int = 302

    @override
    async def answer(self, exchange: Exchange) -> web.StreamResponse:
        return web.Response(status=self.status, headers={"Location": self.to})


@dataclass(frozen=True)
class Html(Fault):
    """Answers 200 with a page for people, as captive portals and proxies do."""

    @override
    async def answer(self, exchange: Exchange) -> web.StreamResponse:
        return web.Response(
            text="<!doctype html><title>Sign in</title><h1>Sign in to the network</h1>",
            content_type="text/html",
        )


@dataclass(frozen=True)
class Cut(Fault):
    """Stops in the middle of the JSON; also breaks the connection there if asked to."""

    disconnect: bool = False

    @override
    async def answer(self, exchange: Exchange) -> web.StreamResponse:
        honest = await exchange.honest()
        body = _body(honest)
        half = body[: len(body) // 2]
        if not self.disconnect:
            return web.Response(
                body=half, status=honest.status, content_type=honest.content_type
            )
        response = web.StreamResponse(status=honest.status)
        response.content_type = honest.content_type
        response.content_length = len(body)
        await response.prepare(exchange.request)
        await response.write(half)
        if (transport := exchange.request.transport) is not None:
            transport.close()
        return response


@dataclass(frozen=True)
class WrongType(Fault):
    """Answers well-formed JSON of the wrong shape."""

    shape: Literal["list", "nested", "null", "text"] = "list"

    @override
    async def answer(self, exchange: Exchange) -> web.StreamResponse:
        match self.shape:
            case "list":
                return answer([])
            case "null":
                return answer(None)
            case "text":
                return answer("unexpected")
            case "nested":
                return await _with_numbers(
                    exchange, lambda number: {"value": number, "scale": 2}
                )


@dataclass(frozen=True)
class NotANumber(Fault):
    """Puts a word that JSON does not know in the place of every number."""

    word: Literal["NaN", "Infinity", "-Infinity"] = "NaN"

    @override
    async def answer(self, exchange: Exchange) -> web.StreamResponse:
        return await _with_numbers(exchange, lambda number: Decimal(self.word))


@dataclass(frozen=True)
class Huge(Fault):
    """Pads the honest answer with white space, compressed if asked to and accepted."""

    compressed: bool = False
    size: int = 2 * 1024 * 1024

    @override
    async def answer(self, exchange: Exchange) -> web.StreamResponse:
        honest = await exchange.honest()
        body = _body(honest).ljust(self.size)
        headers = {}
        accepted = exchange.request.headers.get("Accept-Encoding", "")
        if self.compressed and "gzip" in accepted:
            body = gzip.compress(body)
            headers["Content-Encoding"] = "gzip"
        return web.Response(
            body=body,
            status=honest.status,
            headers=headers,
            content_type=honest.content_type,
        )


FAULTS: Mapping[str, type[Fault]] = {
    "http": Http,
    "hang": Hang,
    "reset": Reset,
    "redirect": Redirect,
    "html": Html,
    "cut": Cut,
    "wrong_type": WrongType,
    "not_a_number": NotANumber,
    "huge": Huge,
}


def _from_json(value: object) -> object:
    """Make a fault of "hang" or {"kind": "http", "status": 429}."""
    arguments: dict[object, object] = {}
    match value:
        case str(kind):
            pass
        case {"kind": str(kind), **arguments}:
            pass
        case _:
            return value
    if kind not in FAULTS:
        raise ValueError(f"no fault {kind!r}; there are {', '.join(FAULTS)}")
    return TypeAdapter[Fault](FAULTS[kind]).validate_python(arguments)


type FaultArgument = Annotated[InstanceOf[Fault], BeforeValidator(_from_json)]


def _body(response: web.Response) -> bytes:
    assert isinstance(response.body, bytes)
    return response.body


async def _with_numbers(
    exchange: Exchange, replace: Callable[[Decimal], object]
) -> web.Response:
    """Give the honest answer with every number, also those in strings, replaced."""

    def walk(value: object) -> object:
        match value:
            case dict():
                return {key: walk(item) for key, item in value.items()}
            case list():
                return [walk(item) for item in value]
            case Decimal():
                return replace(value)
            case str():
                try:
                    return replace(Decimal(value))
                except InvalidOperation:
                    return value
            case _:
                return value

    honest = await exchange.honest()
    if honest.content_type == "application/json" and honest.text is not None:
        honest.text = write(walk(read(honest.text)))
    return honest
