"""Vultr: what is owed, as a positive number, and the charges of the month."""

from collections.abc import Iterable
from decimal import Decimal
from http import HTTPStatus
from typing import override

from aiohttp import web

from .simulated_provider import SimulatedProvider, command
from .wire import answer


class Vultr(SimulatedProvider):
    """A Vultr account."""

    id = "vultr"
    default_credentials = {"api_key": "SIMULATORVULTR0000000000000000000001"}

    balance = Decimal("-55.19")
    pending_charges = Decimal("7.03")

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [web.get("/v2/account", self._get_account)]

    @override
    def error(self, request: web.Request, status: int) -> web.Response:
        message = HTTPStatus(status).phrase
        if status == HTTPStatus.UNAUTHORIZED:
            message = "Invalid API token."
        return answer({"error": message, "status": int(status)}, status)

    @override
    def refuse_permission(self, request: web.Request) -> web.Response | None:
        status = HTTPStatus.UNAUTHORIZED
        message = f"Unauthorized IP address: {request.remote}"
        return answer({"error": message, "status": int(status)}, status)

    @command
    @override
    def spend(self, amount: Decimal, wallet: str | None = None) -> None:
        self.pending_charges += amount

    @command
    @override
    def top_up(self, amount: Decimal, wallet: str | None = None) -> None:
        self.balance -= amount

    @command
    def send_invoice(self) -> None:
        """Begin a new month: what was pending is booked."""
        self.balance += self.pending_charges
        self.pending_charges = Decimal()

    async def _get_account(self, request: web.Request) -> web.Response:
        account = {
            "name": "Simulator",
            "email": "simulator@example.com",
            "acls": ["billing"],
            "balance": self.balance,
            "pending_charges": self.pending_charges,
            "last_payment_date": "2026-11-01T00:00:00+00:00",
            "last_payment_amount": -10,
        }
        return answer({"account": account})
