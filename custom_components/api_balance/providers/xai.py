"""xAI: the prepaid credit of a team, what was spent of it, and the spending limit.

Built from https://docs.x.ai/developers/rest-api-reference/management/billing and
https://docs.x.ai/developers/rest-api-reference/management/auth (official); what some
figures mean comes from other people's code. It needs a management key, made in the xAI
console under Settings, Management Keys, with the permission to read billing. The keys
that models are called with are refused. The team is found from the key; a key of an
organization that names no team cannot be used.

All amounts are USD. xAI writes cents, and counts credit as negative: -2317 is 23.17 USD
of yours. The balance is the credit of the running month less what the month has used of
it, as the preview of the invoice reports both; other people's code found that this is
what the console shows. Where the preview does not report both, or xAI answers with 400
or 404 because a team has none (other people's code), the balance is the total of the
prepaid ledger instead. That ledger books spending late, at the end of a month by what
others saw, so it is at most an upper bound. A team without a ledger has no prepaid
credit.

The credit limit is the effective limit for what is invoiced after the prepaid credit is
used up; without a preview it is not known. Where it is more than zero, the available
credit is the balance and the limit less what the month is going to be invoiced, before
tax: xAI documents that the API stops when both are used up. That the limit counts
before tax is not documented, and neither is whether the amount of the invoice includes
what the prepaid credit paid: sources contradict each other. So the available credit is
only shown where that makes no difference, because no credit was used or nothing is
invoiced. Otherwise the balance is shown alone, and what can be spent counts as unknown.
How fresh the figures are is not documented. A poll costs one request, one more where
the preview reports no credit, and one more at the start to find the team.

The purchases are those of the prepaid ledger that were not refused, with the words of
xAI for where they come from; whether credit expires is not reported.

There is no spend report: xAI's own description of the historical usage, at
https://github.com/xai-org/xai-proto, has the form of the request and of the answer, but
not which field holds the money and in which unit; only other people's code says so.
"""

from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any, override
from urllib.parse import quote

import voluptuous as vol

from ..model import Purchase, Snapshot, Unit, Wallet
from .base import Client, NotFound, Provider, UnexpectedAnswer, WrongCredentialKind
from .fields import amount, maybe, moment, scaled

_USD = Unit.money("USD")


def _credit(value: Any) -> Decimal:
    """Return the customer's credit from cents that xAI counts as its own."""
    return -amount(value).scaleb(-2)


def _magnitude(value: Any) -> Decimal:
    """Return what was used, from cents: xAI writes it with either sign."""
    return abs(amount(value)).scaleb(-2)


_KEY = {"scope": maybe(str), "scopeId": maybe(str), "teamId": maybe(str)}
_PREVIEW = {
    "coreInvoice": maybe(
        {
            "prepaidCredits": maybe({"val": maybe(_credit)}),
            "prepaidCreditsUsed": maybe({"val": maybe(_magnitude)}),
            "amountBeforeVat": maybe(scaled(-2)),
        }
    ),
    "effectiveSpendingLimit": maybe(scaled(-2)),
}
# How xAI answers for teams that have no preview.
_NO_PREVIEW = ("HTTP 400", "HTTP 404")
_LEDGER = {"total": maybe({"val": maybe(_credit)})}
_CHANGES = {
    vol.Optional("changes", default=list): [
        {
            "changeOrigin": maybe(str),
            "topupStatus": maybe(str),
            "amount": maybe({"val": maybe(_credit)}),
            "invoiceId": maybe(str),
            "createTime": maybe(moment),
            "createTs": maybe(moment),
        }
    ]
}


class XAI(Provider):
    """An xAI team."""

    id = "xai"
    name = "xAI"
    hosts = {"ai": "https://management-api.x.ai"}
    key_kind = "Management key"
    key_url = "https://console.x.ai"
    top_up_url = "https://console.x.ai/team/default/billing"
    status_url = "https://status.x.ai"
    permission = "team-token:endpoint:BillingRead"

    def __init__(
        self, client: Client, credentials: Mapping[str, str], region: str
    ) -> None:
        """Start without knowing the team."""
        super().__init__(client, credentials, region)
        self._team: str | None = None

    @override
    async def fetch(self) -> Snapshot:
        """Return the one wallet of the team."""
        team = await self._known_team()
        path = _path(team)
        preview: Mapping[str, Any] = {}
        missing: UnexpectedAnswer | None = None
        try:
            preview = await self._client.get(
                f"{path}/postpaid/invoice/preview", _PREVIEW
            )
        except UnexpectedAnswer as err:
            if err.path not in _NO_PREVIEW:
                raise
            missing = err
        invoice = preview.get("coreInvoice") or {}
        credit = _value(invoice, "prepaidCredits")
        used = _value(invoice, "prepaidCreditsUsed")
        limit = preview.get("effectiveSpendingLimit")
        billed = invoice.get("amountBeforeVat")
        available = None
        if credit is None or used is None:
            balance = await self._read_ledger(path)
        else:
            balance = credit - used
            # The invoice may count the used credit, too: then it would be taken twice.
            if limit and billed is not None and not (billed and used):
                available = balance + limit - billed
        if missing and balance is None:
            raise missing
        wallet = Wallet(
            key=_USD.key,
            unit=_USD,
            balance=balance,
            available=available,
            credit_limit=limit,
            is_in_doubt=bool(limit) and available is None,
        )
        return Snapshot(
            account_ids=frozenset({team}),
            wallets=() if balance is None else (wallet,),
        )

    async def fetch_purchases(self, scope: str) -> tuple[Purchase, ...]:
        """Return what was paid into the prepaid credit, in USD.

        From https://docs.x.ai/developers/rest-api-reference/management/billing. The
        time has one name there and another in other people's code.
        """
        team = await self._known_team()
        changes: list[Mapping[str, Any]] = []
        # Without prepaid credit there is no ledger.
        with suppress(NotFound):
            ledger = await self._client.get(f"{_path(team)}/prepaid/balance", _CHANGES)
            changes = ledger["changes"]
        return tuple(
            Purchase(
                id=change.get("invoiceId") or "",
                unit=_USD,
                amount=paid,
                kind=change.get("changeOrigin"),
                purchased_at=change.get("createTime") or change.get("createTs"),
            )
            for change in changes
            if (paid := _value(change, "amount")) is not None
            and paid > 0
            and change.get("topupStatus") in (None, "SUCCEEDED")
        )

    async def _known_team(self) -> str:
        """Return the team, which is asked for once."""
        if self._team is None:
            self._team = await self._find_team()
        return self._team

    async def _find_team(self) -> str:
        """Return the team that the key belongs to."""
        key = await self._client.get("/auth/management-keys/validation", _KEY)
        # The older field is deprecated, and empty for keys of an organization.
        is_of_team = key.get("scope") == "SCOPE_TEAM"
        team = (is_of_team and key.get("scopeId")) or key.get("teamId")
        if not key.keys() & {"scope", "teamId"}:
            raise UnexpectedAnswer("teamId")
        if not team:
            raise WrongCredentialKind
        return str(team)

    async def _read_ledger(self, path: str) -> Decimal | None:
        """Return the total of the prepaid ledger, None where there is none."""
        with suppress(NotFound):
            ledger = await self._client.get(f"{path}/prepaid/balance", _LEDGER)
            return _value(ledger, "total")
        return None


def _path(team: str) -> str:
    """Return the path of what is billed to a team."""
    return f"/v1/billing/teams/{quote(team, safe='')}"


def _value(answer: Mapping[str, Any], field: str) -> Decimal | None:
    """Return an amount, which xAI wraps in an object of its own."""
    value: Decimal | None = (answer.get(field) or {}).get("val")
    return value
