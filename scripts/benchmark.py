"""Measure API Balance beside Home Assistant's own rest integration.

Two Home Assistants run side by side. One has N accounts of API Balance, the other N
resources of rest with four sensors each. All read the same JSON from a simulated provider
on loopback, and both are polled in turn with homeassistant.update_entity.

How to read the table: every figure is for one account and one poll, the median of all
rounds, without what the same process uses when idle. The ratio is ours divided by rest's,
so below 1 is better than rest. The targets are those of the project; missing one does not
fail the run. Memory is that of the process with N accounts, minus that of a Home
Assistant without any, divided by N: the code of the integration is part of it, which
counts more when N is small. A hold is the longest that one callback kept the event loop,
in CPU time of its thread, while the accounts changed and were polled one by one.
"""  # noqa: INP001

import argparse
import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
import json
import os
from pathlib import Path
from random import Random
import sqlite3
from statistics import median
import sys
from tempfile import TemporaryDirectory
from time import clock_gettime, monotonic
from typing import Any, override

from aiohttp import web
from aiohttp.test_utils import TestServer

from homeassistant.const import __version__
from tests.end_to_end.accounts import DOMAIN, add_account
from tests.end_to_end.home_assistant import (
    CONFIGURATION,
    ROOT,
    HomeAssistant,
    HomeAssistantError,
)
from tests.simulator.telnyx import Telnyx

from .demo import run, say

DAYS = 60
NOTHING, CENT = Decimal(), Decimal("0.01")
POLL_LIMIT = 30.0
# What the recorder adds to when a state is written, or statistics are.
COUNT_ROWS = " + ".join(
    f"(SELECT COUNT(*) FROM {table})"  # noqa: S608
    for table in ("states", "state_attributes", "statistics")
)

MORE_CONFIGURATION = """\
recorder:
  commit_interval: 1
probe:
"""
# A resource with what ours shows of the same answer.
RESOURCE = """\
  - resource: {url}/v2/balance
    headers:
      Authorization: Bearer KEY{number}
    scan_interval: 86400
    sensor:
"""
VALUE = """\
      - name: Account {number} {name}
        unique_id: {number}_usd_{name}
        value_template: "{{{{ value_json.data.{name} }}}}"
        device_class: monetary
        state_class: total
        unit_of_measurement: USD
"""
VALUES = ("balance", "available_credit", "credit_limit", "pending")

MANIFEST = '{"domain": "probe", "name": "Probe", "version": "1.0.0"}'
# Runs inside Home Assistant: counts the states and times each callback of the loop.
PROBE = """
import asyncio
from importlib.util import find_spec
import sys
from time import thread_time
from types import ModuleType

from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import SupportsResponse, callback
from homeassistant.helpers import update_coordinator

# Both sides are polled more often than a person may.
update_coordinator.REQUEST_REFRESH_DEFAULT_COOLDOWN = 0.2

# rest imports them for XML and for JSON attributes, and neither is used here.
for name in ("jsonpath", "xmltodict"):
    if find_spec(name) is None:
        module = sys.modules[name] = ModuleType(name)
        module.ExprSyntaxError = module.JSONPathTypeError = ValueError
        module.search = None

found = {"written": 0, "longest": 0.0}
run = asyncio.Handle._run


def run_timed(handle):
    begin = thread_time()
    run(handle)
    found["longest"] = max(found["longest"], thread_time() - begin)


async def async_setup(hass, config):
    @callback
    def count(event):
        found["written"] += 1

    async def read(call):
        asyncio.Handle._run = run_timed if call.data["is_timing"] else run
        answer = dict(found)
        found["longest"] = 0.0
        return answer

    hass.bus.async_listen(EVENT_STATE_CHANGED, count)
    hass.services.async_register(
        "probe", "read", read, supports_response=SupportsResponse.ONLY
    )
    return True
"""


class AnyKeyTelnyx(Telnyx):
    """A Telnyx that has one account for all keys."""

    @override
    def accepts(self, request: web.Request) -> bool:
        return True


type Figures = dict[str, float]
"""CPU in ms, states, rows and files."""


@dataclass(slots=True)
class Side:
    """A Home Assistant, the provider it asks, and an entity of each account to poll."""

    platform: str
    home: HomeAssistant
    provider: AnyKeyTelnyx
    accounts: int
    entity_ids: list[str] = field(default_factory=list)
    _files: set[tuple[str, int]] = field(default_factory=set)

    @property
    def memory(self) -> float:
        """Return the resident memory of the process in MB."""
        pages = int(Path(f"/proc/{self.home.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    async def find_entities(self) -> None:
        """Find the balance of each account, once all have been read."""

        async def check() -> bool:
            self.entity_ids = [
                entity["entity_id"]
                for entity in await self.home.entities(self.platform)
                if entity["unique_id"].endswith("_usd_balance")
                and entity["entity_id"] in self.home.states
            ]
            return len(self.entity_ids) == self.accounts

        await self.home.until(check, f"the accounts of {self.platform}", limit=120)

    async def poll(self, *entity_ids: str, spent: Decimal) -> None:
        """Poll accounts once, after money was spent."""
        self.provider.spend(spent)
        self.provider.requests.clear()
        await self.home.update_entity(*entity_ids)
        deadline = monotonic() + POLL_LIMIT
        while len(self.provider.requests) < len(entity_ids) and monotonic() < deadline:
            await asyncio.sleep(0.05)
        if (asked := len(self.provider.requests)) != len(entity_ids):
            raise HomeAssistantError(
                f"{self.platform} sent {asked} requests for {len(entity_ids)} accounts"
            )

    async def probe(self, *, is_timing: bool = False) -> Figures:
        """Return what the probe found; it times callbacks from now on or not."""
        return await self.home.ask("probe.read", {"is_timing": is_timing})

    async def read(self) -> Figures:
        """Return what the process has used since its start."""
        found = await self.probe()
        path = self.home.folder / "home-assistant_v2.db"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            rows = database.execute(f"SELECT {COUNT_ROWS}").fetchone()[0]
        # A file that was written again has another time.
        self._files |= {
            (path.name, path.stat().st_mtime_ns)
            for path in (self.home.folder / ".storage").iterdir()
        }
        assert self.home.pid is not None
        return {
            # The kernel's name for the CPU clock of a process, as clock_getcpuclockid(3)
            # makes it: /proc counts in hundredths of a second only.
            "cpu": clock_gettime(~self.home.pid << 3 | 2) * 1000,
            "states": found["written"],
            "rows": rows,
            "files": len(self._files),
        }

    async def longest_hold(self) -> float:
        """Return the longest hold, in ms, while accounts change and are polled singly."""
        await self.probe(is_timing=True)
        for entity_id in self.entity_ids:
            await self.poll(entity_id, spent=CENT)
        return (await self.probe())["longest"] * 1000


def cost_of(readings: Sequence[Figures], accounts: int) -> Figures:
    """Return the median of what lies between readings, for one account."""
    return {
        name: median(after[name] - before[name] for before, after in pairwise(readings))
        / accounts
        for name in readings[0]
    }


def line(
    what: str,
    ours: float,
    rest: float,
    most: float | None = None,
    most_ratio: float | None = None,
) -> str:
    """Return a line of the table, with the target for ours or for the ratio."""
    ratio = ours / rest if rest > 0 else None
    shown = "-" if ratio is None else f"{ratio:.2f}"
    target = ""
    if most is not None:
        target = f"<= {most:<12g}{_verdict(ours, most)}"
    elif most_ratio is not None:
        target = f"ratio <= {most_ratio:<6g}{_verdict(ratio, most_ratio)}"
    return f"{what:<44}{ours:>9.3f}{rest:>9.3f}{shown:>9}   {target}".rstrip()


def _verdict(value: float | None, most: float) -> str:
    return "" if value is None else "met" if value <= most else "missed"


def add_past(data: Any, hours: Sequence[str]) -> int:
    """Put hours before each hourly spend in a stored record, and return how many have it.

    An hourly spend is found by its form: amounts in one text, and the hour of the first.
    """
    if isinstance(data, list):
        return sum(add_past(item, hours) for item in data)
    if not isinstance(data, dict):
        return 0
    match data:
        case {"hours": [int(first), str(spends)]}:
            data["hours"] = [first - len(hours), " ".join([*hours, spends])]
        case {"first": int(first), "hours": str(spends)}:
            data |= {"first": first - len(hours), "hours": " ".join([*hours, spends])}
        case _:
            return sum(add_past(item, hours) for item in data.values())
    if since := data.get("since"):
        data["since"] = str(datetime.fromisoformat(since) - timedelta(hours=len(hours)))
    return 1


def add_past_to_files(folder: Path) -> int:
    """Give all stored accounts a past of busy and quiet hours, and return how many."""
    random, count = Random(0), 0
    for path in folder.glob(f".storage/{DOMAIN}.*"):
        record = json.loads(path.read_text())
        # Two hours less: those of the run are kept as well.
        hours = [f"{random.randint(0, 2000) / 10_000:f}" for _ in range(DAYS * 24 - 2)]
        count += bool(add_past(record, hours))
        path.write_text(json.dumps(record))
    return count


def prepare(folder: Path, configuration: str = "") -> HomeAssistant:
    """Return a Home Assistant with the probe and API Balance, not yet started."""
    components = folder / "custom_components"
    (components / "probe").mkdir(parents=True)
    (components / DOMAIN).symlink_to(ROOT / "custom_components" / DOMAIN)
    # Home Assistant imports the package before it sets up anything.
    (components / "__init__.py").write_text("from . import probe\n")
    (components / "probe" / "__init__.py").write_text(PROBE)
    (components / "probe" / "manifest.json").write_text(MANIFEST)
    return HomeAssistant(
        folder, configuration=CONFIGURATION + MORE_CONFIGURATION + configuration
    )


def rest_configuration(url: str, accounts: int) -> str:
    """Return the configuration of as many resources, each with four sensors."""
    return "rest:\n" + "".join(
        RESOURCE.format(number=number, url=url)
        + "".join(VALUE.format(number=number, name=name) for name in VALUES)
        for number in range(accounts)
    )


async def measure(
    sides: Sequence[Side], rounds: int, turn: float, spent: Decimal | None = None
) -> list[Figures]:
    """Return the cost of a round for each side; they take turns of so many seconds.

    In each, all accounts are polled after the amount was spent; without one, none is.
    """
    readings: list[list[Figures]] = [[] for _ in sides]
    for number in range(rounds + 1):
        for side, found in zip(sides, readings, strict=True):
            end = monotonic() + turn
            found.append(await side.read())
            if spent is not None and number < rounds:
                await side.poll(*side.entity_ids, spent=spent)
            await asyncio.sleep(end - monotonic())
    return [
        cost_of(found, side.accounts)
        for side, found in zip(sides, readings, strict=True)
    ]


async def benchmark(accounts: int, rounds: int, turn: float) -> None:
    """Run everything and print the table."""
    async with AsyncExitStack() as stack:
        sides: list[Side] = []
        for platform in (DOMAIN, "rest"):
            folder = stack.enter_context(TemporaryDirectory(prefix="benchmark-"))
            provider = AnyKeyTelnyx()
            server = await stack.enter_async_context(TestServer(provider.make_app()))
            provider.url = str(server.make_url("")).rstrip("/")
            more = rest_configuration(provider.url, accounts) if sides else ""
            home = prepare(Path(folder), more)
            sides.append(Side(platform, home, provider, accounts))
        ours = sides[0]

        say(f"preparing Home Assistant {__version__} twice, {accounts} accounts each")
        # The first start also makes files and a user, which takes memory.
        for side in sides:
            async with side.home:
                pass
        async with ours.home:
            await asyncio.sleep(turn)
            bare = ours.memory
            for number in range(accounts):
                key = {"api_key": f"KEY{number}"}
                result = await add_account(ours.home, "telnyx", key, ours.provider.url)
                if result["type"] != "create_entry":
                    raise HomeAssistantError(f"an account was not added: {result}")
        has_past = add_past_to_files(ours.home.folder) == accounts
        for side in sides:
            await stack.enter_async_context(side.home)
            await side.find_entities()
        has_past = has_past and any(
            "daily_spend" in entity_id and state["state"].replace(".", "").isdigit()
            for entity_id, state in ours.home.states.items()
        )

        say(f"polling {3 * rounds + 3} times")
        # The first poll of each kind fills caches.
        for spent in (NOTHING, CENT):
            await measure(sides, 1, 1, spent)
        idle = await measure(sides, rounds, turn)
        unchanged = await measure(sides, rounds, turn, NOTHING)
        changed = await measure(sides, rounds, turn, CENT)
        memory = [(side.memory - bare) / accounts for side in sides]
        holds = [await side.longest_hold() for side in sides]

    for costs in (unchanged, changed):
        for cost, nothing in zip(costs, idle, strict=True):
            cost["cpu"] = max(cost["cpu"] - nothing["cpu"], 0)
    for cost in changed:
        cost["per_state"] = cost["cpu"] / cost["states"] if cost["states"] else 0

    def show(what: str, costs: Sequence[Figures], name: str, **target: float) -> None:
        print(line(what, costs[0][name], costs[1][name], **target))

    print(f"{'One account, one poll':<44}{'ours':>9}{'rest':>9}{'ratio':>9}   target")
    show("Unchanged poll: CPU (ms)", unchanged, "cpu", most_ratio=0.5)
    show("  states written", unchanged, "states", most=0)
    show("  rows in the recorder", unchanged, "rows", most=0)
    show("  files written", unchanged, "files", most=0)
    show("Changed poll: CPU (ms)", changed, "cpu")
    show("  CPU for a state written (ms)", changed, "per_state", most_ratio=0.8)
    show("  states written", changed, "states")
    show("  rows in the recorder", changed, "rows")
    show("  files written", changed, "files")
    past = f"with {DAYS} days behind it" if has_past else "without a past"
    print(line(f"Memory, {past} (MB)", memory[0], memory[1], most=0.35))
    print(line("Longest hold of the event loop (ms)", holds[0], holds[1], most=5))
    show("Idle for as long: CPU (ms)", idle, "cpu")
    if not has_past:
        print("The form in which the accounts store their past is not known here.")


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/benchmark",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--accounts", type=int, metavar="N", help="1 to 300 on each side (default: 60)"
    )
    parser.add_argument(
        "--quick", action="store_true", help="measure next to nothing, only run"
    )
    arguments = parser.parse_args()
    accounts = 2 if arguments.quick else 60
    if arguments.accounts is not None:
        accounts = arguments.accounts
    if not 1 <= accounts <= 300:
        parser.error("the number of accounts must be from 1 to 300")
    rounds, turn = (1, 1.0) if arguments.quick else (5, 2.5)
    try:
        asyncio.run(run(benchmark(accounts, rounds, turn)))
    except asyncio.CancelledError:
        return 130
    except (HomeAssistantError, OSError, sqlite3.Error) as err:
        print(f"error: {err}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
