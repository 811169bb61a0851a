"""OpenRouter: a management key sees the account's credit, any other key only its own."""

from collections.abc import Iterable
from decimal import Decimal
from http import HTTPStatus
from typing import Literal, override

from aiohttp import web

from .vendor import Vendor, command
from .wire import answer

type Reset = Literal["daily", "weekly", "monthly"]

MESSAGES = {
    HTTPStatus.UNAUTHORIZED: "Missing Authentication header",
    HTTPStatus.FORBIDDEN: "Only management keys can perform this operation",
    HTTPStatus.NOT_FOUND: "Not Found",
    HTTPStatus.TOO_MANY_REQUESTS: "Rate limit exceeded",
}


class OpenRouter(Vendor):
    """An OpenRouter account and one key of it."""

    id = "openrouter"
    default_credentials = {"api_key": "sk-or-v1-simulator"}

    is_management_key = True
    total_credits = Decimal("100.5")
    total_usage = Decimal("25.75")
    # The running day, week and month began with the simulator.
    usage = Decimal("25.5")
    limit: Decimal | None = Decimal(100)
    limit_reset: Reset | None = "monthly"

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [
            web.get("/api/v1/key", self._get_key),
            web.get("/api/v1/credits", self._get_credits),
        ]

    @override
    def error(self, request: web.Request, status: int) -> web.Response:
        message = MESSAGES.get(HTTPStatus(status), "Internal Server Error")
        return answer({"error": {"code": status, "message": message}}, status)

    @command
    @override
    def spend(self, amount: Decimal, wallet: str | None = None) -> None:
        self.total_usage += amount
        if not self.is_management_key:
            self.usage += amount

    @command
    @override
    def top_up(self, amount: Decimal, wallet: str | None = None) -> None:
        self.total_credits += amount

    @command
    def set_is_management_key(self, management: bool) -> None:
        """Let the key manage the account, or make calls."""
        self.is_management_key = management

    @command
    def set_limit(self, limit: Decimal | None, reset: Reset | None = None) -> None:
        """Limit what the key may spend; with None there is no limit."""
        self.limit = limit
        self.limit_reset = reset

    async def _get_key(self, request: web.Request) -> web.Response:
        is_limited = self.limit is not None and not self.is_management_key
        usage = Decimal(0) if self.is_management_key else self.usage
        data = {
            "label": "sk-or-v1-sim...tor",
            "limit": self.limit if is_limited else None,
            "limit_remaining": self.limit - usage
            if is_limited and self.limit
            else None,
            "limit_reset": self.limit_reset if is_limited else None,
            "usage": usage,
            "usage_daily": usage,
            "usage_weekly": usage,
            "usage_monthly": usage,
            "include_byok_in_limit": False,
            "is_free_tier": False,
            "is_management_key": self.is_management_key,
            "expires_at": None,
        }
        return answer({"data": data})

    async def _get_credits(self, request: web.Request) -> web.Response:
        if not self.is_management_key:
            return self.error(request, HTTPStatus.FORBIDDEN)
        data = {"total_credits": self.total_credits, "total_usage": self.total_usage}
        return answer({"data": data})
