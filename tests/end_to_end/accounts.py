"""What the simulated accounts hold, and whether Home Assistant shows just that."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
import json
import re
from typing import Any

from aiohttp import ClientSession

from tests.simulator import SimulatedProvider

from .home_assistant import HomeAssistant, HomeAssistantError, Json

DOMAIN = "api_balance"

# Home Assistant says this about every custom integration.
_STANDARD_NOTICE = "which has not been tested by Home Assistant"
# What it says when the machine is busy with other things: no test goes by the clock.
_BUSY = re.compile(r" took \d+\.\d+ ?s| is taking over \d+ seconds")


@dataclass(slots=True)
class Holding:
    """What an account holds: amounts by the last part of an entity's unique id."""

    availability: str
    amounts: dict[str, Decimal] = field(default_factory=dict)


async def add_account(
    home: HomeAssistant,
    provider: str,
    credentials: Mapping[str, str],
    base_url: str | None = None,
) -> Json:
    """Add an account as a person does and return the flow's result."""
    step = await choose_provider(home, provider)
    return await give_credentials(home, step, credentials, base_url)


async def choose_provider(home: HomeAssistant, provider: str) -> Json:
    """Take the first step of the config flow and return the second."""
    step = await home.start_flow(DOMAIN)
    return await home.step_flow(step["flow_id"], {"provider": provider})


async def give_credentials(
    home: HomeAssistant,
    step: Json,
    credentials: Mapping[str, str],
    base_url: str | None = None,
) -> Json:
    """Answer the step that asks for credentials, and set no threshold."""
    advanced = {} if base_url is None else {"base_url": base_url}
    result = await home.step_flow(
        step["flow_id"], {**credentials, "advanced": advanced}
    )
    while result.get("step_id") in ("balance", "thresholds"):
        result = await home.step_flow(step["flow_id"], {})
    return result


async def read_holding(provider: SimulatedProvider) -> Holding | None:
    """Ask a simulated provider what the account holds, without the code under test.

    None for a provider whose answers only the code under test can read.
    """
    if "api_key" not in provider.credentials:
        return None
    headers = {"Authorization": f"{provider.scheme} {provider.credentials['api_key']}"}
    async with ClientSession(provider.url, headers=headers) as session:

        async def get(path: str) -> Any:
            async with session.get(path, raise_for_status=True) as response:
                return json.loads(await response.text(), parse_float=Decimal)

        match provider.id:
            case "deepgram":
                holding = Holding("available")
                for project in (await get("/v1/projects"))["projects"]:
                    project_id = project["project_id"]
                    answer = await get(f"/v1/projects/{project_id}/balances")
                    for key, amount in _sum_by_unit(answer["balances"]).items():
                        holding.amounts[f"{project_id}_{key}_balance"] = amount
                        if amount <= 0:
                            holding.availability = "depleted"
                return holding
            case "telnyx":
                data = (await get("/v2/balance"))["data"]
                wallet = data["currency"].lower()
                fields = {"available_credit": "available"}
                amounts = {
                    f"{wallet}_{fields.get(name, name)}": Decimal(data[name])
                    for name in (
                        "balance",
                        "available_credit",
                        "credit_limit",
                        "pending",
                    )
                    if name in data
                }
                is_available = amounts[f"{wallet}_available"] > 0
                return Holding("available" if is_available else "depleted", amounts)
            case "deepseek":
                answer = await get("/user/balance")
                is_available = answer["is_available"]
                fields = {"total": "balance", "granted": "granted", "topped_up": "paid"}
                return Holding(
                    "available" if is_available else "depleted",
                    {
                        f"{row['currency'].lower()}_{key}": Decimal(
                            row[f"{name}_balance"]
                        )
                        for row in answer["balance_infos"]
                        for name, key in fields.items()
                    },
                )
            case _:
                return None


def _sum_by_unit(balances: list[Json]) -> dict[str, Decimal]:
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for balance in balances:
        sums[balance["units"]] += balance["amount"]
    return sums


def name_of(entity: Json) -> str:
    """Return the part of a unique id that does not change with the entry."""
    unique_id: str = entity["unique_id"]
    return unique_id.removeprefix(f"{entity['config_entry_id']}_")


async def entities_of(home: HomeAssistant, entry_id: str) -> dict[str, Json]:
    """Return the registered entities of an account by the last part of their id."""
    return {
        name_of(entity): entity
        for entity in await home.entities(DOMAIN)
        if entity["config_entry_id"] == entry_id
    }


async def entity_id_of(home: HomeAssistant, entry_id: str, name: str) -> str:
    """Return the id of an account's entity."""
    entities = await entities_of(home, entry_id)
    if name not in entities:
        raise HomeAssistantError(f"no entity {name}; there is {', '.join(entities)}")
    entity_id: str = entities[name]["entity_id"]
    return entity_id


async def find_mistakes(
    home: HomeAssistant, entry_id: str, holding: Holding | None
) -> list[str]:
    """Return every entity of an account that is missing or shows something wrong.

    Of an account whose holding nobody knows, the entities must at least tell something.
    """
    entities = await entities_of(home, entry_id)
    wanted = _wanted(holding)
    mistakes = [
        f"{name} of {entry_id} is missing" for name in wanted if name not in entities
    ]
    for name, entity in entities.items():
        if entity["disabled_by"]:
            continue
        state = home.states.get(entity["entity_id"], {}).get("state", "missing")
        what, is_permission = wanted.get(name, _ANYTHING)
        if not is_permission(state):
            mistakes.append(f"{entity['entity_id']} is {state}, not {what}")
    return mistakes


def _wanted(holding: Holding | None) -> dict[str, _Wanted]:
    """Return what each entity should show, in words and as a test of its state."""
    wanted: dict[str, _Wanted] = {
        "availability": _ANYTHING,
        "update_status": ("ok", "ok".__eq__),
    }
    if holding is not None:
        wanted["availability"] = (holding.availability, holding.availability.__eq__)
        for name, amount in holding.amounts.items():
            wanted[name] = (str(amount), _amounts_to(amount))
    return wanted


def _amounts_to(amount: Decimal) -> Callable[[str], bool]:
    def is_amount(state: str) -> bool:
        try:
            return Decimal(state) == amount
        except InvalidOperation:
            return False

    return is_amount


def _is_known(state: str) -> bool:
    return state not in {"missing", "unavailable"}


type _Wanted = tuple[str, Callable[[str], bool]]

_ANYTHING: _Wanted = ("anything that is known", _is_known)


def our_complaints(home: HomeAssistant, start: int = 0) -> list[str]:
    """Return the warnings and errors in the log, from a position on, that are ours."""
    return [
        record
        for record in home.log_records("WARNING", "ERROR", "CRITICAL", start=start)
        if DOMAIN in record
        and _STANDARD_NOTICE not in record
        and not _BUSY.search(record)
    ]
