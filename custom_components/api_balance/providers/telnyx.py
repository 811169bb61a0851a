"""Telnyx: the balance of an account, its credit line, and what can be spent.

From https://developers.telnyx.com/api/account-management/billing/get-user-balance; the
errors from https://developers.telnyx.com/docs/development/api-fundamentals/api-errors.
Any API key (V2) reads it. All amounts are decimal strings in the account's currency, and
all are optional. In an account with a credit line the balance is negative in ordinary
use; what can be spent is the available credit (balance + credit limit).

Whether the account tops itself up is from
https://developers.telnyx.com/api-reference/autorechargepreferences/list-auto-recharge-preferences.
The path in that page differs by a letter from the one that Telnyx's own clients use,
which is used here, too. An account or a key without these preferences has the balance alone.

A key works on every host. Telnyx has more hosts (`api.telnyx.ca`, `api.telnyx.me`); they
are not offered, because none of them is needed to read a balance. The figures are current;
a poll costs one request, and once a day a second one.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, override

import voluptuous as vol

from ..model import Snapshot, Wallet
from .base import (
    Client,
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
_PREFERENCES = {vol.Required("data"): {"enabled": maybe(bool)}}
_READ_PREFERENCES_EVERY = timedelta(days=1)


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

    def __init__(
        self, client: Client, credentials: Mapping[str, str], region: str
    ) -> None:
        """Start without knowing the preferences."""
        super().__init__(client, credentials, region)
        self._has_auto_top_up: bool | None = None
        self._preferences_read_at: datetime | None = None

    @override
    async def fetch(self) -> Snapshot:
        """Return the one wallet of the account."""
        answer = await self._client.get("/v2/balance", _BALANCE)
        await self._read_preferences()
        return Snapshot(
            has_auto_top_up=self._has_auto_top_up, wallets=_wallets(answer["data"])
        )

    async def _read_preferences(self) -> None:
        """Read whether the account tops itself up, once a day.

        It only adds to the balance, which reports what is wrong.
        """
        now, read_at = datetime.now(UTC), self._preferences_read_at
        if read_at and now - read_at < _READ_PREFERENCES_EVERY:
            return
        try:
            answer = await self._client.get(
                "/v2/payment/auto_recharge_prefs", _PREFERENCES
            )
            self._has_auto_top_up = answer["data"].get("enabled")
        except ProviderError as err:
            # What passes is tried again with the next poll.
            if err.problem.is_passing:
                return
            self._has_auto_top_up = None
        self._preferences_read_at = now


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
