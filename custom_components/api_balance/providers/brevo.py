"""Brevo: the e-mails and SMS that an account may still send, once called Sendinblue.

Built from https://developers.brevo.com/reference/getaccount and the provider's own
Python client (official). It needs an API key, which starts with `xkeysib-`; keys have no
permissions to choose as far as is documented. Brevo can refuse addresses that are not on
its list of authorized IP addresses; then the one of Home Assistant has to be among them.

Brevo lists what is left by plan. What was bought, such as e-mails paid as you go and SMS,
is a balance, in messages and in credits; what a free plan or a subscription leaves is a quota, whose
reset is not reported. A free plan counts by the day, as far as is known. Two entries of
one plan are not understood and not shown. Name, mail address and the relay, which are in
the answer, are not picked up. How far the figures lag behind is not documented. A poll
costs one request.
"""

from typing import override

import voluptuous as vol

from ..model import Quota, Snapshot, Unit, Wallet
from .base import Provider
from .fields import amount

_ACCOUNT = {
    vol.Required("plan"): [
        {
            vol.Required("type"): str,
            vol.Required("creditsType"): str,
            vol.Required("credits"): amount,
        }
    ]
}
_MESSAGES = Unit.named("messages")
# What is bought, with its unit and its name for people.
_BOUGHT = {"sms": (Unit.named("credits"), "SMS"), "payAsYouGo": (_MESSAGES, "e-mails")}
_RENEWED = ("free", "subscription")


class Brevo(Provider):
    """A Brevo account."""

    id = "brevo"
    name = "Brevo"
    hosts = {"com": "https://api.brevo.com"}
    key_kind = "API key"
    key_header = "api-key"
    key_url = "https://app.brevo.com/settings/keys/api"
    top_up_url = "https://app.brevo.com"
    status_url = "https://status.brevo.com"

    @override
    async def fetch(self) -> Snapshot:
        """Return a wallet for what was bought, and a quota for what starts anew."""
        plans = [
            plan
            for plan in (await self._client.get("/v3/account", _ACCOUNT))["plan"]
            if plan["creditsType"] == "sendLimit"
        ]
        kinds = [plan["type"] for plan in plans]
        left = {
            plan["type"]: plan["credits"]
            for plan in plans
            if kinds.count(plan["type"]) == 1
        }
        return Snapshot(
            wallets=tuple(
                Wallet(key=kind.lower(), unit=unit, label=label, balance=left[kind])
                for kind, (unit, label) in _BOUGHT.items()
                if kind in left
            ),
            quotas=tuple(
                Quota(key=kind, unit=_MESSAGES, label="e-mails", remaining=left[kind])
                for kind in _RENEWED
                if kind in left
            ),
        )
