"""Vercel AI Gateway: the credit balance of a team.

Built from https://vercel.com/docs/ai-gateway/observability-and-spend/usage (official). Any
API key of AI Gateway reads it; keys have no permissions to choose. An OIDC token of a deployment
expires within hours and is not accepted here.

The balance is what is left of the team's AI Gateway Credits. It is USD: the answer names no
currency, but Vercel sells and prices the credits in it. The documentation shows a decimal
string, other people's code a number; both are read. What was used since the beginning is
reported as well and not shown, as it belongs to no period.

Vercel has a report of the spend by day or by model, from
https://vercel.com/docs/ai-gateway/observability-and-spend/custom-reporting (official). It
is not read: every query costs money ($5 per 1,000 in 2026), and only teams on the plans Pro
and Enterprise have it. What is spent is seen from the balance instead.

How fresh the figures are is not documented. A poll costs one request and no credits.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import override

import voluptuous as vol

from ..model import Snapshot, Unit, Wallet
from .base import Provider, WrongCredentialKind, bearer
from .fields import amount

_USD = Unit.money("USD")
_CREDITS = {vol.Required("balance"): amount}


class VercelAIGateway(Provider):
    """The AI Gateway of a Vercel team."""

    id = "vercel_ai_gateway"
    name = "Vercel AI Gateway"
    hosts = {"sh": "https://ai-gateway.vercel.sh"}
    key_kind = "AI Gateway API key"
    key_url = "https://vercel.com/d?to=%2F%5Bteam%5D%2F%7E%2Fai-gateway%2Fapi-keys"
    top_up_url = "https://vercel.com/d?to=%2F%5Bteam%5D%2F%7E%2Fai-gateway"
    status_url = "https://www.vercel-status.com"
    payment_required_statuses = (402,)
    poll_interval = timedelta(minutes=10)

    @override
    @classmethod
    def headers(cls, credentials: Mapping[str, str]) -> Mapping[str, str]:
        """Return the headers that show the credentials."""
        api_key = credentials["api_key"]
        # OIDC tokens are JSON web tokens.
        if api_key.startswith("eyJ") and api_key.count(".") == 2:
            raise WrongCredentialKind
        return bearer(api_key)

    @override
    async def fetch(self) -> Snapshot:
        """Return the one wallet of the team."""
        answer = await self._client.get("/v1/credits", _CREDITS)
        return Snapshot(
            wallets=(Wallet(key=_USD.key, unit=_USD, balance=answer["balance"]),)
        )
