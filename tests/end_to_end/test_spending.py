"""Where the money goes, and when it is gone, in a real Home Assistant."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.simulator.deepgram import Deepgram
from tests.simulator.telnyx import Telnyx

from .accounts import entity_id_of
from .conftest import MARK, Bench
from .home_assistant import HomeAssistantError
from .spending import (
    PAST_DAYS,
    days_of,
    find_spend_mistakes,
    statistics_of,
    until_statistics,
)

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.usefixtures("socket_enabled"),
    pytest.mark.timeout(300),
]


async def test_past_of_a_month(bench: Bench) -> None:
    """A provider that reports costs makes the forecast and the statistics at once."""
    entry_id = bench.entry_id("deepgram")
    deepgram = bench.simulator[Deepgram]
    statistics = await until_statistics(bench.home, entry_id)
    assert await find_spend_mistakes(bench.home, entry_id, deepgram, Decimal()) == []
    assert len(statistics) > 1

    first, last = min(statistics, key=len), max(statistics, key=len)
    assert first.endswith("_usd_spend")
    assert last.startswith(f"{first}_")
    told = await bench.home.ask(
        "api_balance.get_spend",
        {
            "account": entry_id,
            "start": f"{datetime.now(UTC).date() - timedelta(days=PAST_DAYS)}",
        },
    )
    assert sum((await days_of(bench.home, first)).values()) == pytest.approx(
        float(told["total"]["USD"])
    )


async def test_late_costs(bench: Bench) -> None:
    """Costs that arrive late are added to their day, also over a restart."""
    home, entry_id = bench.home, bench.entry_id("deepgram")
    deepgram = bench.simulator[Deepgram]
    total = min(await until_statistics(home, entry_id), key=len)
    day = datetime.now(UTC).date() - timedelta(days=9)
    before = await days_of(home, total)
    deepgram.add_cost(deepgram.projects[0], Decimal(7), day)
    await home.restart()
    await home.until_entry(entry_id, "loaded")

    async def check() -> dict[str, float] | None:
        days = await days_of(home, total)
        return days if days != before else None

    after = await home.until(check, "the late costs")
    assert after == pytest.approx({**before, f"{day}": before[f"{day}"] + 7})
    assert min(await statistics_of(home, entry_id), key=len) == total


async def test_actions(bench: Bench) -> None:
    """Each action answers, with the provider's numbers where the provider tells."""
    home = bench.home
    account = {"account": bench.entry_id("deepgram")}

    balances = await home.ask("api_balance.get_balances", account)
    wallet = next(row for row in balances["wallets"] if row["unit"] == "USD")
    lot = wallet["lots"][0]
    single = await home.ask(
        "api_balance.get_balances", {**account, "balance_id": lot["id"]}
    )
    assert single["balance"]["amount"] == lot["amount"]

    fields = await home.ask("api_balance.get_spend_fields", account)
    assert set(fields["fields"]) >= {"accessor", "deployment", "tag", "line_item"}

    spend = await home.ask(
        "api_balance.get_spend", {**account, "group_by": ["line_item", "tag"]}
    )
    assert spend["source"] == "provider"
    assert {"line_item", "tag"} >= set(spend["rows"][0]["labels"])
    item = spend["rows"][0]["labels"]["line_item"]
    filtered = await home.ask("api_balance.get_spend", {**account, "line_item": item})
    total, part = spend["total"]["USD"], filtered["total"]["USD"]
    assert 0 < Decimal(part) < Decimal(total)

    purchases = await home.ask("api_balance.get_purchases", account)
    assert purchases["source"] == "provider"
    assert purchases["purchases"]
    for answer in (balances, single, fields, spend, filtered, purchases):
        assert MARK not in f"{answer}"


async def test_actions_on_the_ledger(bench: Bench) -> None:
    """Where the provider tells nothing, our own count answers; what nobody tells fails."""
    home, telnyx = bench.home, bench.simulator[Telnyx]
    entry_id = bench.entry_id("telnyx")
    balance = await entity_id_of(home, entry_id, "usd_balance")
    before = Decimal(home.states[balance]["state"])
    telnyx.spend(Decimal("3.21"))
    await home.update_entity(balance)
    await home.until_state(balance, str(before - Decimal("3.21")))

    spend = await home.ask("api_balance.get_spend", {"account": entry_id})
    assert spend["source"] == "ledger"
    assert Decimal(spend["total"]["USD"]) == Decimal("3.21")
    purchases = await home.ask("api_balance.get_purchases", {"account": entry_id})
    assert (purchases["source"], purchases["purchases"]) == ("ledger", [])
    with pytest.raises(HomeAssistantError, match="Telnyx"):
        await home.ask("api_balance.get_spend_fields", {"account": entry_id})
    with pytest.raises(HomeAssistantError, match="Telnyx"):
        await home.ask(
            "api_balance.get_spend", {"account": entry_id, "group_by": ["tag"]}
        )
