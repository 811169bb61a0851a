"""DeepL: characters and minutes of a Pro plan, with 1000000000000 for no limit."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from random import Random
from typing import override

from aiohttp import web

from .simulated_provider import CommandError, SimulatedProvider, command
from .wire import answer

UNLIMITED = Decimal(1_000_000_000_000)
ERRORS = {HTTPStatus.TOO_MANY_REQUESTS: "Too many requests", 456: "Quota Exceeded"}


class DeepL(SimulatedProvider):
    """A DeepL API subscription of a Pro plan."""

    id = "deepl"
    default_credentials = {"api_key": "5141a70e-c0de-4b1d-9a7e-simulatordeepl"}
    scheme = "DeepL-Auth-Key"

    characters = Decimal(2_150_000)
    limit = Decimal(20_000_000)
    key_characters = Decimal(636)
    key_limit = UNLIMITED

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [web.get("/v2/usage", self._get_usage)]

    @override
    def error(self, request: web.Request, status: int) -> web.Response:
        message = ERRORS.get(status)
        if message is None:
            message = HTTPStatus(status).phrase
        return answer({"message": message}, status)

    @override
    def refuse_key(self, request: web.Request) -> web.Response:
        # Without a word.
        return web.Response(status=HTTPStatus.FORBIDDEN)

    @override
    def refuse_permission(self, request: web.Request) -> web.Response | None:
        message = "The API key does not have the required scope."
        return answer({"message": message}, HTTPStatus.FORBIDDEN)

    @command
    @override
    def spend(self, amount: Decimal, wallet: str | None = None) -> None:
        self.characters += amount
        self.key_characters += amount

    @command
    @override
    def top_up(self, amount: Decimal, wallet: str | None = None) -> None:
        raise CommandError("characters cannot be bought; set_limit sets the limit")

    @override
    def spend_a_little(self, random: Random) -> None:
        self.spend(Decimal(random.randint(1, 60)))

    @command
    def set_limit(self, limit: Decimal | None) -> None:
        """Set the limit of the subscription; with None there is no limit."""
        self.limit = UNLIMITED if limit is None else limit

    async def _get_usage(self, request: web.Request) -> web.Response:
        begin = datetime.now(UTC).replace(day=1, hour=9, minute=18, second=42)
        end = (begin + timedelta(days=32)).replace(day=1)
        body = {
            "character_count": self.characters,
            "character_limit": self.limit,
            "api_key_character_count": self.key_characters,
            "api_key_character_limit": self.key_limit,
            "speech_to_text_minutes_count": 30,
            "speech_to_text_minutes_limit": 600,
            "start_time": f"{begin:%Y-%m-%dT%H:%M:%SZ}",
            "end_time": f"{end:%Y-%m-%dT%H:%M:%SZ}",
        }
        return answer(body)
