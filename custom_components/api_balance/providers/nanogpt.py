"""NanoGPT: the balance of an account, in US dollars.

Not confirmed by the provider's documentation: the request and its answer are known from
other people's code only (more than six programs that ask
https://nano-gpt.com/api/check-balance). It needs an ordinary API key; keys have no
permissions as far as is known.

A positive amount is your money. An account can also hold Nano, a crypto currency; that
balance is not shown. While there is some, what can be spent is in doubt, and the dollars
alone raise no alert. Whether the balance can fall below zero is not known: such a balance
counts as depleted. What a subscription includes is not picked up. How far the figures lag
behind is not known. A poll costs one request.
"""

from typing import override

import voluptuous as vol

from ..model import Snapshot, Unit, Wallet
from .base import Provider
from .fields import amount, doubtful

_BALANCE = {
    vol.Required("usd_balance"): amount,
    "nano_balance": doubtful(amount),
}
_USD = Unit.money("USD")


class NanoGPT(Provider):
    """A NanoGPT account."""

    id = "nanogpt"
    name = "NanoGPT"
    hosts = {"com": "https://nano-gpt.com"}
    key_kind = "API key"
    key_header = "x-api-key"
    key_url = "https://nano-gpt.com"
    top_up_url = "https://nano-gpt.com"
    status_url = "https://nano-gpt.com"

    @override
    async def fetch(self) -> Snapshot:
        """Return the wallet in dollars."""
        answer = await self._client.post("/api/check-balance", _BALANCE, {})
        return Snapshot(
            wallets=(
                Wallet(
                    key=_USD.key,
                    unit=_USD,
                    balance=answer["usd_balance"],
                    is_in_doubt=bool(answer.get("nano_balance")),
                ),
            )
        )
