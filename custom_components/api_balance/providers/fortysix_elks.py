"""46elks: the balance of an account, in its own currency.

Built from https://46elks.com/docs/update-account (official), which shows the answer;
that its integers count ten-thousandths of the currency is confirmed by other people's
programs only. It needs the API username and the API password from the account page;
they have no permissions to choose.

The balance is in the currency that the answer names, such as SEK or EUR; a positive
balance is your money. At zero every request that costs money fails, so a balance below
zero counts as depleted. Name, number and mail address of the account holder, which are
in the answer, are not picked up. Neither is the level at which 46elks itself sends a
reminder (`creditalert`): an alert is set in Home Assistant, and the unit of that level is
not documented. Subaccounts are not read. How far the figures lag behind is not
documented. A poll costs one request.
"""

from datetime import timedelta
from typing import override

import voluptuous as vol

from ..model import Snapshot, Wallet
from .base import Credential, Provider
from .fields import currency, maybe, scaled

_ACCOUNT = {
    vol.Required("balance"): scaled(-4),
    "id": maybe(str),
    "currency": currency,
}


class FortySixElks(Provider):
    """A 46elks account."""

    id = "fortysix_elks"
    name = "46elks"
    hosts = {"com": "https://api.46elks.com"}
    key_kind = "API username and API password"
    key_url = "https://46elks.com/account"
    top_up_url = "https://46elks.com/account"
    status_url = "https://46elks.com"
    credentials = (
        Credential(key="username", is_secret=False),
        Credential(key="password"),
    )
    basic_fields = ("username", "password")
    poll_interval = timedelta(minutes=10)

    @override
    async def fetch(self) -> Snapshot:
        """Return the one wallet of the account."""
        answer = await self._client.get("/a1/me", _ACCOUNT)
        account_id = answer.get("id")
        unit = answer.get("currency") or currency(None)
        return Snapshot(
            account_ids=frozenset({account_id} if account_id else ()),
            wallets=(Wallet(key=unit.key, unit=unit, balance=answer["balance"]),),
        )
