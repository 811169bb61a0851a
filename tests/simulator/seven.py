"""seven.io: a balance, as JSON only for those who ask for it; errors are bare codes."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from http import HTTPStatus
from typing import override

from aiohttp import web

from .simulated_provider import SimulatedProvider, command
from .wire import answer, write

BAD_KEY = "900"
MISSING_SCOPE = "902"


class Seven(SimulatedProvider):
    """A seven.io account."""

    id = "seven"
    default_credentials = {"api_key": "SimulatorSeven0000000000000000000001"}

    amount = Decimal("12.34")
    currency = "EUR"

    @property
    @override
    def authorization(self) -> Mapping[str, str]:
        return {"X-Api-Key": self.credentials["api_key"]}

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [web.get("/api/balance", self._get_balance)]

    @override
    def error(self, request: web.Request, status: int) -> web.Response:
        if status == HTTPStatus.UNAUTHORIZED:
            return self._answer_as_asked(request, BAD_KEY, BAD_KEY)
        return super().error(request, status)

    @override
    def refuse_permission(self, request: web.Request) -> web.Response | None:
        return self._answer_as_asked(request, MISSING_SCOPE, MISSING_SCOPE)

    @command
    @override
    def spend(self, amount: Decimal, wallet: str | None = None) -> None:
        self.amount -= amount

    @command
    @override
    def top_up(self, amount: Decimal, wallet: str | None = None) -> None:
        self.amount += amount

    def _answer_as_asked(
        self, request: web.Request, body: object, text: str
    ) -> web.Response:
        """Answer with status 200 whatever it means, as JSON only where accepted."""
        if "application/json" in request.headers.get("Accept", ""):
            return answer(body)
        return web.Response(text=text)

    async def _get_balance(self, request: web.Request) -> web.Response:
        body = {"amount": self.amount, "currency": self.currency}
        return self._answer_as_asked(request, body, write(self.amount))
