"""remove.bg: the credits of an account, and the free API calls.

Built from https://www.remove.bg/api and the OpenAPI description of remove.bg (official).
It needs an ordinary API key; keys have no permissions to choose as far as is documented.
A key that fails is refused with HTTP 403.

The balance is the total of the credits, those of a subscription, those paid as you go and
those of an enterprise together; a positive number is yours. The free calls are counted
in requests and shown beside it; they are for previews as far as is known, and do not keep
an account without credits from counting as depleted. When they start anew is not
reported. Changes may appear some seconds late, and remove.bg asks not to poll often. A
poll costs one request and no credit.
"""

from datetime import timedelta
from typing import override

import voluptuous as vol

from ..model import Quota, Snapshot, Unit, Wallet
from .base import InvalidCredentials, Provider, ProviderError, Refusal
from .fields import amount

_ACCOUNT = {
    vol.Required("data"): {
        vol.Required("attributes"): {
            vol.Required("credits"): {vol.Required("total"): amount},
            vol.Optional("api", default=dict): {"free_calls": amount},
        }
    }
}
_CREDITS = Unit.named("credits")


class RemoveBg(Provider):
    """A remove.bg account."""

    id = "remove_bg"
    name = "remove.bg"
    hosts = {"bg": "https://api.remove.bg"}
    key_kind = "API key"
    key_header = "X-Api-Key"
    key_url = "https://www.remove.bg"
    top_up_url = "https://www.remove.bg"
    status_url = "https://www.remove.bg"
    poll_interval = timedelta(hours=1)

    @override
    @classmethod
    def explain(cls, refusal: Refusal) -> ProviderError | None:
        """Take HTTP 403 for a bad key, as the API description does."""
        return InvalidCredentials() if refusal.status == 403 else None

    @override
    async def fetch(self) -> Snapshot:
        """Return the credits, and the free calls."""
        answer = await self._client.get("/v1.0/account", _ACCOUNT)
        account = answer["data"]["attributes"]
        total = account["credits"]["total"]
        calls = account["api"].get("free_calls")
        return Snapshot(
            wallets=(Wallet(key=_CREDITS.key, unit=_CREDITS, balance=total),),
            quotas=()
            if calls is None
            else (
                Quota(
                    key="free_calls",
                    unit=Unit.named("requests"),
                    label="free calls",
                    remaining=calls,
                    is_partial=True,
                ),
            ),
        )
