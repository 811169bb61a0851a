"""The API Balance integration."""

from datetime import timedelta

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import (
    ConfigEntryAuthFailed,
    ConfigEntryError,
    ConfigEntryNotReady,
)
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.event import async_track_time_change
from homeassistant.helpers.start import async_at_started
from homeassistant.helpers.typing import ConfigType

from .accounts import async_account_entries, is_total
from .connection import UnknownProvider, async_connect, async_load_provider
from .const import CONF_BALANCES, CONF_PROVIDER, DOMAIN
from .coordinator import AccountCoordinator, ApiBalanceConfigEntry
from .follow import device_id
from .issues import async_delete_issues, placeholders
from .model import ACCOUNT, Problem
from .providers.base import ProviderError
from .reports.backfill import async_start_past
from .reports.statistics import async_start_statistics
from .services import async_setup_services
from .store import AccountStore
from .total import async_setup_total, async_unload_total

PLATFORMS = [
    Platform.BINARY_SENSOR,
    Platform.EVENT,
    Platform.NUMBER,
    Platform.SENSOR,
]

# At a start the accounts are asked one after the other, so that many hold nothing up.
START_SPACING = timedelta(milliseconds=100)

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Set up what all accounts share."""
    async_setup_services(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: ApiBalanceConfigEntry) -> bool:
    """Set up an account, or the total of all accounts.

    An account that has worked before is set up during an outage too: its status says why
    there are no amounts.
    """
    if is_total(entry):
        return await async_setup_total(hass, entry)
    store = AccountStore(hass, entry.entry_id)
    try:
        state = await store.async_load()
    except OSError as err:
        raise ConfigEntryNotReady(
            translation_domain=DOMAIN, translation_key="record_not_readable"
        ) from err
    try:
        provider = await async_connect(hass, entry.data)
    except UnknownProvider:
        raise ConfigEntryError(
            translation_domain=DOMAIN,
            translation_key="unknown_provider",
            translation_placeholders={"provider": entry.data[CONF_PROVIDER]},
        ) from None
    except ProviderError as err:
        # The key itself shows that it is of no use; no request was made.
        kind = await async_load_provider(hass, entry.data[CONF_PROVIDER])
        raise ConfigEntryAuthFailed(
            translation_domain=DOMAIN,
            translation_key=err.problem,
            translation_placeholders=placeholders(kind, err.problem),
        ) from None
    coordinator = AccountCoordinator(hass, entry, provider, store, state)
    is_start = not hass.is_running
    if state.snapshot is None or not is_start:
        await coordinator.async_refresh()
    if state.snapshot is None:
        await coordinator.async_close()
        problem = coordinator.data.problem or Problem.RATE_LIMITED
        raise ConfigEntryNotReady(
            translation_domain=DOMAIN,
            translation_key=problem,
            translation_placeholders=placeholders(
                provider, problem, coordinator.data.detail
            ),
        )
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
    if CONF_BALANCES in entry.data:
        # From now on the record has them.
        await coordinator.async_save()
        data = {key: value for key, value in entry.data.items() if key != CONF_BALANCES}
        hass.config_entries.async_update_entry(entry, data=data)
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    if is_start:
        coordinator.async_refresh_later(_position(hass, entry) * START_SPACING)
    # A coordinator polls only while something listens, and every entity may be disabled.
    entry.async_on_unload(coordinator.async_add_listener(lambda: None))

    @callback
    def arm(_: HomeAssistant) -> None:
        """Start sending alerts when the automations are there."""
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


def _position(hass: HomeAssistant, entry: ApiBalanceConfigEntry) -> int:
    """Return how many accounts come before this one."""
    ids = [other.entry_id for other in async_account_entries(hass)]
    return ids.index(entry.entry_id)


async def async_unload_entry(hass: HomeAssistant, entry: ApiBalanceConfigEntry) -> bool:
    """Unload an account, or the total of all accounts."""
    if is_total(entry):
        return await async_unload_total(hass, entry)
    coordinator = entry.runtime_data
    coordinator.async_disarm()
    is_unloaded = await hass.config_entries.async_unload_platforms(entry, PLATFORMS)
    await coordinator.async_close()
    if entry.disabled_by:
        async_delete_issues(hass, entry)
    return is_unloaded


async def async_remove_entry(hass: HomeAssistant, entry: ApiBalanceConfigEntry) -> None:
    """Remove what was stored of an account."""
    await AccountStore(hass, entry.entry_id).async_remove()
    async_delete_issues(hass, entry)


async def async_remove_config_entry_device(
    hass: HomeAssistant, entry: ApiBalanceConfigEntry, device: dr.AnyDeviceEntry
) -> bool:
    """Allow removing a device that no longer provides data."""
    if is_total(entry) or entry.state is not ConfigEntryState.LOADED:
        # The total has one device, and nothing is known of an account now.
        return False
    snapshot = entry.runtime_data.data.snapshot
    scopes = {ACCOUNT, *(scope.key for scope in snapshot.scopes)}
    scopes |= {wallet.scope for wallet in snapshot.wallets}
    kept = {(DOMAIN, device_id(entry.entry_id, scope)) for scope in scopes}
    return not device.identifiers & kept
