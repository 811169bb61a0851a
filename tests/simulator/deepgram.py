"""Deepgram: every path is about one project, and refusals come in many forms."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from http import HTTPStatus
from typing import Literal, override
from uuid import UUID

from aiohttp import web

from .costs import today
from .deepgram_account import GROUPINGS, DeepgramAccount, Group, Project
from .simulated_provider import Refusal, command
from .wire import answer, make_id

type KeyRefusal = Literal["401", "403"]
type PermissionRefusal = Literal["403", "401", "401_text"]

PROJECT = "/v1/projects/{project}"
FILTERED_DEPLOYMENTS = {"hosted", "beta", "self-hosted"}
LINE_ITEMS = {
    "streaming::nova-3": "Nova - 3 (Stream)",
    "sync::aura-2": "Aura -2 (Sync)",
    "streaming::flux": "Flux (Stream)",
}
# Deepgram's range without dates is not documented.
DEFAULT_RANGE = timedelta(days=30)

NO_PROJECT = {
    "category": "NOT_FOUND",
    "message": "A project with the submitted ID cannot be found.",
    "details": (
        "Check that you have submitted the intended project ID and that the project"
        " has not been deleted."
    ),
}
NO_BALANCE = {
    "category": "NOT_FOUND",
    "message": "A balance with the submitted ID cannot be found.",
    "details": "Check that you have submitted the intended balance ID.",
}
NO_PERMISSION = {
    "category": "INSUFFICIENT_PERMISSIONS",
    "message": (
        "Your account does not have the required scope to perform that action for"
        " this project."
    ),
    "details": (
        "Check that your account has the 'billing:read' scope for this project."
    ),
}
NO_RIGHT_401 = {
    "err_code": "INSUFFICIENT_PERMISSIONS",
    "err_msg": "User does not have sufficient permissions.",
}
BAD_KEY = {"err_code": "INVALID_AUTH", "err_msg": "Invalid credentials."}
BAD_KEY_403 = {
    "category": "UNAUTHORIZED",
    "message": "Authentication failed.",
    "details": "Check that you are using the correct credentials.",
}
ERRORS: Mapping[int, Mapping[str, str]] = {
    HTTPStatus.BAD_REQUEST: {
        "err_code": "INVALID_QUERY_PARAMETER",
        "err_msg": "Failed to deserialize query parameters",
    },
    HTTPStatus.UNAUTHORIZED: BAD_KEY,
    HTTPStatus.PAYMENT_REQUIRED: {
        "err_code": "ASR_PAYMENT_REQUIRED",
        "err_msg": (
            "Project does not have enough credits for an ASR request and does not have"
            " an overage agreement."
        ),
    },
    HTTPStatus.FORBIDDEN: NO_PERMISSION,
    HTTPStatus.NOT_FOUND: NO_PROJECT,
    HTTPStatus.TOO_MANY_REQUESTS: {
        "err_code": "TOO_MANY_REQUESTS",
        "err_msg": "Too many requests. Please try again later",
    },
    # The provider's documentation spells this one name differently.
    HTTPStatus.SERVICE_UNAVAILABLE: {
        "error_code": "Service Unavailable",
        "err_msg": "Please try again later",
    },
}


class Deepgram(DeepgramAccount):
    """A Deepgram account, seen through its API."""

    id = "deepgram"
    default_credentials = {"api_key": "simulator-deepgram-0123456789abcdef"}
    scheme = "Token"

    key_refusal: KeyRefusal = "401"
    permission_refusal: PermissionRefusal = "403"

    @command
    def refuse_keys_with(self, form: KeyRefusal) -> None:
        """Choose how a bad key is refused."""
        self.key_refusal = form

    @command
    def refuse_permissions_with(self, form: PermissionRefusal) -> None:
        """Choose how a key without the permission is refused."""
        self.permission_refusal = form

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [
            web.get("/v1/projects", self._list_projects),
            web.get(PROJECT, self._get_project),
            web.get(f"{PROJECT}/balances", self._list_balances),
            web.get(f"{PROJECT}/balances/{{balance}}", self._get_balance),
            web.get(f"{PROJECT}/billing/breakdown", self._get_breakdown),
            web.get(f"{PROJECT}/billing/fields", self._get_fields),
            web.get(f"{PROJECT}/purchases", self._list_purchases),
        ]

    @override
    def error(self, request: web.Request, status: int) -> web.Response:
        if status not in ERRORS:
            return super().error(request, status)
        return self._error(ERRORS[status], status)

    @override
    def refuse_key(self, request: web.Request) -> web.Response:
        if self.key_refusal == "403":
            return self._error(BAD_KEY_403, HTTPStatus.FORBIDDEN)
        return self._error(BAD_KEY, HTTPStatus.UNAUTHORIZED)

    @override
    def refuse_permission(self, request: web.Request) -> web.Response | None:
        # A member's key lists projects; only what is about money needs more.
        if request.path.count("/") <= PROJECT.count("/"):
            return None
        match self.permission_refusal:
            case "403":
                return self._error(NO_PERMISSION, HTTPStatus.FORBIDDEN)
            case "401":
                return self._error(NO_RIGHT_401, HTTPStatus.UNAUTHORIZED)
            case "401_text":
                return web.Response(
                    text=NO_RIGHT_401["err_msg"], status=HTTPStatus.UNAUTHORIZED
                )

    async def _list_projects(self, request: web.Request) -> web.Response:
        projects = [
            {"project_id": project.id, "name": project.name}
            for project in self._projects.values()
        ]
        return answer({"projects": projects})

    async def _get_project(self, request: web.Request) -> web.Response:
        project = self._asked(request)
        return answer(
            {"project_id": project.id, "name": project.name, "mip_opt_out": False}
        )

    async def _list_balances(self, request: web.Request) -> web.Response:
        project = self._asked(request)
        return answer({"balances": [balance.show() for balance in project.balances]})

    async def _get_balance(self, request: web.Request) -> web.Response:
        for balance in self._asked(request).balances:
            if balance.id == request.match_info["balance"]:
                return answer(balance.show())
        return self._error(NO_BALANCE, HTTPStatus.NOT_FOUND)

    async def _list_purchases(self, request: web.Request) -> web.Response:
        project = self._asked(request)
        try:
            limit = Decimal(request.query.get("limit", "10"))
        except InvalidOperation:
            limit = Decimal(0)
        if not 1 <= limit <= 1000:
            raise Refusal(self.error(request, HTTPStatus.BAD_REQUEST))
        orders = project.orders[: int(limit)]
        return answer({"page": 0, "limit": limit, "orders": orders})

    async def _get_breakdown(self, request: web.Request) -> web.Response:
        project, query = self._asked(request), request.query
        grouping = query.getall("grouping", [])
        if not set(grouping).issubset(GROUPINGS) or (
            query.get("deployment", "hosted") not in FILTERED_DEPLOYMENTS
        ):
            raise Refusal(self.error(request, HTTPStatus.BAD_REQUEST))
        start, end = self._range(request)
        groups: dict[Group, Decimal] = {}
        for cost in project.costs:
            if start <= cost.day <= end and cost.matches(query):
                group = cost.group(grouping)
                groups[group] = groups.get(group, Decimal(0)) + cost.dollars
        results = [
            {
                "dollars": groups[day, values],
                "grouping": {"start": str(day), "end": str(day)}
                | dict(zip(GROUPINGS, values, strict=True)),
            }
            for day, values in sorted(groups, key=str)
        ]
        return answer(
            {
                "start": str(start),
                "end": str(end),
                "resolution": {"units": "day", "amount": 1},
                "results": results,
            }
        )

    async def _get_fields(self, request: web.Request) -> web.Response:
        project = self._asked(request)
        start, end = self._range(request)
        costs = [cost for cost in project.costs if start <= cost.day <= end]
        items = sorted({cost.line_item for cost in costs})
        return answer(
            {
                "accessors": sorted({cost.accessor for cost in costs}),
                "deployments": sorted({cost.deployment for cost in costs}),
                "tags": sorted({tag for cost in costs for tag in cost.tags}),
                "line_items": {item: LINE_ITEMS.get(item, item) for item in items},
            }
        )

    def _asked(self, request: web.Request) -> Project:
        """Find the project a request is about."""
        project_id = request.match_info["project"]
        try:
            UUID(project_id)
        except ValueError:
            text = (
                "UUID parsing failed: invalid character: expected an optional prefix of"
                f" `urn:uuid:` followed by [0-9a-zA-Z], found `{project_id[:1]}` at 1"
            )
            raise Refusal(web.Response(text=text, status=404)) from None
        if project_id not in self._projects:
            raise Refusal(self._error(NO_PROJECT, HTTPStatus.NOT_FOUND))
        return self._projects[project_id]

    def _range(self, request: web.Request) -> tuple[date, date]:
        """Read the dates a request is about, both included."""
        query = request.query
        try:
            end = date.fromisoformat(query.get("end", str(today())))
            start = date.fromisoformat(query.get("start", str(end - DEFAULT_RANGE)))
        except ValueError:
            raise Refusal(self.error(request, HTTPStatus.BAD_REQUEST)) from None
        return start, end

    def _error(self, body: Mapping[str, str], status: int) -> web.Response:
        request_id = make_id(self.id, "request", len(self.requests))
        return answer({**body, "request_id": request_id}, status)
