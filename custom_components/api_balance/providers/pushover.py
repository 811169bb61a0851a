"""Pushover: the messages left this month, the limit, and when it starts anew.

Built from https://pushover.net/api#limits (official) and, for the answer to a bad token,
from what other people's programs log. It needs the API token of an application, which is
not your user key; tokens have no permissions to choose. Pushover takes the token in the address
of the request only; no log line or diagnostic shows it.

Since May 2026 the limit is that of your whole account, shared by all your applications, as
https://blog.pushover.net/posts/2026/4/app-limits (official) says; 10,000 messages a month
are free, a team has 25,000, and what is bought on top counts for the whole account, too.
The remaining messages and the limit are Pushover's own words, and so is the time of the
reset, which is the first of the month in US Central Time. How far the figures lag behind
is not documented. A poll costs one request and no message.
"""

from typing import override

import voluptuous as vol

from ..model import Quota, Snapshot, Unit
from .base import InvalidCredentials, Provider, ProviderError, Refusal
from .fields import amount, epoch, maybe

_LIMITS = {
    vol.Required("status"): 1,
    "limit": maybe(amount),
    "remaining": maybe(amount),
    "reset": maybe(epoch),
}


class Pushover(Provider):
    """A Pushover account, as one of its applications sees it."""

    id = "pushover"
    name = "Pushover"
    hosts = {"net": "https://api.pushover.net"}
    key_kind = "API token of an application"
    key_param = "token"
    explains_success = True
    key_url = "https://pushover.net/apps/build"
    top_up_url = "https://pushover.net"
    status_url = "https://status.pushover.net"

    @override
    @classmethod
    def explain(cls, refusal: Refusal) -> ProviderError | None:
        """Know a bad token by the field that names it: the status is that of any error."""
        return InvalidCredentials() if refusal.field("token") == "invalid" else None

    @override
    async def fetch(self) -> Snapshot:
        """Return the one quota of the account."""
        answer = await self._client.get("/1/apps/limits.json", _LIMITS)
        return Snapshot(
            quotas=(
                Quota(
                    key="messages",
                    unit=Unit.named("messages"),
                    limit=answer.get("limit"),
                    remaining=answer.get("remaining"),
                    resets_at=answer.get("reset"),
                ),
            )
        )
