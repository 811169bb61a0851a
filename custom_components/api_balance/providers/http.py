"""The one way to the network."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
import json
import re
from typing import Any, override

import aiohttp
import voluptuous as vol
from yarl import URL

from .base import (
    Client,
    Explain,
    InvalidCredentials,
    MissingPermission,
    NotFound,
    PaymentRequired,
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
MAX_RETRY_AFTER = timedelta(days=1)

# A person may paste the address of the API's version; the paths bring their own.
_VERSION_PATH = re.compile(r"/(v\d+(\.\d+)?/?)?", re.IGNORECASE)

# The usual names of the time until a limit ends, and how many make a second.
_RESET_HEADERS = (
    ("Retry-After-Ms", 1000),
    ("X-RateLimit-Reset", 1),
    ("RateLimit-Reset", 1),
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
    """Tell whether a host is this machine, whatever a name server says."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def connect(
    provider: type[Provider],
    session: aiohttp.ClientSession,
    credentials: Mapping[str, str],
    region: str | None = None,
    base_url: str | None = None,
) -> Provider:
    """Return the provider of one account, at its region's address or at its own.

    Raises UnsafeAddress, and WrongCredentialKind or InvalidCredentials where the
    credentials themselves tell that they are of no use.
    """
    client = HttpClient(
        session,
        provider.address(credentials, region, base_url),
        provider.headers(credentials),
        provider.params(credentials),
        provider.explain,
    )
    return provider(client, credentials, provider.choose_region(credentials, region))


class HttpClient(Client):
    """Requests to one provider account: one host, one key."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        address: str,
        headers: Mapping[str, str],
        params: Mapping[str, str],
        explain: Explain,
    ) -> None:
        """Keep where to ask, and how to show the key.

        Raises UnsafeAddress for an address that no key may be sent to, and
        InvalidCredentials for a key that no request can carry.
        """
        shown = (*headers, *headers.values(), *params.values())
        if not all(value.isascii() and value.isprintable() for value in shown):
            raise InvalidCredentials
        self._session = session
        self._origin = origin(address)
        self._headers = {"Accept": "application/json", **headers}
        self._params = params
        self._explain = explain

    @override
    async def get(
        self, path: str, shape: Any, params: Iterable[tuple[str, str]] = ()
    ) -> Any:
        return await self._fetch("GET", path, shape, params)

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
    ) -> Any:
        """Return the answer to a request, of the given shape. Raises ProviderError."""
        status, headers, body = await self._ask(method, path, params, content)
        if status >= 400:
            raise self._refusal(status, headers, body)
        if status != 200:
            raise UnexpectedAnswer(f"HTTP {status}")
        return _fit(_parse(body), shape)

    async def _ask(
        self,
        method: str,
        path: str,
        params: Iterable[tuple[str, str]],
        content: Any,
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Return status, headers and body of the answer."""
        # The error of aiohttp may hold the address and the headers: it must not even
        # be the context of ours.
        reason: ProviderError
        try:
            async with self._session.request(
                method,
                URL(f"{self._origin}{path}"),
                params=[*params, *self._params.items()],
                json=content,
                headers=self._headers,
                timeout=TIMEOUT,
                allow_redirects=False,
            ) as response:
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
        text = body.decode(errors="replace")
        try:
            content = _parse(body)
        except UnexpectedAnswer:
            content = text
        if status >= 500 or status == 408:
            return ProviderFault(_retry_after(headers))
        # A page comes from something on the way, which cannot judge the key.
        if text.lstrip().startswith("<") and status != 429:
            return Unreachable()
        if error := self._explain(Refusal(status=status, body=content)):
            return error
        if status == 429:
            return RateLimited(_retry_after(headers))
        return _usual_meaning(status)


def _usual_meaning(status: int) -> ProviderError:
    """Return what a status means where the provider says nothing of its own."""
    match status:
        case 401:
            return InvalidCredentials()
        case 402:
            return PaymentRequired(f"HTTP {status}")
        case 403:
            return MissingPermission()
        case 404:
            return NotFound(f"HTTP {status}")
        case _:
            return UnexpectedAnswer(f"HTTP {status}")


def _parse(body: bytes) -> Any:
    """Return the JSON of a body, with exact numbers."""

    def refuse(constant: str) -> None:
        raise ValueError

    try:
        return json.loads(
            body, parse_float=Decimal, parse_int=Decimal, parse_constant=refuse
        )
    except ValueError, ArithmeticError, RecursionError:
        pass
    # Outside of the handler: the parser's error holds the body.
    raise UnexpectedAnswer("JSON")


def _fit(content: Any, shape: Any) -> Any:
    """Return the content as the shape makes it, or name the path that broke."""
    try:
        return vol.Schema(shape, extra=vol.ALLOW_EXTRA)(content)
    except vol.Invalid as err:
        first = err.errors[0] if isinstance(err, vol.MultipleInvalid) else err
        path = ".".join(str(step) for step in first.path) or "JSON"
    # Outside of the handler: the schema's error holds the value.
    raise UnexpectedAnswer(path)


def _retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """Return how long the provider wants to be left alone, within reason."""
    now = datetime.now(UTC)
    wait = _from_retry_after(headers.get("Retry-After", ""), now)
    for name, per_second in _RESET_HEADERS:
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
