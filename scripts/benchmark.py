"""Compare the speed of API Balance with that of the plain thing beside it."""  # noqa: INP001

import argparse
import asyncio
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import pairwise
import json
import logging
from random import Random
import signal
from statistics import median
import sys
from tempfile import TemporaryDirectory
from textwrap import fill
from time import perf_counter, process_time
from types import MappingProxyType
from typing import Any, override
from unittest.mock import patch

from aiohttp import ClientSession, ThreadedResolver

from custom_components.api_balance.const import DOMAIN
from custom_components.api_balance.coordinator import AccountCoordinator
from custom_components.api_balance.insight.forecast import forecast, foresee
from custom_components.api_balance.insight.history import DAYS_KEPT, History
from custom_components.api_balance.insight.ledger import Ledger
from custom_components.api_balance.insight.memory import learn
from custom_components.api_balance.model import Snapshot, Unit, Wallet
from custom_components.api_balance.providers.base import Provider
from custom_components.api_balance.providers.catalog import load
from custom_components.api_balance.providers.http import connect
from custom_components.api_balance.record import Record, as_data
from custom_components.api_balance.store import AccountStore
from homeassistant import bootstrap, loader
from homeassistant.config_entries import (
    SOURCE_USER,
    ConfigEntries,
    ConfigEntry,
    ConfigEntryState,
)
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import (
    CoreState,
    Event,
    EventStateChangedData,
    HomeAssistant,
    callback,
)
from homeassistant.helpers.aiohttp_client import DATA_RESOLVER
from homeassistant.helpers.json import prepare_save_json
from homeassistant.util import dt as dt_util

SECONDS = 3.0
LEAST_ROUNDS = 5

FEATURED = "telnyx"
FEATURED_PATH = "/v2/balance"

POLL = timedelta(minutes=15)
DAY = timedelta(days=1)
# As many decimals as any recorded answer has, so that the record is as long as it gets.
DECIMALS = 8
MOST_KILOBYTES = 50

MILLISECONDS = "ms"
WIDTH = 92

type Samples = Sequence[tuple[datetime, Decimal]]
type Measure = Callable[[], Awaitable[float]]
"""What does its work once, and returns what is compared: milliseconds, or a count."""

type Pick = Callable[[Sequence[float]], float]
"""What stands for all measurements: the least disturbed one, or the usual one."""


class BenchmarkError(Exception):
    """What keeps the figures from meaning anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A comparison: what it is of, both figures in a unit, and what the ratio says."""

    what: str
    ours: float
    beside: float
    unit: str
    says: str

    @override
    def __str__(self) -> str:
        """Return the line of the table, and what it says."""
        line = f"{self.what:<54}{self._figure(self.ours):>13}{self._figure(self.beside):>13}"
        ratio = self.ours / self.beside
        says = fill(self.says, WIDTH, initial_indent="    ", subsequent_indent="    ")
        return f"{line}{ratio:>12.{2 if ratio < 10 else 0}f}\n{says}"

    def _figure(self, value: float) -> str:
        decimals = {MILLISECONDS: 3, "kB": 1}.get(self.unit, 0)
        return f"{value:.{decimals}f} {self.unit}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A simulated account."""

    provider: type[Provider]
    url: str
    credentials: Mapping[str, str]

    @property
    def entry_id(self) -> str:
        """Return the id of its config entry."""
        return f"entry_{self.provider.id}"

    def connect(self, session: ClientSession) -> Provider:
        """Return the provider of the account."""
        return connect(self.provider, session, self.credentials, base_url=self.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedProviders:
    """All simulated providers, in a process of their own: their work is not ours."""

    session: ClientSession
    control: str
    accounts: Mapping[str, Account]

    async def spend(self, provider: str, amount: Decimal) -> None:
        """Use up money of an account."""
        url = f"{self.control}/providers/{provider}/spend"
        async with self.session.post(url, json={"amount": str(amount)}) as response:
            response.raise_for_status()


@asynccontextmanager
async def simulated_providers() -> AsyncIterator[SimulatedProviders]:
    """Start all providers, on loopback."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "tests.simulator"), stdout=PIPE
    )
    try:
        assert process.stdout is not None
        name, control = "", ""
        while name != "control":
            if not (line := await process.stdout.readline()):
                raise BenchmarkError("The simulator did not start.")
            name, control, *_ = line.decode().split()
        async with ClientSession() as session:
            async with session.get(control) as response:
                told = await response.json()
            accounts = {
                provider["id"]: Account(
                    provider=load(provider["id"]),
                    url=provider["url"],
                    credentials=provider["credentials"],
                )
                for provider in told
            }
            yield SimulatedProviders(
                session=session, control=control, accounts=accounts
            )
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@dataclass(slots=True)
class Clock:
    """The clock of a home, which can be set forward."""

    ahead: timedelta = timedelta()

    def utcnow(self) -> datetime:
        """Return the time of the home."""
        return datetime.now(UTC) + self.ahead


@asynccontextmanager
async def home(
    providers: SimulatedProviders, history: History
) -> AsyncIterator[tuple[HomeAssistant, Mapping[str, AccountCoordinator]]]:
    """Start Home Assistant with an account of every provider, each with a past."""
    # It would warn of every custom integration.
    logging.getLogger(loader.__name__).setLevel(logging.ERROR)
    with TemporaryDirectory(prefix="benchmark-") as folder:
        hass = HomeAssistant(folder)
        hass.config_entries = ConfigEntries(hass, {})
        loader.async_setup(hass)
        if not await bootstrap.async_load_base_functionality(hass):
            raise BenchmarkError("Home Assistant did not start.")
        # Its own resolver would look for devices in the network.
        hass.data[str(DATA_RESOLVER)] = ThreadedResolver()
        hass.set_state(CoreState.running)
        try:
            entries = {}
            for name, account in providers.accounts.items():
                snapshot = await account.connect(providers.session).read()
                record = record_of(snapshot, history)
                await AccountStore(hass, account.entry_id).async_save(
                    record, is_urgent=True
                )
                entries[name] = entry_of(account)
                await hass.config_entries.async_add(entries[name])
            await hass.async_block_till_done(wait_background_tasks=True)
            for name, entry in entries.items():
                if entry.state is not ConfigEntryState.LOADED:
                    raise BenchmarkError(f"{name} was not set up: {entry.reason}")
            yield (
                hass,
                {name: entry.runtime_data for name, entry in entries.items()},
            )
        finally:
            await hass.async_stop(force=True)


def entry_of(account: Account) -> ConfigEntry[AccountCoordinator]:
    """Return the config entry of an account, as the flow would make it."""
    return ConfigEntry(
        data={
            "provider": account.provider.id,
            "base_url": account.url,
            "account_ids": [],
            **account.credentials,
        },
        discovery_keys=MappingProxyType({}),
        domain=DOMAIN,
        entry_id=account.entry_id,
        minor_version=1,
        options={},
        source=SOURCE_USER,
        subentries_data=(),
        title=account.provider.name,
        unique_id=None,
        version=1,
    )


def record_of(snapshot: Snapshot, history: History) -> Record:
    """Return what is kept of an account whose wallets were all spent like that."""
    record = Record(
        memory=learn({}, snapshot), knows_past=True, has_worked=True, refusals=0
    )
    for wallet in snapshot.wallets:
        ledger = Ledger()
        ledger.observe(wallet, history.until or datetime.now(UTC))
        ledger.history = replace(history, hours=dict(history.hours))
        record.ledgers[wallet.key] = ledger
    return record


def spent_down(days: int, now: datetime) -> Samples:
    """Return what a poll every 15 minutes saw: busy hours, quiet nights and top-ups."""
    random, left = Random(0), Decimal(100)
    samples = []
    for number in range(int(days * DAY / POLL), -1, -1):
        at = now - number * POLL
        busy = 8 if 7 <= at.hour < 19 else 1
        left -= Decimal(random.randint(0, busy * 10 ** (DECIMALS - 2))).scaleb(
            -DECIMALS
        )
        if left < 10:
            left += 100
        samples.append((at, left))
    return samples


def ledger_of(samples: Samples) -> Ledger:
    """Return the ledger that saw the samples."""
    ledger = Ledger()
    for at, amount in samples:
        ledger.observe(
            Wallet(key="usd", unit=Unit.money("USD"), balance=amount, label="Home"), at
        )
    return ledger


def timed(work: Callable[[], object]) -> Measure:
    """Return what tells how many milliseconds the work takes."""

    async def measure() -> float:
        start = process_time()
        work()
        return (process_time() - start) * 1000

    return measure


def timed_async(
    work: Callable[[], Awaitable[object]], clock: Callable[[], float] = process_time
) -> Measure:
    """Return what tells how many milliseconds of a clock the awaited work takes."""

    async def measure() -> float:
        start = clock()
        await work()
        return (clock() - start) * 1000

    return measure


async def longest_wait(work: Awaitable[object]) -> float:
    """Return the longest time, in milliseconds, that nothing else got its turn."""
    task, longest, last = asyncio.ensure_future(work), 0.0, process_time()
    while not task.done():
        await asyncio.sleep(0)
        now = process_time()
        longest, last = max(longest, now - last), now
    await task
    return longest * 1000


async def compare(
    seconds: float, ours: Measure, beside: Measure, pick: Pick = min
) -> dict[str, float]:
    """Return what is picked for both, which take turns for so many seconds."""
    found: dict[str, list[float]] = {"ours": [], "beside": []}
    # What is first is done once and for all.
    await ours()
    await beside()
    end = perf_counter() + seconds
    while perf_counter() < end or len(found["ours"]) < LEAST_ROUNDS:
        found["ours"].append(await ours())
        found["beside"].append(await beside())
    return {name: pick(values) for name, values in found.items()}


async def rows_of_reading(
    providers: SimulatedProviders, seconds: float
) -> AsyncIterator[Row]:
    """Compare the way to a provider with a bare request."""
    account, session = providers.accounts[FEATURED], providers.session
    provider = account.connect(session)
    headers = account.provider.headers(account.credentials)

    async def bare() -> Any:
        async with session.get(
            f"{account.url}{FEATURED_PATH}", headers=headers
        ) as response:
            return json.loads(await response.read())

    yield Row(
        what="Read one provider; beside aiohttp and json alone",
        **await compare(seconds, timed_async(provider.read), timed_async(bare)),
        unit=MILLISECONDS,
        says="What exact numbers, the check of the shape and the limits cost on top of the"
        " request.",
    )


async def rows_of_forecast(seconds: float) -> AsyncIterator[Row]:
    """Compare the forecast with simpler ones."""
    now = datetime.now(UTC)
    samples = spent_down(DAYS_KEPT, now)
    history, left = ledger_of(samples).history, samples[-1][1]
    yesterday = ledger_of(samples[-int(DAY / POLL) - 1 :]).history

    def ours() -> object:
        return foresee(history, left, now)

    def average() -> Decimal:
        return left / (sum(history.hours.values(), Decimal()) / len(history.hours))

    def subtract() -> list[Decimal]:
        return [before - after for (_, before), (_, after) in pairwise(samples)]

    yield Row(
        what=f"Forecast from {DAYS_KEPT} days; beside one from 1 day",
        **await compare(
            seconds, timed(ours), timed(lambda: foresee(yesterday, left, now))
        ),
        unit=MILLISECONDS,
        says=f"How it grows with the past, which is {DAYS_KEPT} times as long. A forecast is"
        " to take less than 2 ms.",
    )
    yield Row(
        what=f"Forecast from {DAYS_KEPT} days; beside their plain average",
        **await compare(seconds, timed(ours), timed(average)),
        unit=MILLISECONDS,
        says="What habits and an honest range cost over the simplest rule, which only adds"
        " the same hours up.",
    )
    yield Row(
        what=f"Forecast from {len(samples)} samples; beside bare subtractions",
        **await compare(
            seconds, timed(lambda: forecast(samples, now)), timed(subtract)
        ),
        unit=MILLISECONDS,
        says="What it costs to tell spend from top-ups and corrections, hour by hour. A poll"
        " does it for a single sample.",
    )


async def rows_of_home(
    providers: SimulatedProviders, seconds: float
) -> AsyncIterator[Row]:
    """Compare polls in Home Assistant with one another."""
    history = ledger_of(spent_down(DAYS_KEPT, datetime.now(UTC))).history
    async with home(providers, history) as (hass, coordinators):
        coordinator = coordinators[FEATURED]
        written: list[str] = []
        clock = Clock()

        async def poll(*polled: AccountCoordinator) -> None:
            await asyncio.gather(*(each.async_refresh() for each in polled))
            await hass.async_block_till_done()

        async def poll_all() -> None:
            await poll(*coordinators.values())

        async def poll_in_turn() -> None:
            for each in coordinators.values():
                await poll(each)

        async def spend_and(measure: Measure) -> float:
            await providers.spend(FEATURED, Decimal("0.01"))
            return await measure()

        def states_written(after: timedelta) -> Measure:
            async def measure() -> float:
                clock.ahead += after
                written.clear()
                await poll(coordinator)
                return len(written)

            return measure

        @callback
        def remember(event: Event[EventStateChangedData]) -> None:
            written.append(event.data["entity_id"])

        poll_one = timed_async(lambda: poll(coordinator))
        pause = await timed_async(poll_all, perf_counter)() / 1000

        wall = await compare(
            seconds / 2,
            timed_async(poll_all, perf_counter),
            timed_async(poll_in_turn, perf_counter),
        )
        yield Row(
            what=f"Poll {len(coordinators)} providers at once; beside one after the other",
            **await compare(
                seconds / 2, timed_async(poll_all), timed_async(poll_in_turn)
            ),
            unit=MILLISECONDS,
            says="What is done at once is not to be more work. By the clock, with providers that"
            f" are not far away, it took {wall['ours']:.0f} ms instead of"
            f" {wall['beside']:.0f} ms.",
        )
        yield Row(
            what="Longest wait of the event loop then; beside idling",
            **await compare(
                seconds,
                lambda: longest_wait(poll_all()),
                lambda: longest_wait(asyncio.sleep(pause)),
            ),
            unit=MILLISECONDS,
            says="How long the rest of the home waits for its turn when all of them answer in"
            f" the same moment, each with {DAYS_KEPT} days behind it.",
        )
        yield Row(
            what="Poll without a change; beside one with a change",
            **await compare(seconds, poll_one, lambda: spend_and(poll_one)),
            unit=MILLISECONDS,
            says="Whether an answer that says nothing new saves work.",
        )
        for what, after, says in (
            (
                "States written by it; beside one with a change",
                timedelta(seconds=1),
                "Where nothing is new, only the time of the last update is to be written.",
            ),
            (
                "States written a poll later; beside one with a change",
                coordinator.provider.poll_interval,
                "The same when time has passed, which may be news: a quiet wallet lasts"
                " longer.",
            ),
        ):
            count = states_written(after)
            unsubscribe = hass.bus.async_listen(EVENT_STATE_CHANGED, remember)
            with patch.object(dt_util, "utcnow", clock.utcnow):
                counts = await compare(0, count, partial(spend_and, count), median)
            unsubscribe()
            yield Row(what=what, **counts, unit="states", says=says)
        for name, each in coordinators.items():
            if not each.last_update_success or each.problem:
                raise BenchmarkError(f"{name} was not read: {each.problem}")


async def rows_of_record(seconds: float) -> AsyncIterator[Row]:
    """Compare what is kept of a wallet with its bare form."""
    samples = spent_down(DAYS_KEPT, datetime.now(UTC))
    wallet = Wallet(key="usd", unit=Unit.money("USD"), balance=samples[-1][1])
    snapshot = Snapshot(wallets=(wallet,))
    record = Record(
        memory=learn({}, snapshot), ledgers={wallet.key: ledger_of(samples)}
    )
    data = as_data(record)
    yield Row(
        what=f"A wallet's {DAYS_KEPT} days as JSON; beside orjson alone",
        **await compare(
            seconds,
            timed(lambda: prepare_save_json(as_data(record))),
            timed(lambda: prepare_save_json(data)),
        ),
        unit=MILLISECONDS,
        says="What it costs to write exact amounts in figures, on top of the file itself.",
    )
    _, text = prepare_save_json(data)
    yield Row(
        what="Its size on the disk; beside the most it may have",
        ours=len(text) / 1000,
        beside=MOST_KILOBYTES,
        unit="kB",
        says=f"With {DECIMALS} decimals in each answer, the most of all that are recorded.",
    )


async def run(seconds: float) -> None:
    """Print the table, line by line."""
    print(f"{'':<54}{'ours':>13}{'beside':>13}{'ratio':>12}")
    async with simulated_providers() as providers:
        for rows in (
            rows_of_reading(providers, seconds),
            rows_of_home(providers, seconds),
            rows_of_forecast(seconds),
            rows_of_record(seconds),
        ):
            async for row in rows:
                print(row, flush=True)
    print(
        "\nBoth take turns. A time is the processor time of the quickest turn, so that other"
        "\nprograms hardly count. The ratios are what counts."
    )


async def run_until_told(seconds: float) -> None:
    """Run, and end what was started when told to."""
    task = asyncio.create_task(run(seconds))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    await task


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="scripts/benchmark", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="measure next to nothing, only run"
    )
    arguments = parser.parse_args()
    try:
        asyncio.run(run_until_told(0 if arguments.quick else SECONDS))
    except asyncio.CancelledError:
        return 130
    except BenchmarkError as err:
        print(f"error: {err}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
