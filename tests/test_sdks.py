"""The providers' own Python libraries take the simulator for the provider."""

from collections.abc import AsyncGenerator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

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
from .simulator.costs import Deployment, today
from .simulator.deepgram import Deepgram
from .simulator.openai import OpenAI
from .simulator.telnyx import Telnyx


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


def days_ago(days: int) -> datetime:
    """Return when a day began by which costs are counted."""
    return datetime.combine(today() - timedelta(days=days), time(), UTC)


async def test_openai_costs(simulator: Simulator) -> None:
    """The library reads the costs of each day, by line item, page by page."""
    provider = simulator[OpenAI]
    provider.give_past(days=3, per_day=Decimal(2))
    async with AsyncOpenAI(
        api_key="unused",
        admin_api_key=provider.credentials["api_key"],
        base_url=f"{provider.url}/v1",
        max_retries=0,
    ) as client:
        costs = client.admin.organization.usage.costs
        start = int(days_ago(3).timestamp())
        first = await costs(start_time=start, limit=2, group_by=["line_item"])
        assert first.has_more
        assert first.next_page
        rest = await costs(
            start_time=start, limit=2, group_by=["line_item"], page=first.next_page
        )
    total = Decimal()
    for bucket in (*first.data, *rest.data):
        for result in bucket.results:
            amount = getattr(result, "amount", None)
            assert amount
            assert amount.currency == "usd"
            assert getattr(result, "line_item", None)
            total += Decimal(str(amount.value))
    assert total == provider.total(days_ago(3).date())
