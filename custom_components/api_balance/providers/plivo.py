"""Plivo: the credits of an account.

Built from https://www.plivo.com/docs/account/api/account/the-account-object/
(official). That bad credentials get 401 is documented, what that answer holds is not. It
needs the Auth ID and the Auth Token of the main account, from the overview page of the
console; they have no permissions to choose. Credentials of a subaccount, whose Auth ID
begins with SA, are of no use: a subaccount has no credits of its own.

The credits are in USD: the answer holds no currency, the documentation says so. A
positive amount is your money. The account says whether it is prepaid or postpaid; one
that is postpaid cannot run dry, and what its credits mean is not documented. It also
says whether it tops itself up. Name and address of the account holder, which are in the
answer, are not picked up. How far the figures lag behind is not documented. A poll costs
one request.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import override
from urllib.parse import quote

import voluptuous as vol

from ..model import Snapshot, Unit, Wallet
from .base import Credential, Provider, WrongCredentialKind, basic
from .fields import amount, maybe

_USD = Unit.money("USD")
_ACCOUNT = {
    vol.Required("cash_credits"): amount,
    "auth_id": maybe(str),
    "auto_recharge": maybe(bool),
    "billing_mode": maybe(str),
}


class Plivo(Provider):
    """A Plivo account."""

    id = "plivo"
    name = "Plivo"
    hosts = {"com": "https://api.plivo.com"}
    key_kind = "Auth ID and Auth Token of the main account"
    key_url = "https://cx.plivo.com/home"
    top_up_url = "https://cx.plivo.com"
    status_url = "https://status.plivo.com"
    credentials = (
        Credential(key="auth_id", is_secret=False),
        Credential(key="auth_token"),
    )
    poll_interval = timedelta(minutes=10)

    @override
    @classmethod
    def headers(cls, credentials: Mapping[str, str]) -> Mapping[str, str]:
        """Return the headers that show the credentials."""
        auth_id = credentials["auth_id"]
        if auth_id.startswith("SA"):
            raise WrongCredentialKind
        return basic(auth_id, credentials["auth_token"])

    @override
    async def fetch(self) -> Snapshot:
        """Return the one wallet of the account."""
        auth_id = quote(self._credentials["auth_id"], safe="")
        answer = await self._client.get(f"/v1/Account/{auth_id}/", _ACCOUNT)
        reported = answer.get("auth_id")
        return Snapshot(
            account_ids=frozenset({reported} if reported else ()),
            has_auto_top_up=answer.get("auto_recharge"),
            wallets=(
                Wallet(
                    key=_USD.key,
                    unit=_USD,
                    balance=answer["cash_credits"],
                    is_postpaid=answer.get("billing_mode") == "postpaid",
                ),
            ),
        )
