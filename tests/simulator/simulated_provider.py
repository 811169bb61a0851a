"""What every simulated provider shares: its log, its key, its faults, its commands."""

from abc import ABC, abstractmethod
import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, auto
from http import HTTPStatus
from random import Random
import re
from typing import ClassVar
from uuid import NAMESPACE_URL, uuid5

from aiohttp import web
from multidict import CIMultiDictProxy, MultiMapping

from .faults import Exchange, Fault, FaultArgument

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class CommandError(Exception):
    """A command that makes no sense here."""


class Refusal(Exception):
    """Ends a request with an answer other than the one asked for."""

    def __init__(self, response: web.Response) -> None:
        """Refuse with this answer."""
        super().__init__()
        self.response = response


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived."""

    method: str
    path: str
    query: MultiMapping[str]
    headers: CIMultiDictProxy[str]


class Key(Enum):
    """What the customer's key is worth."""

    GOOD = auto()
    WEAK = auto()
    REVOKED = auto()


@dataclass(slots=True)
class ActiveFault:
    """A fault, the paths it strikes and how often it still does."""

    fault: Fault
    path: str | None
    times: int | None

    def strikes(self, path: str) -> bool:
        """Whether the fault answers this request; counts it if so."""
        if self.times == 0 or (self.path and not re.search(self.path, path)):
            return False
        if self.times is not None:
            self.times -= 1
        return True


def command[**P, R](method: Callable[P, R]) -> Callable[P, R]:
    """Offer a method to other processes, too."""
    method.__dict__["is_command"] = True
    return method


class SimulatedProvider(ABC):
    """One provider's API and the customer's account with it."""

    id: ClassVar[str]
    default_credentials: ClassVar[Mapping[str, str]]
    scheme: ClassVar[str] = "Bearer"
    # What of the credentials changes with a new key; the rest names the account.
    secret_fields: ClassVar[tuple[str, ...]] = ("api_key",)

    def __init__(self, credentials: Mapping[str, str] | None = None) -> None:
        """Open an account that accepts these credentials."""
        self.url = ""
        self.credentials = {**self.default_credentials, **(credentials or {})}
        # Another account has another one; another key of the account has the same.
        opened_with = "/".join((self.id, *self.credentials.values()))
        self.account_id = str(uuid5(NAMESPACE_URL, opened_with))
        self.requests: list[Request] = []
        self._faults: list[ActiveFault] = []
        self._key = Key.GOOD
        self._stopping = asyncio.Event()

    @classmethod
    def other_credentials(cls) -> dict[str, str]:
        """Return the credentials of another account, of the same form."""
        return {key: f"{value}2" for key, value in cls.default_credentials.items()}

    def new_key(self, word: str) -> dict[str, str]:
        """Return credentials of the same account with another key."""
        return {
            key: f"{value}{word}" if key in self.secret_fields else value
            for key, value in self.credentials.items()
        }

    @abstractmethod
    def routes(self) -> Iterable[web.RouteDef]:
        """Name the paths of the API and what answers them."""

    @abstractmethod
    def spend(self, amount: Decimal, wallet: str | None = None) -> None:
        """Use up money."""

    @abstractmethod
    def top_up(self, amount: Decimal, wallet: str | None = None) -> None:
        """Pay money in."""

    def error(self, request: web.Request, status: int) -> web.Response:
        """Answer with an error in the provider's documented form."""
        return web.Response(text=HTTPStatus(status).phrase, status=status)

    def refuse_key(self, request: web.Request) -> web.Response:
        """Answer a request with a bad key."""
        return self.error(request, HTTPStatus.UNAUTHORIZED)

    def refuse_permission(self, request: web.Request) -> web.Response | None:
        """Answer a request whose key lacks the permission, None where none is needed."""
        return None

    @property
    def authorization(self) -> Mapping[str, str]:
        """The headers that carry the customer's key in the provider's form."""
        return {"Authorization": f"{self.scheme} {self.credentials['api_key']}"}

    @property
    def params(self) -> Mapping[str, str]:
        """The query parameters that carry the customer's key, where no header does."""
        return {}

    def accepts(self, request: web.Request) -> bool:
        """Whether the request carries the customer's key."""
        return (
            self.authorization.items() <= request.headers.items()
            and self.params.items() <= request.query.items()
        )

    @property
    def knows_permissions(self) -> bool:
        """Whether a key of this provider can lack a permission."""
        return type(self).refuse_permission is not SimulatedProvider.refuse_permission

    def spend_a_little(self, random: Random) -> None:
        """Spend what a home might use up within seconds."""
        self.spend(Decimal(random.randint(1, 60)).scaleb(-3))

    @command
    def fail(
        self, fault: FaultArgument, times: int | None = None, path: str | None = None
    ) -> None:
        """Fail until healed or so many times, where the path matches the pattern."""
        self._faults.insert(0, ActiveFault(fault, path, times))

    @command
    def heal(self) -> None:
        """End every fault."""
        self._faults.clear()

    @command
    def revoke_key(self) -> None:
        """Refuse the key from now on."""
        self._key = Key.REVOKED

    @command
    def weaken_key(self) -> None:
        """Take from the key the permission to see balances."""
        if not self.knows_permissions:
            raise CommandError(f"a key of {self.id} has no permissions to lose")
        self._key = Key.WEAK

    @command
    def restore_key(self) -> None:
        """Accept the key again, with all its permissions."""
        self._key = Key.GOOD

    @property
    def commands(self) -> dict[str, Callable[..., object]]:
        """Name what other processes may call: commands, and overrides of them."""
        return {
            name: getattr(self, name)
            for cls in reversed(type(self).__mro__)
            for name, member in vars(cls).items()
            if getattr(member, "is_command", False)
        }

    def make_app(self) -> web.Application:
        """Make the application that speaks the API."""
        app = web.Application(middlewares=[self._answer])
        app.on_shutdown.append(self._stop)
        app.add_routes(self.routes())
        return app

    async def _stop(self, app: web.Application) -> None:
        self._stopping.set()

    @web.middleware
    async def _answer(
        self, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        self.requests.append(
            Request(request.method, request.path, request.query, request.headers)
        )

        async def honest() -> web.Response:
            return await self._serve(request, handler)

        for active in self._faults:
            if active.strikes(request.path):
                return await active.fault.answer(
                    Exchange(
                        request=request,
                        honest=honest,
                        error=lambda status: self.error(request, status),
                        stopping=self._stopping,
                    )
                )
        return await honest()

    async def _serve(self, request: web.Request, handler: Handler) -> web.Response:
        if self._key is Key.REVOKED or not self.accepts(request):
            return self.refuse_key(request)
        if self._key is Key.WEAK:
            refused = self.refuse_permission(request)
            if refused is not None:
                return refused
        try:
            response = await handler(request)
        except Refusal as refusal:
            return refusal.response
        except web.HTTPNotFound, web.HTTPMethodNotAllowed:
            return self.error(request, HTTPStatus.NOT_FOUND)
        assert isinstance(response, web.Response)
        return response
