"""The two kinds of config entries: accounts, and the total of all accounts."""

from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from .const import ALL_ACCOUNTS, CONF_PROVIDER, DOMAIN


def is_total(entry: ConfigEntry[Any]) -> bool:
    """Return whether an entry is the total, which has no provider of its own."""
    return bool(entry.data[CONF_PROVIDER] == ALL_ACCOUNTS)


@callback
def async_account_entries(hass: HomeAssistant) -> list[ConfigEntry[Any]]:
    """Return the entries of all accounts, whether they are loaded or not."""
    entries = hass.config_entries.async_entries(DOMAIN)
    return [entry for entry in entries if not is_total(entry)]
