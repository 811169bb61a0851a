"""Other service: any JSON API that reports a balance or a usage, without code.

Built from what you enter, not from a provider's page such as https://example.com/docs. It
asks one address, on one fixed host, with GET or POST, and shows the key in a header, by
basic authentication or as a query parameter. A path says where in the answer a number
stands: names and indexes with dots between them, such as `data.balances.0.amount`. The
scale turns what the provider counts into the unit you name (0.01 for cents), and the sign
can be turned around for providers that count what you owe. Make a key that may do nothing
but read the balance, if the provider has such keys. A poll costs one request, every 15
minutes.
"""

from collections import deque
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, override

import voluptuous as vol
from yarl import URL

from ..model import Quota, Snapshot, Unit, Wallet
from .base import Credential, NotInAnswer, Provider, basic
from .fields import amount, currency

_WALLET = ("balance", "available")
_NUMBERS = (*_WALLET, "used", "limit")
# So many paths are offered to a person who entered a wrong one.
_MOST_USABLE = 10
# A name with one of them in it cannot be a part of a path.
_DIVIDERS = frozenset(".[]")


class OtherService(Provider):
    """An account with a service that has no provider of its own."""

    id = "other"
    name = "Other service"
    hosts = {}
    key_kind = "API key that may read the balance"
    key_url = "https://github.com/api-balance/ha-api-balance#other-service"
    top_up_url = key_url
    status_url = key_url
    is_previewed = True
    credentials = (
        Credential(key="url", is_secret=False),
        Credential(
            key="method", is_secret=False, options=("GET", "POST"), default="GET"
        ),
        Credential(
            key="key_place",
            is_secret=False,
            options=("header", "basic", "query"),
            default="header",
        ),
        Credential(key="key_name", is_secret=False, default="Authorization"),
        Credential(
            key="key_prefix", is_secret=False, is_required=False, default="Bearer"
        ),
        Credential(key="username", is_secret=False, is_required=False),
        Credential(key="api_key"),
        *(
            Credential(key=f"{number}_path", is_secret=False, is_required=False)
            for number in (*_NUMBERS, "currency")
        ),
        Credential(key="unit", is_secret=False, default="USD"),
        Credential(
            key="scale",
            is_secret=False,
            options=("1", "0.1", "0.01", "0.001", "0.0001", "0.000001"),
            default="1",
        ),
        Credential(key="is_inverted", is_secret=False, default=False),
    )

    @override
    @classmethod
    def title(cls, credentials: Mapping[str, str]) -> str:
        """Return the host that is asked."""
        try:
            return URL(credentials["url"]).host or cls.name
        except ValueError:
            return cls.name

    @override
    @classmethod
    def address(
        cls,
        credentials: Mapping[str, str],
        region: str | None = None,
        base_url: str | None = None,
    ) -> str:
        """Return the host's part of the address that was entered."""
        if base_url:
            return base_url
        try:
            return str(URL(credentials["url"]).with_path("/"))
        except ValueError:
            return credentials["url"]

    @override
    @classmethod
    def choose_region(
        cls, credentials: Mapping[str, str], region: str | None = None
    ) -> str:
        """Return no region: there is one address."""
        return ""

    @override
    @classmethod
    def headers(cls, credentials: Mapping[str, str]) -> Mapping[str, str]:
        """Return the header that was entered."""
        match credentials["key_place"]:
            case "basic":
                return basic(credentials.get("username", ""), credentials["api_key"])
            case "header":
                words = (credentials.get("key_prefix", ""), credentials["api_key"])
                return {credentials["key_name"]: " ".join(filter(None, words))}
            case _:
                return {}

    @override
    @classmethod
    def params(cls, credentials: Mapping[str, str]) -> Mapping[str, str]:
        """Return the query parameter that was entered."""
        if credentials["key_place"] == "query":
            return {credentials["key_name"]: credentials["api_key"]}
        return {}

    @override
    async def fetch(self) -> Snapshot:
        """Return what stands at the paths that were entered."""
        path = URL(self._credentials["url"]).raw_path_qs
        if self._credentials["method"] == "POST":
            answer = await self._client.post(path, object)
        else:
            answer = await self._client.get(path, object)
        numbers = {number: self._number(answer, number) for number in _NUMBERS}
        if all(number is None for number in numbers.values()):
            raise NotInAnswer("balance_path", _usable(answer, amount))
        unit = self._unit(answer)
        wallet = Wallet(
            key=unit.key,
            unit=unit,
            balance=numbers["balance"],
            available=numbers["available"],
        )
        quota = Quota(
            key=unit.key, unit=unit, used=numbers["used"], limit=numbers["limit"]
        )
        return Snapshot(
            wallets=(wallet,) if wallet != Wallet(key=unit.key, unit=unit) else (),
            quotas=(quota,) if quota != Quota(key=unit.key, unit=unit) else (),
        )

    def _number(self, answer: Any, number: str) -> Decimal | None:
        """Return a number in its unit; positive is the customer's."""
        path = self._credentials.get(f"{number}_path")
        if not path or (value := _find(answer, path, amount)) is None:
            return None
        try:
            scaled = amount(value) * Decimal(self._credentials["scale"])
        except vol.Invalid:
            pass
        else:
            is_owed = self._credentials["is_inverted"] and number in _WALLET
            return -scaled if is_owed else scaled
        raise NotInAnswer(path, _usable(answer, amount))

    def _unit(self, answer: Any) -> Unit:
        """Return the unit that the answer names, else the one that was entered."""
        if path := self._credentials.get("currency_path"):
            try:
                return currency(_find(answer, path, currency))
            except vol.Invalid:
                pass
            raise NotInAnswer(path, _usable(answer, currency))
        unit = self._credentials["unit"]
        is_money = len(unit) == 3 and unit.isupper()
        return Unit.money(unit) if is_money else Unit.named(unit)


def _find(answer: Any, path: str, check: Callable[[Any], object]) -> Any:
    """Return what stands at a path of names and indexes; the check says what fits."""
    found = answer
    for step in path.replace("[", ".").replace("]", "").split("."):
        match found:
            case dict() if step in found:
                found = found[step]
            case list() if step.isdecimal() and int(step) < len(found):
                found = found[int(step)]
            case _:
                raise NotInAnswer(path, _usable(answer, check))
    return found


def _usable(answer: Any, check: Callable[[Any], object]) -> tuple[str, ...]:
    """Return the first paths to what passes a check, never what stands there."""
    usable: list[str] = []
    places = deque([("", answer)])
    while places and len(usable) < _MOST_USABLE:
        path, value = places.popleft()
        match value:
            case dict():
                steps = list(value.items())
            case list():
                steps = [(str(index), item) for index, item in enumerate(value)]
            case _:
                if path and _passes(value, check):
                    usable.append(path)
                continue
        places.extend(
            (f"{path}.{step}" if path else step, item)
            for step, item in steps
            if not _DIVIDERS.intersection(step)
        )
    return tuple(usable)


def _passes(value: Any, check: Callable[[Any], object]) -> bool:
    """Return whether something is there and passes a check."""
    try:
        check(value)
    except vol.Invalid:
        return False
    return value is not None
