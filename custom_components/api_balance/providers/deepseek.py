"""DeepSeek: one wallet per currency, of granted and topped-up money.

From https://api-docs.deepseek.com/api/get-user-balance; the errors from
https://api-docs.deepseek.com/quick_start/error_codes. Any API key reads it. All amounts
are decimal strings in the currency of their row. The rows come in any order; a currency
that was never used may be missing or zero, so the list is not the whole truth. Whether
the list itself may be missing is not documented: an answer without one is refused.
`is_available` is the account's own word, whatever the rows say. Granted money expires,
but the date is not reported. The figures are current; a poll costs one request.
"""

from datetime import timedelta
from typing import override

import voluptuous as vol

from ..model import Snapshot, Unit, Wallet
from .base import Provider, UnexpectedAnswer
from .fields import amount, currency, maybe

_BALANCE = {
    vol.Required("is_available"): bool,
    vol.Required("balance_infos"): [
        {
            vol.Required("currency"): currency,
            "total_balance": maybe(amount),
            "granted_balance": maybe(amount),
            "topped_up_balance": maybe(amount),
        }
    ],
}


class DeepSeek(Provider):
    """A DeepSeek account."""

    id = "deepseek"
    name = "DeepSeek"
    hosts = {"com": "https://api.deepseek.com"}
    key_kind = "API key"
    key_url = "https://platform.deepseek.com/api_keys"
    top_up_url = "https://platform.deepseek.com/top_up"
    status_url = "https://status.deepseek.com"
    payment_required_statuses = (402,)
    poll_interval = timedelta(minutes=10)

    @override
    async def fetch(self) -> Snapshot:
        """Return the wallet of each currency."""
        # The path stands beside the version paths, not below one.
        answer = await self._client.get("/user/balance", _BALANCE)
        wallets: dict[Unit, Wallet] = {}
        for row in answer["balance_infos"]:
            unit = row["currency"]
            if unit in wallets:
                raise UnexpectedAnswer("balance_infos.currency")
            wallets[unit] = Wallet(
                key=unit.key,
                unit=unit,
                label=unit.code,
                balance=row.get("total_balance"),
                granted=row.get("granted_balance"),
                paid=row.get("topped_up_balance"),
            )
        return Snapshot(
            is_available=answer["is_available"],
            wallets=tuple(sorted(wallets.values(), key=lambda wallet: wallet.key)),
        )
