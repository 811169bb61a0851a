"""What an account stores over restarts, and the one codec of it.

The stored form follows from the fields: a field is written where it differs from its
default, and a missing one has its default.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

from ..model import Problem, Snapshot, Unit
from .budget import BudgetState
from .hourly_spend import HourlySpend
from .levels import Availability, Event, Level, Thresholds
from .movements import Ledger
from .schedule import Schedule
from .tracked import TrackedCredit

_SECOND = timedelta(seconds=1)
_STORED_DIGITS = 60

type Amounts = Mapping[str, Decimal]


@dataclass(slots=True, kw_only=True)
class GaugeState:
    """What is stored of a gauge.

    `level` is how it stands, `shown_level` what the home shows of it: both differ until
    the alert has been delivered. `amounts` are those that were delivered last, by the key
    of their sensor. `patience` is how many more answers may leave out what can be spent.
    """

    unit: Unit
    scope: str
    label: str | None = None
    is_quota: bool = False
    has_held: bool = False
    patience: int = 0
    missing_since: datetime | None = None
    ledger: Ledger = field(default_factory=Ledger)
    level: Level | None = None
    shown_level: Level | None = None
    amounts: dict[str, Decimal] = field(default_factory=dict)
    runway: timedelta | None = None
    is_jumping: bool = False


@dataclass(slots=True, kw_only=True)
class AccountState:
    """What an account stores over restarts.

    `snapshot` is the last one, completed by what it left out. `events` were not delivered
    yet. `availability` is what the home shows. `thresholds` are those that a person has
    set, `tracked` the credit that a person entered, by its currency. `problem` and `detail`
    describe why the last poll failed. `received` is the last snapshot as it arrived.
    `refusals` and `misreadings` count polls in a row.
    """

    gauges: dict[str, GaugeState] = field(default_factory=dict)
    thresholds: dict[str, Thresholds] = field(default_factory=dict)
    tracked: dict[str, TrackedCredit] = field(default_factory=dict)
    budgets: dict[str, BudgetState] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    schedule: Schedule = field(default_factory=Schedule)
    snapshot: Snapshot | None = None
    availability: Availability | None = None
    updated_at: datetime | None = None
    problem: Problem | None = None
    detail: str | None = None
    refusals: int = 0
    misreadings: int = 0
    knows_past: bool = False
    received: Snapshot | None = field(default=None, metadata={"is_stored": False})

    def thresholds_of(self, key: str) -> Thresholds:
        """Return what a person calls low of a gauge."""
        return self.thresholds.get(key, Thresholds())


def encode(value: Any) -> Any:
    """Return the stored form of a value."""
    match value:
        case HourlySpend():
            return value.encode()
        case Enum():
            return value.value
        case Decimal():
            return str(value)
        case datetime():
            return value.isoformat()
        case timedelta():
            return value // _SECOND
        case Mapping():
            return {encode(key): encode(item) for key, item in value.items()}
        case frozenset():
            return sorted(value)
        case list() | tuple():
            return [encode(item) for item in value]
        case _ if is_dataclass(value):
            return {
                item.name: encode(current)
                for item in fields(value)
                if item.metadata.get("is_stored", True)
                and (current := getattr(value, item.name)) != _default(item)
            }
        case _:
            return value


def decode(data: Any, kind: Any = AccountState) -> Any:
    """Return the value of a stored form. Raises ValueError."""
    try:
        return _decode(data, kind)
    except (ArithmeticError, AttributeError, LookupError, TypeError) as err:
        raise ValueError("not a record of an account") from err


def _decode(data: Any, kind: Any) -> Any:
    """Return the value of a stored form, whatever the error."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        if data is None and NoneType in arguments:
            return None
        # Texts and lists of texts are the only other choice there is.
        texts = [one for one in arguments if one is not NoneType]
        return _decode(data, texts[-1] if isinstance(data, list) else texts[0])
    if origin in (list, tuple, frozenset):
        if not isinstance(data, list):
            raise TypeError
        return origin(_decode(item, arguments[0]) for item in data)
    if origin is not None:
        return {
            _decode(key, arguments[0]): _decode(item, arguments[1])
            for key, item in data.items()
        }
    if kind is HourlySpend:
        return HourlySpend.decode(data)
    if kind is Decimal:
        return _amount(data)
    if issubclass(kind, datetime):
        return datetime.fromisoformat(data).astimezone(UTC)
    if kind is timedelta:
        return int(data) * _SECOND
    if issubclass(kind, Enum):
        return kind(data)
    if is_dataclass(kind):
        make = cast(Callable[..., Any], kind)
        hints = _hints(make)
        return make(
            **{name: _decode(data[name], hints[name]) for name in hints if name in data}
        )
    if not isinstance(data, kind):
        raise TypeError
    return data


@cache
def _hints(kind: Any) -> dict[str, Any]:
    """Return the types of a dataclass's fields."""
    return get_type_hints(kind)


def _default(item: Any) -> Any:
    """Return the default of a field, nothing that equals it where there is none."""
    if item.default_factory is not MISSING:
        return item.default_factory()
    return item.default


def _amount(data: Any) -> Decimal:
    """Return a stored amount: finite, and of a length that an account can have."""
    try:
        number = Decimal(data)
    except InvalidOperation as err:
        raise ValueError("not an amount") from err
    if not number.is_finite() or abs(number.adjusted()) > _STORED_DIGITS:
        raise ValueError("an amount that no account has")
    return number
