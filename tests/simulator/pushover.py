"""Pushover: the messages left this month; the token is in the address."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from random import Random
from typing import override

from aiohttp import web

from .simulated_provider import SimulatedProvider, command
from .wire import answer, make_id


class Pushover(SimulatedProvider):
    """A Pushover account with one application."""

    id = "pushover"
    default_credentials = {"api_key": "aSimulatorPushoverApplication1"}

    limit = Decimal(10_000)
    remaining = Decimal(7_496)

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [web.get("/1/apps/limits.json", self._get_limits)]

    @property
    @override
    def authorization(self) -> Mapping[str, str]:
        return {}

    @property
    @override
    def params(self) -> Mapping[str, str]:
        return {"token": self.credentials["api_key"]}

    @override
    def error(self, request: web.Request, status: int) -> web.Response:
        phrase = HTTPStatus(status).phrase.lower()
        body = {"errors": [phrase], "status": 0, "request": self._request_id()}
        return answer(body, status)

    @override
    def refuse_key(self, request: web.Request) -> web.Response:
        error = "application token is invalid, see https://pushover.net/api"
        body = {
            "token": "invalid",
            "errors": [error],
            "status": 0,
            "request": self._request_id(),
        }
        return answer(body, HTTPStatus.BAD_REQUEST)

    @command
    @override
    def spend(self, amount: Decimal, wallet: str | None = None) -> None:
        self.remaining = max(self.remaining - amount, Decimal())

    @command
    @override
    def top_up(self, amount: Decimal, wallet: str | None = None) -> None:
        # An upgrade raises the limit of the month.
        self.limit += amount
        self.remaining += amount

    @override
    def spend_a_little(self, random: Random) -> None:
        self.spend(Decimal(1))

    def _request_id(self) -> str:
        return make_id(self.id, "request", len(self.requests))

    async def _get_limits(self, request: web.Request) -> web.Response:
        month = datetime.now(UTC).replace(day=1, hour=6, minute=0, second=0)
        reset = (month + timedelta(days=32)).replace(day=1)
        body = {
            "limit": self.limit,
            "remaining": self.remaining,
            "reset": int(reset.timestamp()),
            "status": 1,
            "request": self._request_id(),
        }
        return answer(body)
