"""Telnyx: one balance with a credit line, amounts as strings."""

from collections.abc import Iterable
from decimal import Decimal
from http import HTTPStatus
from typing import override

from aiohttp import web

from .simulated_provider import CommandError, SimulatedProvider, command
from .wire import answer, cents

ERRORS = {
    HTTPStatus.UNAUTHORIZED: (
        "10009",
        "Authentication failed",
        "Could not find any usable credentials in the request.",
    ),
    HTTPStatus.FORBIDDEN: (
        "10010",
        "Authorization failed",
        "Insufficient permissions to access balance information",
    ),
    HTTPStatus.NOT_FOUND: (
        "10005",
        "Resource not found",
        "The requested resource or URL could not be found.",
    ),
    HTTPStatus.REQUEST_TIMEOUT: ("10008", "Request timeout", None),
    HTTPStatus.UNPROCESSABLE_ENTITY: (
        "10015",
        "Bad Request",
        "Invalid or missing account information",
    ),
    HTTPStatus.TOO_MANY_REQUESTS: (
        "10011",
        "Too many requests",
        "You have exceeded the maximum number of allowed requests.",
    ),
}
FAILURE = ("10007", "Unexpected error", None)


class Telnyx(SimulatedProvider):
    """A Telnyx account."""

    id = "telnyx"
    default_credentials = {"api_key": "KEY0SIMULATOR_telnyx"}

    balance = Decimal("300.00")
    credit_limit = Decimal("100.00")
    pending: Decimal | None = Decimal("10.00")
    currency = "USD"
    has_auto_recharge = False

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [
            web.get("/v2/balance", self._get_balance),
            web.get("/v2/payment/auto_recharge_prefs", self._get_preferences),
        ]

    @override
    def error(self, request: web.Request, status: int) -> web.Response:
        code, title, detail = ERRORS.get(HTTPStatus(status), FAILURE)
        error = {"code": code, "title": title}
        if detail is not None:
            error["detail"] = detail
        return answer({"errors": [error]}, status)

    @override
    def refuse_permission(self, request: web.Request) -> web.Response | None:
        return self.error(request, HTTPStatus.FORBIDDEN)

    @command
    @override
    def spend(self, amount: Decimal, wallet: str | None = None) -> None:
        self._check(wallet)
        self.balance -= amount

    @command
    @override
    def top_up(self, amount: Decimal, wallet: str | None = None) -> None:
        self._check(wallet)
        self.balance += amount

    @command
    def set_balance(self, amount: Decimal) -> None:
        """Set the balance, below zero where the account pays afterwards."""
        self.balance = amount

    @command
    def set_credit_limit(self, amount: Decimal) -> None:
        """Set what may be spent below zero."""
        self.credit_limit = amount

    @command
    def set_pending(self, amount: Decimal | None) -> None:
        """Set the pending amount; with None the field is missing, as it once was."""
        self.pending = amount

    @command
    def set_currency(self, currency: str) -> None:
        """Keep the account in another currency."""
        self.currency = currency

    def _check(self, wallet: str | None) -> None:
        if wallet not in {None, self.currency}:
            raise CommandError(f"no wallet {wallet!r}; there is {self.currency}")

    async def _get_balance(self, request: web.Request) -> web.Response:
        data = {"record_type": "balance"}
        if self.pending is not None:
            data["pending"] = cents(self.pending)
        data |= {
            "balance": cents(self.balance),
            "credit_limit": cents(self.credit_limit),
            "available_credit": cents(self.balance + self.credit_limit),
            "currency": self.currency,
        }
        return answer({"data": data})

    async def _get_preferences(self, request: web.Request) -> web.Response:
        data = {
            "record_type": "auto_recharge_pref",
            "threshold_amount": "10.00",
            "recharge_amount": "20.00",
            "enabled": self.has_auto_recharge,
        }
        return answer({"data": data})
