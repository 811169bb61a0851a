"""System health of API Balance."""

from typing import Any

from yarl import URL

from homeassistant.components import system_health
from homeassistant.core import HomeAssistant, callback

from .accounts import async_account_entries
from .connection import async_address
from .const import CONF_PROVIDER
from .providers.catalog import CATALOG


@callback
def async_register(
    hass: HomeAssistant, register: system_health.SystemHealthRegistration
) -> None:
    """Register what the system health page shows."""
    register.async_register_info(system_health_info)


async def system_health_info(hass: HomeAssistant) -> dict[str, Any]:
    """Return how many accounts there are, and which providers can be reached."""
    entries = async_account_entries(hass)
    # By the provider: accounts may have one name, or a name that is nobody's business.
    providers = {
        (CATALOG[id_].name, await async_address(hass, entry.data))
        for entry in entries
        # An older version may not have the provider of an account.
        if (id_ := entry.data[CONF_PROVIDER]) in CATALOG
    }
    return {
        "accounts": len(entries),
        **{
            f"{name} ({URL(url).authority})": system_health.async_check_can_reach_url(
                hass, url
            )
            for name, url in sorted(providers)
        },
    }
