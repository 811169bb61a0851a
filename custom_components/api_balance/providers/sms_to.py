"""sms.to: the balance of an account, in its own currency.

Not confirmed by the provider's documentation: the request and its answer are known from
other people's code only (six programs that ask https://auth.sms.to/api/balance, one of
them an integration of Home Assistant). Any API key reads it; no permission is known.

The balance is in the currency that the answer names, most often EUR; a positive balance
is your money. Whether it can fall below zero is not known: such a balance counts as
depleted. How far the figures lag behind is not known. A poll costs one request.
"""

from datetime import timedelta
from typing import override

import voluptuous as vol

from ..model import Snapshot, Wallet
from .base import Provider
from .fields import amount, currency

_BALANCE = {
    vol.Required("balance"): amount,
    vol.Optional("currency", default=None): currency,
}


class SmsTo(Provider):
    """An sms.to account."""

    id = "sms_to"
    name = "sms.to"
    hosts = {"to": "https://auth.sms.to"}
    key_kind = "API key"
    key_url = "https://sms.to"
    top_up_url = "https://sms.to"
    status_url = "https://sms.to"
    poll_interval = timedelta(minutes=10)

    @override
    async def fetch(self) -> Snapshot:
        """Return the one wallet of the account."""
        answer = await self._client.get("/api/balance", _BALANCE)
        unit = answer["currency"]
        return Snapshot(
            wallets=(Wallet(key=unit.key, unit=unit, balance=answer["balance"]),)
        )
