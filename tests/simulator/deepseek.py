"""DeepSeek: one row per currency in no stable order, granted money spent first."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus
from typing import override

from aiohttp import web

from .simulated_provider import CommandError, SimulatedProvider, command
from .wire import answer, cents, make_id

ERRORS = {
    HTTPStatus.BAD_REQUEST: ("Invalid Format", "invalid_request_error"),
    HTTPStatus.PAYMENT_REQUIRED: ("Insufficient Balance", "unknown_error"),
    HTTPStatus.UNPROCESSABLE_ENTITY: ("Invalid Parameters", "invalid_request_error"),
    HTTPStatus.TOO_MANY_REQUESTS: ("Rate Limit Reached", "rate_limit_error"),
    HTTPStatus.INTERNAL_SERVER_ERROR: ("Server Error", "server_error"),
    HTTPStatus.SERVICE_UNAVAILABLE: ("Server Overloaded", "service_unavailable_error"),
}


@dataclass(slots=True)
class Row:
    """The money in one currency."""

    topped_up: Decimal
    granted: Decimal

    @property
    def total(self) -> Decimal:
        """All the money in this currency, as the sum of what the row shows."""
        return Decimal(cents(self.topped_up)) + Decimal(cents(self.granted))


class DeepSeek(SimulatedProvider):
    """A DeepSeek account."""

    id = "deepseek"
    default_credentials = {"api_key": "sk-simulator-deepseek-20e1"}

    def __init__(self, credentials: Mapping[str, str] | None = None) -> None:
        """Open an account with the money of the documented example."""
        super().__init__(credentials)
        self._rows = {"CNY": Row(Decimal("100.00"), Decimal("10.00"))}
        self._available: bool | None = None
        self._answers = 0

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [web.get("/user/balance", self._get_balance)]

    @override
    def error(self, request: web.Request, status: int) -> web.Response:
        if status == HTTPStatus.UNAUTHORIZED:
            return self._refuse(request)
        if status not in ERRORS:
            return super().error(request, status)
        message, kind = ERRORS[HTTPStatus(status)]
        return self._error(status, message, kind)

    @command
    @override
    def spend(self, amount: Decimal, wallet: str | None = None) -> None:
        row = self._row(wallet)
        granted = max(min(row.granted, amount), Decimal(0))
        row.granted -= granted
        row.topped_up -= amount - granted

    @command
    @override
    def top_up(self, amount: Decimal, wallet: str | None = None) -> None:
        self._row(wallet).topped_up += amount

    @command
    def add_currency(
        self,
        currency: str,
        topped_up: Decimal = Decimal("0.00"),
        granted: Decimal = Decimal("0.00"),
    ) -> None:
        """Add the row of a currency, or replace it."""
        self._rows[currency] = Row(topped_up, granted)

    @command
    def remove_currency(self, currency: str) -> None:
        """Leave the row of a currency out, down to no rows at all."""
        self._row(currency)
        del self._rows[currency]

    @command
    def grant(self, amount: Decimal, wallet: str | None = None) -> None:
        """Give money away."""
        self._row(wallet).granted += amount

    @command
    def set_is_available(self, available: bool | None) -> None:
        """Say so whatever the money; with None the money decides again."""
        self._available = available

    def amount(self, currency: str) -> Decimal:
        """What there is in a currency, granted and topped up, to the last digit."""
        row = self._row(currency)
        return row.granted + row.topped_up

    def _row(self, currency: str | None) -> Row:
        if currency is None:
            currency = next(iter(self._rows), None)
        if currency is None or currency not in self._rows:
            there = ", ".join(self._rows) or "none"
            raise CommandError(f"no wallet {currency!r}; there is {there}")
        return self._rows[currency]

    async def _get_balance(self, request: web.Request) -> web.Response:
        rows = [
            {
                "currency": currency,
                "total_balance": cents(row.total),
                "granted_balance": cents(row.granted),
                "topped_up_balance": cents(row.topped_up),
            }
            for currency, row in self._rows.items()
        ]
        # Each answer turns the rows by one, so that no reader may count on an order.
        turn = self._answers % max(len(rows), 1)
        self._answers += 1
        available = self._available
        if available is None:
            available = any(row.total > 0 for row in self._rows.values())
        infos = rows[turn:] + rows[:turn]
        return answer({"is_available": available, "balance_infos": infos})

    def _refuse(self, request: web.Request) -> web.Response:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme != self.scheme or not key:
            return web.Response(
                text="Authentication Fails (auth header format should be Bearer sk-...)",
                status=HTTPStatus.UNAUTHORIZED,
            )
        request_id = make_id(self.id, "request", len(self.requests))
        message = (
            f"Authentication Fails, Your api key: ****{key[-4:]} is invalid"
            f" (request_id: {request_id})"
        )
        return self._error(HTTPStatus.UNAUTHORIZED, message, "authentication_error")

    def _error(self, status: int, message: str, kind: str) -> web.Response:
        error = {
            "message": message,
            "type": kind,
            "param": None,
            "code": "invalid_request_error",
        }
        return answer({"error": error}, status)
