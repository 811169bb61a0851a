"""What Home Assistant keeps of what simulated accounts spend."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

from tests.simulator import SimulatedProvider

from .accounts import DOMAIN, entities_of
from .home_assistant import HomeAssistant, Json

PAST_DAYS = 30

_GIVE_PAST = "give_past"


def give_past(provider: SimulatedProvider) -> bool:
    """Let a provider that reports costs have a month behind it."""
    if has_past := _GIVE_PAST in provider.commands:
        provider.commands[_GIVE_PAST](days=PAST_DAYS)
    return has_past


async def statistics_of(home: HomeAssistant, entry_id: str) -> dict[str, str]:
    """Return the names of the long-term statistics of an account by their ids."""
    listed: list[Json] = await home.call("recorder/list_statistic_ids")
    return {
        row["statistic_id"]: row["name"]
        for row in listed
        if row["statistic_id"].startswith(f"{DOMAIN}:{entry_id.lower()}_")
    }


async def days_of(home: HomeAssistant, statistic_id: str) -> dict[str, float]:
    """Return what each day of a statistic has cost, as its bars show it."""
    start = datetime.now(UTC) - timedelta(days=PAST_DAYS + 2)
    answer = await home.call(
        "recorder/statistics_during_period",
        start_time=start.isoformat(),
        statistic_ids=[statistic_id],
        period="day",
        types=["change"],
    )
    return {
        f"{datetime.fromtimestamp(row['start'] / 1000, UTC):%Y-%m-%d}": row["change"]
        for row in answer.get(statistic_id, ())
    }


async def until_statistics(home: HomeAssistant, entry_id: str) -> dict[str, str]:
    """Wait until an account has statistics, also by line item, and return them."""

    async def check() -> dict[str, str] | None:
        found = await statistics_of(home, entry_id)
        return found if len(found) > 1 else None

    return await home.until(check, f"statistics of {entry_id}")


async def find_spend_mistakes(
    home: HomeAssistant, entry_id: str, provider: SimulatedProvider, spent: Decimal
) -> list[str]:
    """Return what is wrong with what an account shows of its spend.

    It was spent since the account was added, from its first wallet. A provider that
    reports costs told of a month before that.
    """
    mistakes = []
    states = {
        name: home.states.get(entity["entity_id"], {})
        for name, entity in (await entities_of(home, entry_id)).items()
    }

    def shown(name: str) -> list[str]:
        return [
            state["state"]
            for key, state in states.items()
            if key.endswith(f"_{name}") and state
        ]

    today = [Decimal(state) for state in shown("spent_today_total")]
    if sum(today) != spent:
        mistakes.append(f"{provider.id} spent {today} today, not {spent}")
    if _GIVE_PAST not in provider.commands:
        return mistakes
    mistakes += [
        f"{provider.id} shows {name} as {shown(name)}"
        for name in ("daily_spend", "time_left")
        if not any(_is_positive(state) for state in shown(name))
    ]
    for statistic_id, title in (await statistics_of(home, entry_id)).items():
        days = await days_of(home, statistic_id)
        if len(days) < PAST_DAYS or not sum(days.values()) > 0:
            mistakes.append(f"{title} has {len(days)} days with {sum(days.values())}")
    return mistakes


def _is_positive(state: str) -> bool:
    try:
        return Decimal(state) > 0
    except InvalidOperation:
        return False
