"""SiliconFlow: the balance of an account, of granted and topped-up money.

Built from https://docs.siliconflow.com/en/api-reference/userinfo/get-user-info, and for
mainland China from https://docs.siliconflow.cn/cn/api-reference/userinfo/get-user-info
(official); what each of the balances is, and the code for an empty account, come from other
people's code. Any API key reads it; keys have no permissions to choose. Choose the host where
the account was opened: the two are separate.

The answer names no currency. It is CNY at api.siliconflow.cn; that it is USD at
api.siliconflow.com is inferred from the prices there. The balance is the total, granted is
what SiliconFlow gave, and topped up is what was charged. The answer holds a name, an e-mail
address and a picture as well: none of them is picked up, only the account's id, by which
accounts are distinguished. SiliconFlow also reports a status; its words are not documented, so
nothing is concluded from it.

An answer is one only with the code 20000 inside. When SiliconFlow answers that the account
balance is insufficient (30001), the account counts as depleted. How fresh the figures are
is not documented. A poll costs one request.
"""

from datetime import timedelta
from typing import override

import voluptuous as vol

from ..model import Snapshot, Unit, Wallet
from .base import PaymentRequired, Provider, ProviderError, Refusal
from .fields import amount, maybe

_CURRENCIES = {"com": "USD", "cn": "CNY"}
_INSUFFICIENT_BALANCE = 30001

_USER = {
    vol.Required("code"): 20000,
    vol.Required("data"): {
        "id": maybe(str),
        vol.Required("totalBalance"): amount,
        "balance": maybe(amount),
        "chargeBalance": maybe(amount),
    },
}


class SiliconFlow(Provider):
    """A SiliconFlow account."""

    id = "siliconflow"
    name = "SiliconFlow"
    hosts = {
        "com": "https://api.siliconflow.com",
        "cn": "https://api.siliconflow.cn",
    }
    key_kind = "API key"
    key_url = "https://cloud.siliconflow.com/account/ak"
    top_up_url = "https://cloud.siliconflow.com/expensebill"
    status_url = "https://status.siliconflow.cn"
    poll_interval = timedelta(minutes=10)

    @override
    @classmethod
    def explain(cls, refusal: Refusal) -> ProviderError | None:
        """Return whether the account is depleted: the status is that of a permission."""
        if refusal.field("code") == _INSUFFICIENT_BALANCE:
            return PaymentRequired()
        return None

    @override
    async def fetch(self) -> Snapshot:
        """Return the one wallet of the account."""
        answer = await self._client.get("/v1/user/info", _USER)
        data = answer["data"]
        # Only the host decides the currency.
        unit = Unit.money(_CURRENCIES[self._region])
        return Snapshot(
            account_ids=frozenset({data["id"]} if data.get("id") else ()),
            wallets=(
                Wallet(
                    key=unit.key,
                    unit=unit,
                    balance=data["totalBalance"],
                    granted=data.get("balance"),
                    paid=data.get("chargeBalance"),
                ),
            ),
        )
