"""OpenAI: costs of each UTC day, and a spend limit in cents; no balance."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import override

from aiohttp import web

from .vendor import CommandError, Vendor, command
from .wire import answer

NO_RIGHT = (
    "You have insufficient permissions for this operation. Missing scopes:"
    " api.usage.read. Check that you have the correct role in your organization."
)


class OpenAI(Vendor):
    """An OpenAI organization."""

    id = "openai"
    default_credentials = {"api_key": "sk-admin-simulator"}

    # Every day costs the same, and today what was spent so far.
    daily = Decimal("1.25")
    today = Decimal("0.06")
    limit: Decimal | None = Decimal(100)

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [
            web.get("/v1/organization/costs", self._list_costs),
            web.get("/v1/organization/spend_limit", self._get_limit),
        ]

    @override
    def error(self, request: web.Request, status: int) -> web.Response:
        if status == HTTPStatus.UNAUTHORIZED:
            return _error(status, "Incorrect API key provided.", "invalid_api_key")
        return _error(status, HTTPStatus(status).phrase)

    @override
    def refuse_right(self, request: web.Request) -> web.Response | None:
        return _error(HTTPStatus.FORBIDDEN, NO_RIGHT)

    @command
    @override
    def spend(self, amount: Decimal, wallet: str | None = None) -> None:
        self.today += amount

    @command
    @override
    def top_up(self, amount: Decimal, wallet: str | None = None) -> None:
        raise CommandError("there is no balance")

    @command
    def set_limit(self, limit: Decimal | None) -> None:
        """Set the spend limit in dollars; with None there is none."""
        self.limit = limit

    async def _list_costs(self, request: web.Request) -> web.Response:
        now = datetime.now(UTC)
        start = int(request.query.get("start_time", now.timestamp()))
        day = datetime.fromtimestamp(start, UTC).replace(hour=0, minute=0, second=0)
        buckets = []
        while day <= now:
            end = day + timedelta(days=1)
            value = self.today if end > now else self.daily
            result = {
                "object": "organization.costs.result",
                "amount": {"value": value, "currency": "usd"},
                "line_item": None,
                "project_id": None,
            }
            buckets.append(
                {
                    "object": "bucket",
                    "start_time": int(day.timestamp()),
                    "end_time": int(end.timestamp()),
                    "results": [result],
                }
            )
            day = end
        page = {"object": "page", "data": buckets}
        return answer({**page, "has_more": False, "next_page": None})

    async def _get_limit(self, request: web.Request) -> web.Response:
        if self.limit is None:
            return self.error(request, HTTPStatus.NOT_FOUND)
        return answer(
            {
                "object": "organization.spend_limit",
                "threshold_amount": int(self.limit * 100),
                "currency": "USD",
                "interval": "month",
                "enforcement": {"status": "inactive"},
            }
        )


def _error(status: int, message: str, code: str | None = None) -> web.Response:
    error = {"message": message, "type": "invalid_request_error"}
    return answer({"error": {**error, "param": None, "code": code}}, status)
