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
from .coordinator import AccountCoordinator, ApiBalanceConfigEntry
from .entity import (
    AccountEntity,
    PartEntity,
    async_add_gauge_entities,
    async_add_part_entities,
    is_set_budget,
)
from .insight.budget import Budget
from .insight.levels import Level
from .insight.outlook import Outlook
from .insight.view import Part
from .model import Gauge

PARALLEL_UPDATES = 0

ACCOUNT_BINARY_SENSORS = (
    BinarySensorEntityDescription(
        key="auto_top_up",
        translation_key="auto_top_up",
        entity_category=EntityCategory.DIAGNOSTIC,
    ),
)

WALLET_BINARY_SENSORS = (
    BinarySensorEntityDescription(
        key="low_balance",
        translation_key="low_balance",
        device_class=BinarySensorDeviceClass.PROBLEM,
    ),
)

QUOTA_BINARY_SENSORS = (
    BinarySensorEntityDescription(
        key="low_balance",
        translation_key="low_quota",
        device_class=BinarySensorDeviceClass.PROBLEM,
    ),
)

RESET_BINARY_SENSORS = (
    BinarySensorEntityDescription(
        key="lasts_until_reset", translation_key="lasts_until_reset"
    ),
)

BUDGET_BINARY_SENSORS = (
    BinarySensorEntityDescription(
        key="over_budget",
        translation_key="over_budget",
        device_class=BinarySensorDeviceClass.PROBLEM,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ApiBalanceConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the binary sensors of an account and of each wallet and quota."""
    coordinator = entry.runtime_data
    left = list(ACCOUNT_BINARY_SENSORS)

    @callback
    def add_when_known() -> None:
        """Add what the provider may leave out at first."""
        if coordinator.data.snapshot.has_auto_top_up is not None:
            async_add_entities(
                [AutoTopUpSensor(coordinator, description) for description in left]
            )
            left.clear()

    add_when_known()
    entry.async_on_unload(coordinator.async_add_listener(add_when_known))
    async_add_gauge_entities(
        entry,
        async_add_entities,
        LowBalanceSensor,
        WALLET_BINARY_SENSORS,
        QUOTA_BINARY_SENSORS,
    )

    def describe(
        coordinator: AccountCoordinator, part: Part
    ) -> tuple[BinarySensorEntityDescription, ...]:
        """Return the descriptions of an outlook with a reset."""
        gauge = coordinator.data.gauges.get(part.key)
        has_reset = isinstance(part, Outlook) and gauge and gauge.resets_at
        return RESET_BINARY_SENSORS if has_reset else ()

    async_add_part_entities(entry, async_add_entities, LastsUntilResetSensor, describe)

    def describe_budget(
        coordinator: AccountCoordinator, part: Part
    ) -> tuple[BinarySensorEntityDescription, ...]:
        """Return the descriptions of a budget that is set."""
        return BUDGET_BINARY_SENSORS if is_set_budget(part) else ()

    async_add_part_entities(
        entry, async_add_entities, OverBudgetSensor, describe_budget
    )


class AutoTopUpSensor(AccountEntity, BinarySensorEntity):
    """Whether an account tops itself up. That silences no alert."""

    @property
    @override
    def is_on(self) -> bool | None:
        """Return what the provider reports."""
        return self.coordinator.data.snapshot.has_auto_top_up


class LowBalanceSensor(PartEntity[Gauge], BinarySensorEntity):
    """Whether a wallet or a quota is low or depleted."""

    @property
    @override
    def is_on(self) -> bool | None:
        """Return whether there is a problem, unknown as long as nothing is known."""
        return None if self._level is None else self._level is not Level.OK

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """Return the level, which distinguishes low from depleted."""
        return {ATTR_LEVEL: self._level}

    @property
    def _level(self) -> Level | None:
        """Return how the gauge stands to its thresholds."""
        return self.coordinator.data.levels.get(self.part.key)


class LastsUntilResetSensor(PartEntity[Outlook], BinarySensorEntity):
    """Whether a quota lasts until its reset."""

    @property
    @override
    def is_on(self) -> bool | None:
        """Return what the forecast says."""
        return self.part.lasts_until_reset


class OverBudgetSensor(PartEntity[Budget], BinarySensorEntity):
    """Whether more was spent in a month than its budget."""

    @property
    @override
    def available(self) -> bool:
        """Return whether there is a budget."""
        return super().available and is_set_budget(self.part)

    @property
    @override
    def is_on(self) -> bool | None:
        """Return whether the budget is exceeded, unknown where the spend is."""
        return self.coordinator.data.over_budget.get(self.part.key)
