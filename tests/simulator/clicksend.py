"""ClickSend: a balance in an envelope, among personal data."""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from decimal import Decimal
from http import HTTPStatus
from typing import override
from uuid import UUID

from aiohttp import web

from .simulated_provider import SimulatedProvider, command
from .wire import answer

ERRORS = {
    HTTPStatus.UNAUTHORIZED: ("UNAUTHORIZED", "Authorization failed."),
    HTTPStatus.FORBIDDEN: ("FORBIDDEN", "Access is not allowed."),
    HTTPStatus.TOO_MANY_REQUESTS: ("TOO_MANY_REQUESTS", "Rate Limit Exceeded."),
    HTTPStatus.INTERNAL_SERVER_ERROR: ("INTERNAL_SERVER_ERROR", "Something is broken"),
}


class ClickSend(SimulatedProvider):
    """A ClickSend account."""

    id = "clicksend"
    default_credentials = {
        "username": "simulator-clicksend",
        "api_key": "51314D1A-7083-4E30-9E4C-SIMULATOR001",
    }
    scheme = "Basic"

    balance = Decimal("4.998000")
    currency = "USD"
    is_banned = False
    has_auto_recharge = False

    @property
    @override
    def authorization(self) -> Mapping[str, str]:
        pair = f"{self.credentials['username']}:{self.credentials['api_key']}"
        return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [web.get("/v3/account", self._get_account)]

    @override
    def error(self, request: web.Request, status: int) -> web.Response:
        phrase = HTTPStatus(status).phrase
        code, message = ERRORS.get(
            HTTPStatus(status), (phrase.upper().replace(" ", "_"), phrase)
        )
        return self._envelope(status, code, message, None)

    @command
    @override
    def spend(self, amount: Decimal, wallet: str | None = None) -> None:
        self.balance -= amount

    @command
    @override
    def top_up(self, amount: Decimal, wallet: str | None = None) -> None:
        self.balance += amount

    @command
    def set_banned(self, banned: bool) -> None:
        """Say whether the account is banned."""
        self.is_banned = banned

    def _envelope(
        self, status: int, code: str, message: str, data: object
    ) -> web.Response:
        body = {
            "http_code": int(status),
            "response_code": code,
            "response_msg": message,
            "data": data,
        }
        return answer(body, status)

    async def _get_account(self, request: web.Request) -> web.Response:
        data = {
            "user_id": UUID(self.account_id).int % 1_000_000 + 1,
            "username": self.credentials["username"],
            "user_email": "simulator@example.com",
            "active": 1,
            "banned": int(self.is_banned),
            "balance": f"{self.balance:.6f}",
            "auto_recharge": int(self.has_auto_recharge),
            "country": "US",
            "_currency": {
                "currency_name_short": self.currency,
                "currency_prefix_d": "$",
            },
        }
        return self._envelope(HTTPStatus.OK, "SUCCESS", "Here's your account.", data)
