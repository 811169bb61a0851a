"""Binary sensors of API Balance."""

from typing import Any, override

from homeassistant.components.binary_sensor import (
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import ATTR_LEVEL
from .coordinator import ApiBalanceConfigEntry
from .entity import AccountEntity, PartEntity, async_add_wallet_entities
from .insight.watch import Level
from .model import Wallet

PARALLEL_UPDATES = 0

ACCOUNT_BINARY_SENSORS: tuple[BinarySensorEntityDescription, ...] = (
    BinarySensorEntityDescription(
        key="auto_top_up",
        translation_key="auto_top_up",
        entity_category=EntityCategory.DIAGNOSTIC,
    ),
)

BINARY_SENSORS: tuple[BinarySensorEntityDescription, ...] = (
    BinarySensorEntityDescription(
        key="low_balance",
        translation_key="low_balance",
        device_class=BinarySensorDeviceClass.PROBLEM,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ApiBalanceConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the binary sensors of an account and of each wallet."""
    coordinator = entry.runtime_data
    left = list(ACCOUNT_BINARY_SENSORS)

    @callback
    def add_when_told() -> None:
        """Add what the provider may leave out at first."""
        if coordinator.data.snapshot.has_auto_top_up is not None:
            async_add_entities(
                [AutoTopUpSensor(coordinator, description) for description in left]
            )
            left.clear()

    add_when_told()
    entry.async_on_unload(coordinator.async_add_listener(add_when_told))
    async_add_wallet_entities(
        entry, async_add_entities, LowBalanceSensor, BINARY_SENSORS
    )


class AutoTopUpSensor(AccountEntity, BinarySensorEntity):
    """Whether an account tops itself up. That silences no warning."""

    @property
    @override
    def is_on(self) -> bool | None:
        """Return what the provider says."""
        return self.coordinator.data.snapshot.has_auto_top_up


class LowBalanceSensor(PartEntity[Wallet], BinarySensorEntity):
    """Whether a wallet is low or depleted."""

    @property
    @override
    def is_on(self) -> bool | None:
        """Return whether there is a problem, unknown as long as nothing is known."""
        return None if self._level is None else self._level is not Level.OK

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """Tell low from depleted."""
        return {ATTR_LEVEL: self._level}

    @property
    def _level(self) -> Level | None:
        """Return how the wallet stands to its thresholds."""
        return self.coordinator.data.levels.get(self.part.key)
