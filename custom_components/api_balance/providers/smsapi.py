"""SMSAPI: the points of an account.

Built from the provider's own client, https://github.com/smsapi/smsapi-python-client,
which names the request, the hosts and the fields. SMSAPI answers errors with HTTP 200,
with a number in the field `error` as the client shows; that 101 and 102 mean a bad key is
unconfirmed. It needs an OAuth token from the panel of the site where the account is; no
permission is known.

A positive number of points is yours. The answer also says how many messages of each kind
the same points would pay for; that is not picked up. How far the figures lag behind is
not documented. A poll costs one request.
"""

from datetime import timedelta
from typing import override

import voluptuous as vol

from ..model import Snapshot, Unit, Wallet
from .base import InvalidCredentials, Provider, ProviderError, Refusal
from .fields import amount

_BALANCE = {vol.Required("points"): amount}
_POINTS = Unit.named("points")


class SMSAPI(Provider):
    """An SMSAPI account."""

    id = "smsapi"
    name = "SMSAPI"
    hosts = {
        "com": "https://api.smsapi.com",
        "pl": "https://api.smsapi.pl",
        "se": "https://api.smsapi.se",
        "bg": "https://api.smsapi.bg",
    }
    key_kind = "OAuth token"
    key_url = "https://www.smsapi.com"
    top_up_url = "https://www.smsapi.com"
    status_url = "https://www.smsapi.com"
    explains_success = True
    poll_interval = timedelta(minutes=10)

    @override
    @classmethod
    def explain(cls, refusal: Refusal) -> ProviderError | None:
        """Return what the number of an error means."""
        return InvalidCredentials() if refusal.field("error") in (101, 102) else None

    @override
    async def fetch(self) -> Snapshot:
        """Return the one wallet of the account."""
        query = [("credits", "1"), ("details", "1"), ("format", "json")]
        answer = await self._client.get("/user.do", _BALANCE, query)
        return Snapshot(
            wallets=(Wallet(key=_POINTS.key, unit=_POINTS, balance=answer["points"]),)
        )
