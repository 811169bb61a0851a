"""MessageBird: the balance of an account, in credits or money.

Built from the provider's own client, https://github.com/messagebird/python-rest-api,
which names the fields; the words for currencies and the body of an error are
unconfirmed. It needs a live access key of the REST API that was called MessageBird
before it became Bird; the newer workspaces of Bird are another product, and have no
balance that a key can read.

The answer names what the amount counts: `credits`, or a currency in words such as
`euros`. A word that is neither known nor a currency code shows as an unknown currency.
A positive amount is yours. An account that is paid later, which the answer calls
`postpaid`, cannot run dry. How far the figures lag behind is not documented. A poll
costs one request.
"""

from datetime import timedelta
from typing import Any, override

import voluptuous as vol

from ..model import UNKNOWN_CURRENCY, Snapshot, Unit, Wallet
from .base import Provider
from .fields import amount, currency

_UNITS = {"credits": Unit.named("credits"), "euros": Unit.money("EUR")}


def _unit(value: Any) -> Unit:
    """Return what the amount counts."""
    try:
        return _UNITS.get(value) or currency(value)
    except TypeError, vol.Invalid:
        return UNKNOWN_CURRENCY


_BALANCE = {
    vol.Required("amount"): amount,
    vol.Optional("type", default=None): _unit,
    "payment": object,
}


class MessageBird(Provider):
    """A MessageBird account."""

    id = "messagebird"
    name = "MessageBird"
    hosts = {"com": "https://rest.messagebird.com"}
    key_kind = "Live access key of the REST API"
    key_scheme = "AccessKey"
    key_url = "https://dashboard.messagebird.com"
    top_up_url = "https://dashboard.messagebird.com"
    status_url = "https://status.messagebird.com"
    poll_interval = timedelta(minutes=10)

    @override
    async def fetch(self) -> Snapshot:
        """Return the one wallet of the account."""
        answer = await self._client.get("/balance", _BALANCE)
        unit = answer["type"]
        return Snapshot(
            wallets=(
                Wallet(
                    key=unit.key,
                    unit=unit,
                    balance=answer["amount"],
                    is_postpaid=answer.get("payment") == "postpaid",
                ),
            )
        )
