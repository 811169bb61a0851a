"""The providers' own Python libraries take the simulator for the provider."""

from collections.abc import AsyncGenerator
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial

from anthropic import (
    AsyncAnthropic,
    AuthenticationError as BadKeyError,
    BadRequestError,
)
from anthropic.pagination import AsyncReportPageCursor
from anthropic.types.beta.organization.analytics import BetaAnalyticsCostItem
from deepgram import AsyncDeepgramClient
from deepgram.core.api_error import ApiError
from deepgram.environment import DeepgramClientEnvironment
import httpx  # noqa: TID251 - the library leaves its client to whoever must close it
from openai import AsyncOpenAI
import pytest
from telnyx import (
    AsyncTelnyx,
    AuthenticationError,
    PermissionDeniedError,
    RateLimitError,
)

from .simulator import Http, Simulator
from .simulator.anthropic import Anthropic
from .simulator.costs import Deployment
from .simulator.deepgram import Deepgram
from .simulator.openai import OpenAI
from .simulator.telnyx import Telnyx

# Where the clock stands still, pydantic cannot build a model that holds a time.
AsyncReportPageCursor[BetaAnalyticsCostItem].construct(data=[{}])


@pytest.fixture
async def simulator(socket_enabled: None) -> AsyncGenerator[Simulator]:
    """Run the simulator."""
    async with Simulator() as running:
        yield running


@pytest.fixture
async def deepgram(simulator: Simulator) -> AsyncGenerator[AsyncDeepgramClient]:
    """Point Deepgram's library at the simulator."""
    provider = simulator["deepgram"]
    url = provider.url
    async with httpx.AsyncClient() as client:
        yield AsyncDeepgramClient(
            api_key=provider.credentials["api_key"],
            environment=DeepgramClientEnvironment(
                base=url, production=url, agent=url, agent_rest=url
            ),
            httpx_client=client,
            max_retries=0,
        )


@pytest.fixture
async def telnyx(simulator: Simulator) -> AsyncGenerator[AsyncTelnyx]:
    """Point Telnyx's library at the simulator."""
    provider = simulator["telnyx"]
    async with AsyncTelnyx(
        api_key=provider.credentials["api_key"],
        base_url=f"{provider.url}/v2",
        max_retries=0,
    ) as client:
        yield client


@pytest.fixture
async def openai(simulator: Simulator) -> AsyncGenerator[AsyncOpenAI]:
    """Point OpenAI's library at the simulator."""
    provider = simulator["openai"]
    async with AsyncOpenAI(
        admin_api_key=provider.credentials["api_key"],
        base_url=f"{provider.url}/v1",
        max_retries=0,
    ) as client:
        yield client


@pytest.fixture
async def anthropic(simulator: Simulator) -> AsyncGenerator[AsyncAnthropic]:
    """Point Anthropic's library at the simulator."""
    provider = simulator["anthropic"]
    async with AsyncAnthropic(
        api_key=provider.credentials["api_key"], base_url=provider.url, max_retries=0
    ) as client:
        yield client


async def test_deepgram_projects(
    simulator: Simulator, deepgram: AsyncDeepgramClient
) -> None:
    """The library lists the projects and reads one."""
    home = simulator[Deepgram].projects[0]
    office = simulator[Deepgram].add_project("Office")
    listed = await deepgram.manage.v1.projects.list()
    assert [
        (project.project_id, project.name) for project in listed.projects or ()
    ] == [
        (home, "Home"),
        (office, "Office"),
    ]
    project = await deepgram.manage.v1.projects.get(office)
    assert (project.name, project.mip_opt_out) == ("Office", False)


async def test_deepgram_balances(
    simulator: Simulator, deepgram: AsyncDeepgramClient
) -> None:
    """The library reads the balances, and one by itself."""
    provider = simulator[Deepgram]
    project_id = provider.projects[0]
    hours = provider.add_balance(project_id, Decimal("12.5"), "hour", "contract")
    api = deepgram.manage.v1.projects.billing.balances
    listed = await api.list(project_id)
    assert [(item.amount, item.units) for item in listed.balances or ()] == [
        (104.56822227, "usd"),
        (12.5, "hour"),
    ]
    single = await api.get(project_id, hours)
    assert single.balance_id == hours
    assert single.amount == 12.5
    assert single.units == "hour"
    assert single.purchase_order_id == "contract"


async def test_deepgram_purchases(
    simulator: Simulator, deepgram: AsyncDeepgramClient
) -> None:
    """The library reads what was bought."""
    provider = simulator[Deepgram]
    project_id = provider.projects[0]
    provider.top_up(Decimal("25.5"))
    api = deepgram.manage.v1.projects.billing.purchases
    paid, given = (await api.list(project_id)).orders or []
    assert (paid.amount, paid.units, paid.order_type) == (25.5, "usd", "purchase")
    assert paid.expiration is None
    assert (given.amount, given.units, given.order_type) == (200, "usd", "promotional")
    assert given.created is not None
    assert given.expiration is not None
    assert given.expiration > given.created
    assert (await api.list(project_id, limit=1)).orders == [paid]


async def test_deepgram_breakdown_and_fields(
    simulator: Simulator, deepgram: AsyncDeepgramClient
) -> None:
    """The library filters and groups costs, and names what they are made of."""
    provider = simulator[Deepgram]
    project_id = provider.add_project("Office")
    uses: list[tuple[str, Deployment]] = [
        ("a", "hosted"),
        ("b", "beta"),
        ("a", "beta"),
    ]
    for accessor, deployment in uses:
        provider.add_cost(
            project_id,
            Decimal("0.25"),
            date(2025, 1, 16),
            accessor,
            deployment,
            tags=("tag1", "tag2"),
        )
    billing = deepgram.manage.v1.projects.billing
    breakdown = await billing.breakdown.list(
        project_id,
        start="2025-01-16",
        end="2025-01-23",
        accessor="a",
        tag="tag1",
        line_item="streaming::nova-3",
        grouping=["deployment", "tags"],
    )
    assert (breakdown.start, breakdown.end) == ("2025-01-16", "2025-01-23")
    assert (breakdown.resolution.units, breakdown.resolution.amount) == ("day", 1)
    assert [
        (result.dollars, result.grouping.deployment, result.grouping.tags)
        for result in breakdown.results
    ] == [(0.25, "beta", ["tag1", "tag2"]), (0.25, "hosted", ["tag1", "tag2"])]
    assert breakdown.results[0].grouping.accessor is None
    hosted = await billing.breakdown.list(
        project_id, start="2025-01-16", deployment="hosted"
    )
    assert [result.dollars for result in hosted.results] == [0.25]
    fields = await billing.fields.list(project_id, start="2025-01-16")
    assert fields.accessors == ["a", "b"]
    assert fields.deployments == ["beta", "hosted"]
    assert fields.tags == ["tag1", "tag2"]
    assert fields.line_items == {"streaming::nova-3": "Nova - 3 (Stream)"}


async def test_deepgram_errors(
    simulator: Simulator, deepgram: AsyncDeepgramClient
) -> None:
    """The library sees refusals with status and body, also in plain text."""
    provider = simulator[Deepgram]
    api = deepgram.manage.v1.projects.billing.balances
    provider.revoke_key()
    with pytest.raises(ApiError) as caught:
        await api.list(provider.projects[0])
    assert caught.value.status_code == 401
    assert caught.value.body["err_code"] == "INVALID_AUTH"
    provider.weaken_key()
    provider.refuse_permissions_with("401_text")
    with pytest.raises(ApiError) as caught:
        await api.list(provider.projects[0])
    assert caught.value.body == "User does not have sufficient permissions."


async def test_telnyx_balance(simulator: Simulator, telnyx: AsyncTelnyx) -> None:
    """The library reads the balance of an account with a credit line."""
    provider = simulator[Telnyx]
    provider.set_balance(Decimal("-154.29"))
    provider.set_credit_limit(Decimal(500))
    data = (await telnyx.balance.retrieve()).data
    assert data is not None
    assert data.record_type == "balance"
    assert data.balance == "-154.29"
    assert data.credit_limit == "500.00"
    assert data.available_credit == "345.71"
    assert data.pending == "10.00"
    assert data.currency == "USD"


async def test_telnyx_errors(simulator: Simulator, telnyx: AsyncTelnyx) -> None:
    """The library tells a bad key, a missing permission and a limit apart."""
    provider = simulator["telnyx"]
    provider.revoke_key()
    with pytest.raises(AuthenticationError, match="10009"):
        await telnyx.balance.retrieve()
    provider.weaken_key()
    with pytest.raises(PermissionDeniedError, match="10010"):
        await telnyx.balance.retrieve()
    provider.fail(Http(429, retry_after=1))
    with pytest.raises(RateLimitError, match="10011"):
        await telnyx.balance.retrieve()


async def test_openai_costs(simulator: Simulator, openai: AsyncOpenAI) -> None:
    """The library reads the costs of each day by line item, page by page."""
    simulator[OpenAI].add_cost(Decimal("0.5"), line_item="whisper")
    costs = openai.admin.organization.usage.costs
    ask = partial(
        costs,
        start_time=int(datetime(2026, 11, 20, tzinfo=UTC).timestamp()),
        group_by=["line_item"],
        limit=1,
    )
    first = await ask()
    assert first.has_more
    assert first.next_page
    second = await ask(page=first.next_page)
    assert (second.has_more, second.next_page) == (False, None)
    results = [
        result
        for page in (first, second)
        for day in page.data
        for result in day.results
    ]
    found = []
    for result in results:
        assert result.object == "organization.costs.result"
        assert result.amount
        found.append((result.line_item, result.amount.value, result.amount.currency))
    assert found == [
        ("gpt-5-mini, output", 1.25, "usd"),
        ("gpt-5-mini, output", 0.06, "usd"),
        ("whisper", 0.5, "usd"),
    ]


async def test_anthropic_costs(simulator: Simulator, anthropic: AsyncAnthropic) -> None:
    """The library reads the costs of each day by model and workspace, page by page."""
    simulator[Anthropic].add_cost(
        Decimal("0.25"), line_item="Web Search Usage", project="wrkspc_lab"
    )
    yesterday = ("2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z")
    today = ("2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z")
    page = await anthropic.beta.organization.analytics.cost.list(
        starting_at="2026-11-20T00:00:00Z",
        ending_at="2026-11-22T00:00:00Z",
        time_bucket_width="1d",
        group_by=["model", "workspace_id"],
        limit=2,
    )
    assert page.has_more
    # The library leaves a time as it came where the clock stands still.
    assert [
        (
            str(row.starting_at),
            str(row.ending_at),
            row.group.model,
            row.group.workspace_id,
            row.cost.amount,
            row.cost.currency,
        )
        async for row in page
    ] == [
        (*yesterday, "claude-haiku-4-5", "wrkspc_home", "1234.56", "USD"),
        (*today, "claude-haiku-4-5", "wrkspc_home", "50", "USD"),
        (*today, None, "wrkspc_lab", "25", "USD"),
    ]


async def test_anthropic_errors(
    simulator: Simulator, anthropic: AsyncAnthropic
) -> None:
    """The library tells a bad key from a query that is refused."""
    costs = anthropic.beta.organization.analytics.cost
    with pytest.raises(BadRequestError):
        await costs.list(starting_at="2026-11-01T00:00:00Z", time_bucket_width="1d")
    simulator["anthropic"].revoke_key()
    with pytest.raises(BadKeyError):
        await costs.list(starting_at="2026-11-01T00:00:00Z")
