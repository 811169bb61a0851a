"""The one way to the network."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
import json
import re
from ssl import SSLContext
from typing import Any, override

import aiohttp
import voluptuous as vol
from yarl import URL

from .base import (
    DEADLINE,
    Client,
    Explain,
    InvalidCredentials,
    MissingPermission,
    NotFound,
    Provider,
    ProviderError,
    ProviderFault,
    RateLimited,
    Refusal,
    UnexpectedAnswer,
    Unreachable,
)

TIMEOUT = aiohttp.ClientTimeout(total=20)
MAX_BODY_BYTES = 1024 * 1024
# As large as Home Assistant's own sessions accept.
_MAX_HEADER_SIZE = 65536
MAX_RETRY_AFTER = timedelta(days=1)

# A person may paste the address of the API's version; the paths bring their own.
_VERSION_PATH = re.compile(r"/(v\d+(\.\d+)?/?)?", re.IGNORECASE)

# The names of the pause a provider asks for, and how many make a second.
_PAUSE_HEADERS = (("Retry-After-Ms", 1000),)
# The names of the time until a rate limit resets. Many providers send them with every
# answer, so that they mean a pause only where the limit was exceeded.
_RESET_HEADERS = (("X-RateLimit-Reset", 1), ("RateLimit-Reset", 1))
# The schemas of the shapes, by the id of each: a shape has to be a constant.
SCHEMAS: dict[int, tuple[Any, Callable[[Any], Any]]] = {}
# Answers of providers are some levels deep; code that walks them recurses.
_MAX_DEPTH = 50
# Longer than any id, name, message or token of a page.
_MAX_TEXT_LENGTH = 4096
# What is shorter is no secret, and could be a part of anything.
_MIN_SECRET_LENGTH = 6
# Control characters, halves of characters, line separators, and what turns the
# direction of the text that follows.
_UNPRINTABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028-\u202e\u2066-\u2069]"
)
# A number of seconds this large is a point in time: no limit lasts for 30 years. One a
# thousand times larger is in milliseconds.
_EPOCH_FLOOR = Decimal(1_000_000_000)


class UnsafeAddress(ValueError):
    """An address that no key may be sent to. Does not hold the address."""


def origin(address: str) -> str:
    """Return the origin of an address: https, or plain http to this machine.

    Raises UnsafeAddress for anything else, and for an address with more in it than
    an origin and a version path.
    """
    try:
        url = URL(address.strip())
        host = url.host
        is_plain = url.user is None and not url.query_string and not url.fragment
    except ValueError:
        raise UnsafeAddress from None
    if not host or not is_plain or not _VERSION_PATH.fullmatch(url.path or "/"):
        raise UnsafeAddress
    if url.scheme != "https" and not (url.scheme == "http" and _is_loopback(host)):
        raise UnsafeAddress
    return str(url.origin())


def _is_loopback(host: str) -> bool:
    """Return whether a host is this machine, whatever a name server says."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


type Session = aiohttp.ClientSession


def open_session(user_agent: str, ssl_context: SSLContext) -> Session:
    """Return a session that carries no cookie and no connection to another request."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            force_close=True, resolver=aiohttp.ThreadedResolver(), ssl=ssl_context
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": user_agent},
        max_line_size=_MAX_HEADER_SIZE,
        max_field_size=_MAX_HEADER_SIZE,
    )


def connect(
    provider: type[Provider],
    session: Session,
    credentials: Mapping[str, str],
    region: str | None = None,
    base_url: str | None = None,
) -> Provider:
    """Return the provider of one account, at its region's address or at its own.

    Raises UnsafeAddress, and WrongCredentialKind or InvalidCredentials where the
    credentials themselves show that they are of no use.
    """
    client = HttpClient(
        session,
        provider.address(credentials, region, base_url),
        provider.headers(credentials),
        provider.params(credentials),
        provider.interpret,
        [
            str(value)
            for item in provider.credentials
            if item.is_secret and (value := credentials.get(item.key))
        ],
        explains_success=provider.explains_success,
    )
    return provider(client, credentials, provider.choose_region(credentials, region))


class HttpClient(Client):
    """Requests to one provider account: one host, one key."""

    def __init__(
        self,
        session: Session,
        address: str,
        headers: Mapping[str, str],
        params: Mapping[str, str],
        explain: Explain,
        secrets: Collection[str],
        *,
        explains_success: bool = False,
    ) -> None:
        """Store where to ask, how to show the key, and what no answer may repeat.

        Raises UnsafeAddress for an address that no key may be sent to, and
        InvalidCredentials for a key that no request can carry.
        """
        # A key may also be part of a path or of a body.
        shown = (*headers, *headers.values(), *params.values(), *secrets)
        if not all(value.isascii() and value.isprintable() for value in shown):
            raise InvalidCredentials
        self._session = session
        self._origin = origin(address)
        self._headers = {"Accept": "application/json", **headers}
        self._params = params
        self._explain = explain
        self._explains_success = explains_success
        # Basic authentication carries the key in another form.
        carried = headers.get("Authorization", "").rpartition(" ")[2]
        self._secrets = frozenset(
            secret.casefold()
            for secret in (*secrets, carried)
            if len(secret) >= _MIN_SECRET_LENGTH
        )

    @override
    async def get(
        self,
        path: str,
        shape: Any,
        params: Iterable[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        return await self._fetch("GET", path, shape, params, headers=headers)

    @override
    async def post(self, path: str, shape: Any, content: Any = None) -> Any:
        return await self._fetch("POST", path, shape, (), content)

    async def _fetch(
        self,
        method: str,
        path: str,
        shape: Any,
        params: Iterable[tuple[str, str]],
        content: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Return the answer to a request, of the given shape. Raises ProviderError."""
        sent = {**self._headers, **(headers or {})}
        status, answered, body = await self._ask(method, path, params, content, sent)
        if status >= 400:
            raise self._refusal(status, answered, body)
        if status != 200:
            raise UnexpectedAnswer(f"HTTP {status}")
        if _is_page(body):
            raise Unreachable
        content = _parse(body, self._secrets)
        if self._explains_success and (
            error := self._explain(Refusal(status=status, body=content))
        ):
            raise error
        return _fit(content, shape)

    async def _ask(
        self,
        method: str,
        path: str,
        params: Iterable[tuple[str, str]],
        content: Any,
        headers: Mapping[str, str],
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Return status, headers and body of the answer."""
        # The error of aiohttp may hold the address and the headers: it must not even
        # be the context of ours.
        reason: ProviderError
        try:
            async with (
                asyncio.timeout_at(DEADLINE.get()),
                self._session.request(
                    method,
                    URL(f"{self._origin}{path}"),
                    params=[*params, *self._params.items()],
                    json=content,
                    headers=headers,
                    timeout=TIMEOUT,
                    allow_redirects=False,
                ) as response,
            ):
                body = bytearray()
                async for piece in response.content.iter_any():
                    body += piece
                    if len(body) > MAX_BODY_BYTES:
                        break
                else:
                    return response.status, response.headers, bytes(body)
                response.close()
                reason = UnexpectedAnswer("more than 1 MiB")
        except aiohttp.ClientError, TimeoutError, OSError:
            reason = Unreachable()
        raise reason

    def _refusal(
        self, status: int, headers: Mapping[str, str], body: bytes
    ) -> ProviderError:
        """Return what a refusal means: the provider's own meaning first."""
        # A network that asks for a login, and nothing of the provider.
        if status == 511:
            return Unreachable()
        if status >= 500 or status == 408:
            return ProviderFault(_retry_after(headers, _PAUSE_HEADERS))
        # A page comes from something on the way, which cannot judge the key.
        if _is_page(body) and status != 429:
            return Unreachable()
        try:
            content = _parse(body, self._secrets)
        except UnexpectedAnswer:
            text = body[:_MAX_TEXT_LENGTH].decode(errors="replace")
            content = _clean(text, self._secrets)
        error = self._explain(Refusal(status=status, body=content))
        if error is None and status == 429:
            error = RateLimited()
        if isinstance(error, RateLimited):
            headers_of_pause = (*_PAUSE_HEADERS, *_RESET_HEADERS)
            error.retry_after = _retry_after(headers, headers_of_pause)
        return error or _usual_meaning(status)


def _usual_meaning(status: int) -> ProviderError:
    """Return what a status means where the provider says nothing of its own."""
    match status:
        case 401:
            return InvalidCredentials()
        case 403:
            return MissingPermission()
        case 404 | 410:
            return NotFound(f"HTTP {status}")
        case _:
            return UnexpectedAnswer(f"HTTP {status}")


def _is_page(body: bytes) -> bool:
    """Return whether a body is a page for people, and so of no API."""
    return body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def _parse(body: bytes, secrets: frozenset[str]) -> Any:
    """Return the JSON of a body, with exact numbers and with texts that can be shown.

    Raises UnexpectedAnswer.
    """

    def refuse(constant: str) -> None:
        raise ValueError

    try:
        content = json.loads(
            body, parse_float=Decimal, parse_int=Decimal, parse_constant=refuse
        )
        return _clean(content, secrets)
    except ValueError, ArithmeticError, RecursionError:
        pass
    # Outside of the handler: the parser's error holds the body.
    raise UnexpectedAnswer("JSON")


def _clean(content: Any, secrets: frozenset[str], depth: int = 0) -> Any:
    """Return the content with texts that can be stored and shown everywhere.

    A text that is too long or that repeats a secret is None; a field named by one is
    left out. Raises ValueError for content that is nested too deep.
    """
    if depth > _MAX_DEPTH:
        raise ValueError
    match content:
        case str():
            return _clean_text(content, secrets)
        case list():
            return [_clean(item, secrets, depth + 1) for item in content]
        case dict():
            return {
                name: _clean(value, secrets, depth + 1)
                for key, value in content.items()
                if (name := _clean_text(key, secrets)) is not None
            }
        case _:
            return content


def _clean_text(text: str, secrets: frozenset[str]) -> str | None:
    """Return a text of one line without halves of characters; None for no such text."""
    if len(text) > _MAX_TEXT_LENGTH:
        return None
    if _UNPRINTABLE.search(text):
        text = " ".join(_UNPRINTABLE.sub(" ", text).split())
    folded = text.casefold()
    return None if any(secret in folded for secret in secrets) else text


def _fit(content: Any, shape: Any) -> Any:
    """Return the content as the shape makes it, or name the path that broke."""
    _, schema = SCHEMAS.get(id(shape), (None, None))
    if schema is None:
        schema = vol.Schema(shape, extra=vol.ALLOW_EXTRA)
        # With the shape itself: another one must not get its id.
        SCHEMAS[id(shape)] = shape, schema
    try:
        return schema(content)
    except vol.Invalid as err:
        first = err.errors[0] if isinstance(err, vol.MultipleInvalid) else err
        path = ".".join(str(step) for step in first.path) or "JSON"
    # Outside of the handler: the schema's error holds the value.
    raise UnexpectedAnswer(path)


def _retry_after(
    headers: Mapping[str, str], others: Iterable[tuple[str, int]]
) -> timedelta | None:
    """Return the pause that the provider asks for, at most MAX_RETRY_AFTER.

    `others` are names of headers beside Retry-After, and how many make a second.
    """
    now = datetime.now(UTC)
    wait = _from_retry_after(headers.get("Retry-After", ""), now)
    for name, per_second in others:
        wait = wait or _from_number(headers.get(name, ""), per_second, now)
    return min(wait, MAX_RETRY_AFTER) if wait else None


def _from_retry_after(value: str, now: datetime) -> timedelta | None:
    """Return the time of a Retry-After header, in either of its forms."""
    if wait := _from_number(value, 1, now):
        return wait
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    wait = until.replace(tzinfo=until.tzinfo or UTC) - now
    return wait if wait > timedelta() else None


def _from_number(value: str, per_second: int, now: datetime) -> timedelta | None:
    """Return the time of a header that counts, from now or from 1970."""
    try:
        seconds = Decimal(value) / per_second
        if not seconds.is_finite():
            return None
        if seconds >= _EPOCH_FLOOR * 1000:
            seconds /= 1000
        if seconds >= _EPOCH_FLOOR:
            seconds -= Decimal(now.timestamp())
    except ArithmeticError:
        return None
    longest = Decimal(MAX_RETRY_AFTER.total_seconds())
    return timedelta(seconds=float(min(seconds, longest))) if seconds > 0 else None
