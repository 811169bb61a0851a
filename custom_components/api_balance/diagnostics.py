"""Diagnostics of API Balance."""

from dataclasses import asdict
from typing import Any

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import CONF_REGION
from homeassistant.core import HomeAssistant

from .accounts import is_total
from .const import CONF_BASE_URL, CONF_PROVIDER
from .coordinator import ApiBalanceConfigEntry
from .insight.total import Figure
from .providers.catalog import CATALOG
from .total import FIXED_RATE, TotalCoordinator

# Keys of wallets and scopes are made of the provider's ids, labels are people's names.
TO_REDACT = {"account_ids", "id", "key", "label", "scope", "labels"}


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: ApiBalanceConfigEntry
) -> dict[str, Any]:
    """Return what helps to find a fault, without anything that identifies the account."""
    if is_total(entry):
        return _total_diagnostics(entry)
    listing = CATALOG.get(entry.data[CONF_PROVIDER])
    account = {
        "provider": entry.data[CONF_PROVIDER],
        "source": listing and listing.source,
        "region": entry.data.get(CONF_REGION),
        "has_own_address": CONF_BASE_URL in entry.data,
        "state": entry.state.value,
        "reason": entry.error_reason_translation_key,
    }
    if entry.state is not ConfigEntryState.LOADED:
        return account
    coordinator = entry.runtime_data
    return {
        **account,
        "problem": coordinator.data.problem,
        "updated_at": coordinator.state.updated_at,
        "update_interval": coordinator.update_interval,
        "availability": coordinator.data.availability,
        "snapshot": async_redact_data(
            _with_lists(asdict(coordinator.data.snapshot)), TO_REDACT
        ),
        "outlooks": [
            async_redact_data(_with_lists(asdict(outlook)), TO_REDACT)
            for outlook in coordinator.data.outlooks.values()
        ],
    }


def _total_diagnostics(entry: ConfigEntry[Any]) -> dict[str, Any]:
    """Return what helps to find a fault of the total: numbers of accounts, not names."""
    if entry.state is not ConfigEntryState.LOADED:
        return {"state": entry.state.value}
    coordinator: TotalCoordinator = entry.runtime_data
    totals = coordinator.data
    sums = {f"{figure}_{code}": one for (figure, code), one in totals.sums.items()}
    if coordinator.currency:
        sums |= {
            f"{figure}_converted": totals.convert(figure, coordinator.currency)
            for figure in Figure
        }
    return {
        "state": entry.state.value,
        "currency": coordinator.currency,
        "rates": {
            currency: {
                "amount": rate.amount,
                "is_fixed": rate.source == FIXED_RATE,
                "updated": rate.updated,
            }
            for currency, rate in totals.rates.items()
        },
        "availability": totals.availability,
        "low": len(totals.low),
        "unread": len(totals.unread),
        "next_to_run_out": totals.next_to_run_out and totals.next_to_run_out.at,
        "sums": {
            name: {
                "amount": one.amount,
                "unknown": len(one.unknown),
                "not_counted": len(one.not_counted),
                "missing_rates": one.missing_rates,
            }
            for name, one in sums.items()
        },
    }


def _with_lists(value: Any) -> Any:
    """Return the value with lists only: the redaction does not look into tuples."""
    match value:
        case dict():
            return {key: _with_lists(item) for key, item in value.items()}
        case tuple() | frozenset():
            return [_with_lists(item) for item in value]
        case _:
            return value
