"""Triggers of API Balance: what an automation waits for.

They listen to the events of the coordinators, which are sent once over outages and
restarts, and keep no history of their own. Without a target they watch every account.
"""

from collections.abc import Container, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, override

from homeassistant.const import (
    ATTR_ENTITY_ID,
    ATTR_UNIT_OF_MEASUREMENT,
    CONF_FOR,
    STATE_ON,
    Platform,
    UnitOfTime,
)
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, State, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.automation import DomainSpec
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.target import (
    TargetSelection,
    async_extract_referenced_entity_ids,
)
from homeassistant.helpers.trigger import (
    ATTR_BEHAVIOR,
    BEHAVIOR_ALL,
    BEHAVIOR_EACH,
    EntityNumericalStateCrossedThresholdTriggerBase,
    EntityNumericalStateCrossedThresholdTriggerWithUnitBase,
    EntityTargetStateTriggerBase,
    EntityTriggerBase,
    StatelessEntityTriggerBase,
    Trigger,
    TriggerActionRunner,
    TriggerNotTriggeredReporter,
)
from homeassistant.util.signal_type import SignalType
from homeassistant.util.unit_conversion import DurationConverter

from .const import ATTR_LEVEL
from .coordinator import SIGNAL_AMOUNTS, SIGNAL_EVENTS, AccountCoordinator
from .entity import (
    as_floats,
    async_entities_of_gauge,
    async_find_gauge,
    async_gauges_among,
)
from .insight.levels import Activity, Event, Level
from .insight.view import AVAILABLE, BALANCE, REMAINING, TIME_LEFT

# How long a wait goes on that has ended while the amount was unknown.
_UNTIL_KNOWN = timedelta(minutes=1)

type Data = Mapping[str, Any]


class GaugeTrigger(EntityTriggerBase):
    """Wait for an event of a gauge that is targeted through one of its entities."""

    _signal: ClassVar[SignalType[AccountCoordinator, list[Any]]] = SIGNAL_EVENTS
    _keys: ClassVar[tuple[str, ...]]
    _activity: ClassVar[Activity]

    @override
    def entity_filter(self, entities: set[str]) -> set[str]:
        """Keep the entities of API Balance that stand for a gauge."""
        found = super().entity_filter(entities)
        return async_gauges_among(self._hass, found, self._keys)

    @override
    async def async_attach_runner(
        self,
        run_action: TriggerActionRunner,
        did_not_trigger: TriggerNotTriggeredReporter | None = None,
    ) -> CALLBACK_TYPE:
        """Attach the trigger to an action."""
        timers: dict[str, CALLBACK_TYPE] = {}

        @callback
        def act(entity_id: str, data: Data) -> None:
            """Run the action."""
            data = {
                ATTR_ENTITY_ID: entity_id,
                "to_state": self._hass.states.get(entity_id),
                CONF_FOR: self._duration,
                **data,
            }
            run_action(data, f"event of {entity_id}")

        @callback
        def wait(entity_id: str, data: Data, duration: timedelta) -> None:
            """Run the action if it still holds after some time."""

            @callback
            def end(now: datetime) -> None:
                timers.pop(entity_id, None)
                if (holds := self._still_holds(entity_id)) is None:
                    # What is unknown cannot be acted on yet.
                    wait(entity_id, data, _UNTIL_KNOWN)
                elif holds:
                    act(entity_id, data)

            timers[entity_id] = async_call_later(self._hass, duration, end)

        @callback
        def handle(coordinator: AccountCoordinator, changes: list[Any]) -> None:
            """Act on what happened to the targeted gauges of an account."""
            for entity_id in [*timers]:
                if self._still_holds(entity_id) is False:
                    timers.pop(entity_id)()
            found = self._awaited(coordinator, changes)
            for entity_id, data in self._enough(found).items():
                if not self._duration:
                    act(entity_id, data)
                else:
                    wait(entity_id, data, self._duration)

        detach = async_dispatcher_connect(self._hass, self._signal, handle)

        @callback
        def remove() -> None:
            """Detach the trigger and end all waits."""
            detach()
            for cancel in timers.values():
                cancel()

        return remove

    @property
    def _behavior(self) -> Any:
        """Return how many gauges are asked for."""
        return self._options.get(ATTR_BEHAVIOR, BEHAVIOR_EACH)

    def _awaited(
        self, coordinator: AccountCoordinator, changes: list[Any]
    ) -> dict[str, Data]:
        """Return the targeted entities that something awaited happened to."""
        return {
            entity_id: _event_data(event)
            for event in changes
            if self._is_awaited(event)
            for entity_id in self._entities(coordinator, event.gauge)
        }

    def _is_awaited(self, event: Event) -> bool:
        """Return whether this is an event that the trigger waits for."""
        return event.activity is self._activity

    def _enough(self, found: dict[str, Data]) -> dict[str, Data]:
        """Return what to act on, by how many gauges the behavior asks for."""
        if self._behavior == BEHAVIOR_EACH or not found:
            return found
        holding = [self._holds(other) for other in self._targeted() - found.keys()]
        # What is unknown does not count.
        is_enough = all(holding) if self._behavior == BEHAVIOR_ALL else not any(holding)
        return dict(list(found.items())[:1]) if is_enough else {}

    def _still_holds(self, entity_id: str) -> bool | None:
        """Return whether a wait is to end with the action, None if it is unknown."""
        targeted = self._targeted()
        among = targeted if self._behavior == BEHAVIOR_ALL else targeted & {entity_id}
        found = {self._holds(one) for one in among}
        if False in found or not found:
            return False
        return None if None in found else True

    def _holds(self, entity_id: str) -> bool | None:
        """Return whether an entity shows what is awaited, None while it is unknown."""
        state = self._hass.states.get(entity_id)
        if state is None or not self._should_include(state):
            return None
        return self.is_valid_state(state, _ignore_reason)

    def _entities(
        self,
        coordinator: AccountCoordinator,
        gauge: str,
        known: Container[str] | None = None,
    ) -> dict[str, str]:
        """Return the targeted entities of a gauge, with the key of each."""
        (domain,) = self._domain_specs
        entry_id = coordinator.config_entry.entry_id
        keys = [key for key in self._keys if known is None or key in known]
        found = async_entities_of_gauge(self._hass, domain, entry_id, gauge, keys)
        targeted = self._targeted()
        return {
            entity_id: key for entity_id, key in found.items() if entity_id in targeted
        }

    def _targeted(self) -> set[str]:
        """Return the entities of API Balance that are targeted now."""
        selection = TargetSelection(self._target)
        if not selection.has_any_target:
            return self.entity_filter(set(er.async_get(self._hass).entities))
        selected = async_extract_referenced_entity_ids(
            self._hass, selection, primary_entities_only=self._primary_entities_only
        )
        return self.entity_filter(selected.referenced | selected.indirectly_referenced)


class BecameLowTrigger(GaugeTrigger, EntityTargetStateTriggerBase):
    """Wait for a gauge that becomes low or depleted."""

    _domain_specs = {Platform.BINARY_SENSOR: DomainSpec(value_source=ATTR_LEVEL)}
    _keys = ("low_balance",)
    _to_states = {Level.LOW, Level.DEPLETED}
    _activities: ClassVar[set[Activity]] = {Activity.BECAME_LOW, Activity.DEPLETED}

    @override
    def _is_awaited(self, event: Event) -> bool:
        """Return whether the gauge has just come to one of the levels."""
        return (
            event.activity in self._activities
            and event.old_level not in self._to_states
        )


class BecameDepletedTrigger(BecameLowTrigger):
    """Wait for a gauge that becomes depleted."""

    _to_states = {Level.DEPLETED}
    _activities = {Activity.DEPLETED}


class NoLongerLowTrigger(BecameLowTrigger):
    """Wait for a gauge that is neither low nor depleted any more."""

    _to_states = {Level.OK}
    _activities = {Activity.RECOVERED}


class ReminderTrigger(StatelessEntityTriggerBase, BecameLowTrigger):
    """Wait for the action that repeats the alert of what is still low."""

    _to_states = set()
    _activities = {Activity.REMINDER}


class ToppedUpTrigger(StatelessEntityTriggerBase, GaugeTrigger):
    """Wait for a balance that is topped up."""

    _domain_specs = {Platform.EVENT: DomainSpec()}
    _keys = ("activity",)
    _activity = Activity.TOPPED_UP


class SpendJumpedTrigger(ToppedUpTrigger):
    """Wait for a gauge that is spent far faster than usual."""

    _activity = Activity.SPEND_JUMPED


class QuotaResetTrigger(ToppedUpTrigger):
    """Wait for the reset of a quota that was low."""

    _activity = Activity.RESET


class OverBudgetTrigger(GaugeTrigger, EntityTargetStateTriggerBase):
    """Wait for a month in which more is spent than its budget."""

    _domain_specs = {Platform.BINARY_SENSOR: DomainSpec()}
    _keys = ("over_budget",)
    _to_states = {STATE_ON}
    _activity = Activity.OVER_BUDGET


class BudgetAtRiskTrigger(StatelessEntityTriggerBase, GaugeTrigger):
    """Wait for a month that is expected to cost more than its budget."""

    _domain_specs = {Platform.EVENT: DomainSpec()}
    _keys = ("budget_alerts",)
    _activity = Activity.BUDGET_AT_RISK


class CrossedThresholdTrigger(
    GaugeTrigger, EntityNumericalStateCrossedThresholdTriggerBase
):
    """Wait for a number that crosses a threshold, seen or unseen."""

    _domain_specs = {Platform.SENSOR: DomainSpec()}
    _signal = SIGNAL_AMOUNTS
    _unit: ClassVar[str | None] = None

    @override
    def _awaited(
        self, coordinator: AccountCoordinator, changes: list[Any]
    ) -> dict[str, Data]:
        """Return the targeted entities whose number has crossed the threshold."""
        found: dict[str, Data] = {}
        for change in changes:
            # What was not known before has crossed nothing.
            keys = change.before.keys() & change.after.keys()
            entities = self._entities(coordinator, change.gauge, keys)
            for entity_id, key in entities.items():
                before, after = change.before[key], change.after[key]
                was_crossed = self._is_crossed(entity_id, before)
                is_crossed = self._is_crossed(entity_id, after)
                if was_crossed is not is_crossed:
                    # The end of a crossing has to be stored too.
                    coordinator.async_save_now()
                if is_crossed and not was_crossed:
                    found[entity_id] = {"before": float(before), "after": float(after)}
        return found

    @override
    def _holds(self, entity_id: str) -> bool | None:
        """Return whether the number that was delivered last is beyond the threshold.

        Accounts that start together are counted one after the other.
        """
        found = async_find_gauge(self._hass, entity_id, self._keys)
        coordinator = found.coordinator if found else None
        if found is None or coordinator is None or not coordinator.last_update_success:
            return None
        known = coordinator.state.gauges.get(found.gauge)
        amount = known.amounts.get(found.key) if known else None
        return None if amount is None else self._is_crossed(entity_id, amount)

    def _is_crossed(self, entity_id: str, amount: Decimal) -> bool:
        """Return whether an amount is beyond the threshold."""
        state = State(entity_id, f"{amount:f}", {ATTR_UNIT_OF_MEASUREMENT: self._unit})
        return self.is_valid_state(state, _ignore_reason)


class BalanceCrossedThresholdTrigger(CrossedThresholdTrigger):
    """Wait for a balance or what remains of a quota to cross a threshold."""

    _keys = (BALANCE, AVAILABLE, REMAINING)


class TimeLeftCrossedThresholdTrigger(
    CrossedThresholdTrigger, EntityNumericalStateCrossedThresholdTriggerWithUnitBase
):
    """Wait for the time that is left to cross a threshold."""

    _keys = (TIME_LEFT,)
    _unit = _base_unit = UnitOfTime.DAYS
    _unit_converter = DurationConverter


def _event_data(event: Event) -> Data:
    """Return what a trigger passes to its automation."""
    amounts = {
        "before": event.before,
        "after": event.after,
        "threshold": event.threshold,
    }
    return {
        "activity": event.activity,
        "level": event.level,
        "unit": event.unit.code,
        **as_floats(amounts),
    }


def _ignore_reason(reason: str, /, **data: Any) -> None:
    """Discard the reason."""


TRIGGERS: dict[str, type[Trigger]] = {
    "became_low": BecameLowTrigger,
    "no_longer_low": NoLongerLowTrigger,
    "became_depleted": BecameDepletedTrigger,
    "reminder": ReminderTrigger,
    "topped_up": ToppedUpTrigger,
    "quota_reset": QuotaResetTrigger,
    "over_budget": OverBudgetTrigger,
    "budget_at_risk": BudgetAtRiskTrigger,
    "spend_jumped": SpendJumpedTrigger,
    "balance_crossed_threshold": BalanceCrossedThresholdTrigger,
    "time_left_crossed_threshold": TimeLeftCrossedThresholdTrigger,
}


async def async_get_triggers(hass: HomeAssistant) -> dict[str, type[Trigger]]:
    """Return the triggers."""
    return TRIGGERS
