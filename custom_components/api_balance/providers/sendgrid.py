"""SendGrid: the e-mails of the period, their limit, and when it starts anew.

Built from
https://www.twilio.com/docs/sendgrid/api-reference/users-api/retrieve-your-credit-balance
and Twilio's own OpenAPI description of SendGrid (official). It needs an API key with full
access, or a restricted one with the scope `user.credits.read`; the name of the scope and
the bodies of errors are from other people's code.

What is used, what remains and the total are SendGrid's own words, in e-mails. The reset
is a date; it is taken for the begin of that day in UTC. Where e-mails beyond the total
are reported, they are allowed and billed, and nothing remaining is no reason to stop.
Subusers of the European Union are asked at an address of their own. How far the figures
lag behind is not documented. A poll costs one request and no e-mail.
"""

from datetime import timedelta
from typing import override

import voluptuous as vol

from ..model import Quota, Snapshot, Unit
from .base import Provider
from .fields import amount, doubtful, moment

_CREDITS = {
    vol.Required("remain"): amount,
    vol.Required("total"): amount,
    "used": amount,
    vol.Optional("overage", default="0"): amount,
    "next_reset": doubtful(moment),
}


class SendGrid(Provider):
    """A SendGrid account."""

    id = "sendgrid"
    name = "SendGrid"
    hosts = {"com": "https://api.sendgrid.com", "eu": "https://api.eu.sendgrid.com"}
    key_kind = "API key"
    key_url = "https://app.sendgrid.com/settings/api_keys"
    top_up_url = "https://app.sendgrid.com"
    status_url = "https://status.sendgrid.com"
    permission = "user.credits.read"
    poll_interval = timedelta(minutes=30)

    @override
    async def fetch(self) -> Snapshot:
        """Return the one quota of the account."""
        answer = await self._client.get("/v3/user/credits", _CREDITS)
        return Snapshot(
            quotas=(
                Quota(
                    key="messages",
                    unit=Unit.named("messages"),
                    used=answer.get("used"),
                    limit=answer["total"],
                    remaining=answer["remain"],
                    resets_at=answer.get("next_reset"),
                    can_exceed=answer["overage"] > 0,
                ),
            )
        )
