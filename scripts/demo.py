"""Show API Balance in a real Home Assistant that asks simulated providers."""  # noqa: INP001

import argparse
import asyncio
from collections.abc import AsyncIterator, Collection, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
import os
from pathlib import Path
from shutil import copytree
import signal
import sys
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

from homeassistant.const import __version__
from tests.end_to_end.accounts import (
    DOMAIN,
    add_account,
    entities_of,
    find_mistakes,
    our_complaints,
    read_holding,
)
from tests.end_to_end.home_assistant import (
    CONFIGURATION,
    ROOT,
    HomeAssistant,
    HomeAssistantError,
    Json,
)
from tests.end_to_end.spending import find_spend_mistakes, give_past, until_statistics
from tests.simulator import (
    SIMULATED_PROVIDERS,
    CommandError,
    SimulatedProvider,
    Simulator,
)

from .demo_dashboard import show_dashboard

PORT = 8123
SIMULATOR_PORT = 8130
FOLDER = ROOT / ".demo"
# What the demo shows unless it is to show every provider.
FEATURED = ("deepgram", "telnyx", "deepseek")
SPENDING_SECONDS = 5
POLL_SECONDS = 60
# Polls that are asked for in between wait so long.
COOL_DOWN_SECONDS = 10.5
# What Home Assistant ends with when a person restarts it from the browser.
RESTART = 100

MORE_CONFIGURATION = """\
history:
logbook:
recorder:
"""


type Row = tuple[str, str, str, str]


class DemoError(Exception):
    """What keeps the demo from being shown."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account to add: simulated, or the provider's own where a key is given."""

    provider: SimulatedProvider

    @property
    def key_name(self) -> str:
        """Return the name of the environment variable for the provider's real key."""
        return f"{self.provider.id.upper()}_API_KEY"

    @property
    def real_key(self) -> str | None:
        """Return the key of the provider's real account, if there is one."""
        has_only_a_key = self.provider.credentials.keys() == {"api_key"}
        return os.environ.get(self.key_name) or None if has_only_a_key else None

    @property
    def credentials(self) -> dict[str, str]:
        """Return what the flow is given."""
        return (
            {"api_key": self.real_key} if self.real_key else self.provider.credentials
        )

    @property
    def base_url(self) -> str | None:
        """Return where the account is asked for, None for the provider's own host."""
        return None if self.real_key else self.provider.url

    def is_that_of(self, entry: Json) -> bool:
        """Tell whether a stored config entry is of this very account."""
        data: dict[str, str] = entry["data"]
        wanted = {"provider": self.provider.id, **self.credentials}
        return data.items() >= wanted.items() and data.get("base_url") == self.base_url


@dataclass(slots=True)
class Demo:
    """A home with the accounts, by the ids of their config entries."""

    home: HomeAssistant
    simulator: Simulator
    accounts: dict[str, Account]

    @property
    def simulated(self) -> dict[str, Account]:
        """Return the accounts that only exist here."""
        return {id_: acc for id_, acc in self.accounts.items() if not acc.real_key}

    async def poll(self) -> None:
        """Ask the simulated providers; the real ones are asked as often as always."""
        await self.home.update_entity(
            *[
                (await entities_of(self.home, entry_id))["update_status"]["entity_id"]
                for entry_id in self.simulated
            ]
        )

    async def find_mistakes(self) -> list[str]:
        """Return every entity that is missing or shows something wrong."""
        return [
            mistake
            for entry_id, account in self.accounts.items()
            for mistake in await find_mistakes(
                self.home,
                entry_id,
                None if account.real_key else await read_holding(account.provider),
            )
        ]


@asynccontextmanager
async def demo(
    folder: Path, port: int, simulator_port: int, providers: Collection[str]
) -> AsyncIterator[Demo]:
    """Start the providers and Home Assistant, with all accounts added."""
    configuration = CONFIGURATION + MORE_CONFIGURATION
    begin = monotonic()
    say(f"starting Home Assistant {__version__} and the simulated providers")
    async with Simulator(port=simulator_port) as simulator:
        home = HomeAssistant(folder, configuration=configuration, port=port)
        async with home:
            accounts = [Account(simulator[provider]) for provider in providers]
            with_past = {acc.provider.id for acc in accounts if give_past(acc.provider)}
            demo = Demo(home, simulator, await add_accounts(home, accounts))
            say("waiting for what the providers tell of the last month")
            for entry_id, account in demo.simulated.items():
                if account.provider.id in with_past.intersection(FEATURED):
                    await until_statistics(home, entry_id)
            await show_dashboard(home, list(demo.accounts))
            say(f"ready after {monotonic() - begin:.0f} s")
            yield demo


@asynccontextmanager
async def fresh_demo(providers: Collection[str]) -> AsyncIterator[Demo]:
    """Start all on free ports, with a folder that is gone afterwards."""
    with TemporaryDirectory(prefix="demo-") as folder:
        async with demo(Path(folder), 0, 0, providers) as shown:
            yield shown


async def add_accounts(
    home: HomeAssistant, accounts: list[Account]
) -> dict[str, Account]:
    """Add the accounts that are not there yet, through the config flow."""
    there = {entry["entry_id"] for entry in await home.entries(DOMAIN)}
    found: dict[str, Account] = {}
    for entry in home.stored("core.config_entries")["data"]["entries"] if there else ():
        if entry["entry_id"] not in there:
            continue
        account = next((acc for acc in accounts if acc.is_that_of(entry)), None)
        if account is not None:
            found[entry["entry_id"]] = account
        else:
            await home.remove_entry(entry["entry_id"])
    for account in accounts:
        if account not in found.values():
            provider = account.provider.id
            result = await add_account(
                home, provider, account.credentials, account.base_url
            )
            if result["type"] != "create_entry":
                problem = result.get("reason") or result["errors"]["base"]
                whose = account.key_name if account.real_key else "the simulated key"
                raise DemoError(f"{provider} with {whose}: {problem}")
            found[result["result"]["entry_id"]] = account
    for entry_id in found:
        await home.until_entry(entry_id, "loaded")
    return found


async def check(providers: Collection[str]) -> None:
    """Check every entity of a fresh Home Assistant, before and after spending.

    And after a restart, which keeps everything. The past of a month is there as well.
    """
    spent = Decimal("1.25")
    async with fresh_demo(providers) as shown:
        # Every page of the frontend begins with this.
        await shown.home.call("get_services")
        mistakes = await shown.find_mistakes()
        for account in shown.simulated.values():
            with suppress(CommandError):
                account.provider.spend(spent)
        await shown.poll()
        mistakes += await shown.find_mistakes()
        await shown.home.restart()
        for entry_id in shown.accounts:
            await shown.home.until_entry(entry_id, "loaded")
        mistakes += await shown.find_mistakes()
        for entry_id, account in shown.simulated.items():
            if account.provider.id in FEATURED:
                mistakes += await find_spend_mistakes(
                    shown.home, entry_id, account.provider, spent
                )
        print_table(await rows(shown))
        await shown.home.stop()
        complaints = our_complaints(shown.home)
    for problem in (*mistakes, *complaints):
        print(f"wrong: {problem}", flush=True)
    if mistakes or complaints:
        raise DemoError(f"{len(mistakes)} states and {len(complaints)} log records")
    say("every entity is right, and the log is clean")


async def stay(providers: Collection[str]) -> None:
    """Show a home that spends a little, until it is enough."""
    async with demo(FOLDER, PORT, SIMULATOR_PORT, providers) as shown:
        home = shown.home
        shown.simulator.start_spending(every=SPENDING_SECONDS)
        print_table(await rows(shown))
        print(
            f"\nHome Assistant   {home.url}   user {home.username},"
            f" password {home.password}\n"
            f"Simulator        {shown.simulator.url}   try: curl -X POST"
            f" {shown.simulator.url}/providers/telnyx/revoke_key\n"
            f"Kept in          {home.folder}\n"
            "\nCtrl-C ends it.",
            flush=True,
        )
        while True:
            try:
                code = await asyncio.wait_for(home.ended(), POLL_SECONDS)
            except TimeoutError:
                # Home Assistant may be about to end; then the next round tells.
                with suppress(HomeAssistantError):
                    await shown.poll()
                continue
            if code != RESTART:
                raise DemoError(f"Home Assistant ended; see {home.console}")
            say("Home Assistant starts again")
            await home.restart()


async def take_screenshots(folder: Path, providers: Collection[str]) -> None:
    """Take the pictures of a fresh Home Assistant."""
    folder.mkdir(parents=True, exist_ok=True)
    async with fresh_demo(providers) as shown:
        home, telnyx = shown.home, shown.simulator["telnyx"]
        copytree(ROOT / "blueprints", home.folder / "blueprints", dirs_exist_ok=True)
        novita, openai = shown.simulator["novita"], shown.simulator["openai"]
        say("spending for a while, so that the graphs have something to show")
        shown.simulator.start_spending(every=1)
        for _ in range(4):
            await asyncio.sleep(COOL_DOWN_SECONDS)
            await shown.poll()
        entry_id = next(
            id_ for id_, acc in shown.accounts.items() if acc.provider is telnyx
        )
        device_id = (await entities_of(home, entry_id))["update_status"]["device_id"]
        process = await asyncio.create_subprocess_exec(
            str(ROOT / ".venv-screenshots" / "bin" / "python"),
            str(Path(__file__).with_name("demo_screenshots.py")),
            *(home.url, home.username, home.password),
            *(telnyx.url, device_id),
            *(novita.url, novita.credentials["api_key"]),
            *(openai.url, openai.credentials["api_key"], str(folder)),
        )
        try:
            if await process.wait():
                raise DemoError("not all pictures could be taken")
        finally:
            if process.returncode is None:
                process.terminate()


async def rows(shown: Demo) -> list[Row]:
    """Return every entity of ours: its id, its name, its state and its unit."""
    found: list[Row] = []
    for entry_id in shown.accounts:
        for entity in (await entities_of(shown.home, entry_id)).values():
            state = shown.home.states.get(entity["entity_id"])
            attributes = state["attributes"] if state else {}
            found.append(
                (
                    entity["entity_id"],
                    attributes.get("friendly_name") or entity["original_name"],
                    state["state"] if state else "(disabled by default)",
                    attributes.get("unit_of_measurement", ""),
                )
            )
    return found


def print_table(lines: list[Row]) -> None:
    """Print lines in columns."""
    header = ("entity", "name", "state", "unit")
    widths = [max(map(len, column)) for column in zip(header, *lines, strict=True)]
    for line in (header, tuple("-" * width for width in widths), *lines):
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print("  ".join(cells).rstrip(), flush=True)


def say(text: str) -> None:
    """Say what is going on, beside the output proper."""
    print(f"==> {text}", file=sys.stderr, flush=True)


async def run(work: Coroutine[Any, Any, None]) -> None:
    """Do the work, and end what it started when told to."""
    task = asyncio.create_task(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    await task


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="check every entity and end")
    what.add_argument(
        "--screenshots", type=Path, metavar="DIR", help="take pictures and end"
    )
    parser.add_argument(
        "--all", action="store_true", help="show every provider, not only a few"
    )
    arguments = parser.parse_args()
    providers = (
        [provider.id for provider in SIMULATED_PROVIDERS] if arguments.all else FEATURED
    )
    if arguments.check:
        work = check(providers)
    elif arguments.screenshots:
        work = take_screenshots(arguments.screenshots, providers)
    else:
        work = stay(providers)
    try:
        asyncio.run(run(work))
    except asyncio.CancelledError:
        say("ended")
        return 130 if arguments.check or arguments.screenshots else 0
    except (DemoError, HomeAssistantError, OSError) as err:
        print(f"error: {err}", file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
