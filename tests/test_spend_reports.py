"""What providers tell beyond a poll: spend by the day, and what was paid in."""

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from aiohttp import ClientSession, web
from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.api_balance.model import ACCOUNT, Spend
from custom_components.api_balance.providers.base import (
    SPEND_DIMENSIONS,
    InvalidCredentials,
    MissingPermission,
    Provider,
    ProviderError,
    ProviderFault,
    RateLimited,
    ReportsPurchases,
    ReportsSpend,
    ReportsSpendFields,
    SpendQuery,
    UnexpectedAnswer,
    Unreachable,
)
from custom_components.api_balance.providers.catalog import load, load_all
from custom_components.api_balance.providers.http import connect
from custom_components.api_balance.providers.openrouter import OpenRouter

from .recording import (
    FOLDER,
    Handler,
    RecordedProvider,
    Recording,
    connected,
    full_recording,
    plain,
    reports,
    served,
)
from .simulator import SimulatedProvider, Simulator
from .simulator.anthropic import Anthropic as SimulatedAnthropic
from .simulator.costs import Biller
from .simulator.deepgram import Deepgram as SimulatedDeepgram
from .simulator.digital_ocean import DigitalOcean as SimulatedDigitalOcean
from .simulator.openai import OpenAI as SimulatedOpenAI
from .simulator.openrouter import OpenRouter as SimulatedOpenRouter
from .simulator.twilio import Twilio as SimulatedTwilio
from .simulator.xai import XAI as SimulatedXAI
from .test_providers import PAGE, answering, breakages, each, reset

pytestmark = pytest.mark.usefixtures("socket_enabled")

ABILITIES = {
    "purchases": ReportsPurchases,
    "spend": ReportsSpend,
    "spend_fields": ReportsSpendFields,
}
TELLING = [
    pytest.param(provider, report, id=f"{provider.id}-{report}")
    for provider in load_all()
    for report in ABILITIES
    if hasattr(provider, f"fetch_{report}")
]
SIMULATED: tuple[type[Biller | SimulatedDeepgram], ...] = (
    SimulatedAnthropic,
    SimulatedDeepgram,
    SimulatedOpenAI,
    SimulatedOpenRouter,
    SimulatedTwilio,
)


async def ask(provider: Provider, report: str, scope: str, query: SpendQuery) -> Any:
    """Return a report of a provider."""
    assert isinstance(provider, ABILITIES[report])
    fetch = getattr(provider, f"fetch_{report}")
    return await (fetch(scope) if report == "purchases" else fetch(scope, query))


async def meaning(recording: Recording, handler: Handler) -> dict[str, Any]:
    """Return in plain words what the provider makes of a provider's answers."""
    assert recording.report
    provider = load(recording.provider)
    async with (
        served(handler) as address,
        connected(provider, address, recording.credentials) as client,
    ):
        try:
            answer = await ask(
                client, recording.report, recording.scope, recording.query
            )
        except ProviderError as err:
            details = {key: plain(value) for key, value in vars(err).items()}
            return {"problem": err.problem.value, **details}
    return {recording.report: plain(answer)}


@pytest.mark.parametrize("recording", each(reports()))
async def test_recorded_reports(recording: Recording) -> None:
    """A recorded report means what its file says."""
    simulated = RecordedProvider(recording)
    outcome = await meaning(recording, simulated.handle)
    assert simulated.complaints == []
    assert outcome == recording.expect
    assert set(simulated.requests) == set(recording.answers)


@pytest.mark.parametrize(
    "recording", each(item for item in reports() if item.name == "spend")
)
async def test_days_that_were_not_asked_for(recording: Recording) -> None:
    """Whatever days a provider answers with, a report is of those asked for."""
    answers = {
        asked.partition("?")[0]: answer for asked, answer in recording.answers.items()
    }

    async def handle(request: web.Request) -> web.StreamResponse:
        return web.json_response(answers[f"{request.method} {request.path}"]["json"])

    long_ago = SpendQuery(start=date(2001, 2, 3), end=date(2001, 2, 5))
    async with (
        served(handle) as address,
        connected(load(recording.provider), address, recording.credentials) as client,
    ):
        assert await ask(client, "spend", recording.scope, long_ago) == ()


@pytest.mark.parametrize(("provider", "report"), TELLING)
def test_reports_are_recorded(provider: type[Provider], report: str) -> None:
    """Every report is recorded, as are its edges."""
    there = {path.stem for path in (FOLDER / provider.id / "reports").glob("*.json")}
    needed = {report, f"{report}_empty"}
    if report == "spend":
        filters, groups = declared(provider)
        needed |= {"spend_filtered"} if filters else set()
        needed |= {"spend_grouped"} if groups else set()
    assert needed <= there


def declared(provider: type[Provider]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return by what a report of spend is filtered, and what it tells apart."""
    filters: tuple[str, ...] = getattr(provider, "spend_filters", ())
    groups: tuple[str, ...] = getattr(provider, "spend_groups", ())
    return filters, groups


def test_dimensions() -> None:
    """What spend is filtered by and told apart by has one word for all providers."""
    used = {
        name for provider in load_all() for part in declared(provider) for name in part
    }
    assert used == set(SPEND_DIMENSIONS)


@pytest.mark.parametrize(
    "recording",
    each(item for item in reports() if item.name == item.report),
)
async def test_wrong_types(recording: Recording) -> None:
    """An answer of any shape is read, or refused with the path that broke."""
    simulated = RecordedProvider(recording)
    outcomes: set[type] = set()
    async with served(simulated.handle) as address, ClientSession() as session:
        for asked, answer in recording.answers.items():
            for broken in breakages(answer["json"], lambda value: value):
                simulated.answers = {
                    **recording.answers,
                    asked: {**answer, "json": broken},
                }
                client = connect(
                    load(recording.provider),
                    session,
                    recording.credentials,
                    base_url=address,
                )
                try:
                    assert recording.report
                    outcome = await ask(
                        client, recording.report, recording.scope, recording.query
                    )
                except ProviderError as err:
                    outcome = err
                outcomes.add(type(outcome))
    assert UnexpectedAnswer in outcomes
    assert outcomes & {tuple, dict}


FAULTS: dict[str, tuple[Handler, tuple[type[ProviderError], ...]]] = {
    "reset": (reset, (Unreachable,)),
    "page": (answering(PAGE), (Unreachable,)),
    "number": (answering("5"), (UnexpectedAnswer,)),
    "huge": (answering("[" + " " * 1_100_000 + "]"), (UnexpectedAnswer,)),
    "not known": (answering("", status=401), (InvalidCredentials, MissingPermission)),
    "not allowed": (answering("", status=403), (InvalidCredentials, MissingPermission)),
    "too often": (answering("", status=429), (RateLimited,)),
    "provider at fault": (answering("", status=500), (ProviderFault,)),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("provider", "report"), TELLING)
async def test_faults(provider: type[Provider], report: str, fault: str) -> None:
    """Whatever happens on the way has its own name, and holds no key."""
    handler, errors = FAULTS[fault]
    async with served(handler) as address, connected(provider, address) as client:
        with pytest.raises(errors) as caught:
            await ask(client, report, "p1", SpendQuery())
    assert caught.value.__context__ is None
    for secret in (*full_recording(provider).secrets, address):
        assert secret not in repr(caught.value)


def test_dates_of_a_query() -> None:
    """Without dates the report is of the 30 days until today."""
    today, day = date(2026, 11, 21), date(2026, 2, 3)
    query = SpendQuery()
    assert (query.first, query.last) == (date(2026, 10, 23), today)
    query = SpendQuery(start=day)
    assert (query.first, query.last) == (day, today)
    query = SpendQuery(end=day)
    assert (query.first, query.last) == (date(2026, 1, 5), day)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        # The week began in the month before.
        (
            "2026-11-05",
            [("11-05", "11-06", 1), ("11-02", "11-05", 2), ("11-01", "11-02", 7)],
        ),
        (
            "2026-12-03",
            [("12-03", "12-04", 1), ("12-01", "12-03", 9), ("11-30", "12-01", -7)],
        ),
        # The day is the first of the week, of the month, of both.
        ("2026-11-16", [("11-16", "11-17", 1), ("11-01", "11-16", 9)]),
        ("2026-12-01", [("12-01", "12-02", 1), ("11-30", "12-01", 2)]),
        ("2027-02-01", [("02-01", "02-02", 1)]),
    ],
)
async def test_counters_of_a_key(
    now: str, expected: list[tuple[str, str, int]], freezer: FrozenDateTimeFactory
) -> None:
    """Each counter tells the days that the shorter ones do not."""
    freezer.move_to(f"{now} 12:00:00")
    data = {"usage": 50, "usage_daily": 1, "usage_weekly": 3, "usage_monthly": 10}
    recorded = full_recording(OpenRouter)
    simulated = RecordedProvider(recorded)
    shown = recorded.answers["GET /api/v1/key"]
    simulated.answers["GET /api/v1/key"] = {**shown, "json": {"data": data}}
    async with (
        served(simulated.handle) as address,
        connected(OpenRouter, address) as client,
    ):
        rows: tuple[Spend, ...] = await ask(client, "spend", ACCOUNT, SpendQuery())
    assert [(f"{row.start:%m-%d}", f"{row.end:%m-%d}", row.amount) for row in rows] == [
        (start, end, Decimal(amount)) for start, end, amount in expected
    ]


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
