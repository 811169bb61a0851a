"""Twilio: an account with a status, a balance, and usage; sub-accounts have no balance."""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Literal, override

from aiohttp import web

from .vendor import Vendor, command
from .wire import answer

type Status = Literal["active", "suspended", "closed"]

ERRORS = {
    HTTPStatus.UNAUTHORIZED: (20003, "Authenticate"),
    HTTPStatus.FORBIDDEN: (20003, "Permission Denied"),
    HTTPStatus.NOT_FOUND: (20404, "The requested resource was not found"),
    HTTPStatus.TOO_MANY_REQUESTS: (20429, "Too Many Requests"),
}
FAILURE = (20500, "Internal Server Error")


class Twilio(Vendor):
    """A Twilio account."""

    id = "twilio"
    default_credentials = {
        "account_sid": "AC00000000000000000000000000000001",
        "auth_token": "simulator-twilio",
    }
    secret_fields = ("auth_token",)
    scheme = "Basic"

    balance = Decimal("43.0752")
    used = Decimal("12.3405")
    status: Status = "active"
    owner: str | None = None

    @property
    @override
    def authorization(self) -> Mapping[str, str]:
        pair = f"{self.credentials['account_sid']}:{self.credentials['auth_token']}"
        return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        path = f"/2010-04-01/Accounts/{self.credentials['account_sid']}"
        return [
            web.get(f"{path}.json", self._get_account),
            web.get(f"{path}/Balance.json", self._get_balance),
            web.get(f"{path}/Usage/Records/ThisMonth.json", self._list_usage),
        ]

    @override
    def error(self, request: web.Request, status: int) -> web.Response:
        code, message = ERRORS.get(HTTPStatus(status), FAILURE)
        more_info = f"https://www.twilio.com/docs/errors/{code}"
        body = {"code": code, "message": message, "more_info": more_info}
        return answer({**body, "status": status}, status)

    @command
    @override
    def spend(self, amount: Decimal, wallet: str | None = None) -> None:
        self.balance -= amount
        self.used += amount

    @command
    @override
    def top_up(self, amount: Decimal, wallet: str | None = None) -> None:
        self.balance += amount

    @command
    def set_status(self, status: Status) -> None:
        """Suspend the account, close it, or make it active again."""
        self.status = status

    @command
    def set_owner(self, owner: str | None) -> None:
        """Make the account a sub-account of another, or none."""
        self.owner = owner

    async def _get_account(self, request: web.Request) -> web.Response:
        sid = self.credentials["account_sid"]
        return answer(
            {
                "sid": sid,
                "owner_account_sid": self.owner or sid,
                "friendly_name": "Home",
                "auth_token": self.credentials["auth_token"],
                "status": self.status,
                "type": "Full",
            }
        )

    async def _get_balance(self, request: web.Request) -> web.Response:
        if self.owner:
            return self.error(request, HTTPStatus.NOT_FOUND)
        return answer(
            {
                "account_sid": self.credentials["account_sid"],
                "balance": str(self.balance),
                "currency": "USD",
            }
        )

    async def _list_usage(self, request: web.Request) -> web.Response:
        today = datetime.now(UTC).date()
        record = {
            "category": request.query.get("Category"),
            "start_date": str(today.replace(day=1)),
            "end_date": str(today),
            "price": str(self.used),
            "price_unit": "usd",
        }
        return answer({"usage_records": [record], "page": 0, "page_size": 50})
