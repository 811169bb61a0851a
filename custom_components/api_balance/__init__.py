"""The API Balance integration."""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.event import async_track_time_change
from homeassistant.helpers.start import async_at_started
from homeassistant.helpers.typing import ConfigType

from .connection import async_connect
from .const import DOMAIN
from .coordinator import AccountCoordinator, ApiBalanceConfigEntry, device_id
from .issues import async_delete_issues
from .model import ACCOUNT
from .past import async_start_past
from .services import async_setup_services
from .statistics import async_start_statistics
from .store import AccountStore

PLATFORMS = [
    Platform.BINARY_SENSOR,
    Platform.EVENT,
    Platform.NUMBER,
    Platform.SENSOR,
]

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Set up what all accounts share."""
    async_setup_services(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: ApiBalanceConfigEntry) -> bool:
    """Set up an account."""
    provider = await async_connect(hass, entry.data)
    coordinator = AccountCoordinator(hass, entry, provider)
    await coordinator.async_config_entry_first_refresh()
    entry.runtime_data = coordinator
    # The devices of the account's parts refer to it: it has to be there first.
    coordinator.account_device_id = (
        dr.async_get(hass)
        .async_get_or_create(
            config_entry_id=entry.entry_id,
            configuration_url=provider.top_up_url,
            entry_type=dr.DeviceEntryType.SERVICE,
            identifiers={(DOMAIN, device_id(entry.entry_id))},
            manufacturer=provider.name,
            name=entry.title,
        )
        .id
    )
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)

    @callback
    def arm(_: HomeAssistant) -> None:
        """Begin to warn when the automations are there."""
        coordinator.async_arm()

    entry.async_on_unload(async_at_started(hass, arm))
    async_start_past(hass, entry)
    async_start_statistics(hass, entry)
    entry.async_on_unload(
        async_track_time_change(
            hass, coordinator.async_turn, hour=0, minute=0, second=0
        )
    )
    return True


async def async_unload_entry(hass: HomeAssistant, entry: ApiBalanceConfigEntry) -> bool:
    """Unload an account."""
    coordinator = entry.runtime_data
    coordinator.async_disarm()
    is_unloaded = await hass.config_entries.async_unload_platforms(entry, PLATFORMS)
    await coordinator.async_close()
    return is_unloaded


async def async_remove_entry(hass: HomeAssistant, entry: ApiBalanceConfigEntry) -> None:
    """Forget what was kept of an account."""
    await AccountStore(hass, entry.entry_id).async_remove()
    async_delete_issues(hass, entry)


async def async_remove_config_entry_device(
    hass: HomeAssistant, entry: ApiBalanceConfigEntry, device: dr.AnyDeviceEntry
) -> bool:
    """Let a device go that tells nothing and is not the account itself."""
    if entry.state is not ConfigEntryState.LOADED:
        # What tells nothing is not known.
        return False
    parts = entry.runtime_data.data.parts.values()
    scopes = {ACCOUNT, *(part.scope for part in parts)}
    kept = {(DOMAIN, device_id(entry.entry_id, scope)) for scope in scopes}
    return not device.identifiers & kept
