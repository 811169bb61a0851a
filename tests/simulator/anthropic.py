"""Anthropic: costs of each UTC day in cents; no balance."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import override

from aiohttp import web

from .costs import Biller, Use
from .simulated_provider import CommandError, command
from .wire import answer

ERRORS = {
    HTTPStatus.BAD_REQUEST: ("invalid_request_error", "starting_at: Field required"),
    HTTPStatus.UNAUTHORIZED: ("authentication_error", "invalid x-api-key"),
    HTTPStatus.FORBIDDEN: ("permission_error", "Request not allowed"),
    HTTPStatus.NOT_FOUND: ("not_found_error", "Not found"),
    HTTPStatus.TOO_MANY_REQUESTS: ("rate_limit_error", "Rate limited"),
}
FAILURE = ("api_error", "Internal server error")
GROUPS = {"description": "line_item", "workspace_id": "project"}
MOST_BUCKETS = 31


class Anthropic(Biller):
    """An organization at Anthropic."""

    id = "anthropic"
    default_credentials = {"api_key": "sk-ant-admin01-simulator"}

    # What belongs to no workspace is in the default one.
    uses = (
        Use(60, "Claude Haiku 4.5 Usage - Output Tokens", "wrkspc_home"),
        Use(30, "Claude Haiku 4.5 Usage - Input Tokens", "wrkspc_home"),
        Use(10, "Web Search Usage"),
    )
    daily = Decimal("12.3456")

    def __init__(self, credentials: Mapping[str, str] | None = None) -> None:
        """Open an organization that has spent a little today."""
        super().__init__(credentials)
        self.add_cost(Decimal("0.5"))

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
    def top_up(self, amount: Decimal, wallet: str | None = None) -> None:
        raise CommandError("there is no balance")

    async def _get_organization(self, request: web.Request) -> web.Response:
        organization = {"id": self.account_id, "type": "organization", "name": "Home"}
        return answer(organization)

    async def _list_costs(self, request: web.Request) -> web.Response:
        query = request.query
        grouping = query.getall("group_by[]", [])
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        try:
            day = datetime.fromisoformat(query.get("page") or query["starting_at"])
            end = datetime.fromisoformat(query.get("ending_at", str(today)))
            limit = int(query.get("limit", "7"))
        except KeyError, ValueError:
            return self.error(request, HTTPStatus.BAD_REQUEST)
        if not (
            day < end and 1 <= limit <= MOST_BUCKETS and GROUPS.keys() >= set(grouping)
        ):
            return self.error(request, HTTPStatus.BAD_REQUEST)
        days = []
        while day < end:
            days.append(day)
            day += timedelta(days=1)
        has_more = len(days) > limit
        buckets = [
            {
                "starting_at": _zulu(day),
                "ending_at": _zulu(day + timedelta(days=1)),
                "results": [
                    {
                        "amount": str(dollars.scaleb(2)),
                        "currency": "USD",
                        "workspace_id": project,
                        "description": line_item,
                    }
                    for (line_item, project, _), dollars in self.groups_of(
                        day.date(), [GROUPS[name] for name in grouping]
                    ).items()
                ],
            }
            for day in days[:limit]
        ]
        next_page = _zulu(days[limit]) if has_more else None
        return answer({"data": buckets, "has_more": has_more, "next_page": next_page})


def _zulu(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
