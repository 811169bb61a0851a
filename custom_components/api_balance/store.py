"""What an account keeps over a restart: one small record per entry."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import voluptuous as vol

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.storage import Store

from .const import DOMAIN, LOGGER
from .insight.memory import KnownWallet, Memory
from .insight.watch import Level, Thresholds, Watched
from .model import Unit
from .providers.fields import amount, maybe, moment

STORAGE_VERSION = 1
AMOUNTS_DELAY = 3600


def _seconds(value: Any) -> timedelta:
    """Return a time from whole seconds. Raises vol.Invalid."""
    try:
        return timedelta(seconds=int(value))
    except (OverflowError, TypeError, ValueError) as err:
        raise vol.Invalid("expected seconds") from err


_RECORD = vol.Schema(
    {
        vol.Required("wallets"): {
            str: {
                vol.Required("scope"): str,
                vol.Required("unit"): str,
                vol.Required("is_money"): bool,
                vol.Required("label"): maybe(str),
                vol.Required("has_held_money"): bool,
            }
        },
        vol.Optional("watched", default=dict): {
            str: {
                vol.Required("level"): vol.Coerce(Level),
                vol.Required("amount"): maybe(amount),
                vol.Optional("runway", default=None): maybe(_seconds),
            }
        },
        vol.Optional("amounts", default=dict): {str: {str: amount}},
        vol.Optional("thresholds", default=dict): {
            str: {vol.Required("amount"): amount, vol.Required("days"): amount}
        },
        vol.Required("refusals"): int,
        vol.Required("quiet_until"): maybe(moment),
        vol.Required("has_worked"): bool,
    },
    extra=vol.ALLOW_EXTRA,
)


@dataclass(kw_only=True)
class Record:
    """What an account keeps over a restart.

    `amounts` are those that each wallet showed last. `refusals` counts the polls in a
    row that called the key bad. `quiet_until` is how long the vendor wants to be left
    alone.
    """

    memory: Memory = field(default_factory=dict)
    watched: dict[str, Watched] = field(default_factory=dict)
    amounts: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)
    thresholds: dict[str, Thresholds] = field(default_factory=dict)
    refusals: int = 0
    quiet_until: datetime | None = None
    has_worked: bool = False


class AccountStore:
    """The record of one entry on disk, written when it has changed."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Prepare the file of the entry."""
        self._store = Store[dict[str, Any]](
            hass,
            STORAGE_VERSION,
            f"{DOMAIN}.{entry_id}",
            private=True,
            atomic_writes=True,
        )
        self._saved: dict[str, Any] | None = None
        self._is_waiting = False

    async def async_load(self) -> Record:
        """Return the record, a new one where there is none that can be read."""
        try:
            saved = await self._store.async_load()
            record = _as_record(saved) if saved is not None else Record()
        except vol.Invalid, HomeAssistantError:
            LOGGER.warning("Set aside a record that cannot be read; starting anew")
            return Record()
        self._saved = saved
        return record

    async def async_save(self, record: Record, *, is_urgent: bool = False) -> None:
        """Write the record at once if it is urgent or more has changed than amounts.

        Amounts change with every poll: they are written with the rest, and once in a
        while.
        """
        data = _as_data(record)
        # What waits would be written over whatever comes after this record.
        if data == self._saved and not self._is_waiting:
            return
        if is_urgent or _without_amounts(data) != _without_amounts(self._saved):
            self._is_waiting = False
            await self._store.async_save(data)
            self._saved = data
        elif not self._is_waiting:

            def amounts() -> dict[str, Any]:
                self._is_waiting = False
                self._saved = _as_data(record)
                return self._saved

            # Only once: to delay what waits already would put it off for ever.
            self._is_waiting = True
            self._store.async_delay_save(amounts, AMOUNTS_DELAY)

    async def async_remove(self) -> None:
        """Remove the record."""
        await self._store.async_remove()


def _as_record(saved: dict[str, Any]) -> Record:
    """Return what the data of the file stands for. Raises vol.Invalid."""
    valid = _RECORD(saved)
    return Record(
        memory={
            key: KnownWallet(
                scope=wallet["scope"],
                unit=Unit(code=wallet["unit"], is_money=wallet["is_money"]),
                label=wallet["label"],
                has_held_money=wallet["has_held_money"],
            )
            for key, wallet in valid["wallets"].items()
        },
        watched={key: Watched(**watched) for key, watched in valid["watched"].items()},
        amounts=valid["amounts"],
        thresholds={
            key: Thresholds(**thresholds)
            for key, thresholds in valid["thresholds"].items()
        },
        refusals=valid["refusals"],
        quiet_until=valid["quiet_until"],
        has_worked=valid["has_worked"],
    )


def _as_data(record: Record) -> dict[str, Any]:
    """Return the data of the file."""
    return {
        "wallets": {
            key: {
                "scope": wallet.scope,
                "unit": wallet.unit.code,
                "is_money": wallet.unit.is_money,
                "label": wallet.label,
                "has_held_money": wallet.has_held_money,
            }
            for key, wallet in record.memory.items()
        },
        "watched": {
            key: {
                "level": watched.level,
                "amount": None if watched.amount is None else str(watched.amount),
                "runway": (
                    None
                    if watched.runway is None
                    else int(watched.runway.total_seconds())
                ),
            }
            for key, watched in record.watched.items()
        },
        "amounts": {
            key: {name: str(amount) for name, amount in amounts.items()}
            for key, amounts in record.amounts.items()
        },
        "thresholds": {
            key: {"amount": str(thresholds.amount), "days": str(thresholds.days)}
            for key, thresholds in record.thresholds.items()
        },
        "refusals": record.refusals,
        "quiet_until": record.quiet_until.isoformat() if record.quiet_until else None,
        "has_worked": record.has_worked,
    }


def _without_amounts(data: dict[str, Any] | None) -> dict[str, Any]:
    """Return the data of the file without what changes with every poll."""
    if data is None:
        return {}
    watched = data.get("watched", {})
    levels = {key: known["level"] for key, known in watched.items()}
    return {**data, "watched": levels, "amounts": None}
