"""What providers report beyond a poll: the contract of their recordings."""

from datetime import date
from decimal import Decimal
from typing import Any

from freezegun import freeze_time
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
from custom_components.api_balance.providers.http import SCHEMAS
from custom_components.api_balance.providers.openrouter import OpenRouter

from ..recording import (
    FOLDER,
    Answer,
    Answering,
    Asked,
    RecordedProvider,
    Recording,
    always,
    full_recording,
    joined,
    plain,
    reports,
)
from .test_providers import PAGE, breakages, unreachable

pytestmark = pytest.mark.usefixtures("recorded_at")

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


async def ask(provider: Provider, report: str, scope: str, query: SpendQuery) -> Any:
    """Return a report of a provider."""
    assert isinstance(provider, ABILITIES[report])
    fetch = getattr(provider, f"fetch_{report}")
    return await (fetch(scope) if report == "purchases" else fetch(scope, query))


@pytest.mark.parametrize("recording", reports(), ids=str)
async def test_recorded_reports(recording: Recording) -> None:
    """A recorded report means what its file says."""
    simulated = RecordedProvider(recording)
    outcome = await meaning(recording, simulated.answer)
    assert simulated.complaints == []
    assert outcome == recording.expect
    assert set(simulated.requests) == set(recording.answers)
    compiled = len(SCHEMAS)
    await meaning(recording, simulated.answer)
    assert len(SCHEMAS) == compiled


async def meaning(recording: Recording, answering: Answering) -> dict[str, Any]:
    """Return in plain words what the provider makes of a provider's answers."""
    assert recording.report
    client = joined(load(recording.provider), answering, recording.credentials)
    try:
        answer = await ask(client, recording.report, recording.scope, recording.query)
    except ProviderError as err:
        details = {key: plain(value) for key, value in vars(err).items()}
        return {"problem": err.problem.value, **details}
    return {recording.report: plain(answer)}


@pytest.mark.parametrize(
    "recording", [one for one in reports() if one.name == "spend"], ids=str
)
async def test_days_that_were_not_asked_for(recording: Recording) -> None:
    """Whatever days a provider answers with, a report is of those asked for."""
    answers = {
        asked.partition("?")[0]: answer for asked, answer in recording.answers.items()
    }

    def answering(asked: Asked) -> Answer:
        return Answer.recorded(answers[str(asked).partition("?")[0]])

    long_ago = SpendQuery(start=date(2001, 2, 3), end=date(2001, 2, 5))
    client = joined(load(recording.provider), answering, recording.credentials)
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
    [item for item in reports() if item.name == item.report],
    ids=str,
)
async def test_wrong_types(recording: Recording) -> None:
    """An answer of any shape is read, or refused with the path that broke."""
    provider = load(recording.provider)
    simulated = RecordedProvider(recording)
    outcomes: set[type] = set()
    assert recording.report
    for asked, answer in recording.answers.items():
        for broken in breakages(answer["json"], lambda value: value):
            simulated.answers = {**recording.answers, asked: {**answer, "json": broken}}
            client = joined(provider, simulated.answer, recording.credentials)
            try:
                outcome = await ask(
                    client, recording.report, recording.scope, recording.query
                )
            except ProviderError as err:
                outcome = err
            outcomes.add(type(outcome))
    assert UnexpectedAnswer in outcomes
    assert outcomes & {tuple, dict}


FAULTS: dict[str, tuple[Answering, tuple[type[ProviderError], ...]]] = {
    "unreachable": (unreachable, (Unreachable,)),
    "page": (always(PAGE), (Unreachable,)),
    "number": (always("5"), (UnexpectedAnswer,)),
    "not known": (always(status=401), (InvalidCredentials, MissingPermission)),
    "not allowed": (always(status=403), (InvalidCredentials, MissingPermission)),
    "too often": (always(status=429), (RateLimited,)),
    "provider at fault": (always(status=500), (ProviderFault,)),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("provider", "report"), TELLING)
async def test_faults(provider: type[Provider], report: str, fault: str) -> None:
    """Whatever happens on the way has its own name, and holds no key."""
    answering, errors = FAULTS[fault]
    with pytest.raises(errors) as caught:
        await ask(joined(provider, answering), report, "p1", SpendQuery())
    assert caught.value.__context__ is None
    for secret in full_recording(provider).secrets:
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
    now: str, expected: list[tuple[str, str, int]]
) -> None:
    """Each counter tells the days that the shorter ones do not."""
    data = {"usage": 50, "usage_daily": 1, "usage_weekly": 3, "usage_monthly": 10}
    recorded = full_recording(OpenRouter)
    simulated = RecordedProvider(recorded)
    shown = recorded.answers["GET /api/v1/key"]
    simulated.answers["GET /api/v1/key"] = {**shown, "json": {"data": data}}
    client = joined(OpenRouter, simulated.answer)
    with freeze_time(f"{now} 12:00:00", real_asyncio=True):
        rows: tuple[Spend, ...] = await ask(client, "spend", ACCOUNT, SpendQuery())
    assert [(f"{row.start:%m-%d}", f"{row.end:%m-%d}", row.amount) for row in rows] == [
        (start, end, Decimal(amount)) for start, end, amount in expected
    ]
