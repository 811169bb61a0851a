"""Novita AI: the balance of an account, its credit limit, and what can be spent.

Built from https://novita.ai/docs/api-reference/basic-get-user-balance (official); the
errors are from https://novita.ai/docs/guides/error. Any API key reads it; no permission is
needed.

All amounts are USD; Novita writes them in units of 1/10000 USD. The available credit is
Novita's own figure. By the documented example it includes the credit limit, which is the
most you may owe; so the balance is the available credit less that limit, and is negative
where you owe money. That is inferred from the example and not said in words: where Novita
reports no credit limit, no balance is shown. Topped up is what remains of your own payments,
and pending is what is yet to be charged (documented as always zero for now).

Outstanding invoices are documented as the amount you currently owe, in the same unit.
Whether the available credit is already less by it is not documented, and examples in other
people's code do not settle it: so it is not shown, and changes no other number. Budgets of
members and keys are not read.

Novita documents a `Content-Type` as required; other people's programs ask without one, and
so does this one. How fresh the figures are is not documented. A poll costs one request.
"""

from datetime import timedelta
from decimal import Decimal
from typing import override

import voluptuous as vol

from ..model import Snapshot, Unit, Wallet
from .base import Provider
from .fields import maybe, scaled

_USD = Unit.money("USD")
_amount = maybe(scaled(-4))
_BALANCE = {
    vol.Required("availableBalance"): _amount,
    "cashBalance": _amount,
    "creditLimit": _amount,
    "pendingCharges": _amount,
}


class Novita(Provider):
    """A Novita AI account."""

    id = "novita"
    name = "Novita AI"
    hosts = {"ai": "https://api.novita.ai"}
    key_kind = "API key"
    key_url = "https://novita.ai/settings/key-management"
    top_up_url = "https://novita.ai/billing"
    status_url = "https://status.novita.ai"
    poll_interval = timedelta(minutes=10)

    @override
    async def fetch(self) -> Snapshot:
        """Return the one wallet of the account, none where no amount is reported."""
        answer = await self._client.get("/openapi/v1/billing/balance/detail", _BALANCE)
        available: Decimal | None = answer["availableBalance"]
        if available is None:
            return Snapshot()
        credit_limit: Decimal | None = answer.get("creditLimit")
        balance = None if credit_limit is None else available - credit_limit
        return Snapshot(
            wallets=(
                Wallet(
                    key=_USD.key,
                    unit=_USD,
                    balance=balance,
                    available=available,
                    credit_limit=credit_limit,
                    pending=answer.get("pendingCharges"),
                    paid=answer.get("cashBalance"),
                    # Only accounts that pay later are below zero.
                    is_postpaid=balance is not None and balance < 0,
                ),
            )
        )
