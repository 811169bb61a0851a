"""Vercel AI Gateway: credits that are left and were used, as decimal strings."""

from collections.abc import Iterable
from decimal import Decimal
from http import HTTPStatus
from typing import override

from aiohttp import web

from .simulated_provider import SimulatedProvider, command
from .wire import answer

ERRORS = {
    HTTPStatus.UNAUTHORIZED: ("Authentication failed", "authentication_error"),
    HTTPStatus.TOO_MANY_REQUESTS: ("Rate limit exceeded", "rate_limit_exceeded"),
}
FAILURE = ("Internal server error", "internal_server_error")


class VercelAIGateway(SimulatedProvider):
    """The AI Gateway of a Vercel team."""

    id = "vercel_ai_gateway"
    default_credentials = {"api_key": "vck_simulator"}

    balance = Decimal("95.50")
    total_used = Decimal("4.50")

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [web.get("/v1/credits", self._get_credits)]

    @override
    def error(self, request: web.Request, status: int) -> web.Response:
        message, kind = ERRORS.get(HTTPStatus(status), FAILURE)
        return answer({"error": {"message": message, "type": kind}}, status)

    @command
    @override
    def spend(self, amount: Decimal, wallet: str | None = None) -> None:
        self.balance -= amount
        self.total_used += amount

    @command
    @override
    def top_up(self, amount: Decimal, wallet: str | None = None) -> None:
        self.balance += amount

    async def _get_credits(self, request: web.Request) -> web.Response:
        return answer(
            {"balance": str(self.balance), "total_used": str(self.total_used)}
        )
