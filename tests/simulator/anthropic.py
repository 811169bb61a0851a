"""Anthropic: costs of each UTC day in cents; no balance."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import override

from aiohttp import web

from .vendor import CommandError, Vendor, command
from .wire import answer

ERRORS = {
    HTTPStatus.BAD_REQUEST: ("invalid_request_error", "starting_at: Field required"),
    HTTPStatus.UNAUTHORIZED: ("authentication_error", "invalid x-api-key"),
    HTTPStatus.FORBIDDEN: ("permission_error", "Request not allowed"),
    HTTPStatus.NOT_FOUND: ("not_found_error", "Not found"),
    HTTPStatus.TOO_MANY_REQUESTS: ("rate_limit_error", "Rate limited"),
}
FAILURE = ("api_error", "Internal server error")


class Anthropic(Vendor):
    """An organization at Anthropic."""

    id = "anthropic"
    default_credentials = {"api_key": "sk-ant-admin01-simulator"}

    # Every day costs the same, and today what was spent so far.
    daily = Decimal("12.3456")
    today = Decimal("0.5")

    @property
    @override
    def authorization(self) -> Mapping[str, str]:
        return {"x-api-key": self.credentials["api_key"]}

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [
            web.get("/v1/organizations/me", self._get_organization),
            web.get("/v1/organizations/cost_report", self._list_costs),
        ]

    @override
    def error(self, request: web.Request, status: int) -> web.Response:
        kind, message = ERRORS.get(HTTPStatus(status), FAILURE)
        error = {"type": kind, "message": message}
        return answer({"type": "error", "error": error}, status)

    @command
    @override
    def spend(self, amount: Decimal, wallet: str | None = None) -> None:
        self.today += amount

    @command
    @override
    def top_up(self, amount: Decimal, wallet: str | None = None) -> None:
        raise CommandError("there is no balance")

    async def _get_organization(self, request: web.Request) -> web.Response:
        organization = {"id": self.account_id, "type": "organization", "name": "Home"}
        return answer(organization)

    async def _list_costs(self, request: web.Request) -> web.Response:
        if "starting_at" not in request.query:
            return self.error(request, HTTPStatus.BAD_REQUEST)
        now = datetime.now(UTC)
        day = datetime.fromisoformat(request.query["starting_at"])
        buckets = []
        while day <= now:
            end = day + timedelta(days=1)
            dollars = self.today if end > now else self.daily
            result = {
                "amount": str(dollars.scaleb(2)),
                "currency": "USD",
                "workspace_id": None,
                "description": None,
            }
            buckets.append(
                {
                    "starting_at": f"{day:%Y-%m-%dT%H:%M:%SZ}",
                    "ending_at": f"{end:%Y-%m-%dT%H:%M:%SZ}",
                    "results": [result],
                }
            )
            day = end
        return answer({"data": buckets, "has_more": False, "next_page": None})
