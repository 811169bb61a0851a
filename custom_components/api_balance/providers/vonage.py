"""Vonage: the balance of an account of the Vonage APIs, once called Nexmo.

Built from https://developer.vonage.com/account/code-snippets/account-balance and the
OpenAPI document of the Account API (both official); the errors from
https://developer.vonage.com/api-errors. It needs the API key and the API secret of the
account, from the API settings of the dashboard; they have no permissions to choose.
Both are treated as secrets.

The balance is always in EUR: the answer holds no currency, the documentation says so. A
positive balance is your money. At zero no call that costs money can be made, unless
Vonage has given the account a credit facility: then the balance may fall below zero, as
far as the credit limit (https://developer.vonage.com/account/subaccounts/overview,
official). Only the Subaccounts API reports that limit; Vonage opens it to few accounts,
and it is not read. So a balance below zero is shown, and proves nothing: what can be
spent counts as unknown then. A balance of exactly zero counts as depleted, as it is
without a credit facility. Whether costs that are booked late can bring an account
without one below zero is not documented.

Vonage also reports whether the account tops itself up. How far the figures lag behind
is not documented. A poll costs one request.
"""

from datetime import timedelta
from typing import override

import voluptuous as vol

from ..model import Snapshot, Unit, Wallet
from .base import API_KEY, Credential, PaymentRequired, Provider, ProviderError, Refusal
from .fields import amount, maybe

_EUR = Unit.money("EUR")
_BALANCE = {vol.Required("value"): amount, "autoReload": maybe(bool)}


class Vonage(Provider):
    """A Vonage API account."""

    id = "vonage"
    name = "Vonage"
    hosts = {"nexmo": "https://rest.nexmo.com"}
    key_kind = "API key and API secret"
    key_url = "https://dashboard.vonage.com/settings"
    top_up_url = "https://dashboard.vonage.com"
    status_url = "https://vonageapi.statuspage.io"
    credentials = (API_KEY, Credential(key="api_secret"))
    basic_fields = ("api_key", "api_secret")
    poll_interval = timedelta(minutes=10)

    @override
    @classmethod
    def explain(cls, refusal: Refusal) -> ProviderError | None:
        """Know an empty account by the kind of the error: it comes as 403, too."""
        kind = str(refusal.field("type"))
        if kind.endswith(("#low-balance", "#out-of-credit")):
            return PaymentRequired()
        return None

    @override
    async def fetch(self) -> Snapshot:
        """Return the one wallet of the account."""
        answer = await self._client.get("/account/get-balance", _BALANCE)
        balance = answer["value"]
        # Only a credit line allows that, and its length is not in the answer.
        wallet = Wallet(
            key=_EUR.key, unit=_EUR, balance=balance, is_in_doubt=balance < 0
        )
        return Snapshot(has_auto_top_up=answer.get("autoReload"), wallets=(wallet,))
