"""Validators for what stands in providers' answers; each raises `vol.Invalid`."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
import re
from typing import Any

import voluptuous as vol

from ..model import ACCOUNT, UNKNOWN_CURRENCY, Unit

# As many digits as decimal arithmetic keeps, before the point and behind it; no account
# holds more. Without a bound a few bytes could ask for gigabytes.
_MAX_DIGITS = 28
_MAX_ID_LENGTH = 128
_MAX_LABEL_LENGTH = 128
_CURRENCY = re.compile("[A-Za-z]{3}")
# What stands for the whole account, and what is no name in a path.
_NO_IDS = frozenset({ACCOUNT, ".", ".."})


def amount(value: Any) -> Decimal:
    """Return an exact amount from a JSON number or a decimal string."""
    if not isinstance(value, (Decimal, str)):
        raise vol.Invalid("expected an amount")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise vol.Invalid("expected an amount") from None
    if not number.is_finite():
        raise vol.Invalid("expected a finite amount")
    # Some databases keep 34 digits, and write a zero as 0E-6176.
    if number.adjusted() < -_MAX_DIGITS:
        return Decimal()
    if number.adjusted() > _MAX_DIGITS:
        raise vol.Invalid("expected an amount of sensible length")
    return +number


def scaled(exponent: int) -> Callable[[Any], Decimal]:
    """Return a validator of amounts in powers of ten: -2 for cents, exactly."""
    return lambda value: amount(value).scaleb(exponent)


def owed(value: Any) -> Decimal:
    """Return an amount that the provider counts as its own, as the customer's."""
    return -amount(value)


def epoch(value: Any) -> datetime:
    """Return a UTC time from seconds since 1970."""
    try:
        return datetime.fromtimestamp(int(amount(value)), UTC)
    except (OverflowError, OSError, ValueError) as err:
        raise vol.Invalid("expected a time") from err


def moment(value: Any) -> datetime:
    """Return a UTC time from an ISO 8601 string; without an offset it is UTC."""
    if not isinstance(value, str):
        raise vol.Invalid("expected a time")
    try:
        parsed = datetime.fromisoformat(value)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (OverflowError, ValueError) as err:
        raise vol.Invalid("expected a time") from err


def currency(value: Any) -> Unit:
    """Return the unit of an ISO 4217 code; the unknown currency for none."""
    if value is None:
        return UNKNOWN_CURRENCY
    # Upper case makes more letters of some that are not ASCII.
    if not (isinstance(value, str) and _CURRENCY.fullmatch(value)):
        raise vol.Invalid("expected a currency")
    return Unit.money(value)


def identifier(value: Any) -> str:
    """Return the id of a part of an account; it names entities for ever."""
    if (
        not isinstance(value, str)
        or not value.strip()
        or len(value) > _MAX_ID_LENGTH
        or value.casefold() in _NO_IDS
    ):
        raise vol.Invalid("expected an id")
    return value


def account_id(value: Any) -> str:
    """Return an id that names the whole account; some providers write a number."""
    return identifier(format(value, "f") if isinstance(value, Decimal) else value)


def label(value: Any) -> str:
    """Return a name for people, shortened where it is too long to show."""
    if not isinstance(value, str):
        raise vol.Invalid("expected a text")
    is_short = len(value) <= _MAX_LABEL_LENGTH
    return value if is_short else f"{value[: _MAX_LABEL_LENGTH - 1]}…"


def maybe(validator: Any) -> Any:
    """Return a validator that lets a missing value pass as None."""
    return vol.Any(None, validator)


def doubtful(validator: Any) -> Any:
    """Return a validator that takes what does not pass as missing.

    It is for fields whose form is not documented: the others count without them.
    """
    return vol.Any(validator, lambda value: None)
