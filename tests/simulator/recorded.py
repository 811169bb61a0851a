"""Any provider, simulated by its recordings: amounts move as money is spent and paid in.

Which numbers of an answer hold an amount is found out by its provider: it reads the
recording with each number changed in turn, and what then differs is what the number means.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal, InvalidOperation
from functools import cache
import json
from random import Random
import re
from typing import Any, ClassVar, override

from aiohttp import web

from custom_components.api_balance.model import Quota, Snapshot, Wallet
from custom_components.api_balance.providers.base import Provider, ProviderError
from custom_components.api_balance.providers.catalog import load

from ..recording import (
    FOLDER,
    RecordedProvider,
    example_credentials,
    filled,
    full_recording,
    joined,
    shown,
)
from .simulated_provider import CommandError, Refusal, SimulatedProvider, command
from .wire import read, write

# A number: the request that it answers, and the path in its answer.
type Place = tuple[str, tuple[str | int, ...]]
type Amounts = dict[str, Decimal]

# What spending moves, with its sign; the provider may derive the second from the first.
_OF_WALLETS = {"balance": -1, "available": -1}
_OF_QUOTAS = {"used": 1, "remaining": -1}
_LIMITS = ("limit", "credit_limit")


def simulate(provider_id: str) -> type[Recorded]:
    """Return the simulated provider of an id."""
    provider = load(provider_id)
    chosen = _recording(provider_id, "full").get("credentials", {})
    return type(
        provider.__name__,
        (Recorded,),
        {
            "id": provider_id,
            "provider": provider,
            "default_credentials": example_credentials(provider) | chosen,
            "secret_fields": tuple(
                item.key
                for item in provider.credentials
                if item.is_secret and item.is_required
            ),
        },
    )


class Recorded(SimulatedProvider):
    """An account as the full recording shows it."""

    provider: ClassVar[type[Provider]]

    def __init__(self, credentials: Mapping[str, str] | None = None) -> None:
        """Open an account that accepts these credentials."""
        super().__init__(credentials)
        self._is_another = self.credentials != self.default_credentials
        self._moved: dict[Place, Decimal] = {}

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [web.route("*", "/{path:.*}", self._play)]

    @override
    def error(self, request: web.Request, status: int) -> web.Response:
        for path in sorted((FOLDER / self.id).glob("*.json")):
            for answer in _recording(self.id, path.stem)["answers"].values():
                if answer["status"] == status:
                    return _response(answer)
        return super().error(request, status)

    @override
    def refuse_key(self, request: web.Request) -> web.Response:
        return self._refuse("bad_key", request)

    @override
    def refuse_permission(self, request: web.Request) -> web.Response | None:
        return self._refuse("missing_permission", request)

    @property
    @override
    def knows_permissions(self) -> bool:
        return self.provider.permission is not None

    @override
    def accepts(self, request: web.Request) -> bool:
        for asked, answer in _answers(self.id).items():
            if filled(asked, self.credentials) == _asked(request):
                return all(
                    request.headers.get(name) == shown(value, self.credentials)
                    for name, value in answer["shown"].items()
                )
        return not any(_is_same_path(asked, request) for asked in _answers(self.id))

    @command
    @override
    def spend(self, amount: Decimal, wallet: str | None = None) -> None:
        part = self._part(wallet)
        self._move(
            part, _OF_WALLETS if isinstance(part, Wallet) else _OF_QUOTAS, amount
        )

    @command
    @override
    def top_up(self, amount: Decimal, wallet: str | None = None) -> None:
        part = self._part(wallet)
        if not isinstance(part, Wallet):
            raise CommandError("nothing can be paid in")
        self._move(part, _OF_WALLETS, -amount)

    @override
    def spend_a_little(self, random: Random) -> None:
        if self._part(None).unit.is_money:
            super().spend_a_little(random)
        else:
            self.spend(Decimal(random.randint(1, 3)))

    def _part(self, wallet: str | None) -> Wallet | Quota:
        """Return what is spent from: the first wallet unless named, else a quota."""
        snapshot = _snapshot(self.id, {})
        quotas = [quota for quota in snapshot.quotas if not quota.is_unlimited]
        parts: list[Wallet | Quota] = [*snapshot.wallets, *(quotas or snapshot.quotas)]
        for part in parts:
            if wallet in (None, part.key, part.unit.code):
                return part
        raise CommandError(f"no wallet {wallet!r}")

    def _move(
        self, part: Wallet | Quota, signs: Mapping[str, int], amount: Decimal
    ) -> None:
        """Move the numbers that an amount is read from, so that it moves once."""
        effects = _effects(self.id)
        missing = {f"{part.key} {name}": amount * sign for name, sign in signs.items()}
        limits = {f"{part.key} {name}" for name in _LIMITS}
        for name in (f"{part.key} {name}" for name in signs):
            for place, effect in effects.items():
                if missing[name] and name in effect and not limits & effect.keys():
                    number = missing[name] / effect[name]
                    self._moved[place] = self._moved.get(place, Decimal()) + number
                    for other in missing:
                        missing[other] -= effect.get(other, 0) * number

    async def _play(self, request: web.Request) -> web.Response:
        for asked, answer in _answers(self.id).items():
            if filled(asked, self.credentials) != _asked(request):
                continue
            # A key in the body is read only here.
            sent = filled(answer.get("sent"), self.credentials)
            if "sent" in answer and await request.json() != sent:
                raise Refusal(self.refuse_key(request))
            moved = {
                path: number
                for (where, path), number in self._moved.items()
                if where == asked
            }
            content = _changed(answer["json"], moved)
            return _response({**answer, "json": self._renamed(content)})
        raise web.HTTPNotFound

    def _renamed(self, content: Any) -> Any:
        """Return an answer with the ids of this account."""
        match content:
            case dict():
                return {key: self._renamed(value) for key, value in content.items()}
            case list():
                return [self._renamed(value) for value in content]
            case _ if not self._is_another or str(content) not in _ids(self.id):
                return content
            case Decimal():
                return content + 1
            case _:
                return f"{content}-{self.account_id}"

    def _refuse(self, name: str, request: web.Request) -> web.Response:
        """Answer as recorded, to the same request if that is recorded."""
        answers = _recording(self.id, name)["answers"]
        same = [
            answer for asked, answer in answers.items() if _is_same_path(asked, request)
        ]
        return _response((same or list(answers.values()))[0])


@cache
def _recording(provider_id: str, name: str) -> Mapping[str, Any]:
    """Return the content of a recording, with exact numbers."""
    content = read((FOLDER / provider_id / f"{name}.json").read_text())
    assert isinstance(content, dict)
    return content


def _answers(provider_id: str) -> Mapping[str, Mapping[str, Any]]:
    answers: Mapping[str, Mapping[str, Any]] = _recording(provider_id, "full")[
        "answers"
    ]
    return answers


def _response(answer: Mapping[str, Any]) -> web.Response:
    """Return a recorded answer, which has a status that is an int again."""
    return web.Response(
        text=answer["text"] if "text" in answer else write(answer["json"]),
        status=int(answer["status"]),
        headers=answer.get("headers"),
        content_type="application/json",
    )


def _asked(request: web.Request) -> str:
    """Return the name that a request has in recordings."""
    return f"{request.method} {request.path_qs}"


def _is_same_path(asked: str, request: web.Request) -> bool:
    """Return whether a request is a recorded one, whatever the credentials in it."""
    pattern = re.sub(r"\\\{\w+\\\}", "[^/&]*", re.escape(asked))
    return re.fullmatch(pattern, _asked(request)) is not None


def _numbers(content: Any, path: tuple[str | int, ...] = ()) -> Iterator[Any]:
    """Yield the path of each number, also of one that is a string, with the number."""
    match content:
        case dict():
            for key, value in content.items():
                yield from _numbers(value, (*path, key))
        case list():
            for index, value in enumerate(content):
                yield from _numbers(value, (*path, index))
        case Decimal() | str():
            try:
                number = Decimal(content)
            except InvalidOperation:
                return
            if number.is_finite():
                yield path, number


def _changed(
    content: Any,
    moved: Mapping[tuple[str | int, ...], Decimal],
    path: tuple[str | int, ...] = (),
) -> Any:
    """Return an answer with numbers moved; each keeps its form and its digits."""
    match content:
        case dict():
            return {
                key: _changed(value, moved, (*path, key))
                for key, value in content.items()
            }
        case list():
            return [
                _changed(value, moved, (*path, index))
                for index, value in enumerate(content)
            ]
        case _ if path not in moved:
            return content
    number = Decimal(content)
    number = (number + moved[path]).quantize(number)
    return number if isinstance(content, Decimal) else format(number, "f")


@cache
def _effects(provider_id: str) -> Mapping[Place, Amounts]:
    """Return what each number of the answers does to each amount, by its own size."""
    before = _amounts(_snapshot(provider_id, {}))
    effects: dict[Place, Amounts] = {}
    for asked, answer in _answers(provider_id).items():
        for path, number in _numbers(answer["json"]):
            step = Decimal(1).scaleb(int(number.as_tuple().exponent))
            try:
                snapshot = _snapshot(provider_id, {asked: {path: step}})
            except ProviderError:
                continue
            effect = {
                name: (amount - before[name]) / step
                for name, amount in _amounts(snapshot).items()
                if name in before and amount != before[name]
            }
            if effect:
                effects[asked, path] = effect
    return effects


def _amounts(snapshot: Snapshot) -> Amounts:
    """Return every amount that spending can move, or must not."""
    parts: list[Wallet | Quota] = [*snapshot.wallets, *snapshot.quotas]
    return {
        f"{part.key} {name}": amount
        for part in parts
        for name in (*_OF_WALLETS, *_OF_QUOTAS, *_LIMITS)
        if (amount := getattr(part, name, None)) is not None
    }


@cache
def _ids(provider_id: str) -> frozenset[str]:
    return _snapshot(provider_id, {}).account_ids


def _snapshot(
    provider_id: str, moved: Mapping[str, Mapping[tuple[str | int, ...], Decimal]]
) -> Snapshot:
    """Return what the provider makes of its full recording with numbers moved."""
    recording = full_recording(load(provider_id))
    simulated = RecordedProvider(recording)
    for asked, numbers in moved.items():
        answer = _answers(provider_id)[asked]
        content = json.loads(write(_changed(answer["json"], numbers)))
        simulated.answers[filled(asked, recording.credentials)] = {
            **recording.answers[filled(asked, recording.credentials)],
            "json": content,
        }

    async def ask() -> Snapshot:
        return await joined(
            load(provider_id), simulated.answer, recording.credentials
        ).read()

    # Whoever spends may be in an event loop, and cannot wait in it.
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(asyncio.run, ask()).result()
