"""Actions with answers: what a template gets, and what a person is told instead."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
import json
import logging
from pathlib import Path
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_mock_service,
)
import voluptuous as vol
import yaml

from custom_components.api_balance.const import DOMAIN
from custom_components.api_balance.providers.catalog import load
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.template import Template
from homeassistant.setup import async_setup_component

from .conftest import AddAccount, Poll, each_shape, our_log, state_of
from .simulator import Fault, Html, Http, Reset, SimulatedProvider, Simulator, WrongType
from .simulator.anthropic import Anthropic
from .simulator.deepgram import Deepgram
from .simulator.deepseek import DeepSeek
from .simulator.openai import OpenAI
from .simulator.pushover import Pushover
from .simulator.telnyx import Telnyx
from .simulator.xai import XAI

type Ask = Callable[..., Awaitable[Any]]

ACTIONS = ("get_balances", "get_spend", "get_spend_fields", "get_purchases")
MARK = "MARKED"


@pytest.fixture
def ask(hass: HomeAssistant) -> Ask:
    """Return what runs an action on the account of a provider."""

    async def run(
        action: str, provider: type[SimulatedProvider] | SimulatedProvider, **data: Any
    ) -> Any:
        return await hass.services.async_call(
            DOMAIN,
            action,
            {"account": f"entry_{provider.id}", **data},
            blocking=True,
            return_response=True,
        )

    return run


@pytest.fixture
async def deepgram(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount
) -> Deepgram:
    """Return a provider with an account of two projects and a past."""
    provider = simulator[Deepgram]
    provider.give_past()
    lab = provider.add_project("Lab")
    provider.add_balance(lab, Decimal("5.5"))
    provider.add_balance(lab, Decimal(12), units="hour")
    provider.add_cost(lab, Decimal("0.75"), date(2026, 11, 20), tags=("lab", "night"))
    await add_account(provider)
    # The past is asked for once, in the background.
    await hass.async_block_till_done(wait_background_tasks=True)
    provider.requests.clear()
    return provider


@pytest.fixture
async def telnyx(simulator: Simulator, add_account: AddAccount) -> Telnyx:
    """Return a provider that tells nothing but its one balance."""
    provider = simulator[Telnyx]
    await add_account(provider)
    provider.requests.clear()
    return provider


def asked(provider: SimulatedProvider) -> list[tuple[str, str]]:
    """Return what a provider was asked since the last time."""
    requests = [
        (
            request.path.rpartition("/")[2],
            "&".join(f"{name}={value}" for name, value in request.query.items()),
        )
        for request in provider.requests
    ]
    provider.requests.clear()
    return requests


def told(error: pytest.ExceptionInfo[HomeAssistantError]) -> tuple[str | None, str]:
    """Return which text a person is shown, and the text as it is filled."""
    text = str(error.value)
    assert "{" not in text
    assert text != error.value.translation_key
    return error.value.translation_key, text


def summed(rows: list[dict[str, Any]], unit: str = "USD") -> Decimal:
    """Return the sum of the rows in a unit."""
    return sum(
        (Decimal(row["amount"]) for row in rows if row["unit"] == unit), Decimal()
    )


# Balances


async def test_balances(
    hass: HomeAssistant, telnyx: Telnyx, ask: Ask, poll: Poll
) -> None:
    """The whole picture: facts, and the conclusions from them."""
    await hass.services.async_call(
        "number",
        "set_value",
        {"entity_id": "number.telnyx_low_balance_threshold", "value": 350.5},
        blocking=True,
    )
    telnyx.spend(Decimal("60.5"))
    await poll(timedelta(minutes=12))
    telnyx.requests.clear()
    answer = await ask("get_balances", telnyx)
    assert telnyx.requests == []
    (wallet,) = answer.pop("wallets")
    assert wallet.pop("forecast").keys() == {
        "state",
        "confidence",
        "daily_spend",
        "days_left",
        "earliest",
        "latest",
        "runs_out",
    }
    assert wallet == {
        "project": None,
        "project_id": None,
        "label": None,
        "unit": "USD",
        "balance": "239.50",
        "available": "339.50",
        "credit_limit": "100.00",
        "pending": "10.00",
        "granted": None,
        "paid": None,
        "is_postpaid": False,
        "level": "low",
        "threshold": "350.5",
        "threshold_days": None,
        "lots": [],
    }
    assert {
        (row["period"], row["amount"], row["unit"]) for row in answer.pop("spent")
    } == {("today", "60.50", "USD"), ("this_month", "60.50", "USD")}
    assert answer == {
        "account": "Telnyx",
        "provider": "Telnyx",
        "availability": "low",
        "as_of": "2026-11-21T12:12:00+00:00",
        "projects": [],
        "quotas": [],
    }


async def test_balances_in_parts(deepgram: Deepgram, ask: Ask) -> None:
    """Each wallet tells its project and the lots that it is made of."""
    home, lab = deepgram.projects
    answer = await ask("get_balances", deepgram)
    assert answer["projects"] == [
        {"id": home, "name": "Home", "problem": None},
        {"id": lab, "name": "Lab", "problem": None},
    ]
    assert [
        (wallet["project"], wallet["project_id"], wallet["unit"], wallet["balance"])
        for wallet in answer["wallets"]
    ] == [
        ("Home", home, "USD", "104.56822227"),
        ("Lab", lab, "hours", "12"),
        ("Lab", lab, "USD", "5.5"),
    ]
    (lot,) = answer["wallets"][0]["lots"]
    assert lot.pop("id")
    assert lot == {
        "amount": "104.56822227",
        "kind": "promotional",
        "expires_at": "2027-11-21T12:00:00+00:00",
    }


async def test_balances_with_a_project_that_fails(
    deepgram: Deepgram, ask: Ask, poll: Poll
) -> None:
    """A project that the provider does not tell is named; it is not empty."""
    home, lab = deepgram.projects
    deepgram.fail_project(lab, Http(503))
    await poll()
    answer = await ask("get_balances", deepgram)
    assert [(part["id"], part["problem"]) for part in answer["projects"]] == [
        (home, None),
        (lab, "provider_fault"),
    ]
    assert {wallet["project_id"] for wallet in answer["wallets"]} == {home}


async def test_balances_of_quotas(
    simulator: Simulator, add_account: AddAccount, ask: Ask
) -> None:
    """What has a limit is told with its reset."""
    await add_account(simulator[Pushover])
    answer = await ask("get_balances", Pushover)
    assert answer["wallets"] == []
    assert answer["quotas"] == [
        {
            "project": None,
            "project_id": None,
            "label": None,
            "unit": "messages",
            "used": None,
            "limit": "10000",
            "remaining": "7496",
            "is_unlimited": False,
            "resets_at": "2026-12-01T06:00:00+00:00",
        }
    ]


async def test_balances_with_what_the_provider_spent(
    simulator: Simulator, add_account: AddAccount, ask: Ask
) -> None:
    """The provider's own running spend is told."""
    await add_account(simulator[OpenAI])
    answer = await ask("get_balances", OpenAI)
    (today,) = (row for row in answer["spent"] if row["period"] == "today")
    assert today == {
        "start": "2026-11-21T00:00:00+00:00",
        "end": "2026-11-21T12:00:00+00:00",
        "amount": "0.06",
        "unit": "USD",
        "project": None,
        "project_id": None,
        "label": None,
        "labels": {},
        "period": "today",
    }


async def test_balances_during_an_outage(telnyx: Telnyx, ask: Ask, poll: Poll) -> None:
    """Old numbers do not pass for those of now."""
    telnyx.fail(Http(503))
    await poll()
    with pytest.raises(HomeAssistantError) as error:
        await ask("get_balances", telnyx)
    assert not isinstance(error.value, ServiceValidationError)
    assert told(error) == (
        "last_update_failed",
        "The last update of Telnyx failed, so there are no current numbers."
        " The sensor Update status says why",
    )
    telnyx.heal()
    await poll()
    assert (await ask("get_balances", telnyx))["wallets"][0]["balance"] == "300.00"


async def test_balances_in_a_template(
    hass: HomeAssistant, telnyx: Telnyx, ask: Ask
) -> None:
    """Amounts are exact, and numbers for whoever wants them."""
    answer = await ask("get_balances", telnyx)
    text = "{{ answer.wallets[0].available | float - 0.5 }}"
    assert Template(text, hass).async_render({"answer": answer}) == 399.5


# A single balance


async def test_single_balance(deepgram: Deepgram, ask: Ask) -> None:
    """A balance that is known is asked for in its own project only."""
    _, lab = deepgram.projects
    answer = await ask("get_balances", deepgram)
    hours = next(wallet for wallet in answer["wallets"] if wallet["unit"] == "hours")
    (lot,) = hours["lots"]
    deepgram.set_balance(lot["id"], Decimal("11.25"))
    answer = await ask("get_balances", deepgram, balance_id=lot["id"])
    assert answer == {
        "account": "Deepgram",
        "provider": "Deepgram",
        "as_of": "2026-11-21T12:00:00+00:00",
        "balance": {
            "id": lot["id"],
            "amount": "11.25",
            "kind": None,
            "expires_at": None,
            "unit": "hours",
            "project": "Lab",
            "project_id": lab,
        },
    }
    assert asked(deepgram) == [(lot["id"], "")]


async def test_single_balance_that_is_new(deepgram: Deepgram, ask: Ask) -> None:
    """A balance that no poll has seen yet is looked for in every project."""
    _, lab = deepgram.projects
    new = deepgram.add_balance(lab, Decimal(20))
    balance = (await ask("get_balances", deepgram, balance_id=new))["balance"]
    assert (balance["amount"], balance["project_id"]) == ("20", lab)
    assert balance["unit"] is None
    assert len(deepgram.requests) == 2


async def test_single_balance_during_an_outage(
    deepgram: Deepgram, ask: Ask, poll: Poll
) -> None:
    """It is asked for afresh, whatever came of the last poll."""
    new = deepgram.add_balance(deepgram.projects[0], Decimal(20))
    deepgram.fail(Reset())
    await poll()
    deepgram.heal()
    balance = (await ask("get_balances", deepgram, balance_id=new))["balance"]
    assert balance["amount"] == "20"


async def test_single_balance_that_is_nowhere(deepgram: Deepgram, ask: Ask) -> None:
    """A balance that no project has is a mistake."""
    with pytest.raises(ServiceValidationError) as error:
        await ask("get_balances", deepgram, balance_id="no-such-balance")
    assert told(error) == (
        "balance_not_found",
        "Deepgram has no balance with the ID no-such-balance in this account. The"
        " action Get balances returns the IDs",
    )


async def test_single_balance_of_another_provider(telnyx: Telnyx, ask: Ask) -> None:
    """A provider that cannot be asked for one balance says so."""
    with pytest.raises(ServiceValidationError) as error:
        await ask("get_balances", telnyx, balance_id="b1")
    assert told(error)[0] == "no_single_balance"
    assert telnyx.requests == []


@pytest.mark.parametrize("balance_id", ["", "..", "a/../b", "a?b"])
async def test_single_balance_by_an_address(
    deepgram: Deepgram, ask: Ask, balance_id: str
) -> None:
    """What is no id reaches no address."""
    with pytest.raises(vol.Invalid):
        await ask("get_balances", deepgram, balance_id=balance_id)
    assert deepgram.requests == []


# Spend that the provider reports


async def test_spend(deepgram: Deepgram, ask: Ask) -> None:
    """A report covers all projects, 30 days with today, a row for each day."""
    home, lab = deepgram.projects
    answer = await ask("get_spend", deepgram)
    assert answer["source"] == "provider"
    rows = answer["rows"]
    assert answer["total"] == {"USD": str(summed(rows))}
    assert [row["start"] for row in rows] == sorted(row["start"] for row in rows)
    assert rows[-1] == {
        "start": "2026-11-20T00:00:00+00:00",
        "end": "2026-11-21T00:00:00+00:00",
        "amount": "0.75",
        "unit": "USD",
        "project": "Lab",
        "project_id": lab,
        "label": None,
        "labels": {},
    }
    days = [row["start"][:10] for row in rows if row["project_id"] == home]
    first = date(2026, 10, 23)
    assert days == [str(first + timedelta(days=number)) for number in range(29)]
    assert [name for name, _ in asked(deepgram)] == ["breakdown", "breakdown"]


async def test_spend_by_groups_and_filters(deepgram: Deepgram, ask: Ask) -> None:
    """What is asked for is what the provider is asked."""
    everything = await ask("get_spend", deepgram, start="2026-11-10", end="2026-11-20")
    answer = await ask(
        "get_spend",
        deepgram,
        start="2026-11-10",
        end="2026-11-20",
        group_by=["line_item", "tag", "line_item"],
        tag="kitchen",
    )
    rows = answer["rows"]
    assert {(row["labels"]["line_item"], *row["labels"]["tag"]) for row in rows} == {
        ("streaming::nova-3", "kitchen"),
        ("sync::aura-2", "kitchen"),
    }
    assert 0 < summed(rows) < summed(everything["rows"])
    assert min(row["start"] for row in rows) == "2026-11-10T00:00:00+00:00"
    query = "start=2026-11-10&end=2026-11-20"
    filtered = f"{query}&tag=kitchen&grouping=line_item&grouping=tags"
    assert {query for _, query in asked(deepgram)} == {query, filtered}


async def test_spend_of_every_filter(deepgram: Deepgram, ask: Ask) -> None:
    """Every filter leads to its part, and the parts of a group to the whole."""
    whole = summed((await ask("get_spend", deepgram))["rows"])
    for group, values in {
        "accessor": [deepgram.accessor],
        "deployment": ["hosted", "beta"],
        "line_item": ["streaming::nova-3", "sync::aura-2", "streaming::flux"],
    }.items():
        parts = [
            summed((await ask("get_spend", deepgram, **{group: value}))["rows"])
            for value in values
        ]
        assert all(0 < part < whole for part in parts)
        grouped = (await ask("get_spend", deepgram, group_by=[group]))["rows"]
        assert summed(grouped) == whole
        assert set(values) <= {row["labels"].get(group) for row in grouped}


@pytest.mark.parametrize("project", ["Lab", 1])
async def test_spend_of_a_project(
    deepgram: Deepgram, ask: Ask, project: str | int
) -> None:
    """A project is named by its name or its id, and only it is asked for."""
    wanted = project if isinstance(project, str) else deepgram.projects[project]
    answer = await ask("get_spend", deepgram, project=wanted, group_by=["project"])
    assert answer["total"] == {"USD": "0.75"}
    assert [row["project"] for row in answer["rows"]] == ["Lab"]
    assert len(deepgram.requests) == 1


async def test_spend_by_project_where_it_is_no_part(
    simulator: Simulator, add_account: AddAccount, ask: Ask
) -> None:
    """A project without money of its own is a group like any other."""
    provider = simulator[OpenAI]
    provider.give_past()
    await add_account(provider)
    rows = (await ask("get_spend", provider, group_by=["project"]))["rows"]
    assert {row["labels"].get("project") for row in rows} >= {"proj_home", "proj_lab"}
    assert {row["project"] for row in rows} == {None}
    lab = (await ask("get_spend", provider, project="proj_lab"))["rows"]
    assert summed(lab) == summed(
        [row for row in rows if row["labels"].get("project") == "proj_lab"]
    )


async def test_spend_of_nothing(deepgram: Deepgram, ask: Ask) -> None:
    """No spend is no row."""
    answer = await ask("get_spend", deepgram, start="2026-01-01", end="2026-01-02")
    assert answer == {"source": "provider", "total": {}, "rows": []}


async def test_example_of_the_readme(hass: HomeAssistant, deepgram: Deepgram) -> None:
    """The weekly report does what the README says."""
    readme = (Path(__file__).parent.parent / "README.md").read_text()
    _, _, rest = readme.partition("### Say every Monday what was spent\n\n```yaml\n")
    example = yaml.safe_load(rest.partition("```")[0])
    example["actions"][0]["data"]["account"] = f"entry_{deepgram.id}"
    messages = async_mock_service(hass, "notify", "send_message")
    assert await async_setup_component(hass, "automation", {"automation": [example]})
    await hass.services.async_call(
        "automation",
        "trigger",
        {"entity_id": "automation.api_spend_of_the_week"},
        blocking=True,
    )
    # Otherwise it would wait for Monday.
    await hass.services.async_call("automation", "turn_off", {"entity_id": "all"})
    assert {query for _, query in asked(deepgram)} == {
        "start=2026-11-14&end=2026-11-20"
    }
    (message,) = messages
    amount, unit = message.data["message"].split()
    assert float(amount) > 5
    assert unit == "USD"


# Spend that the ledger has seen


@pytest.mark.parametrize(
    ("zone", "days"),
    [
        (
            "Europe/Vienna",
            [
                "2026-11-21T00:00:00+01:00",
                "2026-11-22T00:00:00+01:00",
                "2026-11-23T00:00:00+01:00",
            ],
        ),
        (
            "Asia/Kolkata",
            [
                "2026-11-21T00:00:00+05:30",
                "2026-11-22T00:00:00+05:30",
                "2026-11-23T00:00:00+05:30",
            ],
        ),
        (
            "Pacific/Auckland",
            [
                "2026-11-22T00:00:00+13:00",
                "2026-11-23T00:00:00+13:00",
                "2026-11-24T00:00:00+13:00",
            ],
        ),
    ],
)
async def test_spend_by_the_ledger(
    hass: HomeAssistant,
    telnyx: Telnyx,
    ask: Ask,
    poll: Poll,
    zone: str,
    days: list[str],
) -> None:
    """Without a report the balance tells, by the days of the home."""
    await hass.config.async_set_time_zone(zone)
    telnyx.spend(Decimal("2.25"))
    await poll(timedelta(minutes=12))
    await poll(timedelta(days=1))
    telnyx.spend(Decimal("3.50"))
    await poll(timedelta(minutes=12))
    telnyx.spend(Decimal("0.75"))
    await poll(timedelta(minutes=12))
    polled = len(telnyx.requests)
    answer = await ask("get_spend", telnyx)
    first, second, third = days
    assert answer == {
        "source": "ledger",
        "total": {"USD": "6.50"},
        "rows": [
            {
                "start": start,
                "end": end,
                "amount": amount,
                "unit": "USD",
                "project": None,
                "project_id": None,
                "label": None,
                "labels": {},
            }
            for start, end, amount in (
                (first, second, "2.25"),
                (second, third, "4.25"),
            )
        ],
    }
    answer = await ask("get_spend", telnyx, start=second[:10], end=second[:10])
    assert answer["total"] == {"USD": "4.25"}
    assert len(telnyx.requests) == polled


async def test_spend_by_the_ledger_in_two_currencies(
    simulator: Simulator, add_account: AddAccount, ask: Ask, poll: Poll
) -> None:
    """Amounts of different units are never added."""
    provider = simulator[DeepSeek]
    provider.add_currency("USD", Decimal(20))
    await add_account(provider)
    provider.spend(Decimal("1.25"), "CNY")
    provider.spend(Decimal("0.50"), "USD")
    await poll(timedelta(minutes=12))
    answer = await ask("get_spend", provider)
    assert answer["total"] == {"CNY": "1.25", "USD": "0.5"}


# By what spend can be told apart


async def test_spend_fields(deepgram: Deepgram, ask: Ask) -> None:
    """The fields are told with the values that the provider and the account have."""
    home, lab = deepgram.projects
    fields = (await ask("get_spend_fields", deepgram))["fields"]
    assert list(fields) == ["accessor", "deployment", "tag", "line_item", "project"]
    assert all(field["can_filter"] for field in fields.values())
    assert all(field["can_group"] for field in fields.values())
    assert {"value": "streaming::nova-3", "label": "Nova - 3 (Stream)"} in fields[
        "line_item"
    ]["options"]
    assert {option["value"] for option in fields["tag"]["options"]} == {
        *("kitchen", "office", "meetings"),
        *("lab", "night"),
    }
    assert fields["project"]["options"] == [
        {"value": home, "label": "Home"},
        {"value": lab, "label": "Lab"},
    ]
    assert len(deepgram.requests) == 2


async def test_spend_fields_without_values(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount, ask: Ask
) -> None:
    """A provider that lists no values tells at least the names."""
    provider = simulator[OpenAI]
    await add_account(provider)
    await hass.async_block_till_done(wait_background_tasks=True)
    provider.requests.clear()
    fields = (await ask("get_spend_fields", provider))["fields"]
    assert fields == {
        "accessor": {"can_filter": True, "can_group": True, "options": None},
        "line_item": {"can_filter": False, "can_group": True, "options": None},
        "project": {"can_filter": True, "can_group": True, "options": None},
    }
    assert provider.requests == []


async def test_spend_fields_of_the_ledger(telnyx: Telnyx, ask: Ask) -> None:
    """A balance alone does not tell what it was spent on."""
    with pytest.raises(ServiceValidationError) as error:
        await ask("get_spend_fields", telnyx)
    assert told(error) == (
        "no_spend_fields",
        "Telnyx cannot filter or group what was spent",
    )


# Purchases


async def test_purchases(deepgram: Deepgram, ask: Ask) -> None:
    """The provider's orders are told with when they expire."""
    home, lab = deepgram.projects
    deepgram.add_purchase(lab, Decimal(50))
    answer = await ask("get_purchases", deepgram)
    assert answer["source"] == "provider"
    granted, bought = answer["purchases"]
    assert granted.pop("id") != bought.pop("id")
    assert granted == {
        "amount": "200",
        "unit": "USD",
        "kind": "promotional",
        "purchased_at": "2026-11-21T12:00:00+00:00",
        "expires_at": "2027-11-21T12:00:00+00:00",
        "project": "Home",
        "project_id": home,
    }
    assert (bought["amount"], bought["project"]) == ("50", "Lab")
    assert bought["expires_at"] is None


async def test_purchases_by_the_ledger(telnyx: Telnyx, ask: Ask, poll: Poll) -> None:
    """Without the provider's list, the top-ups that were noticed are told."""
    assert await ask("get_purchases", telnyx) == {"source": "ledger", "purchases": []}
    telnyx.top_up(Decimal(50))
    await poll(timedelta(minutes=12))
    assert await ask("get_purchases", telnyx) == {
        "source": "ledger",
        "purchases": [
            {
                "id": None,
                "amount": "50.00",
                "unit": "USD",
                "kind": "top_up",
                "purchased_at": "2026-11-21T12:12:00+00:00",
                "expires_at": None,
                "project": None,
                "project_id": None,
            }
        ],
    }


# What nobody can answer


@pytest.mark.parametrize("action", ["get_spend", "get_purchases"])
async def test_account_without_a_balance(
    simulator: Simulator, add_account: AddAccount, ask: Ask, action: str
) -> None:
    """Where there is nothing to keep a ledger of, no answer is no zero."""
    await add_account(simulator[Pushover])
    with pytest.raises(ServiceValidationError) as error:
        await ask(action, Pushover)
    assert told(error) == (
        "no_ledger",
        "Pushover does not report this, and the account has no balance to follow",
    )


@pytest.mark.parametrize(
    "asked_for", [{"tag": "dev", "line_item": "calls"}, {"group_by": ["line_item"]}]
)
async def test_question_that_the_ledger_cannot_answer(
    telnyx: Telnyx, ask: Ask, asked_for: dict[str, Any]
) -> None:
    """A filter is never left out silently."""
    with pytest.raises(ServiceValidationError) as error:
        await ask("get_spend", telnyx, **asked_for)
    assert told(error) == (
        "no_spend_fields",
        "Telnyx cannot filter or group what was spent",
    )


async def test_filter_where_the_provider_only_groups(
    simulator: Simulator, add_account: AddAccount, ask: Ask
) -> None:
    """A provider that tells something apart is not said to tell nothing apart."""
    await add_account(simulator[Anthropic])
    with pytest.raises(ServiceValidationError) as error:
        await ask("get_spend", Anthropic, project="Home")
    assert told(error) == (
        "unknown_filter",
        "Anthropic cannot filter what was spent by project. Known here: -",
    )


async def test_question_that_the_provider_cannot_answer(
    hass: HomeAssistant, simulator: Simulator, add_account: AddAccount, ask: Ask
) -> None:
    """The error names what there is instead, and the provider is not asked."""
    provider = simulator[OpenAI]
    await add_account(provider)
    await hass.async_block_till_done(wait_background_tasks=True)
    provider.requests.clear()
    for problem, asked_for in (
        ("unknown_filter", {"deployment": "hosted"}),
        ("unknown_group", {"group_by": ["deployment"]}),
    ):
        with pytest.raises(ServiceValidationError) as error:
            await ask("get_spend", provider, **asked_for)
        key, text = told(error)
        assert key == problem
        assert "OpenAI" in text
        assert "project" in text.partition("Known here")[2]
    assert provider.requests == []


async def test_project_that_is_unknown(deepgram: Deepgram, ask: Ask) -> None:
    """A project that the account has not is a mistake."""
    with pytest.raises(ServiceValidationError) as error:
        await ask("get_spend", deepgram, project="Garden")
    assert told(error) == (
        "unknown_project",
        "The account at Deepgram has no project Garden. The action Get balances returns"
        " the projects",
    )
    assert deepgram.requests == []


@pytest.mark.parametrize("action", ["get_spend", "get_spend_fields"])
@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ({"start": "2026-11-03", "end": "2026-11-02"}, "start_after_end"),
        ({"start": "2026-12-24"}, "start_after_end"),
        ({"start": "2026-12-24", "end": "9999-12-31"}, "start_after_end"),
        ({"start": "2025-11-20", "end": "2026-11-21"}, "report_too_long"),
        ({"start": "0001-01-01"}, "report_too_long"),
    ],
)
async def test_days_that_make_no_sense(
    deepgram: Deepgram, ask: Ask, action: str, days: dict[str, str], expected: str
) -> None:
    """Days are checked before anybody is asked."""
    with pytest.raises(ServiceValidationError) as error:
        await ask(action, deepgram, **days)
    assert told(error)[0] == expected
    assert deepgram.requests == []


@pytest.mark.parametrize(
    "days",
    [
        {"start": "2025-11-21", "end": "2026-11-21"},
        {"end": "9999-12-31"},
        {"end": "0001-12-31"},
        # As YAML has them without quotation marks.
        {"start": date(2026, 11, 1), "end": datetime(2026, 11, 2, 12, 30)},
        {"start": datetime(2026, 11, 1, 12, 30, tzinfo=UTC)},
    ],
)
async def test_days_that_make_sense(
    deepgram: Deepgram, telnyx: Telnyx, ask: Ask, days: dict[str, Any]
) -> None:
    """A whole year can be asked for, and what is not over ends now."""
    assert (await ask("get_spend", deepgram, **days))["source"] == "provider"
    assert (await ask("get_spend", telnyx, **days))["source"] == "ledger"


async def test_first_of_all_days(telnyx: Telnyx, ask: Ask) -> None:
    """Before the first day there is no other one."""
    assert (await ask("get_spend", telnyx, end="0001-01-01"))["rows"] == []


@pytest.mark.parametrize(
    ("zone", "today"),
    [("Pacific/Auckland", "2026-11-22"), ("America/Los_Angeles", "2026-11-21")],
)
async def test_today(
    hass: HomeAssistant,
    deepgram: Deepgram,
    telnyx: Telnyx,
    ask: Ask,
    zone: str,
    today: str,
) -> None:
    """The home's day can be asked for, also before it begins at the provider."""
    await hass.config.async_set_time_zone(zone)
    assert (await ask("get_spend", telnyx, start=today))["total"] == {"USD": "0"}
    await ask("get_spend", deepgram, start=today)
    assert {days for _, days in asked(deepgram)} == {"start=2026-11-21&end=2026-11-21"}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(
    ("account", "expected"),
    [
        ("entry_nobody", "service_config_entry_not_found"),
        ("entry_other", "service_config_entry_wrong_domain"),
        ("entry_telnyx", "service_config_entry_not_loaded"),
    ],
)
async def test_account_that_cannot_be_asked(
    hass: HomeAssistant, telnyx: Telnyx, action: str, account: str, expected: str
) -> None:
    """Only accounts of the integration that are loaded can answer."""
    MockConfigEntry(domain="other", entry_id="entry_other").add_to_hass(hass)
    await hass.config_entries.async_unload(f"entry_{telnyx.id}")
    with pytest.raises(ServiceValidationError) as error:
        await hass.services.async_call(
            DOMAIN, action, {"account": account}, blocking=True, return_response=True
        )
    assert error.value.translation_key == expected


# Providers that fail

QUESTIONS: list[tuple[str, dict[str, Any]]] = [
    ("get_balances", {"balance_id": "b1"}),
    ("get_spend", {}),
    ("get_spend_fields", {}),
    ("get_purchases", {}),
]


@pytest.mark.parametrize(("action", "data"), QUESTIONS)
@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Http(503), ("provider_fault", "Deepgram has a problem on its side")),
        (Http(429), ("rate_limited", "Deepgram limits how often it can be asked")),
        (Http(401), ("bad_key", "Deepgram does not accept the key")),
        (
            Http(403),
            (
                "missing_permission",
                "The key may not read balances at Deepgram. Needed permission: billing:read",
            ),
        ),
        (
            Http(402),
            (
                "payment_required",
                "Deepgram does not answer this because a payment is required",
            ),
        ),
        (Http(400), ("question_refused", "Deepgram refused the question (HTTP 400)")),
        (Reset(), ("unreachable", "Deepgram could not be reached")),
        (Html(), ("unreachable", "Deepgram could not be reached")),
        (WrongType(), ("unexpected_answer", "Deepgram answered in a form")),
    ],
)
async def test_provider_that_fails(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    deepgram: Deepgram,
    ask: Ask,
    action: str,
    data: dict[str, Any],
    fault: Fault,
    expected: tuple[str, str],
) -> None:
    """A failure says what it is; the account itself is none the worse for it."""
    deepgram.fail(fault)
    with pytest.raises(HomeAssistantError) as error:
        await ask(action, deepgram, **data)
    assert not isinstance(error.value, ServiceValidationError)
    key, text = told(error)
    assert key == expected[0]
    assert text.startswith(expected[1])
    assert len({request.path for request in deepgram.requests}) == 1
    assert state_of(hass, "sensor.deepgram_update_status") == "ok"
    deepgram.heal()
    freezer.tick(timedelta(minutes=20))
    assert await ask("get_spend", deepgram)


@pytest.mark.parametrize("status", [429, 503])
async def test_provider_that_wants_to_be_left_alone(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    deepgram: Deepgram,
    ask: Ask,
    poll: Poll,
    status: int,
) -> None:
    """During the wait of a report no report is requested; the balances are read."""
    deepgram.fail(Http(status, retry_after=2400))
    with pytest.raises(HomeAssistantError):
        await ask("get_spend", deepgram)
    deepgram.heal()
    deepgram.requests.clear()
    with pytest.raises(HomeAssistantError) as error:
        await ask("get_spend_fields", deepgram)
    assert told(error)[0] == "rate_limited"
    assert deepgram.requests == []
    await poll(timedelta(minutes=20))
    assert {request.path.rsplit("/")[-1] for request in deepgram.requests} == {
        "balances"
    }
    assert state_of(hass, "sensor.deepgram_home_balance") == "104.56822227"
    freezer.tick(timedelta(minutes=21))
    assert (await ask("get_spend", deepgram))["source"] == "provider"


async def test_limit_of_a_report_without_an_end(
    deepgram: Deepgram, ask: Ask, freezer: FrozenDateTimeFactory
) -> None:
    """A limit that does not say how long it lasts is respected for a quarter of an hour."""
    deepgram.fail(Http(429))
    with pytest.raises(HomeAssistantError):
        await ask("get_spend", deepgram)
    deepgram.heal()
    deepgram.requests.clear()
    freezer.tick(timedelta(minutes=14))
    with pytest.raises(HomeAssistantError) as error:
        await ask("get_spend", deepgram)
    assert told(error)[0] == "rate_limited"
    assert deepgram.requests == []
    freezer.tick(timedelta(minutes=1))
    assert (await ask("get_spend", deepgram))["source"] == "provider"


async def test_pause_that_outlives_a_restart(
    hass: HomeAssistant, deepgram: Deepgram, ask: Ask
) -> None:
    """The wait of a report is stored, and delays no start."""
    deepgram.fail(Http(429, retry_after=2400))
    with pytest.raises(HomeAssistantError):
        await ask("get_spend", deepgram)
    deepgram.heal()
    deepgram.requests.clear()
    await hass.config_entries.async_reload(f"entry_{deepgram.id}")
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    assert entry.state is ConfigEntryState.LOADED
    assert "breakdown" not in {
        request.path.rsplit("/")[-1] for request in deepgram.requests
    }
    with pytest.raises(HomeAssistantError) as error:
        await ask("get_spend", deepgram)
    assert told(error)[0] == "rate_limited"


async def test_project_that_fails(deepgram: Deepgram, ask: Ask) -> None:
    """A part is not the whole: a report without one of the projects is none."""
    deepgram.fail_project(deepgram.projects[1], Http(503))
    with pytest.raises(HomeAssistantError) as error:
        await ask("get_spend", deepgram)
    assert told(error)[0] == "provider_fault"


# Providers of every shape


@each_shape
async def test_every_provider(
    simulator: Simulator,
    add_account: AddAccount,
    ask: Ask,
    caplog: pytest.LogCaptureFixture,
    provider_id: str,
) -> None:
    """A provider answers, or says that it cannot; a marked key is in neither."""
    caplog.set_level(logging.DEBUG)
    provider = simulator[provider_id]
    provider.credentials = provider.new_key(MARK)
    await add_account(provider)
    answers: list[object] = []
    errors: list[HomeAssistantError] = []

    async def try_all() -> None:
        for action in ACTIONS:
            try:
                answers.append(json.loads(json.dumps(await ask(action, provider))))
            except HomeAssistantError as error:
                errors.append(error)

    await try_all()
    assert isinstance(answers[0], dict)
    assert answers[0]["provider"] == load(provider_id).name
    body = json.dumps(provider.credentials)
    for fault in (Http(500, body=body), Http(403, body=body), Http(200, body=body)):
        provider.fail(fault)
        await try_all()
        provider.heal()
    assert {error.translation_domain for error in errors} == {DOMAIN}
    assert [error for error in errors if str(error) == error.translation_key] == []
    answers += [(str(error), vars(error)) for error in errors]
    assert [text for item in answers if MARK in (text := repr(item))] == []
    assert MARK not in our_log(caplog)


@pytest.mark.parametrize("provider", [XAI])
async def test_purchases_of_other_providers(
    simulator: Simulator,
    add_account: AddAccount,
    ask: Ask,
    provider: type[SimulatedProvider],
) -> None:
    """Whoever lists payments is asked for them."""
    await add_account(simulator[provider])
    assert (await ask("get_purchases", provider))["source"] == "provider"
