"""DigitalOcean: what is owed, as a positive string, and the usage of the month."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from http import HTTPStatus
from typing import override

from aiohttp import web

from .simulated_provider import SimulatedProvider, command
from .wire import answer, cents

ERRORS = {
    HTTPStatus.UNAUTHORIZED: ("unauthorized", "Unable to authenticate you."),
    HTTPStatus.FORBIDDEN: (
        "forbidden",
        "You are not authorized to perform this operation",
    ),
    HTTPStatus.NOT_FOUND: (
        "not_found",
        "The resource you requested could not be found.",
    ),
    HTTPStatus.TOO_MANY_REQUESTS: ("too_many_requests", "API rate limit exceeded."),
}
FAILURE = ("server_error", "Unexpected server-side error")


class DigitalOcean(SimulatedProvider):
    """A DigitalOcean account."""

    id = "digital_ocean"
    default_credentials = {"api_key": "dop_v1_simulator0digitalocean"}

    owed = Decimal("12.23")
    usage = Decimal("11.21")
    prepayment = Decimal(0)
    is_blocked = False

    def __init__(self, credentials: Mapping[str, str] | None = None) -> None:
        """Open an account without a history."""
        super().__init__(credentials)
        self.history: list[Mapping[str, str]] = []

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [
            web.get("/v2/customers/my/balance", self._get_balance),
            web.get("/v2/customers/my/prepayment_status", self._get_prepayment),
            web.get("/v2/customers/my/billing_history", self._list_history),
        ]

    @override
    def error(self, request: web.Request, status: int) -> web.Response:
        kind, message = ERRORS.get(HTTPStatus(status), FAILURE)
        return answer({"id": kind, "message": message}, status)

    @override
    def refuse_permission(self, request: web.Request) -> web.Response | None:
        return self.error(request, HTTPStatus.FORBIDDEN)

    @command
    @override
    def spend(self, amount: Decimal, wallet: str | None = None) -> None:
        self.usage += amount

    @command
    @override
    def top_up(self, amount: Decimal, wallet: str | None = None) -> None:
        self.owed -= amount
        self._book("Payment", -amount)

    @command
    def send_invoice(self) -> None:
        """Begin a new month: what was used is owed."""
        self.owed += self.usage
        self._book("Invoice", self.usage)
        self.usage = Decimal()

    @command
    def set_prepayment(self, amount: Decimal, is_blocked: bool = False) -> None:
        """Set what is left of the prepayment, and whether usage is blocked."""
        self.prepayment = amount
        self.is_blocked = is_blocked

    async def _get_balance(self, request: web.Request) -> web.Response:
        body = {
            "month_to_date_balance": cents(self.owed + self.usage),
            "account_balance": cents(self.owed),
            "month_to_date_usage": cents(self.usage),
            "generated_at": _now(),
        }
        return answer(body)

    async def _get_prepayment(self, request: web.Request) -> web.Response:
        status = {
            "balance": cents(self.prepayment),
            "is_auto_prepay_enabled": False,
            "blocked": self.is_blocked,
            "eligible": True,
            "month_to_date_balance": cents(self.owed + self.usage),
        }
        return answer({"status": status})

    async def _list_history(self, request: web.Request) -> web.Response:
        total = len(self.history)
        body = {"billing_history": self.history, "links": {}, "meta": {"total": total}}
        return answer(body)

    def _book(self, kind: str, amount: Decimal) -> None:
        """Add an entry to the billing history, the newest first."""
        entry = {"description": kind, "amount": cents(amount)}
        self.history.insert(0, {**entry, "date": _now(), "type": kind})


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
