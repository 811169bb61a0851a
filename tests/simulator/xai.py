"""xAI: a management key of one team, with credit written as negative cents."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from http import HTTPStatus
from typing import override

from aiohttp import web

from .simulated_provider import Refusal, SimulatedProvider, command
from .wire import answer, make_id

# The codes of gRPC; the form of the body is a guess.
CODES = {
    HTTPStatus.UNAUTHORIZED: 16,
    HTTPStatus.FORBIDDEN: 7,
    HTTPStatus.NOT_FOUND: 5,
    HTTPStatus.TOO_MANY_REQUESTS: 8,
}


def in_cents(amount: Decimal) -> str:
    """Write an amount as the whole cents that xAI counts in."""
    return str(int(amount.scaleb(2)))


class XAI(SimulatedProvider):
    """An xAI team."""

    id = "xai"
    default_credentials = {"api_key": "xai-token-simulator"}

    credit = Decimal("45.00")
    used = Decimal("0.00")
    limit = Decimal("200.00")

    def __init__(self, credentials: Mapping[str, str] | None = None) -> None:
        """Open a team that has bought its credit."""
        super().__init__(credentials)
        self.purchases: list[Mapping[str, object]] = []
        self._book(self.credit)

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        team = "/v1/billing/teams/{team}"
        return [
            web.get("/auth/management-keys/validation", self._get_key),
            web.get(f"{team}/postpaid/invoice/preview", self._get_preview),
            web.get(f"{team}/prepaid/balance", self._get_ledger),
        ]

    @override
    def error(self, request: web.Request, status: int) -> web.Response:
        message = HTTPStatus(status).phrase
        code = CODES.get(HTTPStatus(status), 13)
        return answer({"code": code, "message": message, "details": []}, status)

    @override
    def refuse_permission(self, request: web.Request) -> web.Response | None:
        # A key may always ask who it is.
        if request.path.startswith("/auth/"):
            return None
        return self.error(request, HTTPStatus.FORBIDDEN)

    @command
    @override
    def spend(self, amount: Decimal, wallet: str | None = None) -> None:
        self.used += amount

    @command
    @override
    def top_up(self, amount: Decimal, wallet: str | None = None) -> None:
        self.credit += amount
        self._book(amount)

    @command
    def set_limit(self, amount: Decimal) -> None:
        """Set how much may be invoiced once the credit is used up."""
        self.limit = amount

    async def _get_key(self, request: web.Request) -> web.Response:
        return answer(
            {
                "apiKeyId": make_id(self.id, "key"),
                "teamId": self.account_id,
                "scope": "SCOPE_TEAM",
                "scopeId": self.account_id,
                "name": "Home",
                "acls": ["team-token:endpoint:BillingRead"],
            }
        )

    async def _get_preview(self, request: web.Request) -> web.Response:
        self._check_team(request)
        now = datetime.now(UTC)
        from_credit = min(self.used, self.credit)
        invoiced = in_cents(self.used - from_credit)
        invoice = {
            "lines": [],
            "amountBeforeVat": invoiced,
            "vatCost": "0",
            "amountAfterVat": invoiced,
            "totalWithCorr": {"val": in_cents(self.used)},
            "prepaidCredits": {"val": in_cents(-self.credit)},
            "prepaidCreditsUsed": {"val": in_cents(-from_credit)},
        }
        return answer(
            {
                "coreInvoice": invoice,
                "effectiveSpendingLimit": in_cents(self.limit),
                "defaultCredits": "0",
                "billingCycle": {"year": now.year, "month": now.month},
            }
        )

    async def _get_ledger(self, request: web.Request) -> web.Response:
        self._check_team(request)
        # What the running month used is not booked yet.
        total = {"val": in_cents(-self.credit)}
        return answer({"changes": self.purchases, "total": total})

    def _book(self, amount: Decimal) -> None:
        """Add a purchase to the ledger, the newest first."""
        self.purchases.insert(
            0,
            {
                "teamId": self.account_id,
                "changeOrigin": "PURCHASE",
                "topupStatus": "SUCCEEDED",
                "amount": {"val": in_cents(-amount)},
                "invoiceId": make_id(self.id, "invoice", len(self.purchases)),
                "createTime": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
            },
        )

    def _check_team(self, request: web.Request) -> None:
        if request.match_info["team"] != self.account_id:
            raise Refusal(self.error(request, HTTPStatus.NOT_FOUND))
