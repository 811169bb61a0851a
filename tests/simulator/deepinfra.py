"""DeepInfra: funds written as negative, and usage that the next invoice will take."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from http import HTTPStatus
from typing import override

from aiohttp import web

from .simulated_provider import SimulatedProvider, command
from .wire import answer


class DeepInfra(SimulatedProvider):
    """A DeepInfra account."""

    id = "deepinfra"
    default_credentials = {"api_key": "simulatordeepinfra"}

    funds = Decimal("20.50")
    recent = Decimal("0.50")
    month = Decimal("4.50")
    limit: Decimal | None = Decimal(50)
    suspend_reason: str | None = None

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [
            web.get("/payment/checklist", self._get_checklist),
            web.get("/payment/usage", self._get_usage),
        ]

    @override
    def error(self, request: web.Request, status: int) -> web.Response:
        return answer({"detail": {"error": HTTPStatus(status).phrase}}, status)

    @command
    @override
    def spend(self, amount: Decimal, wallet: str | None = None) -> None:
        self.recent += amount
        self.month += amount

    @command
    @override
    def top_up(self, amount: Decimal, wallet: str | None = None) -> None:
        self.funds += amount

    @command
    def invoice(self) -> None:
        """Take from the funds what was used since the last invoice."""
        self.funds -= self.recent
        self.recent = Decimal("0.00")

    @command
    def set_limit(self, limit: Decimal | None) -> None:
        """Set the spending limit; with None there is none."""
        self.limit = limit

    @command
    def suspend(self, reason: str = "admin") -> None:
        """Suspend the account."""
        self.suspend_reason = reason

    @command
    def resume(self) -> None:
        """End the suspension."""
        self.suspend_reason = None

    async def _get_checklist(self, request: web.Request) -> web.Response:
        body = {
            "email": True,
            "billing_address": True,
            "payment_method": True,
            "suspended": self.suspend_reason is not None,
            "overdue_invoices": 0,
            "stripe_balance": -self.funds,
            "recent": self.recent,
            "limit": self.limit,
            "suspend_reason": self.suspend_reason,
        }
        return answer(body)

    async def _get_usage(self, request: web.Request) -> web.Response:
        month = {
            "period": f"{datetime.now(UTC):%Y.%m}",
            "items": [],
            "total_cost": int(self.month.scaleb(2)),
            "invoice_id": "NOT_FINAL",
        }
        return answer({"months": [month], "initial_month": "2026.01"})
