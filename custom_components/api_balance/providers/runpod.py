"""RunPod: the balance of an account.

Built from the provider's own command line client, https://github.com/runpod/runpodctl,
which names the request and the fields. It needs an API key that may read by GraphQL; what
that permission is called is unconfirmed, and so is how a bad key is refused. An error
that comes with HTTP 200 brings no data and is shown as an unexpected answer.

A positive amount is your money. The client names no currency: that the balance is in US
dollars, as RunPod's prices are, is an inference. Whether it can fall below zero is not
known: such a balance counts as depleted. What is spent by the hour and its limit are not
picked up. How far the figures lag behind is not documented. A poll costs one request.
"""

from typing import override

import voluptuous as vol

from ..model import Snapshot, Unit, Wallet
from .base import Provider
from .fields import account_id, amount

_QUERY = {"query": "query { myself { id clientBalance } }"}
_USER = {
    vol.Required("data"): {
        vol.Required("myself"): {
            vol.Required("clientBalance"): amount,
            "id": account_id,
        }
    }
}
_USD = Unit.money("USD")


class RunPod(Provider):
    """A RunPod account."""

    id = "runpod"
    name = "RunPod"
    hosts = {"io": "https://api.runpod.io"}
    key_kind = "API key"
    key_url = "https://www.runpod.io"
    top_up_url = "https://www.runpod.io"
    status_url = "https://www.runpod.io"

    @override
    async def fetch(self) -> Snapshot:
        """Return the one wallet of the account."""
        answer = await self._client.post("/graphql", _USER, _QUERY)
        user = answer["data"]["myself"]
        return Snapshot(
            account_ids=frozenset({user["id"]} if "id" in user else ()),
            wallets=(Wallet(key=_USD.key, unit=_USD, balance=user["clientBalance"]),),
        )
