"""UpCloud: the credits of an account.

Built from the provider's own clients, https://github.com/UpCloudLtd/upcloud-go-api and
https://github.com/UpCloudLtd/upcloud-javascript-api, which name the request and the
field. It needs an API token; which permission it needs is not known.

Credits are taken off by the hour for what is used, and what runs is turned off when there
are none left. They are shown as the provider counts them: how much money a credit is, is
not documented there. A positive number is yours. The name of the user, which is in the
answer, is not picked up. A poll costs one request.
"""

from typing import override

import voluptuous as vol

from ..model import Snapshot, Unit, Wallet
from .base import Provider
from .fields import amount

_ACCOUNT = {vol.Required("account"): {vol.Required("credits"): amount}}
_CREDITS = Unit.named("credits")


class UpCloud(Provider):
    """An UpCloud account."""

    id = "upcloud"
    name = "UpCloud"
    hosts = {"com": "https://api.upcloud.com"}
    key_kind = "API token"
    key_url = "https://upcloud.com"
    top_up_url = "https://upcloud.com"
    status_url = "https://upcloud.com"

    @override
    async def fetch(self) -> Snapshot:
        """Return the one wallet of the account."""
        account = (await self._client.get("/1.3/account", _ACCOUNT))["account"]
        return Snapshot(
            wallets=(
                Wallet(key=_CREDITS.key, unit=_CREDITS, balance=account["credits"]),
            )
        )
