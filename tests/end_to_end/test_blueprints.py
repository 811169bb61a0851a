"""The blueprints in a real Home Assistant, from the files that people import."""

from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio
import pytest_socket

from tests.simulator import Http, Simulator
from tests.simulator.telnyx import Telnyx

from .accounts import add_account, entity_id_of
from .conftest import Bench
from .home_assistant import CONFIGURATION, ROOT, HomeAssistant, Json

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.usefixtures("socket_enabled"),
    pytest.mark.timeout(300),
]

WITH_THINGS = (
    CONFIGURATION
    + """\
automation: !include automations.yaml
input_boolean:
  cloud:
  local:
"""
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    """Start Home Assistant with the blueprints, and add an account."""
    # The fixture socket_enabled serves single tests, and only after this one.
    pytest_socket.enable_socket()
    folder = tmp_path_factory.mktemp("home")
    (folder / "automations.yaml").write_text("[]\n")
    blueprints = folder / "blueprints/automation/api_balance"
    blueprints.parent.mkdir(parents=True)
    blueprints.symlink_to(ROOT / "blueprints/automation/api_balance")
    async with (
        Simulator() as simulator,
        HomeAssistant(folder, configuration=WITH_THINGS) as home,
    ):
        bench = Bench(home, simulator)
        telnyx = simulator[Telnyx]
        bench.created[telnyx.id] = await add_account(
            home, telnyx.id, telnyx.credentials, telnyx.url
        )
        yield bench


async def automate(home: HomeAssistant, name: str, inputs: Mapping[str, Any]) -> None:
    """Make an automation of a blueprint, as the editor does."""
    await home.post(
        f"/api/config/automation/config/{name}",
        {
            "alias": name,
            "use_blueprint": {"path": f"api_balance/{name}.yaml", "input": inputs},
        },
    )
    await home.until_state(f"automation.{name}", "on")


async def poll(bench: Bench) -> None:
    """Ask the provider anew, without the cool-down of an update."""
    await bench.home.reload_entry(bench.entry_id("telnyx"))


async def messages(home: HomeAssistant) -> dict[str, Json]:
    """Return what Home Assistant shows of us to the person, by its tag."""
    shown = await home.call("persistent_notification/get")
    return {
        message["notification_id"]: message
        for message in shown
        if message["notification_id"].startswith("api_balance")
    }


async def until_message(home: HomeAssistant, title: str) -> Json:
    """Return our only message once it has this title."""

    async def check() -> Json | None:
        for message in (await messages(home)).values():
            if message["title"] == title:
                return message
        return None

    return await home.until(check, title)


async def until_no_message(home: HomeAssistant) -> None:
    """Wait until no message of ours is left."""

    async def check() -> bool:
        return not await messages(home)

    await home.until(check, "no message")


async def test_low_balance_notice(bench: Bench, expected_complaints: list[str]) -> None:
    """An alert comes once, over a restart and a power cut, and is removed in the end."""
    expected_complaints.append("Telnyx")
    home, telnyx = bench.home, bench.simulator[Telnyx]
    entry_id = bench.entry_id("telnyx")
    await home.until_entry(entry_id, "loaded")
    await automate(home, "low_balance_notice", {"reminder_hours": 1})
    automation = "automation.low_balance_notice"
    low = await entity_id_of(home, entry_id, "usd_low_balance")
    threshold = await entity_id_of(home, entry_id, "usd_low_balance_threshold")
    await home.call_service("number.set_value", {"value": 50}, entity_id=threshold)
    assert await messages(home) == {}

    telnyx.set_balance(Decimal(-70))
    await poll(bench)
    message = await until_message(home, "Telnyx is low")
    assert "Balance: -70.00 USD" in message["message"]
    assert "https://portal.telnyx.com" in message["message"]

    # A message does not outlive a restart: whatever is there then is a second one.
    last_triggered = home.states[automation]["attributes"]["last_triggered"]
    await home.restart()
    await home.until_state(low, "on")
    telnyx.spend(Decimal(1))
    await poll(bench)
    await home.until_state(low, "on")
    assert home.states[automation]["attributes"]["last_triggered"] == last_triggered
    assert await messages(home) == {}

    # Depleted while there is no power.
    await home.kill()
    telnyx.set_balance(Decimal(-100))
    await home.start()
    await until_message(home, "Telnyx is depleted")

    telnyx.fail(Http(503))
    await poll(bench)
    assert len(await messages(home)) == 1
    telnyx.heal()
    telnyx.set_balance(Decimal(300))
    await poll(bench)
    await until_no_message(home)


async def test_daily_money_report(bench: Bench) -> None:
    """The report shows what the account shows."""
    home = bench.home
    await automate(home, "daily_money_report", {"time": "03:00:00"})
    await home.call_service(
        "automation.trigger", entity_id="automation.daily_money_report"
    )
    message = await until_message(home, "API balances")
    assert message["message"] == (
        "Telnyx: Available credit 400.00 USD, Balance 300.00 USD,"
        " Spent this month 400.00 USD, Spent today 400.00 USD"
    )


async def test_fall_back_when_depleted(
    bench: Bench, expected_complaints: list[str]
) -> None:
    """The fallback comes and goes with the account, also over a restart."""
    expected_complaints.append("Telnyx")
    home, telnyx = bench.home, bench.simulator[Telnyx]
    cloud, local = "input_boolean.cloud", "input_boolean.local"
    await home.call_service("input_boolean.turn_on", entity_id=cloud)
    account = await entity_id_of(home, bench.entry_id("telnyx"), "availability")
    await automate(
        home,
        "fall_back_when_depleted",
        {"account": account, "turn_on": [local], "turn_off": [cloud]},
    )

    telnyx.set_balance(Decimal(-100))
    await poll(bench)
    await home.until_state(local, "on")
    await home.until_state(cloud, "off")

    telnyx.fail(Http(503))
    await poll(bench)
    await home.until_state(account, "unavailable")
    telnyx.heal()
    await poll(bench)
    await home.until_state(account, "depleted")
    assert home.states[local]["state"] == "on"

    await home.restart()
    await home.until_state(account, "depleted")
    assert home.states[local]["state"] == "on"

    await home.stop()
    telnyx.set_balance(Decimal(300))
    await home.start()
    await home.until_state(local, "off")
    await home.until_state(cloud, "on")
