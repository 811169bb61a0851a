"""Twilio: an account with a status, a balance, and usage; sub-accounts have no balance."""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Literal, override

from aiohttp import web

from .costs import Biller, Use, today
from .simulated_provider import command
from .wire import answer

type Status = Literal["active", "suspended", "closed"]

ERRORS = {
    HTTPStatus.UNAUTHORIZED: (20003, "Authenticate"),
    HTTPStatus.FORBIDDEN: (20003, "Permission Denied"),
    HTTPStatus.NOT_FOUND: (20404, "The requested resource was not found"),
    HTTPStatus.TOO_MANY_REQUESTS: (20429, "Too Many Requests"),
}
FAILURE = (20500, "Internal Server Error")
TOTAL = "totalprice"
# What each category is a part of; the total has no part in this.
PARENTS = {
    "sms-outbound-longcode": ("sms-outbound", "sms"),
    "sms-inbound-longcode": ("sms-inbound", "sms"),
    "calls-outbound": ("calls",),
    "phonenumbers-local": ("phonenumbers",),
}
CATEGORIES = sorted(
    {"mms", "recordings", "tts-google", TOTAL, *PARENTS, *sum(PARENTS.values(), ())}
)


class Twilio(Biller):
    """A Twilio account."""

    id = "twilio"
    default_credentials = {
        "account_sid": "AC00000000000000000000000000000001",
        "auth_token": "simulator-twilio",
    }
    secret_fields = ("auth_token",)
    scheme = "Basic"

    uses = (
        Use(50, "sms-outbound-longcode"),
        Use(10, "sms-inbound-longcode"),
        Use(25, "calls-outbound"),
        Use(10, "phonenumbers-local"),
        Use(5, "tts-google"),
    )
    balance = Decimal("43.0752")
    # Used in this month on days that are not told.
    used_before = Decimal("12.3405")
    status: Status = "active"
    owner: str | None = None

    @property
    @override
    def authorization(self) -> Mapping[str, str]:
        names = ("account_sid", "auth_token")
        if "api_key_sid" in self.credentials:
            names = ("api_key_sid", "api_secret")
        pair = ":".join(self.credentials[name] for name in names)
        return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        path = f"/2010-04-01/Accounts/{self.credentials['account_sid']}"
        return [
            web.get(f"{path}.json", self._get_account),
            web.get(f"{path}/Balance.json", self._get_balance),
            web.get(f"{path}/Usage/Records.json", self._list_usage),
            web.get(f"{path}/Usage/Records/Daily.json", self._list_usage),
            web.get(f"{path}/Usage/Records/ThisMonth.json", self._get_month),
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
        super().spend(amount)
        self.balance -= amount

    @command
    @override
    def top_up(self, amount: Decimal, wallet: str | None = None) -> None:
        self.balance += amount

    @command
    @override
    def give_past(
        self, days: int = 30, per_day: Decimal = Decimal("2.40"), seed: int = 0
    ) -> None:
        super().give_past(days, per_day, seed)
        self.used_before = Decimal(0)

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

    async def _get_month(self, request: web.Request) -> web.Response:
        first = today().replace(day=1)
        price = self.used_before + self.total(first)
        record = self._record(
            request.query.get("Category", TOTAL), first, today(), price
        )
        return answer({"usage_records": [record], "page": 0, "page_size": 50})

    async def _list_usage(self, request: web.Request) -> web.Response:
        query = request.query
        try:
            first = date.fromisoformat(query["StartDate"])
            last = min(date.fromisoformat(query["EndDate"]), today())
            size, page = int(query.get("PageSize", "50")), int(query.get("Page", "0"))
        except KeyError, ValueError:
            return self.error(request, HTTPStatus.BAD_REQUEST)
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        spans = [(day, day) for day in reversed(days)]
        if not request.path.endswith("/Daily.json"):
            spans = [(first, last)]
        wanted = [query["Category"]] if "Category" in query else CATEGORIES
        prices = {day: self._prices(day) for day in days}
        records = [
            self._record(
                category,
                start,
                end,
                sum(
                    (
                        prices[day].get(category, Decimal(0))
                        for day in days
                        if start <= day <= end
                    ),
                    Decimal(0),
                ),
            )
            for category in wanted
            for start, end in spans
        ]
        following = None
        if len(records) > (page + 1) * size:
            token = {"Page": str(page + 1), "PageToken": "PA1"}
            following = str(request.rel_url.update_query(token))
        return answer(
            {
                "usage_records": records[page * size : (page + 1) * size],
                "page": page,
                "page_size": size,
                "next_page_uri": following,
            }
        )

    def _prices(self, day: date) -> Mapping[str, Decimal]:
        """Tell what each category cost on a day, with all that it contains."""
        prices: dict[str, Decimal] = {}
        for cost in self.costs_of(day):
            item = cost.use.line_item
            for name in (item, *PARENTS.get(item, ()), TOTAL):
                prices[name] = prices.get(name, Decimal(0)) + cost.amount
        return prices

    def _record(
        self, category: str, start: date, end: date, price: Decimal
    ) -> Mapping[str, str]:
        return {
            "account_sid": self.credentials["account_sid"],
            "category": category,
            "start_date": str(start),
            "end_date": str(end),
            "price": str(price),
            "price_unit": "usd",
        }
