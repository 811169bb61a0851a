"""Anthropic: costs of each UTC day in cents; no balance."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Any, override

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

BETA = "analytics-usage-cost-2026-08-24"
ANALYTICS_GROUPS = {"model", "workspace_id"}
MOST_ROWS = 1000
LONGEST_RANGE = timedelta(days=31)
LONGEST_PAST = timedelta(days=365)
DEFAULT_WORKSPACE = "wrkspc_default"
MODELS = {"Claude Haiku 4.5 Usage": "claude-haiku-4-5"}


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
    is_report_retired = False

    def __init__(self, credentials: Mapping[str, str] | None = None) -> None:
        """Open an organization that has spent a little today."""
        super().__init__(credentials)
        self.add_cost(Decimal("0.5"))

    @property
    @override
    def authorization(self) -> Mapping[str, str]:
        return {"x-api-key": self.credentials["api_key"]}

    @override
    def accepts(self, request: web.Request) -> bool:
        # Anthropic's own libraries show the key as a bearer token.
        shown = request.headers.get("Authorization")
        return super().accepts(request) or (
            shown == f"Bearer {self.credentials['api_key']}"
        )

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [
            web.get("/v1/organizations/me", self._get_organization),
            web.get("/v1/organizations/cost_report", self._list_costs),
            web.get("/v1/organizations/analytics/cost", self._list_analytics),
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

    @command
    def retire_report(self) -> None:
        """Stop offering the legacy report of costs."""
        self.is_report_retired = True

    async def _get_organization(self, request: web.Request) -> web.Response:
        organization = {"id": self.account_id, "type": "organization", "name": "Home"}
        return answer(organization)

    async def _list_costs(self, request: web.Request) -> web.Response:
        if self.is_report_retired:
            return self.error(request, HTTPStatus.NOT_FOUND)
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
                        "amount": f"{dollars.scaleb(2):f}",
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

    async def _list_analytics(self, request: web.Request) -> web.Response:
        query = request.query
        grouping = query.getall("group_by[]", [])
        now = datetime.now(UTC)
        try:
            start = datetime.fromisoformat(query["starting_at"])
            end = datetime.fromisoformat(query["ending_at"])
            limit = int(query.get("limit", "20"))
            offset = int(query.get("page", "0"))
        except KeyError, ValueError:
            return self.error(request, HTTPStatus.BAD_REQUEST)
        if not (
            request.headers.get("anthropic-beta") == BETA
            and query.get("time_bucket_width") == "1d"
            and max(now - LONGEST_PAST, datetime(2026, 1, 1, tzinfo=UTC))
            <= start
            < end
            <= start + LONGEST_RANGE
            and 1 <= limit <= MOST_ROWS
            and set(grouping) <= ANALYTICS_GROUPS
        ):
            return self.error(request, HTTPStatus.BAD_REQUEST)
        rows: list[dict[str, Any]] = [
            {
                "starting_at": _zulu(day),
                "ending_at": _zulu(day + timedelta(days=1)),
                "group": {"model": model, "workspace_id": workspace},
                "cost": {
                    "amount": f"{dollars.scaleb(2):f}",
                    "list_amount": f"{dollars.scaleb(2):f}",
                    "currency": "USD",
                    "requests": None,
                },
            }
            for day in (start + timedelta(days=n) for n in range((end - start).days))
            for (model, workspace), dollars in self._analytics_of(
                day.date(), grouping
            ).items()
        ]
        rows.sort(key=lambda row: Decimal(row["cost"]["amount"]), reverse=True)
        has_more = len(rows) > offset + limit
        return answer(
            {
                "data": rows[offset : offset + limit],
                "has_more": has_more,
                "next_page": str(offset + limit) if has_more else None,
            }
        )

    def _analytics_of(
        self, day: date, grouping: list[str]
    ) -> dict[tuple[str | None, str | None], Decimal]:
        """Sum what a day has cost by model and workspace, where it is grouped by them."""
        groups: dict[tuple[str | None, str | None], Decimal] = {}
        for cost in self.costs_of(day):
            model = MODELS.get(cost.use.line_item.partition(" - ")[0])
            group = (
                model if "model" in grouping else None,
                cost.use.project or DEFAULT_WORKSPACE
                if "workspace_id" in grouping
                else None,
            )
            groups[group] = groups.get(group, Decimal(0)) + cost.amount
        return groups


def _zulu(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
