"""The steps of the config flow that add or change the total of all accounts."""

from decimal import Decimal
from typing import Any

import voluptuous as vol

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
)
from homeassistant.const import CONF_ENTITY_ID, Platform
from homeassistant.generated.currencies import ACTIVE_CURRENCIES
from homeassistant.helpers.selector import (
    EntitySelector,
    EntitySelectorConfig,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
)
from homeassistant.util import dt as dt_util

from .const import (
    ALL_ACCOUNTS,
    ALL_ACCOUNTS_NAME,
    CONF_CURRENCY,
    CONF_ENTERED_AT,
    CONF_PROVIDER,
    CONF_RATE,
    CONF_RATES,
)
from .forms import CURRENCY_SELECTOR
from .insight.total import currencies, rate_of
from .total import async_accounts

_CURRENCY_FORM = vol.Schema({vol.Optional(CONF_CURRENCY): CURRENCY_SELECTOR})
_RATE_FORM = vol.Schema(
    {
        vol.Optional(CONF_ENTITY_ID): EntitySelector(
            EntitySelectorConfig(
                domain=[Platform.SENSOR, Platform.NUMBER, "input_number"]
            )
        ),
        vol.Optional(CONF_RATE): NumberSelector(
            NumberSelectorConfig(min=0, mode=NumberSelectorMode.BOX, step="any")
        ),
    }
)


class TotalFlow(ConfigFlow):
    """Add the total of all accounts, or change what it converts to."""

    _currency: str | None
    _to_ask: list[str]
    _rates: dict[str, dict[str, str]]

    async def async_step_total(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the currency to convert to, if any."""
        own = self._own_total
        if own is None:
            await self.async_set_unique_id(ALL_ACCOUNTS, raise_on_progress=False)
            self._abort_if_unique_id_configured()
        errors: dict[str, str] = {}
        if user_input is not None:
            currency = user_input.get(CONF_CURRENCY, "").strip().upper()
            if not currency or currency in ACTIVE_CURRENCIES:
                self._currency = currency or None
                self._rates = {}
                self._to_ask = self._others(currency) if currency else []
                return await self.async_step_rate()
            errors[CONF_CURRENCY] = "unknown_currency"
        elif own is not None:
            user_input = {CONF_CURRENCY: own.data[CONF_CURRENCY]}
        return self.async_show_form(
            step_id="total",
            data_schema=self.add_suggested_values_to_schema(_CURRENCY_FORM, user_input),
            errors=errors,
        )

    async def async_step_rate(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the rate of one currency after the other."""
        errors: dict[str, str] = {}
        if user_input is not None:
            rate = user_input.get(CONF_RATE)
            if rate is not None and CONF_ENTITY_ID in user_input:
                errors["base"] = "one_rate"
            elif rate is not None and rate_of(str(rate)) is None:
                errors[CONF_RATE] = "not_a_rate"
            else:
                currency = self._to_ask.pop(0)
                if rate is not None:
                    self._rates[currency] = {
                        CONF_RATE: f"{Decimal(str(rate)):f}",
                        CONF_ENTERED_AT: dt_util.utcnow().isoformat(),
                    }
                elif user_input:
                    self._rates[currency] = user_input
                user_input = None
        if not self._to_ask:
            return self._finish()
        currency = self._to_ask[0]
        return self.async_show_form(
            step_id="rate",
            data_schema=self.add_suggested_values_to_schema(
                _RATE_FORM, user_input or self._stored_rate(currency)
            ),
            errors=errors,
            description_placeholders={
                "currency": currency,
                "target": self._currency or "",
            },
        )

    @property
    def _own_total(self) -> ConfigEntry[Any] | None:
        """Return the entry that is changed, None for a new one."""
        if self.source == SOURCE_RECONFIGURE:
            return self._get_reconfigure_entry()
        return None

    def _others(self, target: str) -> list[str]:
        """Return the currencies to convert: those of the accounts, and those before."""
        known = set(currencies(async_accounts(self.hass)))
        if own := self._own_total:
            known |= own.data[CONF_RATES].keys()
        return sorted(known - {target})

    def _stored_rate(self, currency: str) -> dict[str, Any]:
        """Return what was chosen before for the same target."""
        own = self._own_total
        if own is None or own.data[CONF_CURRENCY] != self._currency:
            return {}
        stored: dict[str, str] = own.data[CONF_RATES].get(currency, {})
        if CONF_RATE in stored:
            return {CONF_RATE: float(stored[CONF_RATE])}
        return dict(stored)

    def _finish(self) -> ConfigFlowResult:
        """Save what was chosen."""
        data = {
            CONF_PROVIDER: ALL_ACCOUNTS,
            CONF_CURRENCY: self._currency,
            CONF_RATES: self._rates,
        }
        if own := self._own_total:
            return self.async_update_reload_and_abort(own, data=data)
        return self.async_create_entry(title=ALL_ACCOUNTS_NAME, data=data)
