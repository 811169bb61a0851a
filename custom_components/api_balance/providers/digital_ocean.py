"""DigitalOcean: what an account owes or has in credit, and the usage of the month.

Built from https://docs.digitalocean.com/reference/api/digitalocean/#tag/Billing, the
OpenAPI document behind it and https://docs.digitalocean.com/platform/billing/ (all
official). That a positive amount is owed follows from the example of the documentation
and is confirmed by other people's answers only. It needs a personal access token with
the scope `billing:read`; a refresh token of OAuth, which begins with dor_v1_, is of no
use.

All amounts are decimal strings in USD, the only currency that DigitalOcean bills in.
The balance is that of the latest billing activity, here with your credit as positive
and your debt as negative; pending is the usage of the month, which is not in the
balance yet. The spend of this month is the same usage, counted from the first of the
month. DigitalOcean is paid afterwards, so the balance cannot run dry. The answer says when
it was made, which may be hours ago.

A prepayment is a balance of its own, see
https://docs.digitalocean.com/reference/doctl/reference/harness-runtime/balance/ and
https://docs.digitalocean.com/reference/pydo/reference/prepayment_status/get/. Some
products, such as Serverless Inference, stop when it reaches 0; that it is positive while
something is left follows from
https://docs.digitalocean.com/products/inference/how-to/manage-serverless-inference-prepayment/.
It is shown from when it first holds money or tops itself up. While DigitalOcean blocks the
usage of such an account, the account counts as depleted, although other products may go on.
What is answered for an account that never prepaid is not documented: it may be blocked as
well, so nothing is shown of its prepayment. Where the prepayment cannot be read, the rest
is still shown. A poll costs two requests; DigitalOcean allows 5,000 an hour.

The purchases are the payments and the credits of the billing history; what was paid is
positive. That credits have the sign of payments there is unconfirmed.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, override

import voluptuous as vol

from ..model import Period, Purchase, Snapshot, Spend, Unit, Wallet
from .base import (
    Client,
    Provider,
    ProviderError,
    UnexpectedAnswer,
    WrongCredentialKind,
    bearer,
)
from .fields import amount, maybe, moment, owed
from .periods import this_month

_USD = Unit.money("USD")
_BALANCE = {
    vol.Required("account_balance"): maybe(owed),
    "month_to_date_usage": maybe(amount),
    "generated_at": maybe(moment),
}
_PREPAYMENT = {
    vol.Required("status"): maybe(
        {
            "balance": maybe(amount),
            "blocked": maybe(bool),
            "is_auto_prepay_enabled": maybe(bool),
        }
    )
}
_HISTORY = {
    vol.Required("billing_history"): [
        {
            vol.Required("type"): str,
            "amount": maybe(owed),
            "date": maybe(moment),
        }
    ],
    "links": maybe({"pages": maybe({"next": maybe(str)})}),
}
_PAID_IN = ("Credit", "Payment")
_MAX_PAGES = 20


class DigitalOcean(Provider):
    """A DigitalOcean account or team."""

    id = "digital_ocean"
    name = "DigitalOcean"
    hosts = {"com": "https://api.digitalocean.com"}
    key_kind = "Personal access token"
    key_url = "https://cloud.digitalocean.com/account/api/tokens"
    top_up_url = "https://cloud.digitalocean.com/account/billing"
    status_url = "https://status.digitalocean.com"
    permission = "billing:read"

    @override
    @classmethod
    def headers(cls, credentials: Mapping[str, str]) -> Mapping[str, str]:
        """Return the headers that show the credentials."""
        token = credentials["api_key"]
        if token.startswith("dor_v1_"):
            raise WrongCredentialKind
        return bearer(token)

    def __init__(
        self, client: Client, credentials: Mapping[str, str], region: str
    ) -> None:
        """Start without knowing whether the account has prepaid."""
        super().__init__(client, credentials, region)
        self._has_prepaid = False

    @override
    async def fetch(self) -> Snapshot:
        """Return the wallets of the account, and the spend of the month."""
        answer = await self._client.get("/v2/customers/my/balance", _BALANCE)
        balance: Decimal | None = answer["account_balance"]
        usage: Decimal | None = answer.get("month_to_date_usage")
        # The usage is that of the month in which the answer was made.
        as_of: datetime = answer.get("generated_at") or datetime.now(UTC)
        prepayment = await self._read_prepayment()
        wallets = (
            Wallet(
                key=_USD.key,
                unit=_USD,
                balance=balance,
                pending=usage,
                is_postpaid=True,
            ),
            Wallet(
                key=f"prepayment_{_USD.key}",
                unit=_USD,
                label="prepayment",
                balance=prepayment.get("balance"),
            ),
        )
        return Snapshot(
            is_available=False if prepayment.get("blocked") else None,
            has_auto_top_up=prepayment.get("is_auto_prepay_enabled"),
            wallets=tuple(wallet for wallet in wallets if wallet.balance is not None),
            spend=()
            if usage is None
            else (
                Spend(
                    unit=_USD,
                    amount=usage,
                    start=this_month(as_of),
                    end=as_of,
                    period=Period.THIS_MONTH,
                ),
            ),
            as_of=as_of,
        )

    async def _read_prepayment(self) -> Mapping[str, Any]:
        """Return the prepayment, nothing while the account is not known to have one."""
        status: Mapping[str, Any] = {}
        with suppress(ProviderError):
            answer = await self._client.get(
                "/v2/customers/my/prepayment_status", _PREPAYMENT
            )
            status = answer["status"] or {}
        # Without a prepayment some products are blocked, and the others go on as ever.
        if status.get("balance") or status.get("is_auto_prepay_enabled"):
            self._has_prepaid = True
        return status if self._has_prepaid else {}

    async def fetch_purchases(self, scope: str) -> tuple[Purchase, ...]:
        """Return what was paid or granted, in USD; DigitalOcean gives them no ids."""
        return tuple(
            Purchase(
                id="",
                unit=_USD,
                amount=entry.get("amount"),
                kind=entry["type"],
                purchased_at=entry.get("date"),
            )
            for entry in await self._history()
            if entry["type"] in _PAID_IN
        )

    async def _history(self) -> list[Mapping[str, Any]]:
        """Return the billing history, every page of it."""
        entries: list[Mapping[str, Any]] = []
        for page in range(1, _MAX_PAGES + 1):
            answer = await self._client.get(
                "/v2/customers/my/billing_history",
                _HISTORY,
                [("per_page", "200"), ("page", str(page))],
            )
            entries += answer["billing_history"]
            pages = (answer.get("links") or {}).get("pages") or {}
            if not pages.get("next"):
                return entries
        raise UnexpectedAnswer("links.pages.next")
