"""DeepInfra: the funds of an account, what it spent this month, and its spending limit.

Built from DeepInfra's OpenAPI description, https://api.deepinfra.com/openapi.json
(official), and from https://github.com/steipete/CodexBar/pull/2238 (other people's code,
tried with a real account). Any API key reads it; no permission is known.

All amounts are USD. DeepInfra counts funds as negative and debt as positive; here the
balance is positive where it is yours. Usage since the last invoice is not yet taken from
it: that is pending, and the available credit is the balance less what is pending, which is
what the dashboard shows by what others saw. Where the account holds no funds, or owes
money, DeepInfra bills afterwards: such an account cannot run dry, and no available credit
is shown. Whether an account can be used is DeepInfra's own word: it is suspended, or not.

A spending limit is shown with what was used of it since the last invoice, where one is
set. Spent this month is DeepInfra's own figure for the calendar month in UTC; it comes in
cents while all else comes in dollars. The answer holds your address and payment method
as well: none of it is picked up. How fresh the figures are is not documented. A poll costs
two requests.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import override

import voluptuous as vol

from ..model import Period, Quota, Snapshot, Spend, Unit, Wallet
from .base import Provider
from .fields import amount, maybe, owed, scaled
from .periods import this_month

_USD = Unit.money("USD")
_CHECKLIST = {
    vol.Required("stripe_balance"): owed,
    "recent": maybe(amount),
    "limit": maybe(amount),
    "suspended": maybe(bool),
}
_USAGE = {
    vol.Required("months"): [
        {vol.Required("period"): str, vol.Required("total_cost"): scaled(-2)}
    ]
}


class DeepInfra(Provider):
    """A DeepInfra account."""

    id = "deepinfra"
    name = "DeepInfra"
    hosts = {"com": "https://api.deepinfra.com"}
    key_kind = "API key"
    key_url = "https://deepinfra.com/dash/api_keys"
    top_up_url = "https://deepinfra.com/dash/billing"
    status_url = "https://status.deepinfra.com"

    @override
    async def fetch(self) -> Snapshot:
        """Return the one wallet, the spending limit, and the spend of the month."""
        checklist = await self._client.get(
            "/payment/checklist", _CHECKLIST, [("compute_owed", "true")]
        )
        usage = await self._client.get("/payment/usage", _USAGE, [("from", "current")])
        now = datetime.now(UTC)
        balance: Decimal = checklist["stripe_balance"]
        recent: Decimal | None = checklist.get("recent")
        limit: Decimal | None = checklist.get("limit")
        suspended: bool | None = checklist.get("suspended")
        # Without funds DeepInfra sends an invoice: what is owed then has no end.
        is_postpaid = balance <= 0
        return Snapshot(
            is_available=None if suspended is None else not suspended,
            is_suspended=bool(suspended),
            wallets=(
                Wallet(
                    key=_USD.key,
                    unit=_USD,
                    balance=balance,
                    available=(
                        None if is_postpaid or recent is None else balance - recent
                    ),
                    pending=recent,
                    is_postpaid=is_postpaid,
                ),
            ),
            quotas=(
                (
                    Quota(
                        key="spending_limit",
                        unit=_USD,
                        label="spending limit",
                        used=recent,
                        limit=limit,
                    ),
                )
                if limit is not None and limit > 0
                else ()
            ),
            spend=tuple(
                Spend(
                    unit=_USD,
                    amount=month["total_cost"],
                    start=this_month(now),
                    end=now,
                    period=Period.THIS_MONTH,
                )
                for month in usage["months"][-1:]
                # Documented with a dot, seen with a dash.
                if month["period"].replace(".", "-") == f"{now:%Y-%m}"
            ),
        )
