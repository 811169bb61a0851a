"""DeepInfra: the funds of an account, what it spent this month, and its spending limit.

Built from DeepInfra's OpenAPI description, https://api.deepinfra.com/openapi.json
(official), and from https://github.com/steipete/CodexBar/pull/2238 (other people's
code, tried with a real account). Any API key reads it; no permission is known.

All amounts are USD. DeepInfra counts funds as negative and debt as positive; here the
balance is positive where it is yours. Usage since the last invoice is not yet taken
from it: that is pending, and the available credit is the balance less what is pending,
which is what the dashboard shows by what others saw. DeepInfra wants a card or funds,
else it cannot be used (https://deepinfra.com/pricing, official). So where the account
holds no funds, or owes money, the card decides. With one, DeepInfra bills afterwards:
such an account cannot run dry, and no available credit is shown. Without one, it is
depleted. Where DeepInfra does not report it, what can be spent is unknown. That the
payment method of the answer is the card follows from its name, and how an account with
a card goes on when its funds run out is not documented. Otherwise whether an account
can be used is DeepInfra's own word: it is suspended, or not.

A spending limit is shown with what was used of it since the last invoice, where one is
set. Spent this month is DeepInfra's own figure for the calendar month in UTC; it comes
in cents while all else comes in dollars. The answer holds your address and payment
method as well: of both, only whether there is a payment method is picked up. How fresh
the figures are is not documented. A poll costs two requests.
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
    "payment_method": maybe(vol.Coerce(bool)),
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
        has_card: bool | None = checklist.get("payment_method")
        # Without funds the card pays an invoice: what is owed then has no end.
        is_invoiced = balance <= 0 and has_card is not False
        wallet = Wallet(
            key=_USD.key,
            unit=_USD,
            balance=balance,
            available=None if is_invoiced or recent is None else balance - recent,
            pending=recent,
            is_postpaid=is_invoiced and bool(has_card),
            is_in_doubt=is_invoiced and has_card is None,
        )
        # That an account is not suspended does not say that it has money.
        is_unpaid = has_card is False and (wallet.spendable or 0) <= 0
        return Snapshot(
            is_available=None if suspended is None or is_unpaid else not suspended,
            is_suspended=bool(suspended),
            wallets=(wallet,),
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
