"""The demo's dashboard: built-in cards for what the accounts hold."""  # noqa: INP001

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.end_to_end.accounts import DOMAIN, entities_of
from tests.end_to_end.home_assistant import HomeAssistant, Json
from tests.end_to_end.spending import statistics_of

URL_PATH = "api-balance"
ICONS = {
    "deepgram": "mdi:waveform",
    "deepseek": "mdi:brain",
    "telnyx": "mdi:phone-in-talk",
}
# The demo's numbers move each minute.
GRAPH_HOURS = 0.25
WELCOME = """\
# What is left
The accounts that this home depends on: **{names}**.
"""

type Card = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shown:
    """An account and those of its entities that are enabled, by name."""

    title: str
    provider: str
    entities: dict[str, str]
    statistics: dict[str, str]

    def ending_with(self, *names: str) -> list[str]:
        """Return the sensors whose names end so, in this order."""
        return [
            entity_id
            for wanted in names
            for name, entity_id in self.entities.items()
            if name.endswith(f"_{wanted}") and entity_id.startswith("sensor.")
        ]


async def show_dashboard(home: HomeAssistant, entry_ids: Iterable[str]) -> None:
    """Make the dashboard that a person sees first."""
    entries = {entry["entry_id"]: entry for entry in await home.entries(DOMAIN)}
    accounts = []
    for entry_id in entry_ids:
        entities = await entities_of(home, entry_id)
        accounts.append(
            Shown(
                title=entries[entry_id]["title"],
                provider=entries[entry_id]["title"].split()[0].lower(),
                entities={
                    name: entity["entity_id"]
                    for name, entity in entities.items()
                    if not entity["disabled_by"]
                },
                statistics=await statistics_of(home, entry_id),
            )
        )
    dashboards = await home.call("lovelace/dashboards/list")
    if not any(dashboard["url_path"] == URL_PATH for dashboard in dashboards):
        await home.call(
            "lovelace/dashboards/create",
            url_path=URL_PATH,
            title="API Balance",
            icon="mdi:wallet",
        )
    await home.call(
        "lovelace/config/save", url_path=URL_PATH, config=_dashboard(home, accounts)
    )
    core = await home.call("frontend/get_system_data", key="core")
    await home.call(
        "frontend/set_system_data",
        key="core",
        value={**(core["value"] or {}), "default_panel": URL_PATH},
    )


def _dashboard(home: HomeAssistant, accounts: list[Shown]) -> Json:
    return {
        "views": [
            {
                "type": "sections",
                "title": "Balances",
                "path": "balances",
                "max_columns": 3,
                "header": {
                    "layout": "start",
                    "badges_position": "bottom",
                    "card": {
                        "type": "markdown",
                        "text_only": True,
                        "content": WELCOME.format(
                            names=", ".join(account.title for account in accounts)
                        ),
                    },
                },
                "badges": [
                    {
                        "type": "entity",
                        "entity": account.entities["availability"],
                        "name": account.title,
                        "show_name": True,
                        "show_state": True,
                    }
                    for account in accounts
                    if "availability" in account.entities
                ],
                "sections": [_account(home, account) for account in accounts],
            }
        ]
    }


def _account(home: HomeAssistant, account: Shown) -> Card:
    """Return the section of an account: a gauge for each wallet, the rest beside."""
    balances = account.ending_with("balance")
    others = account.ending_with(
        "available", "credit_limit", "pending", "granted", "paid"
    )
    spending = account.ending_with("spent_today_total", "time_left")
    return {
        "type": "grid",
        "cards": [
            {
                "type": "heading",
                "heading": account.title,
                "icon": ICONS.get(account.provider, "mdi:wallet"),
            },
            *(_gauge(home, entity) for entity in balances),
            *(
                _tile(account.entities[name])
                for name in ("availability", "update_status", "last_update")
                if name in account.entities
            ),
            *(
                _tile(entity_id)
                for name, entity_id in account.entities.items()
                if name.endswith("_low_balance")
            ),
            *(_tile(entity, columns=12 // min(len(others), 2)) for entity in others),
            *(_tile(entity) for entity in spending),
            *([_graph(balances)] if balances else []),
            *_bars(account.statistics),
        ],
    }


def _tile(entity_id: str, columns: int = 6) -> Card:
    """Return a tile without the name of the account, which stands above."""
    return {
        "type": "tile",
        "entity": entity_id,
        "name": {"type": "entity"},
        "grid_options": {"columns": columns},
    }


def _graph(entity_ids: list[str]) -> Card:
    """Return the graph of balances, each unit on its own."""
    return {
        "type": "history-graph",
        "hours_to_show": GRAPH_HOURS,
        "entities": [
            {"entity": entity_id, "name": {"type": "entity"}}
            for entity_id in entity_ids
        ],
        "grid_options": {"columns": "full"},
    }


def _bars(statistics: dict[str, str]) -> list[Card]:
    """Return the graph of what each day has cost, by line item where that is told."""
    if not statistics:
        return []
    items = [id_ for id_ in statistics if not id_.endswith("_spend")]
    return [
        {
            "type": "statistics-graph",
            "title": "Spend by day",
            "chart_type": "bar",
            "period": "day",
            "days_to_show": 30,
            "stat_types": ["change"],
            "entities": items or list(statistics),
            "grid_options": {"columns": "full"},
        }
    ]


def _gauge(home: HomeAssistant, entity_id: str) -> Card:
    """Return a gauge that is full at what the wallet held when the demo began."""
    try:
        full = float(home.states[entity_id]["state"]) or 1.0
    except ValueError:
        full = 1.0
    return {
        "type": "gauge",
        "entity": entity_id,
        "name": {"type": "entity"},
        "min": 0,
        "max": round(full),
        "needle": True,
        "severity": {"red": 0, "yellow": full / 10, "green": full / 4},
        "grid_options": {"columns": 6, "rows": 3},
    }
