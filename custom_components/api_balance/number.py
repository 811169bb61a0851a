"""Numbers of API Balance: what a person calls low, knows, and wants to spend."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import override

from homeassistant.components.number import (
    NumberDeviceClass,
    NumberEntity,
    NumberEntityDescription,
    NumberMode,
)
from homeassistant.const import PERCENTAGE, EntityCategory, UnitOfTime
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import MAX_AMOUNT
from .coordinator import AccountCoordinator, ApiBalanceConfigEntry
from .entity import PartEntity, async_add_gauge_entities, async_add_part_entities
from .insight.budget import Budget
from .insight.levels import Thresholds
from .insight.view import Part
from .model import ACCOUNT, Gauge, Period, Spend

PARALLEL_UPDATES = 1

MAX_DAYS = 365


@dataclass(frozen=True, kw_only=True)
class ThresholdDescription(NumberEntityDescription):
    """Describes a threshold of a wallet or a quota."""

    value_fn: Callable[[Thresholds], Decimal]
    changed_fn: Callable[[Thresholds, Decimal], Thresholds]


WALLET_THRESHOLDS = (
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

QUOTA_THRESHOLDS = (
    replace(
        WALLET_THRESHOLDS[0],
        translation_key="low_quota_threshold",
        native_min_value=0,
        native_max_value=100,
        native_step=1,
        native_unit_of_measurement=PERCENTAGE,
    ),
    replace(WALLET_THRESHOLDS[1], translation_key="low_quota_time_threshold"),
)

BALANCES = (
    NumberEntityDescription(
        key="set_balance",
        translation_key="set_balance",
        device_class=NumberDeviceClass.MONETARY,
        entity_category=EntityCategory.CONFIG,
        mode=NumberMode.BOX,
        native_min_value=-MAX_AMOUNT,
        native_max_value=MAX_AMOUNT,
        native_step=0.01,
    ),
)


@dataclass(frozen=True, kw_only=True)
class BudgetDescription(NumberEntityDescription):
    """Describes a number of a budget."""

    value_fn: Callable[[Budget], Decimal | int]
    set_fn: Callable[[AccountCoordinator, str, float], Awaitable[None]]


BUDGETS = (
    BudgetDescription(
        key="monthly_budget",
        translation_key="monthly_budget",
        device_class=NumberDeviceClass.MONETARY,
        entity_category=EntityCategory.CONFIG,
        mode=NumberMode.BOX,
        native_min_value=0,
        native_max_value=MAX_AMOUNT,
        native_step=0.01,
        value_fn=lambda budget: budget.amount,
        set_fn=lambda coordinator, key, value: coordinator.async_set_budget(
            key, amount=Decimal(str(value))
        ),
    ),
    BudgetDescription(
        key="billing_day",
        translation_key="billing_day",
        entity_category=EntityCategory.CONFIG,
        entity_registry_enabled_default=False,
        mode=NumberMode.BOX,
        native_min_value=1,
        # Every month has this day.
        native_max_value=28,
        native_step=1,
        value_fn=lambda budget: budget.day,
        set_fn=lambda coordinator, key, value: coordinator.async_set_budget(
            key, day=int(value)
        ),
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ApiBalanceConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up thresholds, balances to enter, and budgets."""
    async_add_gauge_entities(
        entry, async_add_entities, ThresholdNumber, WALLET_THRESHOLDS, QUOTA_THRESHOLDS
    )
    async_add_part_entities(entry, async_add_entities, BalanceNumber, _describe)
    async_add_part_entities(entry, async_add_entities, BudgetNumber, _describe_budget)


def _describe(
    coordinator: AccountCoordinator, part: Part
) -> Iterable[NumberEntityDescription]:
    """Return the number of a currency whose balance is not reported."""
    if (
        isinstance(part, Spend)
        and part.period is Period.THIS_MONTH
        and part.scope == ACCOUNT
        and part.unit in coordinator.provider.units_to_enter(coordinator.data.snapshot)
    ):
        return BALANCES
    return ()


def _describe_budget(
    coordinator: AccountCoordinator, part: Part
) -> tuple[BudgetDescription, ...]:
    """Return the descriptions of a budget."""
    if not isinstance(part, Budget):
        return ()
    return BUDGETS if part.has_ledger else BUDGETS[:1]


class ThresholdNumber(PartEntity[Gauge], NumberEntity):
    """What a person calls low; zero is off."""

    entity_description: ThresholdDescription
    # A threshold set during an outage counts too.
    _is_always_available = True

    def __init__(
        self,
        coordinator: AccountCoordinator,
        gauge: Gauge,
        description: ThresholdDescription,
    ) -> None:
        """Initialize in the unit of the wallet where the description has none."""
        super().__init__(coordinator, gauge, description)
        self._gauge = gauge.key
        if description.native_unit_of_measurement is None:
            # Debt that is paid later is a negative amount, and may come at any time.
            self._attr_native_min_value = -MAX_AMOUNT
            self._attr_native_unit_of_measurement = gauge.unit.code
            self._attr_native_step = 1
            if gauge.unit.is_money:
                self._attr_device_class = NumberDeviceClass.MONETARY
                self._attr_native_step = 0.01

    @property
    @override
    def native_value(self) -> float:
        """Return the threshold."""
        thresholds = self.coordinator.thresholds(self._gauge)
        return float(self.entity_description.value_fn(thresholds))

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Change the threshold."""
        thresholds = self.coordinator.thresholds(self._gauge)
        await self.coordinator.async_set_thresholds(
            self._gauge,
            self.entity_description.changed_fn(thresholds, Decimal(str(value))),
        )
        self.async_write_ha_state()


class BalanceNumber(PartEntity[Spend], NumberEntity):
    """What is left of an account, as a person enters it."""

    def __init__(
        self,
        coordinator: AccountCoordinator,
        spend: Spend,
        description: NumberEntityDescription,
    ) -> None:
        """Initialize in the currency of what is spent."""
        super().__init__(coordinator, spend, description)
        self._unit = spend.unit
        self._attr_native_unit_of_measurement = spend.unit.code

    @property
    @override
    def native_value(self) -> float | None:
        """Return what is left by the last entry, None where there was none."""
        balance = self.coordinator.entered_balance(self._unit)
        return None if balance is None else float(balance)

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Follow the balance from now on."""
        await self.coordinator.async_enter_balance(self._unit, Decimal(str(value)))


class BudgetNumber(PartEntity[Budget], NumberEntity):
    """A number of a budget."""

    entity_description: BudgetDescription
    # A budget set during an outage counts too.
    _is_always_available = True

    def __init__(
        self,
        coordinator: AccountCoordinator,
        budget: Budget,
        description: BudgetDescription,
    ) -> None:
        """Initialize in the currency of the budget where it is an amount."""
        super().__init__(coordinator, budget, description)
        if description.device_class is NumberDeviceClass.MONETARY:
            self._attr_native_unit_of_measurement = budget.unit.code

    @property
    @override
    def native_value(self) -> float:
        """Return the number."""
        return float(self.entity_description.value_fn(self.part))

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Change the number."""
        await self.entity_description.set_fn(self.coordinator, self.part.key, value)
