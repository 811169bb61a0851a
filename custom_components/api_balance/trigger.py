"""Triggers of API Balance: what an automation waits for."""

from asyncio import Task
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, override

from homeassistant.components.event import ATTR_EVENT_TYPE
from homeassistant.const import (
    ATTR_ENTITY_ID,
    CONF_FOR,
    STATE_OFF,
    STATE_ON,
    STATE_UNAVAILABLE,
    Platform,
    UnitOfTime,
)
from homeassistant.core import CALLBACK_TYPE, Context, HomeAssistant, State, callback
from homeassistant.helpers.automation import DomainSpec
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.target import (
    TargetStateChangedData,
    async_track_target_selector_state_change_event,
)
from homeassistant.helpers.trigger import (
    ATTR_BEHAVIOR,
    BEHAVIOR_ALL,
    BEHAVIOR_EACH,
    EntityNumericalStateCrossedThresholdTriggerBase,
    EntityNumericalStateCrossedThresholdTriggerWithUnitBase,
    EntityTargetStateTriggerBase,
    EntityTriggerBase,
    NotTriggeredReasonReporter,
    StatelessEntityTriggerBase,
    Trigger,
    TriggerActionRunner,
    TriggerConfig,
    TriggerNotTriggeredReporter,
)
from homeassistant.util.unit_conversion import DurationConverter

from .account import AVAILABLE, BALANCE, TIME_LEFT
from .const import ATTR_LEVEL
from .coordinator import SIGNAL_ARMED, AccountCoordinator, Amounts
from .entity import async_find_wallet, async_wallets_among
from .insight.watch import Activity, Level


class WalletTrigger(EntityTriggerBase):
    """Wait for something that the entities of our wallets show."""

    _keys: ClassVar[tuple[str, ...]]

    @override
    def entity_filter(self, entities: set[str]) -> set[str]:
        """Keep our own entities that show it."""
        found = super().entity_filter(entities)
        return async_wallets_among(self._hass, found, self._keys)

    @override
    @callback
    def _cancel_invalidated_timers(
        self,
        behavior: str,
        pending_timers: dict[str, CALLBACK_TYPE],
        target_state_change_data: TargetStateChangedData,
    ) -> None:
        """End a wait when a state has changed; an outage changes nothing."""
        state = target_state_change_data.state_change_event.data["new_state"]
        if state is None or state.state not in self._excluded_states:
            super()._cancel_invalidated_timers(
                behavior, pending_timers, target_state_change_data
            )


class BecameLowTrigger(WalletTrigger, EntityTargetStateTriggerBase):
    """Wait for a wallet that becomes low or depleted."""

    _domain_specs = {Platform.BINARY_SENSOR: DomainSpec()}
    _keys = ("low_balance",)
    _to_states = {STATE_ON}


class NoLongerLowTrigger(BecameLowTrigger):
    """Wait for a wallet that is neither low nor depleted any more."""

    _to_states = {STATE_OFF}


class BecameDepletedTrigger(BecameLowTrigger):
    """Wait for a wallet that becomes depleted."""

    _domain_specs = {Platform.BINARY_SENSOR: DomainSpec(value_source=ATTR_LEVEL)}
    _to_states = {Level.DEPLETED}


class ToppedUpTrigger(WalletTrigger, StatelessEntityTriggerBase):
    """Wait for a wallet that is topped up."""

    _domain_specs = {Platform.EVENT: DomainSpec()}
    _keys = ("activity",)
    _activity = Activity.TOPPED_UP

    @override
    def is_valid_state(
        self, state: State, report_not_triggered: NotTriggeredReasonReporter
    ) -> bool:
        """Tell whether the event is the one that is waited for."""
        return state.attributes.get(ATTR_EVENT_TYPE) == self._activity


class SpendJumpedTrigger(ToppedUpTrigger):
    """Wait for a wallet that is spent far faster than it used to be."""

    _activity = Activity.SPEND_JUMPED


class CrossedThresholdTrigger(
    WalletTrigger, EntityNumericalStateCrossedThresholdTriggerBase
):
    """Wait for a number that crosses a threshold, seen or unseen.

    Where it was not known for a while, what was known before that counts.
    """

    _domain_specs = {Platform.SENSOR: DomainSpec()}
    _excluded_from_states = frozenset()

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Begin without anything compared."""
        super().__init__(hass, config)
        self._compared: dict[str, Amounts] = {}

    @override
    def is_valid_transition(self, from_state: State, to_state: State) -> bool:
        """Tell whether the threshold was crossed, and once for every gap."""
        if from_state.state in self._excluded_states:
            coordinator = self._coordinator(to_state.entity_id)
            if coordinator is None or self._get_tracked_value(from_state) is None:
                return False
            before = coordinator.amounts_before
            if self._compared.get(to_state.entity_id) is before:
                return False
            self._compared[to_state.entity_id] = before
        return super().is_valid_transition(from_state, to_state)

    @override
    def _get_tracked_value(self, state: State) -> float | None:
        """Return the number, the one of before while it is not known."""
        if state.state not in self._excluded_states:
            return super()._get_tracked_value(state)
        wallet = async_find_wallet(self._hass, state.entity_id, self._keys)
        if wallet is None or wallet.coordinator is None:
            return None
        amounts = wallet.coordinator.amounts_before.get(wallet.wallet_key, {})
        amount = amounts.get(wallet.key)
        return None if amount is None else float(amount)

    @override
    def _should_include(self, state: State) -> bool:
        """Count every wallet of which an amount is known."""
        return self._get_tracked_value(state) is not None

    @override
    async def async_attach_runner(
        self,
        run_action: TriggerActionRunner,
        did_not_trigger: TriggerNotTriggeredReporter | None = None,
    ) -> CALLBACK_TYPE:
        """Attach, also to what was crossed while Home Assistant was stopped."""
        behavior: str = self._options[ATTR_BEHAVIOR]
        timers: dict[str, CALLBACK_TYPE] = {}
        targeted: set[str] = set()

        @callback
        def act(
            extra_trigger_payload: dict[str, Any],
            description: str,
            context: Context | None = None,
        ) -> Task[Any]:
            """Act, and have it written down that this is no longer news."""
            coordinator = self._coordinator(extra_trigger_payload[ATTR_ENTITY_ID])
            if coordinator is not None:
                coordinator.async_write_down()
            return run_action(extra_trigger_payload, description, context)

        @callback
        def handle_change(data: TargetStateChangedData) -> None:
            """End a wait that began at the start, and note what is over."""
            self._cancel_invalidated_timers(behavior, timers, data)
            change = data.state_change_event.data
            self._note_end(change["old_state"], change["new_state"])

        @callback
        def handle_targets(
            added: set[str], removed: set[str], states: Mapping[str, State | None]
        ) -> None:
            """Follow what is targeted."""
            targeted.difference_update(removed)
            targeted.update(added)
            for entity_id in removed & timers.keys():
                timers.pop(entity_id)()

        @callback
        def wait(entity_id: str, from_state: State, to_state: State) -> None:
            """Act, after the wait that is asked for."""
            key = entity_id if behavior == BEHAVIOR_EACH else behavior

            @callback
            def end(now: datetime | None = None) -> None:
                timers.pop(key, None)
                act(
                    {
                        ATTR_ENTITY_ID: entity_id,
                        "from_state": from_state,
                        "to_state": to_state,
                        CONF_FOR: self._duration,
                    },
                    f"state of {entity_id}",
                )

            if self._duration:
                timers[key] = async_call_later(self._hass, self._duration, end)
            else:
                end()

        @callback
        def handle_start(coordinator: AccountCoordinator) -> None:
            """Compare an account with what was known of it before the start.

            Its sensors have shown the new amounts all along, but nobody listened: they
            are gone through as if they changed now, one after the other.
            """
            states = {
                entity_id: self._state_before(entity_id, coordinator)
                for entity_id in targeted
            }
            for entity_id in sorted(targeted):
                from_state = states[entity_id]
                to_state = self._hass.states.get(entity_id)
                if (
                    self._coordinator(entity_id) is not coordinator
                    or from_state is None
                    or to_state is None
                    or to_state.state in self._excluded_states
                ):
                    continue
                states[entity_id] = to_state
                self._note_end(from_state, to_state)
                if (
                    self.is_valid_state(to_state, _report_nothing)
                    and self.is_valid_transition(from_state, to_state)
                    and self._is_enough(behavior, states)
                ):
                    wait(entity_id, from_state, to_state)

        detach = await super().async_attach_runner(act, did_not_trigger)
        unsubscribe = await async_track_target_selector_state_change_event(
            self._hass,
            self._target,
            handle_change,
            self.entity_filter,
            handle_targets,
            primary_entities_only=self._primary_entities_only,
        )
        disconnect = async_dispatcher_connect(self._hass, SIGNAL_ARMED, handle_start)

        @callback
        def remove() -> None:
            """Detach, and end all waits."""
            detach()
            unsubscribe()
            disconnect()
            for cancel in timers.values():
                cancel()

        return remove

    def _coordinator(self, entity_id: str) -> AccountCoordinator | None:
        """Return the coordinator of a sensor's account, None while it is not loaded."""
        wallet = async_find_wallet(self._hass, entity_id, self._keys)
        return wallet.coordinator if wallet else None

    def _state_before(
        self, entity_id: str, starting: AccountCoordinator
    ) -> State | None:
        """Return a sensor's state, an unknown one while its account starts."""
        coordinator = self._coordinator(entity_id)
        if coordinator is starting or (coordinator and not coordinator.is_armed):
            return State(entity_id, STATE_UNAVAILABLE)
        return self._hass.states.get(entity_id)

    def _note_end(self, from_state: State | None, to_state: State | None) -> None:
        """Have it written down that a crossing is over, so that the next one is news."""
        if (
            from_state is not None
            and to_state is not None
            and to_state.state not in self._excluded_states
            and self.is_valid_state(from_state, _report_nothing)
            and not self.is_valid_state(to_state, _report_nothing)
            and (coordinator := self._coordinator(to_state.entity_id))
        ):
            coordinator.async_write_down()

    def _is_enough(self, behavior: str, states: Mapping[str, State | None]) -> bool:
        """Tell whether as many wallets match as the behavior asks for."""
        matches, included = self.count_matches(states, states)
        if behavior == BEHAVIOR_ALL:
            return matches == included
        return behavior == BEHAVIOR_EACH or matches == 1


class BalanceCrossedThresholdTrigger(CrossedThresholdTrigger):
    """Wait for a balance that crosses a threshold."""

    _keys = (BALANCE, AVAILABLE)


class TimeLeftCrossedThresholdTrigger(
    CrossedThresholdTrigger, EntityNumericalStateCrossedThresholdTriggerWithUnitBase
):
    """Wait for the time that is left to cross a threshold."""

    _keys = (TIME_LEFT,)
    _base_unit = UnitOfTime.DAYS
    _unit_converter = DurationConverter


def _report_nothing(reason: str, /, **data: Any) -> None:
    """Keep to oneself why nothing happens."""


TRIGGERS: dict[str, type[Trigger]] = {
    "became_low": BecameLowTrigger,
    "no_longer_low": NoLongerLowTrigger,
    "became_depleted": BecameDepletedTrigger,
    "topped_up": ToppedUpTrigger,
    "spend_jumped": SpendJumpedTrigger,
    "balance_crossed_threshold": BalanceCrossedThresholdTrigger,
    "time_left_crossed_threshold": TimeLeftCrossedThresholdTrigger,
}


async def async_get_triggers(hass: HomeAssistant) -> dict[str, type[Trigger]]:
    """Return the triggers."""
    return TRIGGERS
