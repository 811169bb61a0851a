"""What a provider is: its declarations, its errors, and its extra abilities."""

from abc import ABC, abstractmethod
import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Protocol, final, override, runtime_checkable

from ..model import Failure, Lot, Problem, Purchase, Snapshot, Spend, Unit

POLL_SECONDS = 25.0
"""How long a whole poll may take, however many requests it makes."""

MAX_REQUESTS_AT_ONCE = 4

DEADLINE: ContextVar[float | None] = ContextVar("DEADLINE", default=None)
"""When the running poll has to end, in the time of the event loop; None outside of one.

A request that is not answered by then raises Unreachable.
"""


class ProviderError(Exception):
    """A poll that brought no facts. Holds no key, address, header or body."""

    problem: ClassVar[Problem]

    @property
    def failure(self) -> Failure:
        """Return what the insight needs to know of it."""
        return Failure(problem=self.problem)


class InvalidCredentials(ProviderError):
    """The provider does not know the key."""

    problem = Problem.BAD_KEY


class MissingPermission(ProviderError):
    """The key is good, but lacks the permission to read balances.

    `permission` is the provider's own name of it, None where the provider does not say.
    """

    problem = Problem.MISSING_PERMISSION

    def __init__(self, permission: str | None = None) -> None:
        """Keep which permission is missing."""
        super().__init__(permission)
        self.permission = permission

    @property
    @override
    def failure(self) -> Failure:
        """Return the permission that is missing."""
        return Failure(problem=self.problem, detail=self.permission)


class WrongCredentialKind(ProviderError):
    """The key belongs to the provider, but is of a kind that cannot read balances."""

    problem = Problem.WRONG_KEY


class IncompleteCredentials(WrongCredentialKind):
    """Some of the fields that belong together are empty."""


class PaymentRequired(ProviderError):
    """The provider refuses to answer because a payment is required.

    This is a state of the account and no failed poll: `Provider.read` returns it as a
    snapshot.
    """

    problem = Problem.PAYMENT_REQUIRED


class Deferred(ProviderError):
    """An error after which the provider may say how long to wait."""

    def __init__(self, retry_after: timedelta | None = None) -> None:
        """Keep how long the provider wants to be left alone, if it says so."""
        super().__init__(retry_after)
        self.retry_after = retry_after

    @property
    @override
    def failure(self) -> Failure:
        """Return how long to wait."""
        return Failure(problem=self.problem, retry_after=self.retry_after)


class RateLimited(Deferred):
    """The provider was asked too often."""

    problem = Problem.RATE_LIMITED


class ProviderFault(Deferred):
    """The provider answered that something is wrong on its side."""

    problem = Problem.PROVIDER_FAULT


class Unreachable(ProviderError):
    """No answer of the provider arrived."""

    problem = Problem.UNREACHABLE


class UnexpectedAnswer(ProviderError):
    """The answer is not of the shape the provider documents.

    `path` says where it broke, such as `data.balance` or `HTTP 301`, never a value.
    """

    problem = Problem.UNEXPECTED_ANSWER

    def __init__(self, path: str) -> None:
        """Keep where the answer broke."""
        super().__init__(path)
        self.path = path

    @property
    @override
    def failure(self) -> Failure:
        """Return where the answer broke."""
        return Failure(problem=self.problem, detail=self.path)


class NotInAnswer(UnexpectedAnswer):
    """What a person wants to be read is not in the answer.

    `path` is the one that was entered, the name of its field where none was. `usable`
    are others that would do.
    """

    def __init__(self, path: str, usable: tuple[str, ...]) -> None:
        """Keep what is missing, and what is there."""
        super().__init__(path)
        self.usable = usable


class NotFound(UnexpectedAnswer):
    """The provider does not have what was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An answer that is an error, for a provider to say what it means.

    Its status is 200 only where the provider `explains_success`. `body` is the parsed JSON where it is JSON, the text where it is not. It may echo
    parts of the key, and goes nowhere from here.
    """

    status: int
    body: Any

    def field(self, *path: str | int) -> Any:
        """Return what stands at the path of the body, None where nothing does."""
        found = self.body
        for step in path:
            try:
                found = found[step]
            except KeyError, IndexError, TypeError:
                return None
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """One field of the credentials: its key in the flow, and what it is.

    A field with `options` is a choice of them; one whose `default` is a bool is a yes
    or no; any other is a line of text.
    """

    key: str
    is_secret: bool = True
    is_required: bool = True
    options: tuple[str, ...] = ()
    default: str | bool | None = None


API_KEY = Credential(key="api_key")


def bearer(token: str) -> dict[str, str]:
    """Return the headers of a bearer token."""
    return {"Authorization": f"Bearer {token}"}


def basic(user: str, password: str) -> dict[str, str]:
    """Return the headers of basic authentication.

    Raises InvalidCredentials for what a pasted key never holds, which the encoding
    would hide.
    """
    pair = f"{user}:{password}"
    if not (pair.isascii() and pair.isprintable()):
        raise InvalidCredentials
    return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}


class Client(Protocol):
    """The way to the provider, as a provider sees it."""

    async def get(
        self,
        path: str,
        shape: Any,
        params: Iterable[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Return the answer to a GET request, of the given shape.

        `headers` are those of this request alone, beside those that show the key.
        Raises ProviderError. Numbers in the answer are exact decimals.
        """

    async def post(self, path: str, shape: Any, content: Any = None) -> Any:
        """Return the answer to a POST request with JSON content."""


class Provider(ABC):
    """A provider: what it is called, how it is reached, and how its facts are read.

    A provider declares, and translates the provider's answers into facts, exactly: the
    sign and the scale of the provider end here.
    """

    id: ClassVar[str]
    """The provider's name in entries, files and the registry."""

    name: ClassVar[str]
    """The provider's name as people know it."""

    hosts: ClassVar[Mapping[str, str]]
    """The base URL of each region; the first is the default."""

    is_region_asked: ClassVar[bool] = True
    """Whether a person chooses the region, rather than the credentials."""

    is_previewed: ClassVar[bool] = False
    """Whether a person enters how to read, and sees what was read before it is saved."""

    is_manual: ClassVar[bool] = False
    """Whether a person enters everything, and nobody is asked."""

    key_kind: ClassVar[str]
    """Which kind of key to make, in the provider's words."""

    key_url: ClassVar[str]
    """The page where a key is made."""

    top_up_url: ClassVar[str]
    """The page where money is added."""

    status_url: ClassVar[str]
    """The provider's status page."""

    permission: ClassVar[str | None] = None
    """The least permission the key needs, in the provider's words."""

    credentials: ClassVar[tuple[Credential, ...]] = (API_KEY,)
    """What a person has to enter."""

    key_scheme: ClassVar[str] = "Bearer"
    """The word before the key in the header `Authorization`."""

    key_header: ClassVar[str | None] = None
    """The header that holds the key alone, where it is not `Authorization`."""

    key_param: ClassVar[str | None] = None
    """The query parameter that holds the key, where the provider takes no header."""

    basic_fields: ClassVar[tuple[str, str] | None] = None
    """Which credentials are the user and the password of basic authentication."""

    explains_success: ClassVar[bool] = False
    """Whether answers with HTTP 200 may be errors: `explain` is asked about them, too."""

    payment_required_statuses: ClassVar[tuple[int, ...]] = ()
    """The statuses by which the provider refuses a depleted account, as it documents."""

    poll_interval: ClassVar[timedelta] = timedelta(minutes=15)
    """How often the provider is asked."""

    def __init__(
        self, client: Client, credentials: Mapping[str, str], region: str
    ) -> None:
        """Keep the way to the provider, and what an account is asked with."""
        self._client = client
        self._credentials = credentials
        self._region = region

    @classmethod
    def choose_region(
        cls, credentials: Mapping[str, str], region: str | None = None
    ) -> str:
        """Return the region of an account: the one that was chosen, else the first."""
        return region if region and region in cls.hosts else next(iter(cls.hosts))

    @final
    @classmethod
    def key_needs(cls) -> str:
        """Return which kind of key to make and with which permission."""
        return (
            f"{cls.key_kind}; needed permission: {cls.permission}"
            if cls.permission
            else cls.key_kind
        )

    @classmethod
    def title(cls, credentials: Mapping[str, str]) -> str:
        """Return what an account is called until a person gives it a name."""
        return cls.name

    @classmethod
    def address(
        cls,
        credentials: Mapping[str, str],
        region: str | None = None,
        base_url: str | None = None,
    ) -> str:
        """Return where to ask: an address of the account's own, else its region's."""
        return base_url or cls.hosts[cls.choose_region(credentials, region)]

    @classmethod
    def headers(cls, credentials: Mapping[str, str]) -> Mapping[str, str]:
        """Return the headers that show the credentials, as they are declared.

        Raises WrongCredentialKind where the key itself shows that it is of no use.
        """
        if cls.basic_fields:
            user, password = cls.basic_fields
            return basic(credentials[user], credentials[password])
        if cls.key_param:
            return {}
        if cls.key_header:
            return {cls.key_header: credentials["api_key"]}
        return {"Authorization": f"{cls.key_scheme} {credentials['api_key']}"}

    @classmethod
    def params(cls, credentials: Mapping[str, str]) -> Mapping[str, str]:
        """Return the query parameters that show the credentials, where headers cannot.

        Raises WrongCredentialKind where the key itself shows that it is of no use.
        """
        return {cls.key_param: credentials["api_key"]} if cls.key_param else {}

    @classmethod
    def explain(cls, refusal: Refusal) -> ProviderError | None:
        """Return what the provider means by a refusal, None for the usual meaning."""
        return None

    @final
    @classmethod
    def interpret(cls, refusal: Refusal) -> ProviderError | None:
        """Return what a refusal means by the declarations of the provider."""
        if error := cls.explain(refusal):
            return error
        is_unpaid = refusal.status in cls.payment_required_statuses
        return PaymentRequired() if is_unpaid else None

    @property
    def usual_spend(self) -> Decimal:
        """Return what a day usually costs where nothing is reported; zero if unknown."""
        return Decimal()

    def units_to_enter(self, snapshot: Snapshot) -> tuple[Unit, ...]:
        """Return the currencies whose balance a person can enter, as none is reported.

        What is left follows from the costs that the provider reports.
        """
        if (
            not isinstance(self, ReportsSpend)
            or snapshot.scopes
            or not all(wallet.estimate for wallet in snapshot.wallets)
        ):
            return ()
        units = [wallet.unit for wallet in snapshot.wallets]
        units += [spend.unit for spend in snapshot.spend]
        return tuple(unit for unit in dict.fromkeys(units) if unit.is_money)

    @abstractmethod
    async def fetch(self) -> Snapshot:
        """Return what the provider reports now. Raises ProviderError."""

    @final
    async def read(self) -> Snapshot:
        """Return what the provider reports now, within POLL_SECONDS.

        An account that the provider refuses because a payment is required is a
        snapshot, too. Raises any other ProviderError.
        """
        token = DEADLINE.set(asyncio.get_running_loop().time() + POLL_SECONDS)
        try:
            return await self.fetch()
        except PaymentRequired:
            return Snapshot(is_available=False)
        finally:
            DEADLINE.reset(token)


async def ask_each[K, T](
    keys: Iterable[K], ask: Callable[[K], Awaitable[T]]
) -> dict[K, T | ProviderError]:
    """Return the answer or the error of a request for each key, in their order.

    The requests run side by side, at most MAX_REQUESTS_AT_ONCE. After RateLimited no
    further one is sent: the limit is the account's, and those that were not sent get
    the same error.
    """
    turns = asyncio.Semaphore(MAX_REQUESTS_AT_ONCE)
    limits: list[RateLimited] = []

    async def answer(key: K) -> tuple[K, T | ProviderError]:
        async with turns:
            if limits:
                return key, limits[0]
            try:
                return key, await ask(key)
            except RateLimited as err:
                limits.append(err)
                return key, err
            except ProviderError as err:
                return key, err

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(answer(key)) for key in keys]
    return dict(task.result() for task in tasks)


type Explain = Callable[[Refusal], ProviderError | None]


@runtime_checkable
class ReportsOneBalance(Protocol):
    """A provider that can be asked for one balance by its id."""

    async def fetch_balance(self, scope: str, balance_id: str) -> Lot:
        """Return the balance, asked for afresh. Raises ProviderError."""


@runtime_checkable
class ReportsPurchases(Protocol):
    """A provider that lists what was bought and granted."""

    async def fetch_purchases(self, scope: str) -> tuple[Purchase, ...]:
        """Return the purchases of a scope. Raises ProviderError."""


SPEND_DIMENSIONS = ("accessor", "deployment", "tag", "line_item", "project")
"""By what spend is filtered and grouped, in one word for all providers.

`accessor` is the key that was used, `deployment` where the provider ran, `tag` what the
customer wrote on a request, `line_item` what the provider charged for, `project` a part
of the account. Their values are the provider's own.
"""

_DEFAULT_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendQuery:
    """What spend to report: days in UTC, filters, and groups.

    Filters and groups are named as in SPEND_DIMENSIONS. `start` and `end` belong to the
    report. Without an end it ends today, without a start it is of 30 days.
    """

    start: date | None = None
    end: date | None = None
    filters: Mapping[str, str] = field(default_factory=dict)
    group_by: tuple[str, ...] = ()

    @property
    def first(self) -> date:
        """Return the first day of the report."""
        days = min(timedelta(days=_DEFAULT_DAYS - 1), self.last - date.min)
        return self.start or self.last - days

    @property
    def last(self) -> date:
        """Return the last day of the report."""
        return self.end or datetime.now(UTC).date()

    def covers(self, first: date, last: date) -> bool:
        """Return whether all days from the first to the last are asked for."""
        return self.first <= first <= last <= self.last


@runtime_checkable
class ReportsSpend(Protocol):
    """A provider that reports what was spent, day by day."""

    spend_filters: ClassVar[tuple[str, ...]]
    """By which of SPEND_DIMENSIONS the report can be filtered."""

    spend_groups: ClassVar[tuple[str, ...]]
    """Which of SPEND_DIMENSIONS the report can be grouped by."""

    async def fetch_spend(self, scope: str, query: SpendQuery) -> tuple[Spend, ...]:
        """Return the spend of a scope, a row for each day and group.

        A positive amount is spent. Every row is of days that the query covers, whatever
        else the provider answers with. `labels` of a row name its group; what has no
        value for a group has no label of it. Filters and groups beyond those declared are
        not asked for. Raises ProviderError.
        """


@runtime_checkable
class ReportsSpendFields(Protocol):
    """A provider that lists the values that its spend can be filtered by."""

    async def fetch_spend_fields(
        self, scope: str, query: SpendQuery
    ) -> Mapping[str, Mapping[str, str]]:
        """Return each filter with its values and what they mean.

        Raises ProviderError.
        """
