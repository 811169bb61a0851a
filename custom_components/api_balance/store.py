"""The storage of what an account knows."""

from contextlib import suppress
from pathlib import Path
from typing import Any, override

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util
from homeassistant.util.file import WriteError

from .const import DOMAIN, LOGGER
from .insight.state import AccountState, decode, encode
from .migration import migrate

STORAGE_VERSION = 2
SAVE_DELAY = 10
# How soon a full disk is tried again.
_RETRY_DELAY = 600


class _Store(Store[dict[str, Any]]):
    """The file of one account."""

    @override
    async def _async_migrate_func(
        self, old_major_version: int, old_minor_version: int, old_data: Any
    ) -> dict[str, Any]:
        """Return the data of version 0.1.0 in the form of today."""
        return migrate(old_data)

    @override
    async def _async_write_data(self, data: dict[str, Any]) -> None:
        """Write the data, later where that fails now."""
        try:
            await super()._async_write_data(data)
        except WriteError:
            self.async_delay_save(lambda: data["data"], _RETRY_DELAY)
            raise


class AccountStore:
    """The state of one account on disk."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Prepare the file of the account."""
        self._hass = hass
        self._store = _Store(
            hass,
            STORAGE_VERSION,
            f"{DOMAIN}.{entry_id}",
            private=True,
            atomic_writes=True,
        )
        self._is_closed = False
        self._is_waiting = False

    async def async_load(self) -> AccountState:
        """Return the stored state, a new one where there is none that can be read.

        Raises OSError when the file is there and cannot be read now.
        """
        try:
            if (data := await self._store.async_load()) is not None:
                return await self._async_decode(data)
        except (
            ArithmeticError,
            AttributeError,
            HomeAssistantError,
            LookupError,
            TypeError,
            ValueError,
        ) as err:
            if isinstance(err.__cause__, OSError):
                raise err.__cause__ from None
            await self._async_set_aside()
        return AccountState()

    async def _async_decode(self, data: Any) -> AccountState:
        """Return the state that was stored. Raises ValueError."""
        state: AccountState = await self._hass.async_add_executor_job(decode, data)
        return state

    async def _async_set_aside(self) -> None:
        """Keep a file that cannot be read from being overwritten."""
        path = Path(self._store.path)
        aside = path.with_name(f"{path.name}.broken-{dt_util.utcnow():%Y%m%d%H%M%S}")
        await self._hass.async_add_executor_job(_set_aside, path, aside)
        LOGGER.warning(
            "Could not read what was stored of an account; moved it to %s and starting"
            " with an empty record",
            aside,
        )

    @callback
    def async_save_soon(self, state: AccountState) -> None:
        """Write the state in a moment, with everything that changes until then."""

        def data() -> dict[str, Any]:
            self._is_waiting = False
            return self._data(state)

        # Only once: to delay what waits already would put it off for ever.
        if not self._is_closed and not self._is_waiting:
            self._is_waiting = True
            self._store.async_delay_save(data, SAVE_DELAY)

    async def async_save_waiting(self, state: AccountState) -> None:
        """Write now what would be written in a moment."""
        if self._is_waiting:
            await self.async_save(state)

    async def async_save(self, state: AccountState) -> None:
        """Write the state now."""
        self._is_waiting = False
        await self._store.async_save(self._data(state))

    async def async_close(self, state: AccountState) -> None:
        """Write the state for the last time.

        A poll that finishes after unload must not overwrite the record.
        """
        await self.async_save(state)
        self._is_closed = True

    def _data(self, state: AccountState) -> dict[str, Any]:
        """Return the data of the file."""
        data: dict[str, Any] = encode(state)
        return data

    async def async_remove(self) -> None:
        """Remove everything that was stored."""
        path = Path(self._store.path)
        await self._store.async_remove()
        await self._hass.async_add_executor_job(_remove_broken, path)


def _set_aside(path: Path, aside: Path) -> None:
    """Keep a file from being overwritten."""
    with suppress(FileNotFoundError):
        path.replace(aside)


def _remove_broken(path: Path) -> None:
    """Remove the files that were set aside."""
    for broken in path.parent.glob(f"{path.name}.broken*"):
        broken.unlink()
