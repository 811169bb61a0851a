"""Numbers of API Balance: what a person calls low, knows, and wants to spend."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, override

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
from .entity import PartEntity, async_add_part_entities
from .insight.budget import Budget
from .insight.view import Part
from .model import ACCOUNT, Gauge, Period, Spend

PARALLEL_UPDATES = 1

MAX_DAYS = 365


@dataclass(frozen=True, kw_only=True)
class PartNumberDescription[PartT: Part](NumberEntityDescription):
    """Describes a number that a person sets for a part of the account.

    `is_amount` marks a value in the unit of the part.
    """

    value_fn: Callable[[AccountCoordinator, PartT], Decimal | int | None]
    set_fn: Callable[[AccountCoordinator, PartT, Decimal], Awaitable[None]]
    is_amount: bool = False
    entity_category: EntityCategory | None = EntityCategory.CONFIG
    mode: NumberMode | None = NumberMode.BOX


async def _set_threshold(
    coordinator: AccountCoordinator, gauge: Gauge, **changed: Decimal
) -> None:
    """Change a threshold of a gauge."""
    thresholds = replace(coordinator.thresholds(gauge.key), **changed)
    await coordinator.async_set_thresholds(gauge.key, thresholds)


WALLET_THRESHOLDS: tuple[PartNumberDescription[Gauge], ...] = (
    PartNumberDescription(
        key="low_balance_threshold",
        translation_key="low_balance_threshold",
        is_amount=True,
        # Debt that is paid later is a negative amount, and may come at any time.
        native_min_value=-MAX_AMOUNT,
        native_max_value=MAX_AMOUNT,
        value_fn=lambda coordinator, gauge: coordinator.thresholds(gauge.key).amount,
        set_fn=lambda coordinator, gauge, value: _set_threshold(
            coordinator, gauge, amount=value
        ),
    ),
    PartNumberDescription(
        key="low_time_threshold",
        translation_key="low_time_threshold",
        device_class=NumberDeviceClass.DURATION,
        native_min_value=0,
        native_max_value=MAX_DAYS,
        native_step=0.5,
        native_unit_of_measurement=UnitOfTime.DAYS,
        value_fn=lambda coordinator, gauge: coordinator.thresholds(gauge.key).days,
        set_fn=lambda coordinator, gauge, value: _set_threshold(
            coordinator, gauge, days=value
        ),
    ),
)

QUOTA_THRESHOLDS = (
    replace(
        WALLET_THRESHOLDS[0],
        translation_key="low_quota_threshold",
        is_amount=False,
        native_min_value=0,
        native_max_value=100,
        native_step=1,
        native_unit_of_measurement=PERCENTAGE,
    ),
    replace(WALLET_THRESHOLDS[1], translation_key="low_quota_time_threshold"),
)

BALANCES: tuple[PartNumberDescription[Spend], ...] = (
    PartNumberDescription(
        key="set_balance",
        translation_key="set_balance",
        is_amount=True,
        native_min_value=-MAX_AMOUNT,
        native_max_value=MAX_AMOUNT,
        value_fn=lambda coordinator, spend: coordinator.entered_balance(spend.unit),
        set_fn=lambda coordinator, spend, value: coordinator.async_enter_balance(
            spend.unit, value
        ),
    ),
)

BUDGETS: tuple[PartNumberDescription[Budget], ...] = (
    PartNumberDescription(
        key="monthly_budget",
        translation_key="monthly_budget",
        is_amount=True,
        native_min_value=0,
        native_max_value=MAX_AMOUNT,
        value_fn=lambda coordinator, budget: budget.amount,
        set_fn=lambda coordinator, budget, value: coordinator.async_set_budget(
            budget.key, amount=value
        ),
    ),
    PartNumberDescription(
        key="billing_day",
        translation_key="billing_day",
        entity_registry_enabled_default=False,
        native_min_value=1,
        # Every month has this day.
        native_max_value=28,
        native_step=1,
        value_fn=lambda coordinator, budget: budget.day,
        set_fn=lambda coordinator, budget, value: coordinator.async_set_budget(
            budget.key, day=int(value)
        ),
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ApiBalanceConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up thresholds, balances to enter, and budgets."""
    async_add_part_entities(entry, async_add_entities, PartNumber, _describe)


def _describe(
    coordinator: AccountCoordinator, part: Part
) -> Iterable[PartNumberDescription[Any]]:
    """Return the numbers of a part."""
    match part:
        case Gauge():
            return QUOTA_THRESHOLDS if part.is_quota else WALLET_THRESHOLDS
        case Budget():
            return BUDGETS if part.has_ledger else BUDGETS[:1]
        case Spend(period=Period.THIS_MONTH, scope=scope) if scope == ACCOUNT:
            units = coordinator.provider.units_to_enter(coordinator.data.snapshot)
            return BALANCES if part.unit in units else ()
        case _:
            return ()


class PartNumber[PartT: Part](PartEntity[PartT], NumberEntity):
    """A number that a person sets for a part of the account."""

    entity_description: PartNumberDescription[PartT]
    # What is set during an outage counts too.
    _is_always_available = True

    def __init__(
        self,
        coordinator: AccountCoordinator,
        part: PartT,
        description: PartNumberDescription[PartT],
    ) -> None:
        """Initialize in the unit of the part where the number is an amount."""
        super().__init__(coordinator, part, description)
        if description.is_amount:
            self._attr_native_unit_of_measurement = part.unit.code
            self._attr_native_step = 1
            if part.unit.is_money:
                self._attr_device_class = NumberDeviceClass.MONETARY
                self._attr_native_step = 0.01

    @property
    @override
    def native_value(self) -> float | None:
        """Return the number, None where none was set."""
        value = self.entity_description.value_fn(self.coordinator, self.part)
        return None if value is None else float(value)

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Change the number."""
        await self.entity_description.set_fn(
            self.coordinator, self.part, Decimal(str(value))
        )
        self.async_write_ha_state()
