"""46elks: a balance in ten-thousandths of the currency; errors are plain text."""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from decimal import Decimal
from http import HTTPStatus
from typing import override
from uuid import UUID

from aiohttp import web

from .simulated_provider import SimulatedProvider, command
from .wire import answer

REFUSED = (
    "API access requires Basic HTTP authentication. Read documentation or examples."
)


class FortySixElks(SimulatedProvider):
    """A 46elks account."""

    id = "fortysix_elks"
    default_credentials = {
        "username": "usimulator46elks",
        "password": "SIMULATOR46ELKSPASSWORD",
    }
    scheme = "Basic"
    secret_fields = ("password",)

    balance = Decimal("967.0500")
    currency = "SEK"

    @property
    @override
    def authorization(self) -> Mapping[str, str]:
        pair = f"{self.credentials['username']}:{self.credentials['password']}"
        return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [web.get("/a1/me", self._get_account)]

    @override
    def error(self, request: web.Request, status: int) -> web.Response:
        if status == HTTPStatus.UNAUTHORIZED:
            return web.Response(text=REFUSED, status=status)
        return super().error(request, status)

    @command
    @override
    def spend(self, amount: Decimal, wallet: str | None = None) -> None:
        self.balance -= amount

    @command
    @override
    def top_up(self, amount: Decimal, wallet: str | None = None) -> None:
        self.balance += amount

    async def _get_account(self, request: web.Request) -> web.Response:
        body = {
            "mobilenumber": "+46700000000",
            "displayname": "Simulator",
            "id": f"u{UUID(self.account_id).hex}",
            "currency": self.currency,
            "balance": int(self.balance.scaleb(4)),
            "email": "simulator@example.com",
            "creditalert": 200000,
        }
        return answer(body)
