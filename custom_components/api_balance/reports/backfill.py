"""What was spent before an account was added, where its provider reports it."""

from datetime import UTC, datetime, timedelta

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..coordinator import SIGNAL_POLLED, AccountCoordinator, ApiBalanceConfigEntry
from ..insight.hourly_spend import DAYS_KEPT
from ..providers.base import ProviderError, ReportsSpend, SpendQuery
from .spend import async_get_reported_spend

_AFTER_FAILURE = timedelta(hours=1)


@callback
def async_start_past(hass: HomeAssistant, entry: ApiBalanceConfigEntry) -> None:
    """Ask the provider once, and after a poll of later if it could not answer."""
    coordinator = entry.runtime_data
    provider = coordinator.provider
    if coordinator.state.knows_past or not isinstance(provider, ReportsSpend):
        return
    ask_from: datetime | None = dt_util.utcnow()

    @callback
    def ask_if_due() -> None:
        """Ask in the background, unless that was done a while ago."""
        nonlocal ask_from
        now = dt_util.utcnow()
        if (
            ask_from is None
            # Longer than the pause is a clock that was set back.
            or now < ask_from <= now + _AFTER_FAILURE
            or not coordinator.last_update_success
            or not coordinator.data.snapshot.wallets
        ):
            return
        ask_from = now + _AFTER_FAILURE
        entry.async_create_background_task(
            hass, ask(), f"{DOMAIN} past of {entry.entry_id}"
        )

    async def ask() -> None:
        """Ask, and no more unless the failure is one that passes."""
        nonlocal ask_from
        try:
            await _async_learn_past(coordinator, provider)
        except ProviderError as err:
            if err.problem.is_passing:
                return
        ask_from = None

    entry.async_on_unload(
        async_dispatcher_connect(hass, SIGNAL_POLLED.format(entry.entry_id), ask_if_due)
    )
    ask_if_due()


async def _async_learn_past(
    coordinator: AccountCoordinator, provider: ReportsSpend
) -> None:
    """Learn what was spent. Raises ProviderError."""
    today = datetime.now(UTC).date()
    query = SpendQuery(start=today - timedelta(days=DAYS_KEPT), end=today)
    rows, _ = await async_get_reported_spend(coordinator, provider, query)
    await coordinator.async_learn_past(rows)
