"""Conditions of API Balance: what an automation asks."""

from typing import ClassVar, override

from homeassistant.const import STATE_ON, Platform, UnitOfTime
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers.automation import DomainSpec
from homeassistant.helpers.condition import (
    Condition,
    EntityConditionBase,
    EntityNumericalConditionBase,
    EntityNumericalConditionWithUnitBase,
    EntityStateConditionBase,
)
from homeassistant.util.unit_conversion import DurationConverter

from .const import ATTR_LEVEL
from .entity import async_gauges_among
from .insight.levels import Level
from .insight.view import AVAILABLE, BALANCE, REMAINING, TIME_LEFT


class GaugeCondition(EntityConditionBase):
    """Test what the entities of wallets and quotas show."""

    _keys: ClassVar[tuple[str, ...]]

    @override
    def entity_filter(self, entities: set[str]) -> set[str]:
        """Keep the entities of API Balance that show it."""
        found = super().entity_filter(entities)
        return async_gauges_among(self._hass, found, self._keys)

    @override
    def _check_all_match_state(self, states: list[State]) -> bool:
        """Return whether everything known matches; an outage matches nothing."""
        return bool(states) and super()._check_all_match_state(states)


class IsLowCondition(GaugeCondition, EntityStateConditionBase):
    """Test whether a wallet or a quota is low or depleted."""

    _domain_specs = {Platform.BINARY_SENSOR: DomainSpec()}
    _keys = ("low_balance",)
    _states = {STATE_ON}


class IsDepletedCondition(GaugeCondition, EntityStateConditionBase):
    """Test whether a wallet or a quota is depleted."""

    _domain_specs = {Platform.BINARY_SENSOR: DomainSpec(value_source=ATTR_LEVEL)}
    _keys = ("low_balance",)
    _states = {Level.DEPLETED}


class IsOverBudgetCondition(GaugeCondition, EntityStateConditionBase):
    """Test whether more was spent in a month than its budget."""

    _domain_specs = {Platform.BINARY_SENSOR: DomainSpec()}
    _keys = ("over_budget",)
    _states = {STATE_ON}


class BalanceCondition(GaugeCondition, EntityNumericalConditionBase):
    """Test a balance, or what remains of a quota."""

    _domain_specs = {Platform.SENSOR: DomainSpec()}
    _keys = (BALANCE, AVAILABLE, REMAINING)


class TimeLeftCondition(GaugeCondition, EntityNumericalConditionWithUnitBase):
    """Test the time that is left."""

    _domain_specs = {Platform.SENSOR: DomainSpec()}
    _keys = (TIME_LEFT,)
    _base_unit = UnitOfTime.DAYS
    _unit_converter = DurationConverter


CONDITIONS: dict[str, type[Condition]] = {
    "is_low": IsLowCondition,
    "is_depleted": IsDepletedCondition,
    "is_over_budget": IsOverBudgetCondition,
    "balance": BalanceCondition,
    "time_left": TimeLeftCondition,
}


async def async_get_conditions(hass: HomeAssistant) -> dict[str, type[Condition]]:
    """Return the conditions."""
    return CONDITIONS
