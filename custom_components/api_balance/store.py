"""When the record of an account is written: one small file per entry."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import voluptuous as vol

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.storage import Store

from .const import DOMAIN, LOGGER
from .insight.ledger import Seen
from .record import Record, as_data, as_record

STORAGE_VERSION = 1
AMOUNTS_DELAY = 3600


class AccountStore:
    """The record of one entry on disk, written when it has changed."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Prepare the file of the entry."""
        self._hass = hass
        self._store = Store[dict[str, Any]](
            hass,
            STORAGE_VERSION,
            f"{DOMAIN}.{entry_id}",
            private=True,
            atomic_writes=True,
        )
        self._saved: dict[str, Any] | None = None
        self._seen: dict[str, Seen | None] = {}
        self._is_waiting = False
        self._is_closed = False

    async def async_load(self) -> Record:
        """Return the record, a new one where there is none that can be read."""
        try:
            saved = await self._store.async_load()
            record = as_record(saved) if saved is not None else Record()
        except vol.Invalid, HomeAssistantError:
            path = Path(self._store.path)
            await self._hass.async_add_executor_job(_set_aside, path)
            LOGGER.warning(
                "Set aside a record that cannot be read, as %s.broken; starting anew",
                path,
            )
            return Record()
        if saved is not None:
            self._saved, self._seen = _without_ledgers(record), _seen(record)
        return record

    async def async_save(self, record: Record, *, is_urgent: bool = False) -> None:
        """Write the record at once if it is urgent or more has changed than amounts.

        Amounts change with every poll: they are written with the rest, and once in a
        while.
        """
        if not self._is_closed:
            await self._async_write(record, is_urgent=is_urgent)

    async def async_close(self, record: Record) -> None:
        """Write the record for the last time.

        A poll may end later than its account, and knows less than who reads next.
        """
        self._is_closed = True
        await self._async_write(record, is_urgent=True)

    async def async_remove(self) -> None:
        """Remove the record."""
        await self._store.async_remove()

    async def _async_write(self, record: Record, *, is_urgent: bool) -> None:
        """Write the record now, later, or not at all."""
        data = _without_ledgers(record)
        seen = _seen(record)
        # What waits would be written over whatever comes after this record.
        if data == self._saved and seen == self._seen and not self._is_waiting:
            return

        if is_urgent or _without_amounts(data) != _without_amounts(self._saved):
            self._is_waiting = False
            await self._store.async_save(as_data(record))
            self._saved, self._seen = data, seen
        elif not self._is_waiting:

            def late() -> dict[str, Any]:
                self._is_waiting = False
                self._saved, self._seen = _without_ledgers(record), _seen(record)
                return as_data(record)

            # Only once: to delay what waits already would put it off for ever.
            self._is_waiting = True
            self._store.async_delay_save(late, AMOUNTS_DELAY)


def _set_aside(path: Path) -> None:
    """Keep a file from being written over."""
    with suppress(FileNotFoundError):
        path.replace(f"{path}.broken")


def _without_ledgers(record: Record) -> dict[str, Any]:
    """Return the data of a record without its largest part, which changes the most."""
    return as_data(replace(record, ledgers={}))


def _seen(record: Record) -> dict[str, Seen | None]:
    """Return what each ledger saw last: it has changed when that has."""
    return {key: ledger.seen for key, ledger in record.ledgers.items()}


def _without_amounts(data: dict[str, Any] | None) -> dict[str, Any]:
    """Return the data of the file without what changes with every poll."""
    if data is None:
        return {}
    watched = data.get("watched", {})
    levels = {key: known["level"] for key, known in watched.items()}
    return {**data, "watched": levels, "amounts": None}
