"""GatewayAPI: the credit of an account, in its own currency.

Not confirmed by the provider's documentation: the request and its answer are known from
other people's code only (eight programs that ask https://gatewayapi.com/rest/me). It
needs an ordinary API token; no permission is known.

The credit is in the currency that the answer names, such as DKK or EUR; a positive
amount is your money. Whether it can fall below zero is not known: such a credit counts
as depleted. Accounts of the European setup have another address, which you enter under
Advanced. How far the figures lag behind is not known. A poll costs one request.
"""

from datetime import timedelta
from typing import override

import voluptuous as vol

from ..model import Snapshot, Wallet
from .base import Provider
from .fields import account_id, amount, currency

_ACCOUNT = {
    vol.Required("credit"): amount,
    vol.Optional("currency", default=None): currency,
    "id": account_id,
}


class GatewayAPI(Provider):
    """A GatewayAPI account."""

    id = "gatewayapi"
    name = "GatewayAPI"
    hosts = {"com": "https://gatewayapi.com"}
    key_kind = "API token"
    key_scheme = "Token"
    key_url = "https://gatewayapi.com/app"
    top_up_url = "https://gatewayapi.com/app"
    status_url = "https://gatewayapi.com"
    poll_interval = timedelta(minutes=10)

    @override
    async def fetch(self) -> Snapshot:
        """Return the one wallet of the account."""
        answer = await self._client.get("/rest/me", _ACCOUNT)
        unit = answer["currency"]
        return Snapshot(
            account_ids=frozenset({answer["id"]} if "id" in answer else ()),
            wallets=(Wallet(key=unit.key, unit=unit, balance=answer["credit"]),),
        )
