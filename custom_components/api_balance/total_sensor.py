"""Sensors of the total of all accounts."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .const import DOMAIN
from .entity import without_exponent
from .insight.levels import Availability
from .insight.total import Figure, Rate, Sum, Totals
from .total import TotalCoordinator

type Attributes = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class TotalSensorDescription(SensorEntityDescription):
    """Describes a sensor of all accounts that is no amount."""

    value_fn: Callable[[Totals], str | int | datetime | None]
    attributes_fn: Callable[[Totals], Attributes]


@dataclass(frozen=True, kw_only=True)
class SumSensorDescription(SensorEntityDescription):
    """Describes a sensor of a sum."""

    figure: Figure


TOTAL_SENSORS = (
    TotalSensorDescription(
        key="worst_availability",
        translation_key="worst_availability",
        device_class=SensorDeviceClass.ENUM,
        options=list(Availability),
        value_fn=lambda totals: totals.availability,
        attributes_fn=lambda totals: {"unknown": list(totals.unread)},
    ),
    TotalSensorDescription(
        key="accounts_low",
        translation_key="accounts_low",
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda totals: None if totals.unread else len(totals.low),
        attributes_fn=lambda totals: {
            "accounts": list(totals.low),
            "unknown": list(totals.unread),
        },
    ),
    TotalSensorDescription(
        key="next_to_run_out",
        translation_key="next_to_run_out",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=lambda totals: (
            totals.next_to_run_out.at if totals.next_to_run_out else None
        ),
        attributes_fn=lambda totals: {
            "account": totals.next_to_run_out.account
            if totals.next_to_run_out
            else None,
            "unit": totals.next_to_run_out.unit.code
            if totals.next_to_run_out
            else None,
            "unknown": list(totals.unread),
        },
    ),
)

SUM_SENSORS = (
    SumSensorDescription(
        key=Figure.AVAILABLE,
        translation_key="total_available",
        figure=Figure.AVAILABLE,
        device_class=SensorDeviceClass.MONETARY,
        state_class=SensorStateClass.TOTAL,
        suggested_display_precision=2,
    ),
    # The days and months of the accounts begin at different times: as statistics, their
    # sum would count twice what one of them spent before the start of another's.
    SumSensorDescription(
        key=Figure.SPENT_TODAY,
        translation_key="total_spent_today",
        figure=Figure.SPENT_TODAY,
        device_class=SensorDeviceClass.MONETARY,
        suggested_display_precision=2,
    ),
    SumSensorDescription(
        key=Figure.SPENT_THIS_MONTH,
        translation_key="total_spent_this_month",
        figure=Figure.SPENT_THIS_MONTH,
        device_class=SensorDeviceClass.MONETARY,
        suggested_display_precision=2,
    ),
)

CONVERTED_SENSORS = tuple(
    replace(
        description,
        key=f"converted_{description.key}",
        translation_key=f"converted_{description.figure}",
    )
    for description in SUM_SENSORS
)


@callback
def async_add_total_sensors(
    hass: HomeAssistant,
    entry: ConfigEntry[Any],
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of all accounts, and those of currencies as they appear."""
    coordinator: TotalCoordinator = entry.runtime_data
    entities: list[TotalEntity] = [
        TotalSensor(coordinator, description) for description in TOTAL_SENSORS
    ]
    if coordinator.currency:
        entities += [
            ConvertedSensor(coordinator, description, coordinator.currency)
            for description in CONVERTED_SENSORS
        ]
    _remove_old_conversions(hass, entry, {one.unique_id for one in entities})
    async_add_entities(entities)
    known: set[tuple[Figure, str]] = set()

    @callback
    def add_new() -> None:
        """Add the sensors of currencies that have appeared."""
        found = {key for key, one in coordinator.data.sums.items() if not one.is_empty}
        async_add_entities(
            SumSensor(coordinator, description, currency)
            for description in SUM_SENSORS
            for figure, currency in sorted(found - known)
            if figure is description.figure
        )
        known.update(found)

    add_new()
    entry.async_on_unload(coordinator.async_add_listener(add_new))


@callback
def _remove_old_conversions(
    hass: HomeAssistant, entry: ConfigEntry[Any], kept: Iterable[str | None]
) -> None:
    """Remove the sensors of a currency that is no longer converted to."""
    registry = er.async_get(hass)
    prefix = f"{entry.entry_id}_converted_"
    for entity in er.async_entries_for_config_entry(registry, entry.entry_id):
        if entity.unique_id.startswith(prefix) and entity.unique_id not in kept:
            registry.async_remove(entity.entity_id)


class TotalEntity(CoordinatorEntity[TotalCoordinator], SensorEntity):
    """Base entity of the total of all accounts."""

    _attr_has_entity_name = True
    _shown: tuple[Any, ...] | None = None

    def __init__(
        self,
        coordinator: TotalCoordinator,
        description: SensorEntityDescription,
        currency: str | None = None,
    ) -> None:
        """Initialize the entity, in a currency if it is an amount."""
        super().__init__(coordinator)
        entry = coordinator.config_entry
        self.entity_description = description
        self._attr_unique_id = f"{entry.entry_id}_{description.key}"
        if currency:
            self._attr_unique_id += f"_{currency.lower()}"
            self._attr_native_unit_of_measurement = currency
            self._attr_translation_placeholders = {"currency": currency}
        self._attr_device_info = DeviceInfo(
            entry_type=DeviceEntryType.SERVICE,
            identifiers={(DOMAIN, entry.entry_id)},
            name=entry.title,
        )

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Write the state if it has changed."""
        shown = self.available, self.native_value, self.extra_state_attributes
        if shown != self._shown:
            self._shown = shown
            super()._handle_coordinator_update()


class TotalSensor(TotalEntity):
    """What all accounts have together, beside amounts."""

    entity_description: TotalSensorDescription
    _unrecorded_attributes = frozenset({"accounts", "unknown"})

    @property
    @override
    def native_value(self) -> str | int | datetime | None:
        """Return the value."""
        return self.entity_description.value_fn(self.coordinator.data)

    @property
    @override
    def extra_state_attributes(self) -> Attributes:
        """Return which accounts it is about."""
        return self.entity_description.attributes_fn(self.coordinator.data)


class SumSensor(TotalEntity):
    """The sum of a figure in one currency."""

    entity_description: SumSensorDescription
    _unrecorded_attributes = frozenset({"unknown", "not_counted"})

    def __init__(
        self,
        coordinator: TotalCoordinator,
        description: SumSensorDescription,
        currency: str,
    ) -> None:
        """Initialize the sum in its currency."""
        super().__init__(coordinator, description, currency)
        self._currency = currency

    @property
    def _sum(self) -> Sum:
        """Return the sum, an empty one where no account has the currency any more."""
        key = self.entity_description.figure, self._currency
        return self.coordinator.data.sums.get(key, Sum(amount=None))

    @property
    @override
    def available(self) -> bool:
        """Return whether any account has such an amount."""
        return super().available and not self._sum.is_empty

    @property
    @override
    def native_value(self) -> Decimal | None:
        """Return the sum, None while a part of it is unknown."""
        amount = self._sum.amount
        return None if amount is None else without_exponent(amount)

    @property
    @override
    def extra_state_attributes(self) -> Attributes:
        """Return which accounts are unknown or not in the sum."""
        return {
            "unknown": list(self._sum.unknown),
            "not_counted": list(self._sum.not_counted),
        }


class ConvertedSensor(SumSensor):
    """The sum of a figure over all currencies, converted to one.

    It is unknown rather than unavailable without a rate, so that its attributes say which.
    """

    _unrecorded_attributes = frozenset(
        {"missing_rates", "not_counted", "rates", "unknown"}
    )

    @property
    @override
    def _sum(self) -> Sum:
        """Return the converted sum."""
        return self.coordinator.data.convert(
            self.entity_description.figure, self._currency
        )

    @property
    @override
    def available(self) -> bool:
        """Return whether the accounts are followed."""
        return self.coordinator.last_update_success

    @property
    @override
    def extra_state_attributes(self) -> Attributes:
        """Return the rates too, with where they are from and when."""
        return {
            **super().extra_state_attributes,
            "missing_rates": list(self._sum.missing_rates),
            "rates": dict(_shown_rates(self.coordinator.data.rates)),
        }


def _shown_rates(rates: Mapping[str, Rate]) -> Iterator[tuple[str, Attributes]]:
    """Yield the rates as attributes."""
    for currency, rate in rates.items():
        yield (
            currency,
            {
                "rate": float(rate.amount),
                "source": rate.source,
                "updated": rate.updated.isoformat(),
            },
        )
