"""OpenRouter: a management key sees the account's credit, any other key only its own."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Literal, override

from aiohttp import web

from .costs import Biller, Use, today
from .simulated_provider import command
from .wire import answer, make_id

type Reset = Literal["daily", "weekly", "monthly"]

MESSAGES = {
    HTTPStatus.UNAUTHORIZED: "Missing Authentication header",
    HTTPStatus.FORBIDDEN: "Only management keys can perform this operation",
    HTTPStatus.NOT_FOUND: "Not Found",
    HTTPStatus.TOO_MANY_REQUESTS: "Rate limit exceeded",
}


class OpenRouter(Biller):
    """An OpenRouter account and one key of it."""

    id = "openrouter"
    default_credentials = {"api_key": "sk-or-v1-simulator"}

    uses = (
        Use(60, "openai/gpt-5-mini", accessor="5f0f2a"),
        Use(30, "google/gemini-2.5-flash", accessor="5f0f2a"),
        Use(10, "mistralai/voxtral-small", accessor="c81e72"),
    )
    is_management_key = True
    total_credits = Decimal("100.5")
    total_usage = Decimal("25.75")
    # Until a past is given, this was used on the running day.
    usage = Decimal("25.5")
    limit: Decimal | None = Decimal(100)
    limit_reset: Reset | None = "monthly"

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [
            web.get("/api/v1/key", self._get_key),
            web.get("/api/v1/credits", self._get_credits),
            web.get("/api/v1/activity", self._list_activity),
        ]

    @override
    def error(self, request: web.Request, status: int) -> web.Response:
        message = MESSAGES.get(HTTPStatus(status), "Internal Server Error")
        return answer({"error": {"code": status, "message": message}}, status)

    @command
    @override
    def spend(self, amount: Decimal, wallet: str | None = None) -> None:
        super().spend(amount)
        self.total_usage += amount

    @command
    @override
    def top_up(self, amount: Decimal, wallet: str | None = None) -> None:
        self.total_credits += amount

    @command
    @override
    def give_past(
        self, days: int = 30, per_day: Decimal = Decimal("2.40"), seed: int = 0
    ) -> None:
        super().give_past(days, per_day, seed)
        # What was used then was bought before.
        used = self.total(today() - timedelta(days=days)) - self.total(today())
        self.total_credits += used
        self.total_usage += used
        self.usage = Decimal(0)

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
        now = today()
        starts = {
            "daily": now,
            "weekly": now - timedelta(days=now.weekday()),
            "monthly": now.replace(day=1),
        }
        used = {
            name: Decimal(0) if self.is_management_key else self.usage + self.total(day)
            for name, day in (*starts.items(), ("ever", date.min))
        }
        data = {
            "label": "sk-or-v1-sim...tor",
            "limit": self.limit if is_limited else None,
            "limit_remaining": self.limit - used[self.limit_reset or "ever"]
            if is_limited and self.limit
            else None,
            "limit_reset": self.limit_reset if is_limited else None,
            "usage": used["ever"],
            **{f"usage_{name}": used[name] for name in starts},
            "include_byok_in_limit": False,
            "is_free_tier": False,
            "is_management_key": self.is_management_key,
            "expires_at": None,
        }
        return answer({"data": data})

    async def _list_activity(self, request: web.Request) -> web.Response:
        if not self.is_management_key:
            return self.error(request, HTTPStatus.FORBIDDEN)
        days = [today() - timedelta(days=ago) for ago in range(1, 31)]
        items = [
            {
                "date": str(day),
                "model": model,
                "model_permaslug": model,
                "endpoint_id": make_id(self.id, model),
                "provider_name": str(model).partition("/")[0],
                "usage": usage,
                "byok_usage_inference": 0,
                "requests": 5,
                "prompt_tokens": 50,
                "completion_tokens": 125,
                "reasoning_tokens": 0,
            }
            for day in days
            for (model, _, _), usage in self.groups_of(
                day, ["line_item"], accessor=request.query.getall("api_key_hash", [])
            ).items()
        ]
        return answer({"data": items})

    async def _get_credits(self, request: web.Request) -> web.Response:
        if not self.is_management_key:
            return self.error(request, HTTPStatus.FORBIDDEN)
        data = {"total_credits": self.total_credits, "total_usage": self.total_usage}
        return answer({"data": data})
