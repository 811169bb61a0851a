"""SMTP2GO: the e-mails of the monthly cycle, their limit, and when the cycle ends.

Built from https://developers.smtp2go.com/docs/reports-and-statistics and SMTP2GO's own
OpenAPI description (official); the form of the dates is taken from other people's code.
It needs an API key that may use the endpoint `/stats/email_cycle`, which is chosen when
the key is made. A key without it is refused with HTTP 400 and a code, as documented; how
a bad key is refused is unconfirmed.

What is used, what remains and the limit are SMTP2GO's own words, in e-mails; the reset is
the end of the cycle as reported. How far the figures lag behind is not documented. A poll
costs one request and no e-mail.
"""

from datetime import timedelta
from typing import override

import voluptuous as vol

from ..model import Quota, Snapshot, Unit
from .base import MissingPermission, Provider, ProviderError, Refusal
from .fields import amount, doubtful, moment

_CYCLE = {
    vol.Required("data"): {
        vol.Required("cycle_remaining"): amount,
        "cycle_used": amount,
        "cycle_max": amount,
        "cycle_end": doubtful(moment),
    }
}


class SMTP2GO(Provider):
    """An SMTP2GO account."""

    id = "smtp2go"
    name = "SMTP2GO"
    hosts = {
        "global": "https://api.smtp2go.com",
        "eu": "https://eu-api.smtp2go.com",
        "us": "https://us-api.smtp2go.com",
        "au": "https://au-api.smtp2go.com",
    }
    key_kind = "API key"
    key_header = "X-Smtp2go-Api-Key"
    key_url = "https://app.smtp2go.com"
    top_up_url = "https://app.smtp2go.com"
    status_url = "https://smtp2gostatus.com"
    permission = "/stats/email_cycle"
    poll_interval = timedelta(minutes=30)

    @override
    @classmethod
    def explain(cls, refusal: Refusal) -> ProviderError | None:
        """Know a missing permission by its code: the status is that of any error."""
        code = str(refusal.field("data", "error_code"))
        is_denied = code.endswith("ENDPOINT_PERMISSION_DENIED")
        return MissingPermission(cls.permission) if is_denied else None

    @override
    async def fetch(self) -> Snapshot:
        """Return the one quota of the account."""
        data = (await self._client.post("/v3/stats/email_cycle", _CYCLE, {}))["data"]
        return Snapshot(
            quotas=(
                Quota(
                    key="messages",
                    unit=Unit.named("messages"),
                    used=data.get("cycle_used"),
                    limit=data.get("cycle_max"),
                    remaining=data["cycle_remaining"],
                    resets_at=data.get("cycle_end"),
                ),
            )
        )
