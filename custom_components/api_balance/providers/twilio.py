"""Twilio: the balance of an account, whether it is active, and the month's spend.

Built from Twilio's own OpenAPI description (official), from
https://www.twilio.com/docs/usage/api/accounts and from
https://www.twilio.com/docs/usage/api/usage-record; the errors are from
https://www.twilio.com/docs/api/errors. You need the Account SID (AC...), which is no
secret, and either the live Auth Token, both from the start page of the Twilio Console, or
an API key: its SID (SK...) and its secret, see
https://www.twilio.com/docs/iam/api-keys/key-resource-v1. The test credentials do not work.
The Auth Token and a Main API key have all permissions. A Standard API key has them except
for accounts and keys, and a Restricted one has those that you choose; whether these two
read the status and the balance of an account is unconfirmed. A key that may not read the
usage shows no spend.

The balance is in the account's currency; a positive amount is yours. It is taken to be
negative in accounts that pay later (unconfirmed): this is what you owe, not an empty
account. Whether the account can be used is Twilio's own word: `active`, `suspended` or
`closed`. Twilio suspends an account whose balance reaches 0, says
https://www.twilio.com/docs/api/errors/10001, but for other reasons as well: it shows as
suspended, and its wallet as depleted where the balance is 0 or less. Twilio may also refuse
the credentials of a suspended account. Error 20403 typically means that the account was
suspended or closed, says https://www.twilio.com/docs/api/errors/20403: it shows as
suspended. Errors 20003 and 70051 have other causes too, so they show as a key that is not
accepted or lacks a permission. Where Twilio says that the account is not active, the
account counts as depleted. A sub-account has no balance of its own: none is shown, and none
is asked for.

The month's spend is the total price of the usage in the running month, in GMT, and
includes sub-accounts; it may differ from the invoice. Changes of the balance may show
late. A poll costs three requests, for a sub-account two, and no money.

The spend report is of the same usage, day by day, from
https://www.twilio.com/docs/usage/api/usage-record. It can be filtered by any usage category
of Twilio's (line item). Many of these contain others: grouped, only those are named that
are described as having nothing in common, and the rest of Twilio's total is `other`. Where
they are more than the total after all, the whole day is `other`. A report costs one
request, grouped one more for each category that was used and one to find these.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar, override
from urllib.parse import parse_qsl, quote

import voluptuous as vol

from ..model import Period, Snapshot, Spend, Unit, Wallet
from .base import (
    Credential,
    IncompleteCredentials,
    MissingPermission,
    NotFound,
    PaymentRequired,
    Provider,
    ProviderError,
    Refusal,
    SpendQuery,
    UnexpectedAnswer,
    WrongCredentialKind,
    basic,
)
from .costs import Cost, by_day, daily_spend
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
    ],
    "next_page_uri": maybe(str),
}
_TOTAL = "totalprice"
_OTHER = "other"
# By their descriptions none of these contains another.
_DISJOINT = (
    "calls",
    "calls-client",
    "calls-sip",
    "lookups",
    "mediastorage",
    "mms",
    "phonenumbers",
    "recordings",
    "recordingstorage",
    "shortcodes",
    "sms",
    "transcriptions",
)
# A record has some 2 kB.
_RECORDS_PER_PAGE = 300
# There are more categories than fit on a page.
_MORE_PAGES = 4
_STOPPED = ("suspended", "closed")


class _Suspended(MissingPermission):
    """Twilio refuses an account that was suspended or closed."""


class Twilio(Provider):
    """A Twilio account."""

    id = "twilio"
    name = "Twilio"
    hosts = {"com": "https://api.twilio.com"}
    key_kind = (
        "Account SID with the live Auth Token, or with the SID and the secret of a Main"
        " API key"
    )
    key_url = "https://console.twilio.com"
    top_up_url = (
        "https://console.twilio.com/us1/billing/manage-billing/billing-overview"
    )
    status_url = "https://status.twilio.com"
    credentials = (
        Credential(key="account_sid", is_secret=False),
        Credential(key="auth_token", is_required=False),
        Credential(key="api_key_sid", is_secret=False, is_required=False),
        Credential(key="api_secret", is_required=False),
    )
    spend_filters: ClassVar[tuple[str, ...]] = ("line_item",)
    spend_groups: ClassVar[tuple[str, ...]] = ("line_item",)

    @override
    @classmethod
    def headers(cls, credentials: Mapping[str, str]) -> Mapping[str, str]:
        """Return the headers that show the API key, without one the Auth Token.

        A secret that was entered once is stored until the account is removed: the SID
        of an API key decides.
        """
        user = credentials["account_sid"]
        password = credentials.get("auth_token")
        if user.startswith("SK"):
            raise WrongCredentialKind
        if api_key_sid := credentials.get("api_key_sid"):
            user, password = api_key_sid, credentials.get("api_secret")
        if not password:
            raise IncompleteCredentials
        return basic(user, password)

    @override
    @classmethod
    def explain(cls, refusal: Refusal) -> ProviderError | None:
        """Return what the code of the error means."""
        match refusal.field("code"):
            case 20008:
                return WrongCredentialKind()
            case 20403:
                return _Suspended()
            case 10001 | 20005:
                return PaymentRequired()
            case _:
                return None

    @override
    async def fetch(self) -> Snapshot:
        """Return the wallet of the account, its status and the month's spend."""
        try:
            return await self._read_account()
        except _Suspended:
            return Snapshot(is_suspended=True)

    async def _read_account(self) -> Snapshot:
        """Return what Twilio reports of an account that it does not refuse."""
        now = datetime.now(UTC)
        path = self._path
        account = await self._client.get(f"{path}.json", _ACCOUNT)
        is_active = account["status"] == "active"
        balance: Mapping[str, Any] = {}
        # The owner of an account that is no sub-account is the account itself.
        if account.get("owner_account_sid") in (None, account["sid"]):
            with suppress(NotFound):
                balance = await self._client.get(f"{path}/Balance.json", _BALANCE)
        usage: Mapping[str, Any] = {"usage_records": ()}
        with suppress(MissingPermission):
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

    async def fetch_spend(self, scope: str, query: SpendQuery) -> tuple[Spend, ...]:
        """Return the price of the usage in the account's currency, day by day.

        Grouped, there is a row for each category of the day and for the rest.
        """
        category = query.filters.get("line_item")
        if query.group_by and category is None:
            days = by_day(await self._grouped(query))
        else:
            days = by_day(
                (start, Cost(cost.unit, cost.amount, {"line_item": category or _TOTAL}))
                for start, cost in await self._daily(category or _TOTAL, query)
            )
        return tuple(daily_spend(days, query))

    async def _grouped(self, query: SpendQuery) -> list[tuple[datetime, Cost]]:
        """Return what each day cost by category, and beyond these."""
        named: defaultdict[tuple[datetime, Unit], dict[str, Decimal]]
        named = defaultdict(dict)
        for record in await self._records("Records", query):
            if record["category"] in _DISJOINT and record.get("price"):
                for start, cost in await self._daily(record["category"], query):
                    named[start, cost.unit][record["category"]] = cost.amount
        costs: list[tuple[datetime, Cost]] = []
        for start, cost in await self._daily(_TOTAL, query):
            parts = named[start, cost.unit]
            rest = cost.amount - sum(parts.values())
            if rest < 0:
                parts, rest = {}, cost.amount
            costs += (
                (start, Cost(cost.unit, amount, {"line_item": category}))
                for category, amount in {**parts, _OTHER: rest}.items()
                if amount
            )
        return costs

    async def _daily(
        self, category: str, query: SpendQuery
    ) -> list[tuple[datetime, Cost]]:
        """Return what a category cost on each day that Twilio reports."""
        return [
            (record["start_date"], Cost(record["price_unit"], record["price"]))
            for record in await self._records(
                "Records/Daily", query, [("Category", category)]
            )
            if record["category"] == category and record.get("price") is not None
        ]

    async def _records(
        self, resource: str, query: SpendQuery, params: Iterable[tuple[str, str]] = ()
    ) -> list[Mapping[str, Any]]:
        """Return the usage records of every page."""
        records: list[Mapping[str, Any]] = []
        page: list[tuple[str, str]] = []
        days = (query.last - query.first).days
        for _ in range(days // _RECORDS_PER_PAGE + 1 + _MORE_PAGES):
            answer = await self._client.get(
                f"{self._path}/Usage/{resource}.json",
                _USAGE,
                [
                    *params,
                    ("StartDate", str(query.first)),
                    ("EndDate", str(query.last)),
                    ("PageSize", str(_RECORDS_PER_PAGE)),
                    *page,
                ],
            )
            records += answer["usage_records"]
            following = answer.get("next_page_uri")
            if not following:
                return records
            # An address that the provider names is never asked as it is.
            page = [
                (name, value)
                for name, value in parse_qsl(following.partition("?")[2])
                if name in ("Page", "PageToken")
            ]
        raise UnexpectedAnswer("next_page_uri")

    @property
    def _path(self) -> str:
        """The path of the account."""
        sid = quote(self._credentials["account_sid"], safe="")
        return f"/2010-04-01/Accounts/{sid}"


def _wallets(answer: Mapping[str, Any], is_active: bool) -> tuple[Wallet, ...]:
    """Return the wallet, none where no balance is reported."""
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
