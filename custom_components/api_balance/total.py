"""The total of all accounts: it follows their coordinators, and asks nobody itself."""

from collections.abc import Iterator
from typing import Any, override

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.const import CONF_ENTITY_ID, Platform
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.util import dt as dt_util

from .accounts import async_account_entries
from .const import CONF_CURRENCY, CONF_ENTERED_AT, CONF_RATE, CONF_RATES, DOMAIN, LOGGER
from .coordinator import SIGNAL_ACCOUNT_UPDATED, AccountCoordinator
from .insight.total import Account, Rate, Totals, rate_of, sum_up

TOTAL_PLATFORMS = [Platform.SENSOR]

FIXED_RATE = "fixed"

type TotalConfigEntry = ConfigEntry[TotalCoordinator]


class TotalCoordinator(DataUpdateCoordinator[Totals]):
    """Add up what the accounts have."""

    config_entry: TotalConfigEntry

    def __init__(self, hass: HomeAssistant, entry: TotalConfigEntry) -> None:
        """Add up what is known now."""
        super().__init__(hass, LOGGER, config_entry=entry, name=entry.title)
        self.currency: str | None = entry.data[CONF_CURRENCY]
        self._rates: dict[str, dict[str, str]] = entry.data[CONF_RATES]
        self.data = self._sum_up()

    @callback
    def async_follow(self) -> None:
        """Follow the accounts, also those to come, and the sensors of the rates."""
        sensors = [
            rate[CONF_ENTITY_ID]
            for rate in self._rates.values()
            if CONF_ENTITY_ID in rate
        ]
        for unsubscribe in (
            async_dispatcher_connect(
                self.hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._handle_entry
            ),
            async_dispatcher_connect(
                self.hass, SIGNAL_ACCOUNT_UPDATED, self._show_changes
            ),
            async_track_state_change_event(self.hass, sensors, self._handle_rate),
        ):
            self.config_entry.async_on_unload(unsubscribe)

    @override
    async def _async_update_data(self) -> Totals:
        """Add up again, for those who ask for it."""
        return self._sum_up()

    @callback
    def _handle_entry(self, change: ConfigEntryChange, entry: ConfigEntry[Any]) -> None:
        """Handle an account that was added, renamed, loaded, unloaded or removed."""
        if entry.domain == DOMAIN:
            self._show_changes()

    @callback
    def _handle_rate(self, event: Event[EventStateChangedData]) -> None:
        """Handle the change of a rate."""
        self._show_changes()

    @callback
    def _show_changes(self) -> None:
        """Show what has changed."""
        totals = self._sum_up()
        if totals != self.data:
            self.async_set_updated_data(totals)

    def _sum_up(self) -> Totals:
        """Return what the accounts have together now."""
        return sum_up(async_accounts(self.hass), dict(self._current_rates()))

    def _current_rates(self) -> Iterator[tuple[str, Rate]]:
        """Yield the rates that are known now, by their currencies."""
        for currency, chosen in self._rates.items():
            if CONF_RATE in chosen:
                entered_at = dt_util.parse_datetime(
                    chosen[CONF_ENTERED_AT], raise_on_error=True
                )
                amount, source, updated = chosen[CONF_RATE], FIXED_RATE, entered_at
            elif state := self.hass.states.get(chosen[CONF_ENTITY_ID]):
                amount, source = state.state, state.entity_id
                updated = state.last_updated
            else:
                continue
            if rate := rate_of(amount):
                yield currency, Rate(amount=rate, source=source, updated=updated)


@callback
def async_accounts(hass: HomeAssistant) -> Iterator[Account]:
    """Yield the accounts that count: all but those that are disabled."""
    for entry in async_account_entries(hass):
        if entry.disabled_by:
            continue
        if entry.state is not ConfigEntryState.LOADED:
            yield Account(name=entry.title)
            continue
        coordinator: AccountCoordinator = entry.runtime_data
        yield Account(
            name=entry.title,
            view=coordinator.data,
            gauges=coordinator.state.gauges,
            is_read=coordinator.last_update_success and coordinator.data.is_current,
        )


async def async_setup_total(hass: HomeAssistant, entry: ConfigEntry[Any]) -> bool:
    """Set up the total of all accounts."""
    coordinator = entry.runtime_data = TotalCoordinator(hass, entry)
    coordinator.async_follow()
    await hass.config_entries.async_forward_entry_setups(entry, TOTAL_PLATFORMS)
    return True


async def async_unload_total(hass: HomeAssistant, entry: ConfigEntry[Any]) -> bool:
    """Unload the total of all accounts."""
    return await hass.config_entries.async_unload_platforms(entry, TOTAL_PLATFORMS)
