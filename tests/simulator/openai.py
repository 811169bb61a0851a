"""OpenAI: costs of each UTC day, and a spend limit in cents; no balance."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import override

from aiohttp import web

from .costs import Biller, Use
from .simulated_provider import CommandError, command
from .wire import answer

NO_PERMISSION = (
    "You have insufficient permissions for this operation. Missing scopes:"
    " api.usage.read. Check that you have the correct role in your organization."
)


GROUPS = {
    "line_item": "line_item",
    "project_id": "project",
    "api_key_id": "accessor",
}
MOST_BUCKETS = 180


class OpenAI(Biller):
    """An OpenAI organization."""

    id = "openai"
    default_credentials = {"api_key": "sk-admin-simulator"}

    uses = (
        Use(55, "gpt-5-mini, output", "proj_home", "key_voice"),
        Use(25, "gpt-5-mini, input", "proj_home", "key_voice"),
        Use(15, "whisper", "proj_home", "key_camera"),
        Use(5, "text-embedding-3-small", "proj_lab", "key_lab"),
    )
    daily = Decimal("1.25")
    limit: Decimal | None = Decimal(100)

    def __init__(self, credentials: Mapping[str, str] | None = None) -> None:
        """Open an organization that has spent a little today."""
        super().__init__(credentials)
        self.add_cost(Decimal("0.06"))

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
    def refuse_permission(self, request: web.Request) -> web.Response | None:
        return _error(HTTPStatus.FORBIDDEN, NO_PERMISSION)

    @command
    @override
    def top_up(self, amount: Decimal, wallet: str | None = None) -> None:
        raise CommandError("there is no balance")

    @command
    def set_limit(self, limit: Decimal | None) -> None:
        """Set the spend limit in dollars; with None there is none."""
        self.limit = limit

    async def _list_costs(self, request: web.Request) -> web.Response:
        query = request.query
        grouping = query.getall("group_by[]", [])
        now = int(datetime.now(UTC).timestamp())
        try:
            start = int(query.get("page") or query.get("start_time") or now)
            limit = int(query.get("limit", "7"))
            end = int(query.get("end_time") or now + 1)
        except ValueError:
            return self.error(request, HTTPStatus.BAD_REQUEST)
        if not (1 <= limit <= MOST_BUCKETS and GROUPS.keys() >= set(grouping)):
            return self.error(request, HTTPStatus.BAD_REQUEST)
        first = datetime.fromtimestamp(start, UTC).replace(hour=0, minute=0, second=0)
        days = []
        while first.timestamp() < end:
            days.append(first)
            first += timedelta(days=1)
        has_more = len(days) > limit
        next_page = str(int(days[limit].timestamp())) if has_more else None
        buckets = [
            {
                "object": "bucket",
                "start_time": int(day.timestamp()),
                "end_time": int((day + timedelta(days=1)).timestamp()),
                "results": [
                    {
                        "object": "organization.costs.result",
                        "amount": {"value": value, "currency": "usd"},
                        "line_item": line_item,
                        "project_id": project,
                        "api_key_id": accessor,
                    }
                    for (line_item, project, accessor), value in self.groups_of(
                        day.date(),
                        [GROUPS[name] for name in grouping],
                        project=query.getall("project_ids[]", []),
                        accessor=query.getall("api_key_ids[]", []),
                    ).items()
                ],
            }
            for day in days[:limit]
        ]
        page = {"object": "page", "data": buckets}
        return answer({**page, "has_more": has_more, "next_page": next_page})

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
