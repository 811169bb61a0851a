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

from .account import AVAILABLE, BALANCE, TIME_LEFT
from .const import ATTR_LEVEL
from .entity import async_wallets_among
from .insight.watch import Level


class WalletCondition(EntityConditionBase):
    """Ask what the entities of our wallets show."""

    _keys: ClassVar[tuple[str, ...]]

    @override
    def entity_filter(self, entities: set[str]) -> set[str]:
        """Keep our own entities that show it."""
        found = super().entity_filter(entities)
        return async_wallets_among(self._hass, found, self._keys)

    @override
    def _check_all_match_state(self, states: list[State]) -> bool:
        """Tell whether all that is known matches; an outage matches nothing."""
        return bool(states) and super()._check_all_match_state(states)


class IsLowCondition(WalletCondition, EntityStateConditionBase):
    """Ask whether a wallet is low or depleted."""

    _domain_specs = {Platform.BINARY_SENSOR: DomainSpec()}
    _keys = ("low_balance",)
    _states = {STATE_ON}


class IsDepletedCondition(WalletCondition, EntityStateConditionBase):
    """Ask whether a wallet is depleted."""

    _domain_specs = {Platform.BINARY_SENSOR: DomainSpec(value_source=ATTR_LEVEL)}
    _keys = ("low_balance",)
    _states = {Level.DEPLETED}


class BalanceCondition(WalletCondition, EntityNumericalConditionBase):
    """Ask for a balance."""

    _domain_specs = {Platform.SENSOR: DomainSpec()}
    _keys = (BALANCE, AVAILABLE)


class TimeLeftCondition(WalletCondition, EntityNumericalConditionWithUnitBase):
    """Ask for the time that is left."""

    _domain_specs = {Platform.SENSOR: DomainSpec()}
    _keys = (TIME_LEFT,)
    _base_unit = UnitOfTime.DAYS
    _unit_converter = DurationConverter


CONDITIONS: dict[str, type[Condition]] = {
    "is_low": IsLowCondition,
    "is_depleted": IsDepletedCondition,
    "balance": BalanceCondition,
    "time_left": TimeLeftCondition,
}


async def async_get_conditions(hass: HomeAssistant) -> dict[str, type[Condition]]:
    """Return the conditions."""
    return CONDITIONS
