"""What the polls of an account mean for its entry, its devices and its repair issues."""

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr

from .const import CONF_ACCOUNT_IDS, DOMAIN
from .insight.view import View
from .issues import async_update_issues
from .model import ACCOUNT
from .providers.base import Provider


@callback
def async_follow(
    hass: HomeAssistant, entry: ConfigEntry, provider: Provider, view: View
) -> None:
    """Follow what a poll says about the account itself."""
    async_update_issues(hass, entry, provider, view)
    if view.needs_new_key:
        entry.async_start_reauth(hass)
    if view.problem or not view.is_current:
        return
    for flow in list(entry.async_get_active_flows(hass, {SOURCE_REAUTH})):
        hass.config_entries.flow.async_abort(flow["flow_id"])
    ids = sorted(view.snapshot.account_ids)
    if ids and ids != entry.data[CONF_ACCOUNT_IDS]:
        hass.config_entries.async_update_entry(
            entry, data={**entry.data, CONF_ACCOUNT_IDS: ids}
        )
    if view.snapshot.scopes:
        _follow_devices(hass, entry, view)


@callback
def _follow_devices(hass: HomeAssistant, entry: ConfigEntry, view: View) -> None:
    """Rename the devices of the account's parts, and remove those that are gone."""
    registry = dr.async_get(hass)
    names = {
        device_id(entry.entry_id, scope.key): view.label(scope.key)
        for scope in view.snapshot.scopes
    }
    kept = {device_id(entry.entry_id, scope) for scope in view.scopes}
    for account in dr.async_entries_for_config_entry(registry, entry.entry_id):
        for device in (
            account,
            *dr.async_entries_for_parent_device(registry, account.id),
        ):
            ids = {id_ for domain, id_ in device.identifiers if domain == DOMAIN}
            if not ids & kept:
                registry.async_remove_device(device.id)
            for id_ in ids & names.keys():
                registry.async_update_child_device(device.id, name=names[id_])


def device_id(entry_id: str, scope: str = ACCOUNT) -> str:
    """Return the identifier of the device of an account or of a part of it."""
    return entry_id if scope == ACCOUNT else f"{entry_id}_{scope}"
