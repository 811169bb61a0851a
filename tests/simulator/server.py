"""The one program: a port for every provider and one to control them all."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from random import Random
from typing import Self, overload

from aiohttp import web
from yarl import URL

from custom_components.api_balance.providers.catalog import load_all

from .anthropic import Anthropic
from .control import make_control
from .deepgram import Deepgram
from .deepseek import DeepSeek
from .digital_ocean import DigitalOcean
from .elevenlabs import ElevenLabs
from .openai import OpenAI
from .openrouter import OpenRouter
from .pushover import Pushover
from .recorded import simulate
from .simulated_provider import CommandError, SimulatedProvider
from .telnyx import Telnyx
from .twilio import Twilio
from .vonage import Vonage
from .xai import XAI

# Those that do more than play their recordings.
OWN_PROVIDERS: tuple[type[SimulatedProvider], ...] = (
    Deepgram,
    Telnyx,
    DeepSeek,
    Pushover,
    OpenRouter,
    ElevenLabs,
    Twilio,
    OpenAI,
    Anthropic,
    Vonage,
    DigitalOcean,
    XAI,
)

SIMULATED_PROVIDERS: tuple[type[SimulatedProvider], ...] = (
    *OWN_PROVIDERS,
    *(
        simulate(provider.id)
        for provider in load_all()
        if not provider.is_previewed
        and provider.id not in {own.id for own in OWN_PROVIDERS}
    ),
)


class Simulator:
    """All providers on one machine, each at an address of its own.

    With port 0 every address gets a free port; else the control gets the port and
    the providers those that follow, in the order of the registry.
    """

    def __init__(
        self,
        port: int = 0,
        host: str = "127.0.0.1",
        credentials: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        """Prepare the providers; credentials may be chosen by provider id."""
        chosen = credentials or {}
        self.url = ""
        self.providers = tuple(
            provider(chosen.get(provider.id)) for provider in SIMULATED_PROVIDERS
        )
        self._by_id = {provider.id: provider for provider in self.providers}
        if unknown := chosen.keys() - self._by_id.keys():
            raise KeyError(*unknown)
        self._host = host
        self._port = port
        self._stack = AsyncExitStack()
        self._spending: asyncio.Task[None] | None = None

    @overload
    def __getitem__(self, key: str) -> SimulatedProvider: ...
    @overload
    def __getitem__[V: SimulatedProvider](self, key: type[V]) -> V: ...
    def __getitem__(self, key: str | type[SimulatedProvider]) -> SimulatedProvider:
        """Find a provider by its id, or by its class where its own commands count."""
        return self._by_id[key if isinstance(key, str) else key.id]

    async def __aenter__(self) -> Self:
        """Start to listen."""
        async with AsyncExitStack() as stack:
            self.url = await self._listen(stack, make_control(self.providers), 0)
            for number, provider in enumerate(self.providers, start=1):
                provider.url = await self._listen(stack, provider.make_app(), number)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Stop to listen and to spend."""
        await self.stop_spending()
        await self._stack.aclose()

    def start_spending(self, every: float = 5, seed: int = 0) -> None:
        """Let every provider spend a little, so many seconds apart."""
        if self._spending is not None:
            raise RuntimeError("already spending")
        self._spending = asyncio.create_task(self._spend(every, Random(seed)))

    async def stop_spending(self) -> None:
        """End what start_spending began."""
        if self._spending is not None:
            self._spending.cancel()
            with suppress(asyncio.CancelledError):
                await self._spending
            self._spending = None

    async def _spend(self, every: float, random: Random) -> None:
        while True:
            for provider in self.providers:
                # A wallet that a command took away comes back with a command, too.
                with suppress(CommandError):
                    provider.spend_a_little(random)
            await asyncio.sleep(every)

    async def _listen(
        self, stack: AsyncExitStack, app: web.Application, number: int
    ) -> str:
        # A request ends with its client, also one that hangs.
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        port = self._port and self._port + number
        await web.TCPSite(runner, self._host, port).start()
        port = runner.addresses[0][1]
        return str(URL.build(scheme="http", host=self._host, port=port))
