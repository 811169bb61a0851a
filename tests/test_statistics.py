"""What was spent, as the statistics cards of Home Assistant show it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import accumulate
import logging
import subprocess
import sys
import threading
from typing import Any, ClassVar, Literal, override
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from hypothesis import given, strategies as st
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)
from pytest_homeassistant_custom_component.typing import RecorderInstanceContextManager

from custom_components.api_balance.const import DOMAIN
from custom_components.api_balance.model import (
    ACCOUNT,
    Problem,
    Quota,
    Scope,
    Snapshot,
    Spend,
    Unit,
    Wallet,
)
from custom_components.api_balance.providers.base import (
    InvalidCredentials,
    MissingPermission,
    Provider,
    ProviderError,
    ProviderFault,
    RateLimited,
    SpendQuery,
    UnexpectedAnswer,
    Unreachable,
    WrongCredentialKind,
)
from custom_components.api_balance.reports import recorder as long_term
from custom_components.api_balance.reports.series import Point, correct
from homeassistant.components.recorder.core import Recorder
from homeassistant.components.recorder.models import (
    StatisticData,
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.components.recorder.statistics import (
    async_add_external_statistics,
    async_list_statistic_ids,
    statistics_during_period,
)
from homeassistant.components.recorder.tasks import RecorderTask
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import dt as dt_util

from .conftest import AddAccount, Poll, state_of
from .recording import register
from .simulator import Http, Simulator
from .simulator.deepgram import Deepgram
from .simulator.telnyx import Telnyx

NOW = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
TODAY = NOW.date()
DAY = timedelta(days=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

USD = Unit.money("USD")
EUR = Unit.money("EUR")
CREDITS = Unit.named("credits")

TOTAL = "api_balance:entry_reporter_usd_spend"
STATUS = "sensor.reporter_update_status"
HALF_A_DAY = timedelta(hours=12)


@dataclass
class Books:
    """What the provider has booked, and what it was asked."""

    rows: list[Spend] = field(default_factory=list)
    parts: tuple[Scope, ...] = ()
    days_told: int = 1000
    is_down: bool = False
    fault: ProviderError | None = None
    being_asked: asyncio.Event = field(default_factory=asyncio.Event)
    answering: asyncio.Event | None = None
    polls: int = 0
    asked: list[SpendQuery] = field(default_factory=list)

    def book(
        self,
        days_ago: int,
        amount: str,
        line_item: str | None = None,
        *,
        unit: Unit = USD,
        scope: str = ACCOUNT,
        days: int = 1,
    ) -> None:
        """Add what was spent on a day."""
        start = datetime.combine(date_ago(days_ago), time(), UTC)
        self.rows.append(
            Spend(
                unit=unit,
                amount=Decimal(amount),
                start=start,
                end=start + days * DAY,
                scope=scope,
                labels={} if line_item is None else {"line_item": line_item},
            )
        )

    def tell(self, scope: str, query: SpendQuery) -> Iterable[Spend]:
        """Yield the rows of a report."""
        told_from = max(query.first, dt_util.utcnow().date() - self.days_told * DAY)
        for row in self.rows:
            if row.scope == scope and told_from <= row.start.date() <= query.last:
                yield row


class Example(Provider):
    """What the providers of these tests have in common."""

    hosts: ClassVar[Mapping[str, str]] = {"com": "https://api.example.com"}
    key_kind = "API key"
    key_url = "https://example.com/keys"
    top_up_url = "https://example.com/top-up"
    status_url = "https://status.example.com"


class Reporter(Example):
    """A provider that reports what was spent."""

    id = "reporter"
    name = "Reporter"
    spend_filters: ClassVar[tuple[str, ...]] = ()
    spend_groups: ClassVar[tuple[str, ...]] = ("line_item",)

    books: ClassVar[Books]

    @override
    async def fetch(self) -> Snapshot:
        """Return an account that holds no money, like others that report costs."""
        self.books.polls += 1
        if self.books.is_down:
            raise Unreachable
        quota = Quota(key="requests", unit=Unit.named("requests"), used=Decimal(1))
        return Snapshot(quotas=(quota,), scopes=self.books.parts)

    async def fetch_spend(self, scope: str, query: SpendQuery) -> tuple[Spend, ...]:
        """Return what is booked."""
        self.books.asked.append(query)
        self.books.being_asked.set()
        if self.books.answering:
            await self.books.answering.wait()
        if self.books.fault:
            raise self.books.fault
        return tuple(self.books.tell(scope, query))


class Keeper(Example):
    """A provider that tells balances, and reports nothing."""

    id = "keeper"
    name = "Keeper"

    balances: ClassVar[Mapping[str, tuple[Unit, Decimal | None]]]

    @override
    async def fetch(self) -> Snapshot:
        """Return the wallets."""
        return Snapshot(
            wallets=tuple(
                Wallet(key=key, unit=unit, balance=balance)
                for key, (unit, balance) in self.balances.items()
            )
        )


def date_ago(days: int) -> date:
    """Return a date of the past, in UTC."""
    return TODAY - days * DAY


@pytest.fixture
async def mock_recorder_before_hass(
    async_test_recorder: RecorderInstanceContextManager, freezer: FrozenDateTimeFactory
) -> None:
    """Prepare for a recorder, and stop the clock, before there is Home Assistant."""
    freezer.move_to(NOW)


@pytest.fixture
def books(monkeypatch: pytest.MonkeyPatch) -> Books:
    """Return the books of a provider that reports."""
    books = Books()
    monkeypatch.setattr(Reporter, "books", books, raising=False)
    register(monkeypatch, Reporter)
    return books


@dataclass
class HoldRecorder(RecorderTask):
    """Something that keeps the recorder busy."""

    is_over: threading.Event = field(default_factory=threading.Event)

    @override
    def run(self, instance: Recorder) -> None:
        """Be busy."""
        self.is_over.wait()


type Add = Callable[[], Awaitable[MockConfigEntry]]


@pytest.fixture
def add(hass: HomeAssistant, books: Books) -> Add:
    """Return what adds an account with the provider that reports."""

    async def add() -> MockConfigEntry:
        entry = MockConfigEntry(
            domain=DOMAIN,
            title="Reporter",
            data={"provider": Reporter.id, "account_ids": [], "api_key": "key"},
            entry_id="entry_reporter",
        )
        entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entry.entry_id)
        await settle(hass)
        return entry

    return add


async def settle(hass: HomeAssistant) -> None:
    """Wait until everything is written."""
    await hass.async_block_till_done(wait_background_tasks=True)
    await async_wait_recording_done(hass)


async def read(
    hass: HomeAssistant,
    statistic_id: str,
    kind: Literal["change", "state", "sum"] = "change",
    period: Literal["day", "hour"] = "day",
) -> dict[datetime, Decimal]:
    """Return a statistic as a card gets it, by the start of the period at home."""
    told = await get_instance(hass).async_add_executor_job(
        statistics_during_period,
        hass,
        EPOCH,
        None,
        {statistic_id},
        period,
        None,
        {kind},
    )
    return {
        dt_util.as_local(dt_util.utc_from_timestamp(row["start"])): Decimal(
            str(round(row[kind] or 0, 9))
        ).normalize()
        for row in told.get(statistic_id, ())
    }


async def bars(
    hass: HomeAssistant, statistic_id: str = TOTAL
) -> dict[date, Decimal | int]:
    """Return the daily bars of a statistic, by the home's date."""
    return {
        start.date(): amount
        for start, amount in (await read(hass, statistic_id)).items()
    }


async def ids(hass: HomeAssistant) -> dict[str, tuple[str | None, str | None]]:
    """Return the name and the unit of every statistic of ours."""
    return {
        told["statistic_id"]: (told["name"], told["statistics_unit_of_measurement"])
        for told in await async_list_statistic_ids(hass)
        if told["source"] == DOMAIN
    }


@pytest.fixture
def written() -> Iterable[Any]:
    """Return the calls that write."""
    with patch.object(
        long_term,
        "async_add_external_statistics",
        side_effect=async_add_external_statistics,
    ) as write:
        yield write


# What the provider reports


async def test_back_fill(
    recorder_mock: Recorder, hass: HomeAssistant, books: Books, add: Add
) -> None:
    """At first a year is asked for, and every day has a bar of its own."""
    for days in range(400):
        books.book(days, f"0.{days % 7 + 1}")
    await add()

    assert books.asked[0] == SpendQuery(start=date_ago(365), end=TODAY)
    assert await ids(hass) == {TOTAL: ("Reporter spend (USD)", "USD")}
    assert await bars(hass) == {
        date_ago(days): Decimal(f"0.{days % 7 + 1}") for days in range(365, -1, -1)
    }


async def test_today_grows(
    recorder_mock: Recorder, hass: HomeAssistant, books: Books, add: Add, poll: Poll
) -> None:
    """The running day is as much as it has cost until now, and the next one is new."""
    books.book(1, "1.5")
    books.book(0, "0.1")
    await add()
    books.book(0, "0.2")
    await poll(timedelta(hours=7))
    await settle(hass)
    assert await bars(hass) == {date_ago(1): Decimal("1.5"), TODAY: Decimal("0.3")}

    books.book(0, "0.4")
    books.book(-1, "0.05")
    await poll(HALF_A_DAY)
    await settle(hass)
    assert await bars(hass) == {
        date_ago(1): Decimal("1.5"),
        TODAY: Decimal("0.7"),
        TODAY + DAY: Decimal("0.05"),
    }


async def test_late_costs(
    recorder_mock: Recorder, hass: HomeAssistant, books: Books, add: Add, poll: Poll
) -> None:
    """Costs that arrive late go to their day, and into every sum after it."""
    for days in range(60):
        books.book(days, "1")
    await add()
    books.book(30, "0.25")
    books.book(2, "-0.5")
    await poll(HALF_A_DAY)
    await settle(hass)

    assert books.asked[-1].start == date_ago(35)
    expected = {date_ago(days): Decimal(1) for days in range(59, -1, -1)}
    expected |= {date_ago(30): Decimal("1.25"), date_ago(2): Decimal("0.5")}
    assert await bars(hass) == expected
    sums = await read(hass, TOTAL, "sum")
    assert list(sums.values()) == list(accumulate(expected.values()))
    states = await read(hass, TOTAL, "state")
    assert list(states.values()) == list(expected.values())


async def test_day_that_is_not_told(
    recorder_mock: Recorder, hass: HomeAssistant, books: Books, add: Add, poll: Poll
) -> None:
    """A day between others from which a cost was missing is told when it arrives."""
    books.book(5, "1")
    books.book(1, "1")
    await add()
    books.book(3, "2")
    await poll(HALF_A_DAY)
    await settle(hass)
    assert await bars(hass) == {date_ago(5): 1, date_ago(3): 2, date_ago(1): 1}


async def test_costs_that_are_taken_back(
    recorder_mock: Recorder, hass: HomeAssistant, books: Books, add: Add, poll: Poll
) -> None:
    """A day that a report no longer has is corrected to nothing."""
    for days in (3, 2, 1):
        books.book(days, "1", "calls")
    books.book(2, "5", "numbers")
    await add()
    books.rows = [row for row in books.rows if row.start.date() != date_ago(2)]
    await poll(HALF_A_DAY)
    await settle(hass)
    assert await bars(hass) == {date_ago(3): 1, date_ago(2): 0, date_ago(1): 1}
    assert await bars(hass, f"{TOTAL}_numbers") == {date_ago(2): 0}
    assert await ids(hass) == {
        TOTAL: ("Reporter spend (USD)", "USD"),
        f"{TOTAL}_calls": ("Reporter spend on calls (USD)", "USD"),
        f"{TOTAL}_numbers": ("Reporter spend on numbers (USD)", "USD"),
    }


async def test_provider_that_tells_less_than_asked_for(
    recorder_mock: Recorder, hass: HomeAssistant, books: Books, add: Add, poll: Poll
) -> None:
    """What the provider no longer tells stays as it is."""
    for days in range(10):
        books.book(days, "1")
    books.days_told = 9
    await add()
    books.days_told = 3
    books.book(0, "0.5")
    await poll(HALF_A_DAY)
    await settle(hass)
    expected = {date_ago(days): Decimal(1) for days in range(9, -1, -1)}
    assert await bars(hass) == expected | {TODAY: Decimal("1.5")}

    books.rows = []
    await poll(HALF_A_DAY)
    await settle(hass)
    assert await bars(hass) == expected | {TODAY: Decimal("1.5")}


async def test_nothing_new(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    books: Books,
    add: Add,
    poll: Poll,
    written: Any,
) -> None:
    """What is written already is not written again, nor is it counted again."""
    for days in range(50):
        books.book(days, f"0.{days + 1:02}34567890123456789", "calls")
    entry = await add()
    before = await bars(hass)
    assert written.call_count == 2
    written.reset_mock()

    await poll(HALF_A_DAY)
    await hass.config_entries.async_reload(entry.entry_id)
    await settle(hass)
    assert len(books.asked) == 6
    written.assert_not_called()
    assert await bars(hass) == before


async def test_restart_while_money_is_spent(
    recorder_mock: Recorder, hass: HomeAssistant, books: Books, add: Add
) -> None:
    """A restart goes on where the recorder stands, however long it took."""
    for days in range(300, 0, -1):
        books.book(days, "1")
    entry = await add()
    books.book(0, "1")
    for _ in range(2):
        await hass.config_entries.async_reload(entry.entry_id)
        await settle(hass)
    assert books.asked[-2].start == date_ago(35)
    assert sum((await bars(hass)).values()) == 301


async def test_restart_of_a_busy_recorder(
    recorder_mock: Recorder, hass: HomeAssistant, books: Books
) -> None:
    """What waits to be written is not forgotten."""
    books.book(1, "1")
    hold = HoldRecorder()
    is_queued = asyncio.Event()

    def write(*args: Any) -> None:
        """Write behind something that takes its time."""
        recorder_mock.queue_task(hold)
        async_add_external_statistics(*args)
        is_queued.set()

    entry = MockConfigEntry(
        domain=DOMAIN, data={"provider": Reporter.id, "account_ids": [], "api_key": "k"}
    )
    entry.add_to_hass(hass)
    with patch.object(long_term, "async_add_external_statistics", side_effect=write):
        assert await hass.config_entries.async_setup(entry.entry_id)
        await is_queued.wait()
        assert await hass.config_entries.async_reload(entry.entry_id)
        hold.is_over.set()
        await settle(hass)
    assert [query.start for query in books.asked if not query.group_by] == [
        date_ago(365),
        date_ago(36),
    ]


async def test_long_absence(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    books: Books,
    add: Add,
    freezer: FrozenDateTimeFactory,
) -> None:
    """After months without Home Assistant, these months are asked for."""
    for days in range(10, -91, -1):
        books.book(days, "1")
    entry = await add()
    assert await hass.config_entries.async_unload(entry.entry_id)
    freezer.tick(90 * DAY)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)
    assert books.asked[-2].start == date_ago(35)
    assert list((await bars(hass)).values()) == [1] * 101


async def test_units_are_never_added(
    recorder_mock: Recorder, hass: HomeAssistant, books: Books, add: Add
) -> None:
    """Each unit has statistics of its own, unless nothing was ever spent in it."""
    for days in (2, 1, 0):
        books.book(days, "1", unit=USD)
        books.book(days, "2", "speech", unit=EUR)
        books.book(days, "300", unit=CREDITS)
        books.book(days, "0", unit=Unit.money("GBP"))
    await add()
    prefix = "api_balance:entry_reporter"
    assert await ids(hass) == {
        TOTAL: ("Reporter spend (USD)", "USD"),
        f"{prefix}_eur_spend": ("Reporter spend (EUR)", "EUR"),
        f"{prefix}_eur_spend_speech": ("Reporter spend on speech (EUR)", "EUR"),
        f"{prefix}_credits_spend": ("Reporter spend (credits)", "credits"),
    }
    assert list((await bars(hass)).values()) == [1, 1, 1]
    assert list((await bars(hass, f"{prefix}_eur_spend")).values()) == [2, 2, 2]
    credits_spent = await bars(hass, f"{prefix}_credits_spend")
    assert list(credits_spent.values()) == [300, 300, 300]


async def test_line_items(
    recorder_mock: Recorder, hass: HomeAssistant, books: Books, add: Add, poll: Poll
) -> None:
    """Every line item has a statistic, beside a total that has everything."""
    for days in (2, 1):
        books.book(days, "1", "streaming::nova-3")
        books.book(days, "0.25", "sync::aura-2")
        books.book(days, "0.5", "音声")
        books.book(days, "4")
    await add()
    assert list((await bars(hass)).values()) == [Decimal("5.75")] * 2
    assert await ids(hass) == {
        TOTAL: ("Reporter spend (USD)", "USD"),
        f"{TOTAL}_streaming_nova_3": (
            "Reporter spend on streaming::nova-3 (USD)",
            "USD",
        ),
        f"{TOTAL}_sync_aura_2": ("Reporter spend on sync::aura-2 (USD)", "USD"),
        f"{TOTAL}_yin_sheng": ("Reporter spend on 音声 (USD)", "USD"),
    }
    books.book(1, "1", "sync::aura-2")
    await poll(HALF_A_DAY)
    await settle(hass)
    assert await bars(hass, f"{TOTAL}_sync_aura_2") == {
        date_ago(2): Decimal("0.25"),
        date_ago(1): Decimal("1.25"),
    }


async def test_line_items_that_look_the_same(
    recorder_mock: Recorder, hass: HomeAssistant, books: Books, add: Add, poll: Poll
) -> None:
    """Line items that differ in special characters alone have a statistic each."""
    books.book(1, "1", "nova 3")
    books.book(1, "2", "nova-3")
    await add()
    books.book(1, "4", "Nova 3")
    await poll(HALF_A_DAY)
    await settle(hass)
    spent = {
        name: await bars(hass, id_)
        for id_, (name, _) in (await ids(hass)).items()
        if id_ != TOTAL
    }
    assert spent == {
        f"Reporter spend on {item} (USD)": {date_ago(1): Decimal(amount)}
        for item, amount in (("nova 3", 1), ("nova-3", 2), ("Nova 3", 4))
    }


async def test_line_item_that_rested(
    recorder_mock: Recorder, hass: HomeAssistant, books: Books, add: Add, poll: Poll
) -> None:
    """What is used again after months goes on where it was."""
    books.book(100, "5", "calls")
    books.book(20, "1", "numbers")
    await add()
    books.book(0, "2", "calls")
    await poll(HALF_A_DAY)
    await settle(hass)
    assert books.asked[-1].start == date_ago(35)
    assert await bars(hass, f"{TOTAL}_calls") == {date_ago(100): 5, TODAY: 2}


async def test_provider_without_line_items(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    books: Books,
    add: Add,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the provider cannot tell apart is not asked for."""
    monkeypatch.setattr(Reporter, "spend_groups", ())
    books.book(1, "1")
    await add()
    assert [query.group_by for query in books.asked] == [()]


async def test_parts_are_added_up(
    recorder_mock: Recorder, hass: HomeAssistant, books: Books, add: Add
) -> None:
    """The spend of an account is that of all its parts."""
    books.parts = (Scope(key="a"), Scope(key="b"))
    for days in (1, 0):
        books.book(days, "1", "calls", scope="a")
        books.book(days, "2", "calls", scope="b")
    await add()
    assert list((await bars(hass)).values()) == [3, 3]
    assert list((await bars(hass, f"{TOTAL}_calls")).values()) == [3, 3]


async def test_part_that_the_key_may_not_read(
    recorder_mock: Recorder, hass: HomeAssistant, books: Books, add: Add, poll: Poll
) -> None:
    """The other parts are told, and what was told of this one stays."""
    books.parts = (Scope(key="a"), Scope(key="b"))
    books.book(1, "1", scope="a")
    books.book(1, "2", scope="b")
    await add()
    books.parts = (Scope(key="a"), Scope(key="b", problem=Problem.MISSING_PERMISSION))
    books.book(0, "1", scope="a")
    books.book(0, "2", scope="b")
    await poll(HALF_A_DAY)
    await settle(hass)
    assert await bars(hass) == {date_ago(1): 3, TODAY: 1}


async def test_rows_of_several_days(
    recorder_mock: Recorder, hass: HomeAssistant, books: Books, add: Add
) -> None:
    """What has no day of its own is not shown at all."""
    books.book(9, "7", days=7)
    books.book(0, "1")
    await add()
    assert len(books.asked) == 2
    assert await ids(hass) == {}


async def test_provider_that_begins_to_report(
    recorder_mock: Recorder, hass: HomeAssistant, books: Books, add: Add
) -> None:
    """The hours of a ledger give way to the provider's days."""
    start = datetime.combine(date_ago(2), time(), UTC)
    async_add_external_statistics(
        hass,
        StatisticMetaData(
            mean_type=StatisticMeanType.NONE,
            has_sum=True,
            name="Reporter spend (USD)",
            source=DOMAIN,
            statistic_id=TOTAL,
            unit_class=None,
            unit_of_measurement="USD",
        ),
        [
            StatisticData(
                start=start + hour * timedelta(hours=1), state=0.1, sum=(hour + 1) / 10
            )
            for hour in range(48)
        ],
    )
    books.book(2, "2.5")
    books.book(1, "2.5")
    await add()
    await hass.config.async_set_time_zone("UTC")
    assert await bars(hass) == {
        date_ago(2): Decimal("2.5"),
        date_ago(1): Decimal("2.5"),
    }


# Time


@pytest.mark.parametrize(
    "zone",
    [
        "Pacific/Honolulu",
        "America/Los_Angeles",
        "UTC",
        "Europe/Berlin",
        "Asia/Kolkata",
        "Pacific/Auckland",
        "Pacific/Chatham",
        "Pacific/Tongatapu",
    ],
)
async def test_dates_are_those_of_the_provider(
    recorder_mock: Recorder, hass: HomeAssistant, books: Books, add: Add, zone: str
) -> None:
    """The bar of a provider's day stands at its date, in winter and in summer."""
    await hass.config.async_set_time_zone(zone)
    expected = {date_ago(days): Decimal(days + 1) for days in range(300, -1, -1)}
    for days in range(301):
        books.book(days, str(days + 1))
    await add()
    assert await bars(hass) == expected


async def test_home_that_moves(
    recorder_mock: Recorder, hass: HomeAssistant, books: Books, add: Add, poll: Poll
) -> None:
    """Another time zone counts no day twice."""
    for days in (2, 1, 0):
        books.book(days, "1")
    await hass.config.async_set_time_zone("Pacific/Auckland")
    await add()
    await hass.config.async_set_time_zone("Pacific/Honolulu")
    books.book(0, "1")
    await poll(HALF_A_DAY)
    await settle(hass)
    assert await bars(hass) == {date_ago(2): 1, date_ago(1): 1, TODAY: 2}


async def test_provider_is_not_asked_too_often(
    recorder_mock: Recorder, hass: HomeAssistant, books: Books, add: Add, poll: Poll
) -> None:
    """A report is asked for every six hours or a little later."""
    books.book(1, "1")
    await add()
    for _ in range(24):
        await poll(timedelta(minutes=59))
    assert books.polls == 25
    assert 3 * 2 <= len(books.asked) <= 4 * 2


async def test_clock_that_is_set_back(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    books: Books,
    add: Add,
    poll: Poll,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A clock that was days ahead does not end the reports."""
    freezer.tick(20 * DAY)
    books.book(1, "1")
    entry = await add()
    freezer.move_to(NOW)
    books.book(0, "1")
    await entry.runtime_data.async_refresh()
    await settle(hass)
    assert books.asked[-1].end == TODAY
    assert await bars(hass) == {date_ago(1): 1, TODAY: 1}


async def test_start_is_not_held_up(
    recorder_mock: Recorder, hass: HomeAssistant, books: Books, add: Add
) -> None:
    """Reports are asked for when Home Assistant has started, in the background."""
    books.book(1, "1")
    hass.set_state(CoreState.starting)
    entry = await add()
    assert entry.state is ConfigEntryState.LOADED
    assert books.asked == []

    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await settle(hass)
    assert len(books.asked) == 2


async def test_unload_before_the_start(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    books: Books,
    add: Add,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An account that is gone when Home Assistant has started is not asked for."""
    hass.set_state(CoreState.starting)
    entry = await add()
    assert await hass.config_entries.async_unload(entry.entry_id)
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await settle(hass)
    assert books.asked == []
    assert [rec for rec in caplog.records if rec.levelno >= logging.ERROR] == []


async def test_slow_answer(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    books: Books,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Nothing waits for a report, nothing is asked twice, and unloading ends it."""
    books.answering = asyncio.Event()
    entry = MockConfigEntry(
        domain=DOMAIN, data={"provider": Reporter.id, "account_ids": [], "api_key": "k"}
    )
    entry.add_to_hass(hass)
    with patch.object(
        long_term, "async_last_start", side_effect=long_term.async_last_start
    ) as begin:
        assert await hass.config_entries.async_setup(entry.entry_id)
        await books.being_asked.wait()
        freezer.tick(DAY)
        await entry.runtime_data.async_refresh()
        await hass.async_block_till_done()
    assert begin.call_count == 1

    assert await hass.config_entries.async_unload(entry.entry_id)
    books.answering.set()
    await settle(hass)
    assert len(books.asked) == 1
    assert await ids(hass) == {}


# Errors


@pytest.mark.parametrize(
    ("fault", "is_passing"),
    [
        (Unreachable(), True),
        (ProviderFault(), True),
        (RateLimited(), True),
        (MissingPermission("billing:read"), False),
        (WrongCredentialKind(), False),
        (InvalidCredentials(), False),
        (UnexpectedAnswer("results"), False),
    ],
)
async def test_report_that_fails(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    books: Books,
    add: Add,
    poll: Poll,
    caplog: pytest.LogCaptureFixture,
    fault: ProviderError,
    is_passing: bool,
) -> None:
    """It is no error of the account, and is asked for again later."""
    books.book(1, "1")
    books.fault = fault
    entry = await add()
    assert len(books.asked) == 1
    assert state_of(hass, STATUS) == "ok"
    assert ir.async_get(hass).issues == {}
    assert not list(entry.async_get_active_flows(hass, {"reauth"}))
    assert [
        record.getMessage()
        for record in caplog.records
        if record.levelno > logging.DEBUG
        and record.name.startswith("custom_components.api_balance")
    ] == []

    await poll(timedelta(minutes=30))
    assert len(books.asked) == 1
    books.fault = None
    await poll(timedelta(minutes=45))
    assert (len(books.asked) == 3) is is_passing
    await poll(HALF_A_DAY)
    await settle(hass)
    assert await bars(hass) == {date_ago(1): 1}


async def test_provider_that_cannot_be_reached(
    recorder_mock: Recorder, hass: HomeAssistant, books: Books, add: Add, poll: Poll
) -> None:
    """While the polls fail, no report is asked for."""
    books.book(1, "1")
    await add()
    asked = len(books.asked)
    books.is_down = True
    await poll(HALF_A_DAY)
    assert books.polls == 2
    assert len(books.asked) == asked
    books.is_down = False
    await poll(timedelta(hours=1))
    assert len(books.asked) == 2 * asked


async def test_quiet_time(
    recorder_mock: Recorder, hass: HomeAssistant, books: Books, add: Add, poll: Poll
) -> None:
    """A provider that asks to wait with its report is polled all the same."""
    books.book(1, "1")
    books.fault = RateLimited(timedelta(hours=5))
    await add()
    books.fault = None
    polls = books.polls
    for _ in range(4):
        await poll(timedelta(hours=1))
    assert len(books.asked) == 1
    assert books.polls == polls + 4
    await poll(timedelta(hours=2))
    await settle(hass)
    assert await bars(hass) == {date_ago(1): 1}


# What the ledger saw


async def test_hours_of_the_ledger(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    poll: Poll,
    freezer: FrozenDateTimeFactory,
) -> None:
    """Where the provider reports nothing, each full hour is what the balance fell by."""
    telnyx = simulator[Telnyx]
    entry = await add_account(telnyx)
    total = "api_balance:entry_telnyx_usd_spend"
    freezer.move_to(NOW.replace(minute=59))
    telnyx.spend(Decimal("1.5"))
    await poll(timedelta())
    await settle(hass)
    assert await ids(hass) == {}

    telnyx.spend(Decimal("0.5"))
    await poll(timedelta(hours=1))
    telnyx.top_up(Decimal(100))
    await poll(timedelta(minutes=31))
    await settle(hass)
    assert await ids(hass) == {total: ("Telnyx spend (USD)", "USD")}
    hours = await read(hass, total, period="hour")
    eight, nine = (dt_util.as_local(NOW.replace(hour=h, minute=0)) for h in (8, 9))
    assert set(hours) == {eight, nine}
    assert sum(hours.values()) == 2
    assert hours[eight] > Decimal("1.5")

    asked = len(telnyx.requests)
    await hass.config_entries.async_reload(entry.entry_id)
    await settle(hass)
    assert await read(hass, total, period="hour") == hours
    assert {request.path for request in telnyx.requests[asked:]} == {
        "/v2/balance",
        "/v2/payment/auto_recharge_prefs",
    }


async def test_power_cut(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    simulator: Simulator,
    add_account: AddAccount,
    poll: Poll,
) -> None:
    """What the statistics hold is not observed again after a power cut."""
    telnyx = simulator[Telnyx]
    entry = await add_account(telnyx)
    await poll(timedelta(minutes=18))
    telnyx.spend(Decimal(2))
    await poll(timedelta(minutes=12, seconds=5))
    await settle(hass)
    stored = deepcopy(hass_storage[f"{DOMAIN}.{entry.entry_id}"])
    await hass.config_entries.async_unload(entry.entry_id)
    hass_storage[f"{DOMAIN}.{entry.entry_id}"] = stored
    telnyx.spend(Decimal(3))
    await poll(timedelta(hours=1))
    await hass.config_entries.async_setup(entry.entry_id)
    for _ in range(2):
        await poll(timedelta(hours=1))
    await settle(hass)
    hours = await read(hass, "api_balance:entry_telnyx_usd_spend", period="hour")
    assert sum(hours.values()) == 5


async def test_recorder_is_not_read_with_every_poll(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    poll: Poll,
) -> None:
    """Once an hour is enough where full hours are written."""
    with patch.object(long_term, "async_write", side_effect=long_term.async_write) as w:
        await add_account(simulator[Telnyx])
        asked = len(simulator[Telnyx].requests)
        for _ in range(10):
            await poll(timedelta(minutes=12))
    assert len(simulator[Telnyx].requests) == asked + 10
    assert w.call_count == 2


async def test_outage_of_a_day(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    poll: Poll,
) -> None:
    """What was spent meanwhile is told when the provider is back, and counts once."""
    telnyx = simulator[Telnyx]
    await add_account(telnyx)
    total = "api_balance:entry_telnyx_usd_spend"
    telnyx.spend(Decimal(1))
    await poll(timedelta(hours=1))
    await settle(hass)
    telnyx.fail(Http(503))
    for _ in range(4):
        await poll(timedelta(hours=6))
    telnyx.heal()
    telnyx.spend(Decimal(24))
    await poll(timedelta(hours=1))
    await poll(timedelta(hours=1))
    await settle(hass)
    hours = await read(hass, total, period="hour")
    assert len(hours) == 27
    assert sum(hours.values()) == 25


async def test_ledgers_of_several_wallets(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    poll: Poll,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Wallets of one unit are added up; what is not told or never used has nothing."""
    balances: dict[str, tuple[Unit, Decimal | None]] = {
        "home": (USD, Decimal(10)),
        "garage": (USD, Decimal(20)),
        "savings": (EUR, Decimal(5)),
        "bonus": (CREDITS, Decimal(100)),
        "debt": (Unit.money("GBP"), None),
    }
    monkeypatch.setattr(Keeper, "balances", balances, raising=False)
    register(monkeypatch, Keeper)
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Keeper",
        data={"provider": Keeper.id, "account_ids": [], "api_key": "key"},
        entry_id="entry_keeper",
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await poll(timedelta(minutes=30))
    balances["home"] = USD, Decimal(9)
    balances["garage"] = USD, Decimal(18)
    balances["bonus"] = CREDITS, Decimal(70)
    await poll(timedelta(hours=1))
    await settle(hass)
    usd, credits_spent = (
        f"api_balance:entry_keeper_{u}_spend" for u in ("usd", "credits")
    )
    assert set(await ids(hass)) == {usd, credits_spent}
    assert list((await read(hass, usd, period="hour")).values()) == [0, 3]
    assert list((await read(hass, credits_spent, period="hour")).values()) == [0, 30]

    # What was told of a wallet that is gone stays.
    del balances["garage"]
    balances["home"] = USD, Decimal("8.5")
    await poll(timedelta(hours=1))
    await settle(hass)
    amounts = list((await read(hass, usd, period="hour")).values())
    assert amounts == [0, 3, Decimal("0.5")]


# The recorder


async def test_without_a_recorder(
    hass: HomeAssistant, books: Books, poll: Poll
) -> None:
    """Without a recorder everything else works, and no report is asked for."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Reporter",
        data={"provider": Reporter.id, "account_ids": [], "api_key": "key"},
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await poll(HALF_A_DAY)
    assert state_of(hass, STATUS) == "ok"
    assert "recorder" not in hass.config.components
    assert books.polls == 2
    assert books.asked == []


def test_without_what_the_recorder_needs() -> None:
    """Where there is no recorder, there may be no database library either."""
    code = (
        "import sys; sys.modules['sqlalchemy'] = None\n"
        "import custom_components.api_balance.reports.statistics\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert run.stderr == ""


# Over real sockets


async def test_deepgram(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    poll: Poll,
) -> None:
    """A project's days and line items are there, and late costs are added."""
    deepgram = simulator[Deepgram]
    await add_account(deepgram)
    await settle(hass)
    total = "api_balance:entry_deepgram_usd_spend"
    days = list((await bars(hass, total)).items())
    assert days[-1][1] == Decimal("0.2912")
    item = f"{total}_sync_aura_2"
    assert set((await bars(hass, item)).values()) == {Decimal("0.0412")}

    late, _ = days[-2]
    deepgram.add_cost(deepgram.projects[0], Decimal("0.5"), late)
    await poll(HALF_A_DAY)
    await settle(hass)
    expected = dict(days) | {late: Decimal("0.7912")}
    assert await bars(hass, total) == expected


# The correction of a series


AMOUNTS = st.decimals(min_value=-1000, max_value=1000, places=6)
HOURS = st.integers(min_value=0, max_value=40).map(lambda n: EPOCH + n * DAY)


def as_points(amounts: Mapping[datetime, Decimal], base: Decimal) -> list[Point]:
    """Return what is kept of amounts."""
    points = []
    for start in sorted(amounts):
        base += amounts[start]
        points.append(Point(start=start, amount=amounts[start], total=base))
    return points


@given(
    kept=st.dictionaries(HOURS, AMOUNTS),
    told=st.dictionaries(HOURS, AMOUNTS),
    base=AMOUNTS,
    since=st.none() | HOURS,
)
def test_corrections(
    kept: dict[datetime, Decimal],
    told: dict[datetime, Decimal],
    base: Decimal,
    since: datetime | None,
) -> None:
    """Corrections lead to what is told, with true sums, and then to nothing more."""
    before = as_points(kept, base)
    points = {point.start: point for point in before}
    points |= {point.start: point for point in correct(before, told, base, since)}
    after = [points[start] for start in sorted(points)]
    amounts = {point.start: point.amount for point in after}
    assert after == as_points(amounts, base)
    assert list(correct(after, told, base, since)) == []
    if since is None:
        assert amounts == {
            start: max(found[start] for found in (kept, told) if start in found)
            for start in kept | told
        }
    else:
        gone = {start: Decimal() for start in kept if start >= since}
        assert amounts == kept | gone | told
