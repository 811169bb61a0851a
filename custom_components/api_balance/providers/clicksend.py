"""ClickSend: the balance of an account, in its own currency.

Built from https://developers.clicksend.com/docs/accounts/management (official), with
the status codes of https://developers.clicksend.com/docs; how a suspended account
answers is taken from other people's notes on the live API. It needs the API username
and an API key, which have no permissions to choose as far as is documented.

The balance is a decimal string in the currency of the account, which the answer names;
a positive balance is your money. Subaccounts of a prepaid account share its balance.
Whether an account pays afterwards is not reported: a balance below zero counts as
depleted. The account says whether it tops itself up. A suspended account is shown as
suspended; one that was never activated is refused as if its key were wrong. Flags are 0
or 1, as a number in the documentation and as a text in other people's programs; both are
read. The answer also holds personal data and a key of the subaccount; nothing of it is
picked up. How far the figures lag behind is not documented. A poll costs one request.
"""

from datetime import timedelta
from decimal import Decimal
from typing import override

import voluptuous as vol

from ..model import Snapshot, Wallet
from .base import (
    API_KEY,
    Credential,
    InvalidCredentials,
    MissingPermission,
    PaymentRequired,
    Provider,
    ProviderError,
    Refusal,
    UnexpectedAnswer,
)
from .fields import amount, currency, maybe

_SUCCESS = "SUCCESS"
_DATA = {
    vol.Required("balance"): amount,
    "user_id": maybe(vol.All(vol.Any(str, Decimal), vol.Coerce(str))),
    "_currency": maybe({"currency_name_short": currency}),
}
# The code of the answer decides, whatever the status: only a success has data.
_ACCOUNT = vol.Any(
    {vol.Required("response_code"): _SUCCESS, vol.Required("data"): _DATA},
    {vol.Required("response_code"): vol.All(str, vol.NotIn([_SUCCESS]))},
)


class _Suspended(UnexpectedAnswer):
    """The account was stopped by the provider."""


class ClickSend(Provider):
    """A ClickSend account."""

    id = "clicksend"
    name = "ClickSend"
    hosts = {"com": "https://rest.clicksend.com"}
    key_kind = "API username and API key"
    key_url = "https://dashboard.clicksend.com/account/subaccounts"
    top_up_url = "https://dashboard.clicksend.com"
    status_url = "https://status.clicksend.com"
    credentials = (Credential(key="username", is_secret=False), API_KEY)
    basic_fields = ("username", "api_key")
    poll_interval = timedelta(minutes=10)

    @override
    @classmethod
    def explain(cls, refusal: Refusal) -> ProviderError | None:
        """Return what the code of the answer means."""
        match refusal.field("response_code"):
            case "UNAUTHORIZED" | "INVALID_CREDENTIALS" | "MISSING_CREDENTIALS":
                return InvalidCredentials()
            case "FORBIDDEN":
                if "suspended" in str(refusal.field("response_msg")):
                    return _Suspended("response_code")
                return MissingPermission()
            case "INSUFFICIENT_CREDIT":
                return PaymentRequired()
            case _:
                return None

    @override
    async def fetch(self) -> Snapshot:
        """Return the one wallet of the account."""
        try:
            answer = await self._client.get("/v3/account", _ACCOUNT)
            if answer["response_code"] != _SUCCESS:
                raise self.explain(
                    Refusal(status=200, body=answer)
                ) or UnexpectedAnswer("response_code")
        except _Suspended:
            return Snapshot(is_suspended=True)
        data = answer["data"]
        user_id = data.get("user_id")
        money = data.get("_currency") or {}
        unit = money.get("currency_name_short") or currency(None)
        return Snapshot(
            account_ids=frozenset({user_id} if user_id else ()),
            # The official example is not `active`, and works: that word says nothing.
            is_suspended=_flag(data.get("banned")) is True,
            has_auto_top_up=_flag(data.get("auto_recharge")),
            wallets=(Wallet(key=unit.key, unit=unit, balance=data["balance"]),),
        )


def _flag(value: object) -> bool | None:
    """Return what a 0 or a 1 stands for, be it a number or a text."""
    return {"0": False, "1": True}.get(str(value))
