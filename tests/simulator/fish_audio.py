"""Fish Audio: the API credit of a person, and the credits of a plan."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import override

from aiohttp import web

from .simulated_provider import CommandError, SimulatedProvider, command
from .wire import answer, make_id


class FishAudio(SimulatedProvider):
    """A person at Fish Audio."""

    id = "fish_audio"
    default_credentials = {"api_key": "simulatorfishaudio"}

    credit = Decimal("10.50")
    package_total = Decimal(200_000)
    package_balance = Decimal(100_712)

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [
            web.get("/wallet/self/api-credit", self._get_credit),
            web.get("/wallet/self/package", self._get_package),
        ]

    @override
    def error(self, request: web.Request, status: int) -> web.Response:
        return answer(
            {"status": status, "message": HTTPStatus(status).description}, status
        )

    @command
    @override
    def spend(self, amount: Decimal, wallet: str | None = None) -> None:
        if wallet == "package":
            self.package_balance -= amount
        else:
            self.credit -= amount

    @command
    @override
    def top_up(self, amount: Decimal, wallet: str | None = None) -> None:
        if wallet == "package":
            raise CommandError("a plan brings its credits; they cannot be paid in")
        self.credit += amount

    async def _get_credit(self, request: web.Request) -> web.Response:
        return answer(
            {
                "_id": make_id(self.account_id, "credit"),
                "user_id": self.account_id,
                "credit": str(self.credit),
                "created_at": "2026-01-07T05:31:56Z",
                "updated_at": "2026-01-07T05:31:56Z",
                "has_phone_sha256": True,
            }
        )

    async def _get_package(self, request: web.Request) -> web.Response:
        begin = datetime.now(UTC).replace(day=1, hour=5, minute=31, second=56)
        end = f"{(begin + timedelta(days=32)).replace(day=1):%Y-%m-%dT%H:%M:%SZ}"
        return answer(
            {
                "user_id": self.account_id,
                "type": "plus",
                "total": self.package_total,
                "balance": self.package_balance,
                "created_at": "2026-01-07T05:31:56Z",
                "updated_at": "2026-01-07T05:31:56Z",
                "finished_at": end,
                "current_period_end": end,
                "extra_balance": 0,
            }
        )
