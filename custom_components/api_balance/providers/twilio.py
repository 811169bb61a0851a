"""Twilio: the balance of an account, whether it is active, and the month's spend.

Built from Twilio's own OpenAPI description (official), from
https://www.twilio.com/docs/usage/api/accounts and from
https://www.twilio.com/docs/usage/api/usage-record; the errors are from
https://www.twilio.com/docs/api/errors. You need the Account SID (AC...), which is no
secret, and the live Auth Token, both from the start page of the Twilio Console. API keys
(SK...) and the test credentials do not work. The Auth Token has all rights; there is no
lesser one to choose.

The balance is in the account's currency; a positive amount is yours. It is taken to be
negative in accounts that pay later (unconfirmed): this is what you owe, not an empty
account. Whether the account can be used is Twilio's own word: `active`, `suspended` or
`closed`. A suspended account with a negative balance counts as empty. Twilio may also
refuse the credentials of a suspended account, which looks like a wrong Auth Token. A
sub-account has no balance of its own: none is shown, and none is asked for.

The month's spend is the total price of the usage in the running month, in GMT, and
includes sub-accounts; it may differ from the invoice. Changes of the balance may show
late. A poll costs three requests, for a sub-account two, and no money.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, override
from urllib.parse import quote

import voluptuous as vol

from ..model import Period, Snapshot, Spend, Unit, Wallet
from .base import (
    Credential,
    NotFound,
    PaymentRequired,
    Provider,
    ProviderError,
    Refusal,
    WrongCredentialKind,
    basic,
)
from .fields import amount, currency, maybe, moment

_ACCOUNT = {
    vol.Required("sid"): str,
    "owner_account_sid": maybe(str),
    vol.Required("status"): str,
}
_BALANCE = {
    "balance": maybe(amount),
    vol.Optional("currency", default=None): currency,
}
_USAGE = {
    vol.Required("usage_records"): [
        {
            vol.Required("category"): str,
            vol.Required("start_date"): moment,
            "price": maybe(amount),
            vol.Optional("price_unit", default=None): currency,
        }
    ]
}
_TOTAL = "totalprice"
_STOPPED = ("suspended", "closed")


class Twilio(Provider):
    """A Twilio account."""

    id = "twilio"
    name = "Twilio"
    hosts = {"com": "https://api.twilio.com"}
    key_kind = "Account SID and live Auth Token"
    key_url = "https://console.twilio.com"
    top_up_url = (
        "https://console.twilio.com/us1/billing/manage-billing/billing-overview"
    )
    status_url = "https://status.twilio.com"
    credentials = (
        Credential(key="account_sid", is_secret=False),
        Credential(key="auth_token"),
    )

    @override
    @classmethod
    def headers(cls, credentials: Mapping[str, str]) -> Mapping[str, str]:
        """Return the headers that show the credentials."""
        if credentials["account_sid"].startswith("SK"):
            raise WrongCredentialKind
        return basic(credentials["account_sid"], credentials["auth_token"])

    @override
    @classmethod
    def explain(cls, refusal: Refusal) -> ProviderError | None:
        """Tell test credentials and an inactive account by the code of the error."""
        match refusal.field("code"):
            case 20008:
                return WrongCredentialKind()
            case 10001 | 20005:
                return PaymentRequired(f"HTTP {refusal.status}")
            case _:
                return None

    @override
    async def fetch(self) -> Snapshot:
        """Return the wallet of the account, its status and the month's spend."""
        now = datetime.now(UTC)
        sid = quote(self._credentials["account_sid"], safe="")
        path = f"/2010-04-01/Accounts/{sid}"
        account = await self._client.get(f"{path}.json", _ACCOUNT)
        is_active = account["status"] == "active"
        balance: Mapping[str, Any] = {}
        # The owner of an account that is no sub-account is the account itself.
        if account.get("owner_account_sid") in (None, account["sid"]):
            with suppress(NotFound):
                balance = await self._client.get(f"{path}/Balance.json", _BALANCE)
        usage = await self._client.get(
            f"{path}/Usage/Records/ThisMonth.json", _USAGE, [("Category", _TOTAL)]
        )
        return Snapshot(
            account_ids=frozenset({account["sid"]}),
            is_available=is_active or None,
            is_suspended=account["status"] in _STOPPED,
            wallets=_wallets(balance, is_active),
            spend=tuple(
                Spend(
                    unit=record["price_unit"],
                    amount=record["price"],
                    start=record["start_date"],
                    end=now,
                    period=Period.THIS_MONTH,
                )
                for record in usage["usage_records"]
                if record["category"] == _TOTAL and record.get("price") is not None
            ),
        )


def _wallets(answer: Mapping[str, Any], is_active: bool) -> tuple[Wallet, ...]:
    """Return the wallet, none where no balance is told."""
    balance = answer.get("balance")
    if balance is None:
        return ()
    unit: Unit = answer["currency"]
    return (
        Wallet(
            key=unit.key,
            unit=unit,
            balance=balance,
            # An account that pays in advance is suspended when it is below zero.
            is_postpaid=is_active and balance < 0,
        ),
    )
