"""What providers tell beyond a poll: spend by the day, and what was paid in."""

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from aiohttp import ClientSession
from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.api_balance.model import ACCOUNT, Spend
from custom_components.api_balance.providers.base import (
    NotFound,
    Provider,
    ReportsSpend,
    SpendQuery,
)
from custom_components.api_balance.providers.catalog import load
from custom_components.api_balance.providers.http import connect
from custom_components.api_balance.providers.openrouter import OpenRouter

from .pure.test_reports import ask
from .simulator import Http, SimulatedProvider, Simulator
from .simulator.anthropic import Anthropic as SimulatedAnthropic
from .simulator.costs import Biller
from .simulator.deepgram import Deepgram as SimulatedDeepgram
from .simulator.digital_ocean import DigitalOcean as SimulatedDigitalOcean
from .simulator.openai import OpenAI as SimulatedOpenAI
from .simulator.openrouter import OpenRouter as SimulatedOpenRouter
from .simulator.twilio import Twilio as SimulatedTwilio
from .simulator.xai import XAI as SimulatedXAI

pytestmark = pytest.mark.usefixtures("socket_enabled")

SIMULATED: tuple[type[Biller | SimulatedDeepgram], ...] = (
    SimulatedAnthropic,
    SimulatedDeepgram,
    SimulatedOpenAI,
    SimulatedOpenRouter,
    SimulatedTwilio,
)


# With the simulated providers, which have a past


@asynccontextmanager
async def account_of(
    simulated: SimulatedProvider,
) -> AsyncIterator[tuple[ReportsSpend, str]]:
    """Yield the provider of a simulated account, and what has money in it."""
    async with ClientSession() as session:
        provider = connect(
            load(simulated.id), session, simulated.credentials, base_url=simulated.url
        )
        assert isinstance(provider, ReportsSpend)
        if isinstance(simulated, SimulatedDeepgram):
            yield provider, simulated.projects[0]
        else:
            yield provider, ACCOUNT


def by_day(rows: tuple[Spend, ...]) -> dict[datetime, Decimal]:
    """Return what each day cost."""
    days: defaultdict[datetime, Decimal] = defaultdict(Decimal)
    for row in rows:
        assert row.end - row.start == timedelta(days=1)
        assert row.start.tzinfo is UTC
        days[row.start] += row.amount
    return dict(days)


@pytest.mark.parametrize("simulated", SIMULATED)
@pytest.mark.parametrize("days", [30, 400])
async def test_groups_add_up(
    simulator: Simulator,
    simulated: type[Biller | SimulatedDeepgram],
    days: int,
) -> None:
    """However the spend is told apart, it is the same on each day."""
    there = simulator[simulated]
    there.give_past(days=days)
    first = date(2026, 11, 21) - timedelta(days=days)
    told = 30 if simulated is SimulatedOpenRouter else days
    async with account_of(there) as (provider, scope):
        query = SpendQuery(start=first, end=date(2026, 11, 20))
        whole = by_day(await provider.fetch_spend(scope, query))
        assert len(whole) == told
        assert sum(whole.values()) == pytest.approx(
            Decimal("2.4") * told, rel=Decimal("0.1")
        )
        for name in provider.spend_groups:
            query = SpendQuery(start=first, end=date(2026, 11, 20), group_by=(name,))
            rows = await provider.fetch_spend(scope, query)
            assert by_day(rows) == whole
            assert len({str(row.labels) for row in rows}) > 1


async def test_anthropic_after_the_legacy_report(
    simulator: Simulator, freezer: FrozenDateTimeFactory
) -> None:
    """The successor is asked for no more than it knows, and once it is known, alone."""
    freezer.move_to("2027-06-01T12:00:00+00:00")
    there = simulator[SimulatedAnthropic]
    there.give_past(days=400)
    there.retire_report()
    async with account_of(there) as (provider, scope):
        query = SpendQuery(start=date(2026, 5, 1), end=date(2027, 5, 31))
        whole = by_day(await provider.fetch_spend(scope, query))
        assert len(whole) == 364
        assert min(whole) == datetime(2026, 6, 2, tzinfo=UTC)
        for name in provider.spend_groups:
            there.requests.clear()
            rows = await provider.fetch_spend(
                scope, SpendQuery(end=date(2027, 5, 31), group_by=(name,))
            )
            assert by_day(rows) == {
                day: amount
                for day, amount in whole.items()
                if day > datetime(2027, 5, 1, tzinfo=UTC)
            }
            assert [request.path for request in there.requests] == [
                "/v1/organizations/analytics/cost"
            ]
        assert isinstance(provider, Provider)
        there.requests.clear()
        first = await provider.read()
        assert (await provider.read()).spend == first.spend
        assert [request.path for request in there.requests] == [
            "/v1/organizations/me",
            *["/v1/organizations/analytics/cost"] * 2,
        ]
        there.requests.clear()
        there.fail(Http(404))
        with pytest.raises(NotFound):
            await provider.read()
        assert len(there.requests) == 1


@pytest.mark.parametrize("simulated", SIMULATED)
async def test_filters_let_their_own_through(
    simulator: Simulator,
    simulated: type[Biller | SimulatedDeepgram],
) -> None:
    """A report that is filtered by the value of a group is the rows of that group."""
    there = simulator[simulated]
    there.give_past(days=10)
    async with account_of(there) as (provider, scope):
        for name in {*provider.spend_filters} & {*provider.spend_groups}:
            rows = await provider.fetch_spend(scope, SpendQuery(group_by=(name,)))
            # A row may have several tags.
            values = {
                value
                for row in rows
                if isinstance(value := row.labels.get(name), str) and value != "other"
            }
            for value in values:
                filtered = await provider.fetch_spend(
                    scope, SpendQuery(filters={name: value})
                )
                assert {
                    day: amount for day, amount in by_day(filtered).items() if amount
                } == by_day(tuple(row for row in rows if row.labels.get(name) == value))


@pytest.mark.parametrize("simulated", SIMULATED)
async def test_spending_is_reported(
    simulator: Simulator,
    simulated: type[Biller | SimulatedDeepgram],
    freezer: FrozenDateTimeFactory,
) -> None:
    """What is spent is in the report of its day, as are costs that come late."""
    there = simulator[simulated]
    there.give_past(days=3)
    yesterday = datetime(2026, 11, 20, tzinfo=UTC)
    async with account_of(there) as (provider, scope):
        before = by_day(await provider.fetch_spend(scope, SpendQuery()))
        there.spend(Decimal("1.23"))
        if isinstance(there, SimulatedDeepgram):
            there.add_cost(scope, Decimal("0.5"), yesterday.date())
        else:
            there.add_cost(Decimal("0.5"), yesterday.date())
        # OpenRouter tells a day when it is over.
        freezer.move_to("2026-11-22 12:00:00")
        after = by_day(await provider.fetch_spend(scope, SpendQuery()))
    today = yesterday + timedelta(days=1)
    assert after[today] == before.get(today, 0) + Decimal("1.23")
    assert after[yesterday] == before[yesterday] + Decimal("0.5")


async def test_a_past_changes_no_balance(simulator: Simulator) -> None:
    """A past is money that was gone before; it is the same whenever it is given."""
    there = simulator[SimulatedOpenRouter]
    async with account_of(there) as (provider, scope):
        assert isinstance(provider, OpenRouter)
        (before,) = (await provider.read()).wallets
        there.give_past()
        past = await provider.fetch_spend(scope, SpendQuery())
        there.give_past()
        assert await provider.fetch_spend(scope, SpendQuery()) == past
        (after,) = (await provider.read()).wallets
    assert after == before


@pytest.mark.parametrize(
    "simulated", [SimulatedDeepgram, SimulatedDigitalOcean, SimulatedXAI]
)
async def test_top_ups_are_purchases(
    simulator: Simulator, simulated: type[SimulatedProvider]
) -> None:
    """What is paid in is told with its time."""
    there = simulator[simulated]
    scope = there.projects[0] if isinstance(there, SimulatedDeepgram) else ACCOUNT
    async with ClientSession() as session:
        provider = connect(
            load(there.id), session, there.credentials, base_url=there.url
        )
        before = await ask(provider, "purchases", scope, SpendQuery())
        there.top_up(Decimal("12.50"))
        (bought, *rest) = await ask(provider, "purchases", scope, SpendQuery())
    assert tuple(rest) == before
    assert (bought.amount, bought.unit.code) == (Decimal("12.50"), "USD")
    assert bought.purchased_at == datetime(2026, 11, 21, 12, tzinfo=UTC)
