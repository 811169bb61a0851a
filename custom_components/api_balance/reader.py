"""What is asked of the provider of an account, as far as it has not asked to wait."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date
from functools import partial

from homeassistant.util import dt as dt_util

from .insight.schedule import Ability
from .insight.state import AccountState
from .insight.tracked import TrackedCredit
from .model import ACCOUNT, Snapshot, Spend
from .providers.base import (
    Deferred,
    Provider,
    ProviderError,
    RateLimited,
    ReportsSpend,
    SpendQuery,
)


class AccountReader:
    """Ask the provider of an account."""

    def __init__(
        self, provider: Provider, state: AccountState, save: Callable[[], None]
    ) -> None:
        """Take what saves a new wait."""
        self._provider = provider
        self._state = state
        self._save = save
        # What the poll said when the costs were last read.
        self._costs_of: tuple[tuple[Spend, ...], date] | None = None

    async def async_read(self) -> Snapshot:
        """Return what the provider reports, with the credit that a person entered.

        Raises ProviderError.
        """
        snapshot = await self._provider.read()
        tracked, now = self._state.tracked.values(), dt_util.utcnow()
        key = snapshot.spend, now.date()
        if tracked and key != self._costs_of:
            if await self.async_read_costs(*tracked):
                self._costs_of = key
        wallets = (credit.wallet(now) for credit in tracked)
        return replace(snapshot, wallets=(*snapshot.wallets, *wallets))

    async def async_read_costs(self, *credit: TrackedCredit) -> bool:
        """Take the reported costs off some credit; return whether they are known."""
        provider, now = self._provider, dt_util.utcnow()
        if not isinstance(provider, ReportsSpend):
            return True
        query = SpendQuery(
            start=min(one.since for one in credit).date(), end=now.date()
        )
        try:
            rows = await self.async_ask(
                Ability.SPEND_REPORT, partial(provider.fetch_spend, ACCOUNT, query)
            )
        except ProviderError:
            return False
        for one in credit:
            one.report(rows, now)
        return True

    async def async_ask[T](
        self, ability: Ability, ask: Callable[[], Awaitable[T]]
    ) -> T:
        """Return what the provider answers beside the polls. Raises ProviderError.

        While the provider asks to wait with that, this raises RateLimited.
        """
        schedule = self._state.schedule
        if wait := schedule.wait(ability, dt_util.utcnow()):
            raise RateLimited(wait)
        try:
            return await ask()
        except Deferred as err:
            schedule.refuse(ability, err.failure, dt_util.utcnow())
            self._save()
            raise
