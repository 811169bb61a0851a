"""The connection of an account to its provider: the one place that makes providers."""

from collections.abc import Mapping
from typing import Any

from homeassistant.const import CONF_REGION, EVENT_HOMEASSISTANT_CLOSE
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers.aiohttp_client import SERVER_SOFTWARE
from homeassistant.util.hass_dict import HassKey
from homeassistant.util.ssl import get_default_context

from .const import CONF_BASE_URL, CONF_PROVIDER, DOMAIN
from .providers import catalog
from .providers.base import Provider
from .providers.catalog import UnknownProvider
from .providers.http import Session, connect, open_session

__all__ = ["UnknownProvider", "async_address", "async_connect", "async_load_provider"]

_SESSION: HassKey[Session] = HassKey(f"{DOMAIN}_session")


async def async_load_provider(hass: HomeAssistant, provider_id: str) -> type[Provider]:
    """Return a provider, imported outside of the event loop.

    Raises UnknownProvider for an id that this version does not have.
    """
    return await hass.async_add_import_executor_job(catalog.load, provider_id)


async def async_connect(hass: HomeAssistant, data: Mapping[str, Any]) -> Provider:
    """Return the provider of an entry's data, ready to be asked.

    Raises UnknownProvider and what `connect` raises.
    """
    return connect(
        await async_load_provider(hass, data[CONF_PROVIDER]),
        _async_session(hass),
        data,
        data.get(CONF_REGION),
        data.get(CONF_BASE_URL),
    )


async def async_address(hass: HomeAssistant, data: Mapping[str, Any]) -> str:
    """Return the address at which the provider of an entry's data is asked.

    Raises UnknownProvider.
    """
    provider = await async_load_provider(hass, data[CONF_PROVIDER])
    return provider.address(data, data.get(CONF_REGION), data.get(CONF_BASE_URL))


@callback
def _async_session(hass: HomeAssistant) -> Session:
    """Return a session that carries nothing from one request to the next.

    Home Assistant's own session shares cookies and connections between all accounts: a
    provider could answer one account with the numbers of another.
    """
    if _SESSION in hass.data:
        return hass.data[_SESSION]
    session = hass.data[_SESSION] = open_session(SERVER_SOFTWARE, get_default_context())

    async def close(event: Event) -> None:
        await session.close()

    hass.bus.async_listen_once(EVENT_HOMEASSISTANT_CLOSE, close)
    return session
