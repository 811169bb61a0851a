"""Sensors of API Balance."""

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
from homeassistant.const import EntityCategory, Platform, UnitOfTime
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .accounts import is_total
from .const import DOMAIN
from .coordinator import SIGNAL_POLLED, AccountCoordinator, ApiBalanceConfigEntry
from .entity import (
    AccountEntity,
    PartEntity,
    async_add_part_entities,
    unique_id,
    without_exponent,
)
from .insight.budget import Budget
from .insight.levels import Availability
from .insight.outlook import Outlook
from .insight.view import TIME_LEFT, Part
from .model import Gauge, Period, Problem, Quota, Spend, Wallet
from .total_sensor import async_add_total_sensors

PARALLEL_UPDATES = 0

STATUS_OK = "ok"


@dataclass(frozen=True, kw_only=True)
class PartSensorDescription[PartT: Part](SensorEntityDescription):
    """Describes a sensor of a wallet, a quota, a spend, an outlook or a budget.

    `is_amount` marks a value in the unit of the part, `is_rate` one that is in that
    unit a day, `is_forecast` one that has yet to come true. The sensor exists where there is a value, unless `exists_fn` decides.
    """

    value_fn: Callable[[PartT], Decimal | datetime | str | None]
    exists_fn: Callable[[PartT], bool] | None = None
    is_amount: bool = True
    is_rate: bool = False
    is_forecast: bool = False
    last_reset_fn: Callable[[PartT], datetime | None] = lambda part: None
    attributes_fn: Callable[[PartT], dict[str, Any] | None] = lambda part: None

    def exists(self, part: PartT) -> bool:
        """Return whether a part has the sensor."""
        if self.exists_fn:
            return self.exists_fn(part)
        return self.value_fn(part) is not None


@dataclass(frozen=True, kw_only=True)
class AccountSensorDescription(SensorEntityDescription):
    """Describes a sensor of an account.

    `is_about_polling` marks what is shown above all when polls fail; `follows_polls`
    what changes with every poll.
    """

    value_fn: Callable[[AccountCoordinator], str | datetime | None]
    is_about_polling: bool = False
    follows_polls: bool = False


WALLET_SENSORS: tuple[PartSensorDescription[Wallet], ...] = (
    PartSensorDescription(
        key="balance",
        translation_key="balance",
        value_fn=lambda wallet: wallet.balance,
    ),
    PartSensorDescription(
        key="available",
        translation_key="available",
        value_fn=lambda wallet: wallet.available,
    ),
    PartSensorDescription(
        key="credit_limit",
        translation_key="credit_limit",
        entity_registry_enabled_default=False,
        value_fn=lambda wallet: wallet.credit_limit,
    ),
    PartSensorDescription(
        key="pending",
        translation_key="pending",
        entity_registry_enabled_default=False,
        value_fn=lambda wallet: wallet.pending,
    ),
    PartSensorDescription(
        key="granted",
        translation_key="granted",
        entity_registry_enabled_default=False,
        value_fn=lambda wallet: wallet.granted,
    ),
    PartSensorDescription(
        key="paid",
        translation_key="paid",
        entity_registry_enabled_default=False,
        value_fn=lambda wallet: wallet.paid,
    ),
)

ESTIMATED_WALLET_SENSORS = (
    replace(
        WALLET_SENSORS[0],
        translation_key="estimated_balance",
        attributes_fn=lambda wallet: (
            {
                "entered_at": wallet.estimate.since,
                "newest_cost": wallet.estimate.newest_cost,
            }
            if wallet.estimate
            else None
        ),
    ),
)

QUOTA_SENSORS: tuple[PartSensorDescription[Quota], ...] = (
    PartSensorDescription(
        key="used",
        translation_key="used",
        value_fn=lambda quota: quota.used,
    ),
    PartSensorDescription(
        key="remaining",
        translation_key="remaining",
        value_fn=lambda quota: quota.remaining,
    ),
    PartSensorDescription(
        key="limit",
        translation_key="limit",
        value_fn=lambda quota: quota.limit,
    ),
    PartSensorDescription(
        key="resets",
        translation_key="resets",
        device_class=SensorDeviceClass.TIMESTAMP,
        is_amount=False,
        value_fn=lambda quota: quota.resets_at,
    ),
)

# The key of a running spend holds its period; a report has none.
SPEND_SENSORS: Mapping[Period | None, PartSensorDescription[Spend]] = {
    Period.TODAY: PartSensorDescription(
        key="total",
        translation_key="spent_today",
        value_fn=lambda spend: spend.amount,
        last_reset_fn=lambda spend: spend.start,
    ),
    Period.THIS_MONTH: PartSensorDescription(
        key="total",
        translation_key="spent_this_month",
        value_fn=lambda spend: spend.amount,
        last_reset_fn=lambda spend: spend.start,
    ),
}

OUTLOOK_SENSORS: tuple[PartSensorDescription[Outlook], ...] = (
    PartSensorDescription(
        key="daily_spend",
        translation_key="daily_spend",
        is_rate=True,
        value_fn=lambda outlook: outlook.daily_spend,
        exists_fn=lambda outlook: True,
    ),
    PartSensorDescription(
        key=TIME_LEFT,
        translation_key=TIME_LEFT,
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.DAYS,
        state_class=SensorStateClass.MEASUREMENT,
        is_amount=False,
        value_fn=lambda outlook: outlook.days_left,
        exists_fn=lambda outlook: outlook.can_run_out,
        attributes_fn=lambda outlook: {
            "forecast": outlook.state,
            "confidence": outlook.confidence,
        },
    ),
    PartSensorDescription(
        key="runs_out",
        translation_key="runs_out",
        device_class=SensorDeviceClass.TIMESTAMP,
        is_amount=False,
        value_fn=lambda outlook: outlook.runs_out,
        exists_fn=lambda outlook: outlook.can_run_out,
        attributes_fn=lambda outlook: {
            "earliest": outlook.earliest,
            "latest": outlook.latest,
        },
    ),
    PartSensorDescription(
        key="last_top_up",
        translation_key="last_top_up",
        device_class=SensorDeviceClass.TIMESTAMP,
        is_amount=False,
        value_fn=lambda outlook: (
            outlook.last_top_up.end if outlook.last_top_up else None
        ),
        exists_fn=lambda outlook: True,
        attributes_fn=lambda outlook: {
            "amount": float(outlook.last_top_up.amount)
            if outlook.last_top_up
            else None,
            "unit": outlook.unit.code,
        },
    ),
    PartSensorDescription(
        key="next_expiry",
        translation_key="next_expiry",
        device_class=SensorDeviceClass.TIMESTAMP,
        is_amount=False,
        value_fn=lambda outlook: outlook.next_expiry,
    ),
)

QUOTA_OUTLOOK_SENSORS = tuple(
    replace(description, translation_key=f"quota_{description.key}")
    for description in OUTLOOK_SENSORS
    if description.key in ("daily_spend", TIME_LEFT, "runs_out")
)

BUDGET_SENSORS: tuple[PartSensorDescription[Budget], ...] = (
    PartSensorDescription(
        key="forecast",
        translation_key="forecast_this_month",
        is_forecast=True,
        value_fn=lambda budget: budget.forecast,
        exists_fn=lambda budget: True,
        attributes_fn=lambda budget: {
            "spent": float(budget.spent) if budget.is_whole else None,
            "low": None if budget.low is None else float(budget.low),
            "high": None if budget.high is None else float(budget.high),
            "month_start": budget.month.start,
            "month_end": budget.month.end,
        },
    ),
)

ACCOUNT_SENSORS: tuple[AccountSensorDescription, ...] = (
    AccountSensorDescription(
        key="availability",
        translation_key="availability",
        device_class=SensorDeviceClass.ENUM,
        options=list(Availability),
        value_fn=lambda coordinator: coordinator.data.availability,
    ),
    AccountSensorDescription(
        key="update_status",
        translation_key="update_status",
        device_class=SensorDeviceClass.ENUM,
        entity_category=EntityCategory.DIAGNOSTIC,
        options=[STATUS_OK, *Problem],
        value_fn=lambda coordinator: coordinator.data.problem or STATUS_OK,
        is_about_polling=True,
    ),
    AccountSensorDescription(
        key="last_update",
        translation_key="last_update",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        # It changes with every poll.
        entity_registry_enabled_default=False,
        value_fn=lambda coordinator: coordinator.state.updated_at,
        is_about_polling=True,
        follows_polls=True,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ApiBalanceConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the sensors of an account, and of its wallets as they appear."""
    if is_total(entry):
        async_add_total_sensors(hass, entry, async_add_entities)
        return
    async_add_entities(
        AccountSensor(entry.runtime_data, description)
        for description in ACCOUNT_SENSORS
    )
    async_add_part_entities(entry, async_add_entities, PartSensor, _describe)


def _describe(
    coordinator: AccountCoordinator, part: Part
) -> Iterator[PartSensorDescription[Any]]:
    """Yield the sensors for what the provider gives, or gave before a restart."""
    descriptions: Iterable[PartSensorDescription[Any]]
    match part:
        case Wallet():
            descriptions = ESTIMATED_WALLET_SENSORS if part.estimate else WALLET_SENSORS
        case Quota():
            descriptions = QUOTA_SENSORS
        case Outlook():
            is_quota = coordinator.data.gauges[part.key].is_quota
            descriptions = QUOTA_OUTLOOK_SENSORS if is_quota else OUTLOOK_SENSORS
        case Budget():
            descriptions = BUDGET_SENSORS
        case Gauge():
            return
        case _:
            descriptions = (SPEND_SENSORS[part.period],)
    found: Any = part
    registry = er.async_get(coordinator.hass)
    for description in descriptions:
        if description.exists(found) or registry.async_get_entity_id(
            Platform.SENSOR, DOMAIN, unique_id(coordinator, part, description)
        ):
            yield description


class PartSensor[PartT: Part](PartEntity[PartT], SensorEntity):
    """A fact of a wallet, a quota or a running spend, or how a wallet goes on."""

    entity_description: PartSensorDescription[PartT]
    _unrecorded_attributes = frozenset(
        {
            "confidence",
            "earliest",
            "high",
            "latest",
            "low",
            "month_end",
            "month_start",
            "spent",
        }
    )
    _shown: tuple[bool, Part | None] | None = None

    def __init__(
        self,
        coordinator: AccountCoordinator,
        part: PartT,
        description: PartSensorDescription[PartT],
    ) -> None:
        """Count in the unit of the part, which its key holds for ever."""
        super().__init__(coordinator, part, description)
        self._unit = part.unit if description.is_amount else None
        if self._unit is None:
            return
        self._attr_native_unit_of_measurement = self._unit.code
        if self._unit.is_money:
            self._attr_device_class = SensorDeviceClass.MONETARY
            self._attr_suggested_display_precision = 2
        if not (description.is_rate or description.is_forecast):
            is_total = self._unit.is_money or isinstance(part, Spend)
            self._attr_state_class = (
                SensorStateClass.TOTAL if is_total else SensorStateClass.MEASUREMENT
            )

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Write the state if the part has changed."""
        shown = self.available, self.coordinator.data.parts.get(self._part_id)
        if shown != self._shown:
            self._shown = shown
            super()._handle_coordinator_update()

    @property
    @override
    def native_value(self) -> Decimal | datetime | str | None:
        """Return the value, an amount never with an exponent."""
        value = self.entity_description.value_fn(self.part)
        return without_exponent(value) if isinstance(value, Decimal) else value

    @property
    @override
    def last_reset(self) -> datetime | None:
        """Return when a running spend began."""
        return self.entity_description.last_reset_fn(self.part)

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any] | None:
        """Return the attributes of the value."""
        return self.entity_description.attributes_fn(self.part)


class AccountSensor(AccountEntity, SensorEntity):
    """What is known of an account as a whole."""

    entity_description: AccountSensorDescription

    @override
    async def async_added_to_hass(self) -> None:
        """Subscribe to every poll where the sensor changes with it."""
        await super().async_added_to_hass()
        if self.entity_description.follows_polls:
            self.async_on_remove(
                async_dispatcher_connect(
                    self.hass,
                    SIGNAL_POLLED.format(self.coordinator.config_entry.entry_id),
                    self.async_write_ha_state,
                )
            )

    @property
    @override
    def available(self) -> bool:
        """Return whether the value is known."""
        return self.entity_description.is_about_polling or super().available

    @property
    @override
    def native_value(self) -> str | datetime | None:
        """Return what is known."""
        return self.entity_description.value_fn(self.coordinator)
