"""SiliconFlow: gifts spent first, then charged money; a code of its own in a 200."""

from collections.abc import Iterable
from decimal import Decimal
from http import HTTPStatus
from typing import override

from aiohttp import web

from .simulated_provider import SimulatedProvider, command
from .wire import answer

ERRORS: dict[int, object] = {
    HTTPStatus.UNAUTHORIZED: "Api key is invalid",
    HTTPStatus.TOO_MANY_REQUESTS: {
        "message": "Request was rejected due to rate limiting.",
        "data": None,
    },
    HTTPStatus.SERVICE_UNAVAILABLE: {
        "code": 50505,
        "message": "Model service overloaded. Please try again later.",
        "data": None,
    },
}


class SiliconFlow(SimulatedProvider):
    """A SiliconFlow account."""

    id = "siliconflow"
    default_credentials = {"api_key": "sk-simulator-siliconflow"}

    gift = Decimal("0.88")
    charged = Decimal("88.00")

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [web.get("/v1/user/info", self._get_user)]

    @override
    def error(self, request: web.Request, status: int) -> web.Response:
        return answer(ERRORS.get(status, HTTPStatus(status).phrase), status)

    @command
    @override
    def spend(self, amount: Decimal, wallet: str | None = None) -> None:
        from_gift = min(self.gift, amount)
        self.gift -= from_gift
        self.charged -= amount - from_gift

    @command
    @override
    def top_up(self, amount: Decimal, wallet: str | None = None) -> None:
        self.charged += amount

    async def _get_user(self, request: web.Request) -> web.Response:
        data = {
            "id": self.account_id,
            "name": "username",
            "image": "",
            "email": "user_email_address",
            "isAdmin": False,
            "balance": str(self.gift),
            "status": "normal",
            "introduction": "",
            "role": "",
            "chargeBalance": str(self.charged),
            "totalBalance": str(self.gift + self.charged),
            "category": "",
        }
        return answer({"code": 20000, "message": "OK", "status": True, "data": data})
