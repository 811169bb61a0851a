"""Novita AI: a balance with a credit limit, as strings of 1/10000 USD."""

from collections.abc import Iterable
from decimal import Decimal
from http import HTTPStatus
from typing import override

from aiohttp import web

from .simulated_provider import SimulatedProvider, command
from .wire import answer


def in_parts(amount: Decimal) -> str:
    """Write an amount as the whole number of 1/10000 USD that Novita counts in."""
    return str(int(amount.scaleb(4)))


class Novita(SimulatedProvider):
    """A Novita AI account."""

    id = "novita"
    default_credentials = {"api_key": "sk_simulator_novita"}

    balance = Decimal("80.0000")
    credit_limit = Decimal("20.0000")

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [web.get("/openapi/v1/billing/balance/detail", self._get_balance)]

    @override
    def error(self, request: web.Request, status: int) -> web.Response:
        phrase = HTTPStatus(status).phrase
        reason = phrase.upper().replace(" ", "_")
        return answer(
            {"code": status, "reason": reason, "message": phrase, "metadata": {}},
            status,
        )

    @command
    @override
    def spend(self, amount: Decimal, wallet: str | None = None) -> None:
        self.balance -= amount

    @command
    @override
    def top_up(self, amount: Decimal, wallet: str | None = None) -> None:
        self.balance += amount

    @command
    def set_balance(self, amount: Decimal) -> None:
        """Set the balance, below zero where money is owed."""
        self.balance = amount

    @command
    def set_credit_limit(self, amount: Decimal) -> None:
        """Set how much may be owed."""
        self.credit_limit = amount

    async def _get_balance(self, request: web.Request) -> web.Response:
        nothing = Decimal()
        return answer(
            {
                "availableBalance": in_parts(self.balance + self.credit_limit),
                "cashBalance": in_parts(max(self.balance, nothing)),
                "creditLimit": in_parts(self.credit_limit),
                "pendingCharges": "0",
                "outstandingInvoices": in_parts(max(-self.balance, nothing)),
            }
        )
