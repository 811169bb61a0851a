"""JSON as providers write it: amounts exactly, never by way of a float."""

from collections.abc import Mapping
from decimal import Decimal
import json
from uuid import NAMESPACE_URL, uuid5

from aiohttp import web


def write(value: object) -> str:
    """Write a value as compact JSON; a Decimal becomes a number, digit by digit."""
    match value:
        case Decimal():
            return format(value.normalize(), "f")
        case Mapping():
            members = (
                f"{json.dumps(key)}:{write(item)}" for key, item in value.items()
            )
            return f"{{{','.join(members)}}}"
        case list() | tuple():
            return f"[{','.join(map(write, value))}]"
        case _:
            return json.dumps(value, ensure_ascii=False)


def read(text: str) -> object:
    """Read JSON with every number as a Decimal."""
    value: object = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    return value


def answer(
    body: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Answer with a JSON body."""
    return web.Response(
        text=write(body),
        status=status,
        headers=headers,
        content_type="application/json",
    )


def cents(amount: Decimal) -> str:
    """Write an amount as the string with two decimals that many providers use."""
    return format(amount.quantize(Decimal("0.01")), "f")


def make_id(*parts: object) -> str:
    """Make a UUID that is the same on every run."""
    return str(uuid5(NAMESPACE_URL, "/".join(map(str, parts))))
