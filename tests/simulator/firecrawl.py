"""Firecrawl: the credits of a team, more than the plan's where packs were bought."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from random import Random
from typing import override

from aiohttp import web

from .simulated_provider import SimulatedProvider, command
from .wire import answer

ERRORS = {
    HTTPStatus.UNAUTHORIZED: "Unauthorized: Invalid token",
    HTTPStatus.PAYMENT_REQUIRED: "Payment required to access this resource.",
    HTTPStatus.NOT_FOUND: "Could not find credit usage information",
    HTTPStatus.TOO_MANY_REQUESTS: "Request rate limit exceeded. Please wait and try"
    " again later.",
}
FAILURE = "Internal server error while fetching credit usage"


class Firecrawl(SimulatedProvider):
    """A team at Firecrawl."""

    id = "firecrawl"
    default_credentials = {"api_key": "fc-simulator"}

    remaining = Decimal(2_750)
    plan = Decimal(3_000)

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [web.get("/v2/team/credit-usage", self._get_usage)]

    @override
    def error(self, request: web.Request, status: int) -> web.Response:
        message = ERRORS.get(HTTPStatus(status), FAILURE)
        return answer({"success": False, "error": message}, status)

    @command
    @override
    def spend(self, amount: Decimal, wallet: str | None = None) -> None:
        self.remaining -= amount

    @command
    @override
    def top_up(self, amount: Decimal, wallet: str | None = None) -> None:
        # A pack of credits leaves the plan as it is.
        self.remaining += amount

    @override
    def spend_a_little(self, random: Random) -> None:
        self.spend(Decimal(random.randint(1, 5)))

    async def _get_usage(self, request: web.Request) -> web.Response:
        begin = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0)
        end = (begin + timedelta(days=32)).replace(day=1) - timedelta(seconds=1)
        data = {
            "remainingCredits": self.remaining,
            "planCredits": self.plan,
            "billingPeriodStart": f"{begin:%Y-%m-%dT%H:%M:%SZ}",
            "billingPeriodEnd": f"{end:%Y-%m-%dT%H:%M:%SZ}",
        }
        return answer({"success": True, "data": data})
