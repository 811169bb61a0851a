"""Vast.ai: the credit of an account.

Built from the provider's own command line client, https://github.com/vast-ai/vast-cli,
which names the request and the fields. It needs an API key of the account; the least
permission of a key that is limited is not known. How a bad key is refused is unconfirmed.

The credit is what has been paid in and not been spent; a positive amount is your money.
The client shows it with two digits and no currency: that it is in US dollars, as Vast.ai's
prices are, is an inference, and so is that the credit, rather than a field named balance
beside it, is what can be spent. Whether it can fall below zero is not known: such a
credit counts as depleted. The answer also holds the API key, the mail address and the
name of the user; they are not picked up. How far the figures lag behind is not
documented. A poll costs one request.
"""

from typing import override

import voluptuous as vol

from ..model import Snapshot, Unit, Wallet
from .base import Provider
from .fields import amount

_USER = {vol.Required("credit"): amount}
_USD = Unit.money("USD")


class VastAI(Provider):
    """A Vast.ai account."""

    id = "vast_ai"
    name = "Vast.ai"
    hosts = {"ai": "https://console.vast.ai"}
    key_kind = "API key"
    key_url = "https://console.vast.ai"
    top_up_url = "https://console.vast.ai"
    status_url = "https://vast.ai"

    @override
    async def fetch(self) -> Snapshot:
        """Return the one wallet of the account."""
        answer = await self._client.get("/api/v0/users/current", _USER)
        return Snapshot(
            wallets=(Wallet(key=_USD.key, unit=_USD, balance=answer["credit"]),)
        )
