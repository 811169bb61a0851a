"""The reminder: what is still low is told again."""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import ServiceCall, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.target import (
    TargetSelection,
    async_extract_referenced_entity_ids,
)

from .account import AVAILABLE, BALANCE
from .const import DOMAIN
from .coordinator import AccountCoordinator, ApiBalanceConfigEntry
from .entity import async_find_wallet
from .insight.watch import Activity, Change, Level
from .model import Wallet

# Any entity that shows how a wallet stands can stand for it.
WALLET_KEYS = ("low_balance", "activity", BALANCE, AVAILABLE)


@callback
def remind(call: ServiceCall) -> None:
    """Tell again of every wallet that is low or depleted, of all if none is named.

    Raises ServiceValidationError.
    """
    named, not_loaded = _named_wallets(call) if call.data else (None, set())
    entries: list[ApiBalanceConfigEntry] = (
        call.hass.config_entries.async_loaded_entries(DOMAIN)
    )
    for entry in entries:
        coordinator = entry.runtime_data
        # What is not known now is not told as if it were.
        if coordinator.last_update_success:
            for wallet in coordinator.data.snapshot.wallets:
                if named is None or (entry.entry_id, wallet.key) in named:
                    _remind_of(coordinator, wallet)
    # Last: an account that cannot be reached silences no other one.
    if not_loaded:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="account_not_loaded",
            translation_placeholders={"account": ", ".join(sorted(not_loaded))},
        )


@callback
def _remind_of(coordinator: AccountCoordinator, wallet: Wallet) -> None:
    """Tell again of a wallet if it is low or depleted."""
    if coordinator.data.levels.get(wallet.key, Level.OK) is Level.OK:
        return
    coordinator.async_tell(
        wallet.key,
        Change(
            activity=Activity.REMINDER,
            old=wallet.shown,
            new=wallet.shown,
            threshold=coordinator.thresholds(wallet.key).amount or None,
        ),
    )


@callback
def _named_wallets(call: ServiceCall) -> tuple[set[tuple[str, str]], set[str]]:
    """Return the wallets of the target, and its accounts that are not loaded.

    Raises ServiceValidationError where there is nothing of both.
    """
    selected = async_extract_referenced_entity_ids(
        call.hass, TargetSelection(call.data)
    )
    named, not_loaded = set(), set()
    for entity_id in selected.referenced | selected.indirectly_referenced:
        wallet = async_find_wallet(call.hass, entity_id, WALLET_KEYS)
        if wallet is None:
            continue
        if wallet.entry.state is ConfigEntryState.LOADED:
            named.add((wallet.entry.entry_id, wallet.wallet_key))
        else:
            not_loaded.add(wallet.entry.title)
    if not named and not not_loaded:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="no_wallet"
        )
    return named, not_loaded
