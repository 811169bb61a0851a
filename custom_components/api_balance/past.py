"""What was spent before an account was added, where its vendor tells."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

from .coordinator import AccountCoordinator
from .insight.history import DAYS_KEPT
from .providers.base import ProviderError, SpendQuery, TellsSpend
from .spend import async_get_known_spend


async def async_learn_past(coordinator: AccountCoordinator) -> None:
    """Ask the vendor once; after a failure, at the next start."""
    today = datetime.now(UTC).date()
    query = SpendQuery(start=today - timedelta(days=DAYS_KEPT), end=today)
    if (
        coordinator.knows_past
        or not isinstance(coordinator.provider, TellsSpend)
        or not coordinator.data.snapshot.wallets
    ):
        return
    with suppress(ProviderError):
        rows, _ = await async_get_known_spend(coordinator, query)
        await coordinator.async_learn_past(rows)
