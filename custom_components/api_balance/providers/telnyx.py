"""Telnyx: the balance of an account, its credit line, and what can be spent.

From https://developers.telnyx.com/api/account-management/billing/get-user-balance; the
errors from https://developers.telnyx.com/docs/development/api-fundamentals/api-errors.
Any API key (V2) reads it. All amounts are decimal strings in the account's currency, and
all are optional. In an account with a credit line the balance is negative in ordinary
use; what can be spent is the available credit (balance + credit limit). The figures are
current; a poll costs one request.
"""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, override

import voluptuous as vol

from ..model import Snapshot, Wallet
from .base import (
    InvalidCredentials,
    MissingPermission,
    Provider,
    ProviderError,
    Refusal,
)
from .fields import amount, currency, maybe

_BALANCE = {
    vol.Required("data"): {
        "balance": maybe(amount),
        "available_credit": maybe(amount),
        "credit_limit": maybe(amount),
        "pending": maybe(amount),
        "currency": currency,
    }
}


class Telnyx(Provider):
    """A Telnyx account."""

    id = "telnyx"
    name = "Telnyx"
    hosts = {
        "com": "https://api.telnyx.com",
        "eu": "https://api.telnyx.eu",
        "com.au": "https://api.telnyx.com.au",
    }
    key_kind = "API key (V2)"
    key_url = "https://portal.telnyx.com/#/app/api-keys"
    top_up_url = "https://portal.telnyx.com/#/app/account/billing"
    status_url = "https://status.telnyx.com"
    poll_interval = timedelta(minutes=10)

    @override
    @classmethod
    def explain(cls, refusal: Refusal) -> ProviderError | None:
        """Return what the code of the error means."""
        match refusal.field("errors", 0, "code"):
            case "10009":
                return InvalidCredentials()
            case "10010":
                return MissingPermission()
            case _:
                return None

    @override
    async def fetch(self) -> Snapshot:
        """Return the one wallet of the account."""
        answer = await self._client.get("/v2/balance", _BALANCE)
        return Snapshot(wallets=_wallets(answer["data"]))


def _wallets(data: Mapping[str, Any]) -> tuple[Wallet, ...]:
    """Return the wallet, none where the answer holds no amount."""
    balance: Decimal | None = data.get("balance")
    credit_limit: Decimal | None = data.get("credit_limit")
    available: Decimal | None = data.get("available_credit")
    if balance is None and available is None:
        return ()
    if available is None and balance is not None and credit_limit is not None:
        # The documented meaning of the field that is missing.
        available = balance + credit_limit
    unit = data.get("currency") or currency(None)
    return (
        Wallet(
            key=unit.key,
            unit=unit,
            balance=balance,
            available=available,
            credit_limit=credit_limit,
            pending=data.get("pending"),
            # Only accounts that pay later are below zero.
            is_postpaid=balance is not None and balance < 0,
        ),
    )
