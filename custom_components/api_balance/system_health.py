"""System health of API Balance."""

from typing import Any

from yarl import URL

from homeassistant.components import system_health
from homeassistant.core import HomeAssistant, callback

from .const import CONF_PROVIDER, DOMAIN
from .coordinator import address
from .providers import BY_ID


@callback
def async_register(
    hass: HomeAssistant, register: system_health.SystemHealthRegistration
) -> None:
    """Register what the system health page shows."""
    register.async_register_info(system_health_info)


async def system_health_info(hass: HomeAssistant) -> dict[str, Any]:
    """Return how many accounts there are, and which providers can be reached."""
    entries = hass.config_entries.async_entries(DOMAIN)
    # By the provider: accounts may have one name, or a name that is nobody's business.
    providers = {
        (BY_ID[entry.data[CONF_PROVIDER]].name, address(entry.data))
        for entry in entries
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
