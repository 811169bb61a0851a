"""System health of API Balance."""

from typing import Any

from homeassistant.components import system_health
from homeassistant.core import HomeAssistant, callback

from .const import DOMAIN
from .coordinator import address


@callback
def async_register(
    hass: HomeAssistant, register: system_health.SystemHealthRegistration
) -> None:
    """Register what the system health page shows."""
    register.async_register_info(system_health_info)


async def system_health_info(hass: HomeAssistant) -> dict[str, Any]:
    """Return how many accounts there are, and which vendors can be reached."""
    entries = hass.config_entries.async_entries(DOMAIN)
    return {
        "accounts": len(entries),
        **{
            entry.title: system_health.async_check_can_reach_url(
                hass, address(entry.data)
            )
            for entry in entries
        },
    }
