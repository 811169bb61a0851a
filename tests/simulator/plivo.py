"""Plivo: the credits of an account, a string with five decimals."""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from decimal import Decimal
from http import HTTPStatus
from typing import override

from aiohttp import web

from .simulated_provider import SimulatedProvider, command
from .wire import answer, make_id

REFUSED = (
    "Could not verify your access level for that URL.\n"
    "You have to login with proper credentials"
)


class Plivo(SimulatedProvider):
    """A Plivo account."""

    id = "plivo"
    default_credentials = {
        "auth_id": "MASIMULATORPLIVO0001",
        "auth_token": "SimulatorPlivoToken",
    }
    scheme = "Basic"
    secret_fields = ("auth_token",)

    cash_credits = Decimal("4.88860")
    billing_mode = "prepaid"

    @property
    @override
    def authorization(self) -> Mapping[str, str]:
        pair = f"{self.credentials['auth_id']}:{self.credentials['auth_token']}"
        return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [web.get(self._path, self._get_account)]

    @override
    def error(self, request: web.Request, status: int) -> web.Response:
        if status == HTTPStatus.UNAUTHORIZED:
            return web.Response(text=REFUSED, status=status)
        error = HTTPStatus(status).phrase.lower()
        return answer({"api_id": self._api_id(), "error": error}, status)

    @command
    @override
    def spend(self, amount: Decimal, wallet: str | None = None) -> None:
        self.cash_credits -= amount

    @command
    @override
    def top_up(self, amount: Decimal, wallet: str | None = None) -> None:
        self.cash_credits += amount

    @command
    def set_billing_mode(self, mode: str) -> None:
        """Let the account be prepaid or postpaid."""
        self.billing_mode = mode

    @property
    def _path(self) -> str:
        return f"/v1/Account/{self.credentials['auth_id']}/"

    def _api_id(self) -> str:
        return make_id(self.id, "request", len(self.requests))

    async def _get_account(self, request: web.Request) -> web.Response:
        body = {
            "account_type": "standard",
            "address": "Simulator Street 1",
            "api_id": self._api_id(),
            "auth_id": self.credentials["auth_id"],
            "auto_recharge": False,
            "billing_mode": self.billing_mode,
            "cash_credits": f"{self.cash_credits:.5f}",
            "city": "Simulator City",
            "name": "Simulator Name",
            "resource_uri": self._path,
            "state": "",
            "timezone": "UTC",
        }
        return answer(body)
