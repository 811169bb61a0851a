"""BulkSMS: the SMS credits of an account, and the messages it may still send today.

Built from https://www.bulksms.com/developer/json/v1/ and the OpenAPI description of
BulkSMS (official). It needs an API token: its token ID is the username, its token secret
the password; a username and a password of the account work, too. Tokens have no
permissions to choose as far as is documented.

A positive number of credits is yours. That a credit limit is how far they may fall below
zero is an inference: where there is one, what can be spent is in doubt and raises no
alert. The daily quota counts messages; when the day begins is not documented. Company
and payment data, which are in the answer, are not picked up. How far the figures lag
behind is not documented. A poll costs one request.
"""

from datetime import timedelta
from typing import override

import voluptuous as vol

from ..model import Quota, Snapshot, Unit, Wallet
from .base import Credential, Provider
from .fields import account_id, amount

_PROFILE = {
    vol.Required("id"): account_id,
    vol.Required("credits"): {
        vol.Required("balance"): amount,
        vol.Optional("limit", default="0"): amount,
    },
    "quota": {"size": amount, vol.Required("remaining"): amount},
}
_CREDITS = Unit.named("credits")


class BulkSMS(Provider):
    """A BulkSMS account."""

    id = "bulksms"
    name = "BulkSMS"
    hosts = {"com": "https://api.bulksms.com"}
    key_kind = "API token, whose ID is the username and whose secret is the password"
    key_url = "https://www.bulksms.com"
    top_up_url = "https://www.bulksms.com"
    status_url = "https://www.bulksms.com"
    credentials = (
        Credential(key="username", is_secret=False),
        Credential(key="password"),
    )
    basic_fields = ("username", "password")
    poll_interval = timedelta(minutes=10)

    @override
    async def fetch(self) -> Snapshot:
        """Return the credits, and the quota of the day."""
        answer = await self._client.get("/v1/profile", _PROFILE)
        credit, quota = answer["credits"], answer.get("quota")
        return Snapshot(
            account_ids=frozenset({answer["id"]}),
            wallets=(
                Wallet(
                    key=_CREDITS.key,
                    unit=_CREDITS,
                    balance=credit["balance"],
                    credit_limit=credit["limit"] or None,
                    is_in_doubt=credit["limit"] > 0,
                ),
            ),
            quotas=(
                Quota(
                    key="messages_today",
                    unit=Unit.named("messages"),
                    limit=quota.get("size"),
                    remaining=quota["remaining"],
                ),
            )
            if quota
            else (),
        )
