"""Clickatell: the balance of an account, in its own currency.

Not confirmed by the provider's documentation: the request and its answer are known from
other people's code only (five programs that ask
https://platform.clickatell.com/public-client/balance). It needs the API key that
messages are sent with on the Clickatell platform; no permission is known.

The balance is in the currency that the answer names; a positive one is your money.
Whether it can fall below zero is not known: such a balance counts as depleted. How far the
figures lag behind is not known. A poll costs one request.
"""

from typing import override

import voluptuous as vol

from ..model import Snapshot, Wallet
from .base import Provider
from .fields import amount, currency

_BALANCE = {
    vol.Required("balance"): amount,
    vol.Optional("currency", default=None): currency,
}


class Clickatell(Provider):
    """A Clickatell account."""

    id = "clickatell"
    name = "Clickatell"
    hosts = {"com": "https://platform.clickatell.com"}
    key_kind = "API key"
    key_header = "Authorization"
    key_url = "https://www.clickatell.com"
    top_up_url = "https://www.clickatell.com"
    status_url = "https://www.clickatell.com"

    @override
    async def fetch(self) -> Snapshot:
        """Return the one wallet of the account."""
        answer = await self._client.get("/public-client/balance", _BALANCE)
        unit = answer["currency"]
        return Snapshot(
            wallets=(Wallet(key=unit.key, unit=unit, balance=answer["balance"]),)
        )
