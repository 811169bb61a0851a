"""Textmagic: the balance of an account, in its own currency.

Built from the provider's own client,
https://github.com/textmagic/textmagic-rest-python-v2, which names the request and the
fields. It needs a username and an API key of the second version; no permission is known.

The balance is in the currency of the account, which the answer names; a positive one is
your money. Whether it can fall below zero is not documented: such a balance counts as
depleted. Names, mail address and phone number, which are in the answer, are not picked up.
How far the figures lag behind is not documented. A poll costs one request.
"""

from collections.abc import Mapping
from typing import override

import voluptuous as vol

from ..model import UNKNOWN_CURRENCY, Snapshot, Wallet
from .base import API_KEY, Credential, Provider
from .fields import account_id, amount, currency

_USER = {
    vol.Required("balance"): amount,
    "currency": {vol.Required("id"): currency},
    "id": account_id,
}


class Textmagic(Provider):
    """A Textmagic account."""

    id = "textmagic"
    name = "Textmagic"
    hosts = {"com": "https://rest.textmagic.com"}
    key_kind = "API key (version 2)"
    key_url = "https://www.textmagic.com"
    top_up_url = "https://www.textmagic.com"
    status_url = "https://www.textmagic.com"
    credentials = (Credential(key="username", is_secret=False), API_KEY)

    @override
    @classmethod
    def headers(cls, credentials: Mapping[str, str]) -> Mapping[str, str]:
        """Return the headers that show both."""
        return {
            "X-TM-Username": credentials["username"],
            "X-TM-Key": credentials["api_key"],
        }

    @override
    async def fetch(self) -> Snapshot:
        """Return the one wallet of the account."""
        answer = await self._client.get("/api/v2/user", _USER)
        unit = answer["currency"]["id"] if "currency" in answer else UNKNOWN_CURRENCY
        return Snapshot(
            account_ids=frozenset({answer["id"]} if "id" in answer else ()),
            wallets=(Wallet(key=unit.key, unit=unit, balance=answer["balance"]),),
        )
