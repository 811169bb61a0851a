"""Linode (Akamai): the balance of an account, the open charges, and promotional credit.

Built from https://techdocs.akamai.com/linode-api/reference/get-account and the OpenAPI
description of Linode (official). That a positive amount is owed and a negative one is
credit is not in the documentation, but in Linode's own Cloud Manager, which calls the
one Balance and the other Credit. It needs a personal access token with the scope
`account:read_only`; the bodies of errors are unconfirmed.

All amounts are in US dollars. The balance is turned around: a positive one is your
money, a negative one is owed. The pending amount is what has been used and not been
invoiced yet, without network transfer. An account is paid later by card, so its balance
does not run dry. What is left of promotions is shown as one quota: it pays only for some
services and up to a cap for each month. Name, address and tax id, which are in the
answer, are not picked up. How far the figures lag behind is not documented. A poll costs
one request.
"""

from datetime import timedelta
from typing import override

import voluptuous as vol

from ..model import Quota, Snapshot, Unit, Wallet
from .base import Provider
from .fields import account_id, amount, owed

_ACCOUNT = {
    vol.Required("balance"): owed,
    "balance_uninvoiced": amount,
    "active_promotions": [{vol.Required("credit_remaining"): amount}],
    "euuid": account_id,
}
_USD = Unit.money("USD")


class Linode(Provider):
    """A Linode account."""

    id = "linode"
    name = "Linode (Akamai)"
    hosts = {"com": "https://api.linode.com"}
    key_kind = "Personal access token"
    key_url = "https://cloud.linode.com/profile/tokens"
    top_up_url = "https://cloud.linode.com/account/billing"
    status_url = "https://status.linode.com"
    permission = "account:read_only"
    poll_interval = timedelta(minutes=30)

    @override
    async def fetch(self) -> Snapshot:
        """Return the wallet of the account, and what is left of promotions."""
        answer = await self._client.get("/v4/account", _ACCOUNT)
        promotions = [
            promotion["credit_remaining"]
            for promotion in answer.get("active_promotions", ())
        ]
        return Snapshot(
            account_ids=frozenset({answer["euuid"]} if "euuid" in answer else ()),
            wallets=(
                Wallet(
                    key=_USD.key,
                    unit=_USD,
                    balance=answer["balance"],
                    pending=answer.get("balance_uninvoiced"),
                    is_postpaid=True,
                ),
            ),
            quotas=(
                Quota(
                    key="promotions",
                    unit=_USD,
                    label="promotions",
                    remaining=sum(promotions),
                    is_partial=True,
                ),
            )
            if promotions
            else (),
        )
