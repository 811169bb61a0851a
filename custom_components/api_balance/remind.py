"""Action that repeats the alert of what is still low."""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import ServiceCall, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.target import (
    TargetSelection,
    async_extract_referenced_entity_ids,
)
from homeassistant.util import dt as dt_util

from .accounts import async_account_entries
from .const import DOMAIN
from .coordinator import SIGNAL_EVENTS, AccountCoordinator
from .entity import async_find_gauge
from .insight.levels import Activity, Event, Level
from .insight.view import AVAILABLE, BALANCE, REMAINING
from .model import Gauge

# Any entity that shows how a gauge stands can stand for it.
_KEYS = ("low_balance", "activity", BALANCE, AVAILABLE, REMAINING)


@callback
def remind(call: ServiceCall) -> None:
    """Repeat the alert of every gauge of the target that is low or depleted.

    Raises ServiceValidationError.
    """
    has_target = TargetSelection(call.data).has_any_target
    named, not_loaded = _named_gauges(call) if has_target else (None, set())
    for entry in async_account_entries(call.hass):
        if entry.state is not ConfigEntryState.LOADED:
            continue
        coordinator: AccountCoordinator = entry.runtime_data
        # What is unknown now is not reported as if it were known.
        if coordinator.last_update_success:
            for key, gauge in coordinator.data.gauges.items():
                if named is None or (entry.entry_id, key) in named:
                    _remind_of(coordinator, gauge)
    # Last, so that an account that cannot be reached silences no other one.
    if not_loaded:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="account_not_loaded",
            translation_placeholders={"account": ", ".join(sorted(not_loaded))},
        )


@callback
def _remind_of(coordinator: AccountCoordinator, gauge: Gauge) -> None:
    """Repeat the alert of a gauge if it is low or depleted."""
    level = coordinator.data.levels.get(gauge.key, Level.OK)
    if level is Level.OK:
        return
    threshold = coordinator.thresholds(gauge.key).amount_of(gauge)
    event = Event(
        activity=Activity.REMINDER,
        gauge=gauge.key,
        unit=gauge.unit,
        at=dt_util.utcnow(),
        before=gauge.shown,
        after=gauge.shown,
        old_level=level,
        level=level,
        threshold=threshold or None,
    )
    async_dispatcher_send(coordinator.hass, SIGNAL_EVENTS, coordinator, [event])


@callback
def _named_gauges(call: ServiceCall) -> tuple[set[tuple[str, str]], set[str]]:
    """Return the gauges of the target, and its accounts that are not loaded.

    Raises ServiceValidationError where there is nothing of both.
    """
    selected = async_extract_referenced_entity_ids(
        call.hass, TargetSelection(call.data)
    )
    named, not_loaded = set(), set()
    for entity_id in selected.referenced | selected.indirectly_referenced:
        found = async_find_gauge(call.hass, entity_id, _KEYS)
        if found is None:
            continue
        if found.entry.state is ConfigEntryState.LOADED:
            named.add((found.entry.entry_id, found.gauge))
        else:
            not_loaded.add(found.entry.title)
    if not named and not not_loaded:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="no_wallet"
        )
    return named, not_loaded
