"""Tavily: the credits of the plan first, then those of pay-as-you-go."""

from collections.abc import Iterable
from decimal import Decimal
from http import HTTPStatus
from random import Random
from typing import override

from aiohttp import web

from .simulated_provider import CommandError, SimulatedProvider, command
from .wire import answer

ERRORS = {
    HTTPStatus.UNAUTHORIZED: "Unauthorized: missing or invalid API key.",
    HTTPStatus.TOO_MANY_REQUESTS: "Your request has been blocked due to excessive"
    " requests. Please reduce rate of requests.",
    432: "This request exceeds your plan's set usage limit. Please upgrade your plan or"
    " contact support@tavily.com",
    433: "This request exceeds the pay-as-you-go limit. You can increase your limit on"
    " the Tavily dashboard.",
}


class Tavily(SimulatedProvider):
    """A Tavily account."""

    id = "tavily"
    default_credentials = {"api_key": "tvly-dev-simulator"}

    plan_usage = Decimal(500)
    plan_limit = Decimal(15_000)
    paygo_usage = Decimal(25)
    paygo_limit: Decimal | None = Decimal(100)
    key_usage = Decimal(150)
    key_limit: Decimal | None = None

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [web.get("/usage", self._get_usage)]

    @override
    def error(self, request: web.Request, status: int) -> web.Response:
        message = ERRORS.get(status)
        if message is None:
            message = HTTPStatus(status).phrase
        return answer({"detail": {"error": message}}, status)

    @command
    @override
    def spend(self, amount: Decimal, wallet: str | None = None) -> None:
        from_plan = max(min(self.plan_limit - self.plan_usage, amount), Decimal())
        self.plan_usage += from_plan
        self.paygo_usage += amount - from_plan
        self.key_usage += amount

    @command
    @override
    def top_up(self, amount: Decimal, wallet: str | None = None) -> None:
        raise CommandError("credits cannot be paid in; a plan brings them")

    @override
    def spend_a_little(self, random: Random) -> None:
        self.spend(Decimal(random.randint(1, 3)))

    async def _get_usage(self, request: web.Request) -> web.Response:
        return answer(
            {
                "key": {"usage": self.key_usage, "limit": self.key_limit},
                "account": {
                    "current_plan": "Bootstrap",
                    "plan_usage": self.plan_usage,
                    "plan_limit": self.plan_limit,
                    "paygo_usage": self.paygo_usage,
                    "paygo_limit": self.paygo_limit,
                },
            }
        )
