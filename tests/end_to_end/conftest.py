"""A real Home Assistant with three accounts of the simulator, for the whole module."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
import pytest_socket

from tests.simulator import SimulatedProvider, Simulator

from .accounts import choose_provider, give_credentials, our_complaints
from .home_assistant import CONFIGURATION, HomeAssistant, Json
from .spending import give_past

PROVIDERS = ("deepgram", "telnyx", "deepseek")

# Found nowhere but where they belong. DeepSeek's errors echo the last four characters.
MARK = "KEY-MARKED"
TAIL = "~zq~"

EVERYTHING = (
    CONFIGURATION
    + """\
recorder:
system_health:
"""
).replace("default: warning", "default: debug")


def marked_key(provider: str, kind: str = "good") -> str:
    """Return a key for a provider that is easily found."""
    return f"{MARK}-{provider}-{kind}-{TAIL}"


@dataclass(slots=True)
class Bench:
    """A home, the providers it asks, and how its accounts came to be."""

    home: HomeAssistant
    simulator: Simulator
    refused: dict[str, Json] = field(default_factory=dict)
    created: dict[str, Json] = field(default_factory=dict)

    @property
    def providers(self) -> list[SimulatedProvider]:
        """Return the providers whose accounts were added."""
        return [self.simulator[provider] for provider in PROVIDERS]

    def entry_id(self, provider: str) -> str:
        """Return the id of the config entry of a provider's account."""
        entry_id: str = self.created[provider]["result"]["entry_id"]
        return entry_id

    async def add(self, provider: SimulatedProvider) -> None:
        """Add an account, with a bad key first."""
        step = await choose_provider(self.home, provider.id)
        bad = {"api_key": marked_key(provider.id, "bad")}
        step = await give_credentials(self.home, step, bad, provider.url)
        self.refused[provider.id] = step
        self.created[provider.id] = await give_credentials(
            self.home, step, provider.credentials, provider.url
        )


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations() -> None:
    """Leave out what the other tests prepare: nothing runs in this process."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    """Start Home Assistant and add an account of each provider."""
    # The fixture socket_enabled serves single tests, and only after this one.
    pytest_socket.enable_socket()
    folder = tmp_path_factory.mktemp("home")
    credentials = {
        provider: {"api_key": marked_key(provider)} for provider in PROVIDERS
    }
    async with (
        Simulator(credentials=credentials) as simulator,
        HomeAssistant(folder, configuration=EVERYTHING) as home,
    ):
        bench = Bench(home, simulator)
        give_past(simulator["deepgram"])
        for provider in bench.providers:
            await bench.add(provider)
        yield bench


@pytest.fixture(autouse=True)
def expected_complaints(bench: Bench) -> Iterator[list[str]]:
    """Hold that the log has no warning or error of ours but those a test expects."""
    start = len(bench.home.log)
    expected: list[str] = []
    yield expected
    assert [
        complaint
        for complaint in our_complaints(bench.home, start)
        if not any(text in complaint for text in expected)
    ] == []
