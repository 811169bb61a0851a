"""Numbers of API Balance: what a person calls low."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import override

from homeassistant.components.number import (
    NumberDeviceClass,
    NumberEntity,
    NumberEntityDescription,
    NumberMode,
)
from homeassistant.const import EntityCategory, UnitOfTime
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import MAX_AMOUNT
from .coordinator import AccountCoordinator, ApiBalanceConfigEntry
from .entity import PartEntity, async_add_wallet_entities
from .insight.watch import Thresholds
from .model import Wallet

PARALLEL_UPDATES = 1

MAX_DAYS = 365


@dataclass(frozen=True, kw_only=True)
class ThresholdDescription(NumberEntityDescription):
    """Describes a threshold of a wallet."""

    value_fn: Callable[[Thresholds], Decimal]
    changed_fn: Callable[[Thresholds, Decimal], Thresholds]


THRESHOLDS: tuple[ThresholdDescription, ...] = (
    ThresholdDescription(
        key="low_balance_threshold",
        translation_key="low_balance_threshold",
        entity_category=EntityCategory.CONFIG,
        mode=NumberMode.BOX,
        native_max_value=MAX_AMOUNT,
        value_fn=lambda thresholds: thresholds.amount,
        changed_fn=lambda thresholds, amount: replace(thresholds, amount=amount),
    ),
    ThresholdDescription(
        key="low_time_threshold",
        translation_key="low_time_threshold",
        device_class=NumberDeviceClass.DURATION,
        entity_category=EntityCategory.CONFIG,
        mode=NumberMode.BOX,
        native_min_value=0,
        native_max_value=MAX_DAYS,
        native_step=0.5,
        native_unit_of_measurement=UnitOfTime.DAYS,
        value_fn=lambda thresholds: thresholds.days,
        changed_fn=lambda thresholds, days: replace(thresholds, days=days),
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ApiBalanceConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the thresholds of each wallet."""
    async_add_wallet_entities(entry, async_add_entities, ThresholdNumber, THRESHOLDS)


class ThresholdNumber(PartEntity[Wallet], NumberEntity):
    """What a person calls low; zero is off."""

    entity_description: ThresholdDescription

    def __init__(
        self,
        coordinator: AccountCoordinator,
        wallet: Wallet,
        description: ThresholdDescription,
    ) -> None:
        """Count in the unit of the wallet where the description has none."""
        super().__init__(coordinator, wallet, description)
        self._wallet_key = wallet.key
        if description.native_unit_of_measurement is None:
            # Debt that is paid later is a negative amount.
            self._attr_native_min_value = -MAX_AMOUNT if wallet.is_postpaid else 0
            self._attr_native_unit_of_measurement = wallet.unit.code
            self._attr_native_step = 1
            if wallet.unit.is_money:
                self._attr_device_class = NumberDeviceClass.MONETARY
                self._attr_native_step = 0.01

    @property
    @override
    def native_value(self) -> float:
        """Return the threshold."""
        thresholds = self.coordinator.thresholds(self._wallet_key)
        return float(self.entity_description.value_fn(thresholds))

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Change the threshold."""
        thresholds = self.coordinator.thresholds(self._wallet_key)
        await self.coordinator.async_set_thresholds(
            self._wallet_key,
            self.entity_description.changed_fn(thresholds, Decimal(str(value))),
        )
        self.async_write_ha_state()
