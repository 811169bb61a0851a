"""ElevenLabs: credits of a plan, and beyond it on the invoice."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from http import HTTPStatus
from random import Random
from typing import Literal, override

from aiohttp import web

from .simulated_provider import CommandError, SimulatedProvider, command
from .wire import answer, cents

BAD_KEY = {"status": "invalid_api_key", "message": "Invalid API key"}
NO_PERMISSION = {
    "status": "missing_permissions",
    "message": (
        "The API key you used is missing the permission user_read to execute this"
        " operation."
    ),
}


class ElevenLabs(SimulatedProvider):
    """An ElevenLabs subscription."""

    id = "elevenlabs"
    default_credentials = {"api_key": "sk_simulator_elevenlabs"}

    used = Decimal(17231)
    limit = Decimal(100000)
    extension: Decimal | Literal["unlimited"] = "unlimited"
    price = Decimal("0.0003")
    status = "active"
    resets_at = 1796083200

    @property
    @override
    def authorization(self) -> Mapping[str, str]:
        return {"xi-api-key": self.credentials["api_key"]}

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [web.get("/v1/user/subscription", self._get_subscription)]

    @override
    def error(self, request: web.Request, status: int) -> web.Response:
        if status == HTTPStatus.UNAUTHORIZED:
            return answer({"detail": BAD_KEY}, status)
        return answer({"detail": HTTPStatus(status).phrase}, status)

    @override
    def refuse_permission(self, request: web.Request) -> web.Response | None:
        return answer({"detail": NO_PERMISSION}, HTTPStatus.UNAUTHORIZED)

    @override
    def spend_a_little(self, random: Random) -> None:
        self.spend(Decimal(random.randint(1, 200)))

    @command
    @override
    def spend(self, amount: Decimal, wallet: str | None = None) -> None:
        self.used += amount.to_integral_value()

    @command
    @override
    def top_up(self, amount: Decimal, wallet: str | None = None) -> None:
        raise CommandError("credits come with the plan")

    @command
    def set_extension(self, credits: Decimal | Literal["unlimited"]) -> None:
        """Set how many credits beyond the plan are allowed."""
        self.extension = credits

    @command
    def set_status(self, status: str) -> None:
        """Set the status of the subscription."""
        self.status = status

    async def _get_subscription(self, request: web.Request) -> web.Response:
        overage = max(self.used - self.limit, Decimal(0)) * self.price
        return answer(
            {
                "tier": "creator",
                "character_count": self.used,
                "character_limit": self.limit,
                "max_credit_limit_extension": self.extension,
                "can_extend_character_limit": self.extension != 0,
                "next_character_count_reset_unix": self.resets_at,
                "voice_slots_used": 1,
                "voice_limit": 30,
                "currency": "usd",
                "current_overage": {"amount": cents(overage), "currency": "usd"},
                "status": self.status,
                "has_open_invoices": False,
                "open_invoices": [],
            }
        )
