"""bunny.net: the balance of an account, and the charges of the month.

Built from https://docs.bunny.net/api-reference/core/billing/get-billing-details.md
(official). The answer names no currency: that it is US dollars is known from other
people's code only. It needs the API key of the account, which may do everything; a key of
a storage zone or a video library is refused.

A positive balance is your money; whether the charges of the running month are already
taken off it is not documented. Billing records, which are in the answer, are not picked
up. How far the figures lag behind is not documented. A poll costs one request.
"""

from datetime import UTC, datetime
from typing import override

import voluptuous as vol

from ..model import Period, Snapshot, Spend, Unit, Wallet
from .base import Provider
from .fields import amount
from .periods import this_month

_BILLING = {vol.Required("Balance"): amount, "ThisMonthCharges": amount}
_USD = Unit.money("USD")


class Bunny(Provider):
    """A bunny.net account."""

    id = "bunny"
    name = "bunny.net"
    hosts = {"net": "https://api.bunny.net"}
    key_kind = "API key of the account"
    key_header = "AccessKey"
    key_url = "https://bunny.net"
    top_up_url = "https://bunny.net"
    status_url = "https://bunny.net"

    @override
    async def fetch(self) -> Snapshot:
        """Return the wallet of the account, and what the month has cost."""
        answer = await self._client.get("/billing", _BILLING)
        now = datetime.now(UTC)
        return Snapshot(
            wallets=(Wallet(key=_USD.key, unit=_USD, balance=answer["Balance"]),),
            spend=(
                Spend(
                    unit=_USD,
                    amount=answer["ThisMonthCharges"],
                    start=this_month(now),
                    end=now,
                    period=Period.THIS_MONTH,
                ),
            )
            if "ThisMonthCharges" in answer
            else (),
        )
