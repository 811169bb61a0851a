"""Moonshot AI (Kimi): vouchers spent first, then cash, down to debt."""

from collections.abc import Iterable
from decimal import Decimal
from http import HTTPStatus
from typing import override

from aiohttp import web

from .simulated_provider import SimulatedProvider, command
from .wire import answer

ERRORS = {
    HTTPStatus.UNAUTHORIZED: (
        "Invalid Authentication",
        "invalid_authentication_error",
    ),
    HTTPStatus.TOO_MANY_REQUESTS: (
        "Your account reached max request, please try again later",
        "rate_limit_reached_error",
    ),
}
FAILURE = ("The server had an error", "server_error")


class Moonshot(SimulatedProvider):
    """An account of the Kimi open platform."""

    id = "moonshot"
    default_credentials = {"api_key": "sk-simulator-moonshot"}

    voucher = Decimal("46.58893")
    cash = Decimal("3.00001")

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [web.get("/v1/users/me/balance", self._get_balance)]

    @override
    def error(self, request: web.Request, status: int) -> web.Response:
        message, kind = ERRORS.get(HTTPStatus(status), FAILURE)
        return answer({"error": {"message": message, "type": kind}}, status)

    @command
    @override
    def spend(self, amount: Decimal, wallet: str | None = None) -> None:
        from_voucher = min(self.voucher, amount)
        self.voucher -= from_voucher
        self.cash -= amount - from_voucher

    @command
    @override
    def top_up(self, amount: Decimal, wallet: str | None = None) -> None:
        self.cash += amount

    @command
    def set_cash(self, amount: Decimal) -> None:
        """Set the cash, below zero where money is owed."""
        self.cash = amount

    async def _get_balance(self, request: web.Request) -> web.Response:
        data = {
            # Debt does not reduce what the vouchers can still buy.
            "available_balance": self.voucher + max(self.cash, Decimal()),
            "voucher_balance": self.voucher,
            "cash_balance": self.cash,
        }
        return answer({"code": 0, "data": data, "scode": "0x0", "status": True})
