"""Africa's Talking: the balance of an app, in its own currency.

Built from the provider's own client,
https://github.com/AfricasTalkingLtd/africastalking-python, which names the request; that
the balance is a text such as `KES 1785.50` is known from its tests and from other people's
code. It needs the username of the app and its API key; no permission is known. The
sandbox has no balance.

The balance pays for messages and airtime; the wallet for mobile data is another one
and not shown. A positive balance is your money. Whether it can fall below zero is not
known: such a balance counts as depleted. A poll costs one request.
"""

from decimal import Decimal
from typing import Any, override

import voluptuous as vol

from ..model import Snapshot, Unit, Wallet
from .base import API_KEY, Credential, Provider
from .fields import amount, currency


def _money(value: Any) -> tuple[Unit, Decimal]:
    """Return currency and amount of KES 1785.50, an unknown currency where none is."""
    code, _, number = str(value).rpartition(" ")
    return currency(code or None), amount(number)


# Programs know one spelling, the tests of the client the other.
_APP = {
    vol.Required(vol.Any("UserData", "userData")): {vol.Required("balance"): _money}
}


class AfricasTalking(Provider):
    """An app with Africa's Talking."""

    id = "africas_talking"
    name = "Africa's Talking"
    hosts = {"com": "https://api.africastalking.com"}
    key_kind = "API key of the app"
    key_header = "apiKey"
    key_url = "https://africastalking.com"
    top_up_url = "https://africastalking.com"
    status_url = "https://africastalking.com"
    credentials = (Credential(key="username", is_secret=False), API_KEY)

    @override
    async def fetch(self) -> Snapshot:
        """Return the one wallet of the app."""
        query = [("username", self._credentials["username"])]
        answer = await self._client.get("/version1/user", _APP, query)
        unit, balance = next(iter(answer.values()))["balance"]
        return Snapshot(wallets=(Wallet(key=unit.key, unit=unit, balance=balance),))
