"""Vonage: one balance, always in EUR."""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from decimal import Decimal
from http import HTTPStatus
from typing import override

from aiohttp import web

from .simulated_provider import SimulatedProvider, command
from .wire import answer


class Vonage(SimulatedProvider):
    """A Vonage API account."""

    id = "vonage"
    default_credentials = {"api_key": "vonsim01", "api_secret": "Simulator0Vonage"}
    scheme = "Basic"
    secret_fields = ("api_secret",)

    value = Decimal("29.18202293")
    has_auto_reload = False

    @property
    @override
    def authorization(self) -> Mapping[str, str]:
        pair = f"{self.credentials['api_key']}:{self.credentials['api_secret']}"
        return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [web.get("/account/get-balance", self._get_balance)]

    @override
    def error(self, request: web.Request, status: int) -> web.Response:
        label = HTTPStatus(status).phrase.lower()
        if status == HTTPStatus.UNAUTHORIZED:
            label = "authentication failed"
        return answer(
            {"error-code": str(int(status)), "error-code-label": label}, status
        )

    @command
    @override
    def spend(self, amount: Decimal, wallet: str | None = None) -> None:
        self.value -= amount

    @command
    @override
    def top_up(self, amount: Decimal, wallet: str | None = None) -> None:
        self.value += amount

    async def _get_balance(self, request: web.Request) -> web.Response:
        return answer({"value": self.value, "autoReload": self.has_auto_reload})
