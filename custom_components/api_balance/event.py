"""Events of API Balance."""

from decimal import Decimal
from typing import Any, override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import SIGNAL_EVENTS, AccountCoordinator, ApiBalanceConfigEntry
from .entity import (
    PartEntity,
    as_floats,
    async_add_gauge_entities,
    async_add_part_entities,
    is_set_budget,
)
from .insight.budget import Budget
from .insight.levels import BUDGET_ACTIVITIES, Activity, Event
from .insight.outlook import FOR_EVER, in_days
from .insight.view import Part
from .model import Gauge

PARALLEL_UPDATES = 0

_GAUGE_ACTIVITIES = [kind for kind in Activity if kind not in BUDGET_ACTIVITIES]
_OF_WALLETS = (Activity.TOPPED_UP, Activity.BALANCE_SET, Activity.SPEND_RECORDED)

WALLET_EVENTS = (
    EventEntityDescription(
        key="activity",
        translation_key="activity",
        event_types=[kind for kind in _GAUGE_ACTIVITIES if kind is not Activity.RESET],
    ),
)

QUOTA_EVENTS = (
    EventEntityDescription(
        key="activity",
        translation_key="quota_activity",
        event_types=[kind for kind in _GAUGE_ACTIVITIES if kind not in _OF_WALLETS],
    ),
)

BUDGET_EVENTS = (
    EventEntityDescription(
        key="budget_alerts",
        translation_key="budget_activity",
        event_types=[*BUDGET_ACTIVITIES],
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ApiBalanceConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the events of each wallet, quota and budget."""
    async_add_gauge_entities(
        entry, async_add_entities, PartActivity, WALLET_EVENTS, QUOTA_EVENTS
    )

    def describe(
        coordinator: AccountCoordinator, part: Part
    ) -> tuple[EventEntityDescription, ...]:
        """Return the descriptions of a budget that is set."""
        return BUDGET_EVENTS if is_set_budget(part) else ()

    async_add_part_entities(entry, async_add_entities, PartActivity, describe)


class PartActivity(PartEntity[Gauge | Budget], EventEntity):
    """The alerts of a wallet, a quota or a budget."""

    _is_always_available = True

    @override
    async def async_added_to_hass(self) -> None:
        """Subscribe to the events of the accounts."""
        await super().async_added_to_hass()
        self.async_on_remove(
            async_dispatcher_connect(
                self.hass,
                SIGNAL_EVENTS,
                self._handle_events,
            )
        )

    @callback
    def _handle_events(
        self, coordinator: AccountCoordinator, events: list[Event]
    ) -> None:
        """Handle the events of this part."""
        for event in events:
            if coordinator is self.coordinator and event.gauge == self._part_id[1]:
                self._trigger_event(event.activity, _attributes(event))
                self.async_write_ha_state()


def _attributes(event: Event) -> dict[str, Any]:
    """Return the attributes of an event; times in days."""
    if event.activity in BUDGET_ACTIVITIES:
        return _budget_attributes(event)
    amounts: dict[str, Decimal | None] = {
        "old": event.before,
        "new": event.after,
        "threshold": event.threshold,
    }
    others: dict[str, Any] = {"unit": event.unit.code}
    if event.days:
        lasts = event.runway
        amounts["time_left"] = None if lasts in (None, FOR_EVER) else in_days(lasts)
        amounts["time_threshold"] = event.days
    if event.activity is Activity.BALANCE_SET:
        amounts["difference"] = event.change
    if event.jump:
        amounts["spent"] = event.jump.spent
        amounts["usual"] = event.jump.usual
        others["hours"] = event.jump.hours
    if event.note:
        others["note"] = event.note
    return as_floats(amounts) | others


def _budget_attributes(event: Event) -> dict[str, Any]:
    """Return the attributes of an event of a budget."""
    amounts = {
        "spent": event.after,
        "budget": event.threshold,
        "forecast": event.forecast,
    }
    return {**as_floats(amounts), "month_start": event.since, "unit": event.unit.code}
