"""Vultr: what an account owes or has in credit, and its charges so far.

Built from https://www.vultr.com/api/#tag/account and the provider's own Go client govultr
(official); the currency from https://docs.vultr.com/platform/billing (official). That a
negative amount is credit is confirmed by other people with live accounts only, and so
are the bodies of the errors. It needs the API key of a user. Access Control on the same
page has to allow the address that Home Assistant has on the internet; where that
address changes, allow all of them.

All amounts are in USD, the only currency that Vultr bills in. The balance is shown with
your credit as positive and your debt as negative; pending is what this month has cost
and is not in the balance yet. While you have credit, the available credit is the balance
less what is pending: the customer portal calls that remaining credit, say other people
with live accounts. It is taken to run dry at zero, although Vultr may charge a payment
method then; whether an account has one is not reported. Without credit Vultr is paid
afterwards, and the balance cannot run dry. Name and mail address, which are in the answer,
are not picked up. How far the figures lag behind is not documented. A poll costs one
request.
"""

from decimal import Decimal
from typing import override

import voluptuous as vol

from ..model import Snapshot, Unit, Wallet
from .base import MissingPermission, Provider, ProviderError, Refusal
from .fields import amount, maybe, owed

_USD = Unit.money("USD")
_ACCOUNT = {
    vol.Required("account"): {
        "balance": maybe(owed),
        "pending_charges": maybe(amount),
    }
}


class Vultr(Provider):
    """A Vultr account."""

    id = "vultr"
    name = "Vultr"
    hosts = {"com": "https://api.vultr.com"}
    key_kind = "API key"
    key_url = "https://my.vultr.com/settings/#settingsapi"
    top_up_url = "https://my.vultr.com/billing/"
    status_url = "https://status.vultr.com"
    permission = "Access Control for the address of Home Assistant"

    @override
    @classmethod
    def explain(cls, refusal: Refusal) -> ProviderError | None:
        """Return a refused address, which comes as 401 like a bad key."""
        if str(refusal.field("error")).startswith("Unauthorized IP address"):
            return MissingPermission(cls.permission)
        return None

    @override
    async def fetch(self) -> Snapshot:
        """Return the one wallet of the account."""
        account = (await self._client.get("/v2/account", _ACCOUNT))["account"]
        balance: Decimal | None = account.get("balance")
        if balance is None:
            return Snapshot()
        pending: Decimal | None = account.get("pending_charges")
        available = None if pending is None or balance <= 0 else balance - pending
        wallet = Wallet(
            key=_USD.key,
            unit=_USD,
            balance=balance,
            available=available,
            pending=pending,
            is_postpaid=available is None,
        )
        return Snapshot(wallets=(wallet,))
