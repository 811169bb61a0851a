"""What was spent, as long-term statistics that the statistics cards show.

By the day where the provider reports its costs, else by the hour, as the ledger saw it.
An account has one of both: they are never mixed.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
import random
from types import ModuleType

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.importlib import async_import_module
from homeassistant.helpers.start import async_at_started
from homeassistant.util import dt as dt_util, slugify

from ..const import DOMAIN, LOGGER
from ..coordinator import SIGNAL_POLLED, SPREAD, ApiBalanceConfigEntry
from ..insight.hourly_spend import hour_of, start_of
from ..model import Spend, Unit
from ..providers.base import ProviderError, ReportsSpend, SpendQuery
from .series import Series
from .spend import async_get_reported_spend

LINE_ITEM = "line_item"

_SPEND = "spend"
_DAY = timedelta(days=1)
# A provider's day is one in UTC. At this hour its date is that of every home between
# Hawaii and New Zealand in summer; it never moves, so that no day counts twice.
_HOUR_OF_DAY = time(10, tzinfo=UTC)
_EVERY = timedelta(hours=6)
_AFTER_FAILURE = timedelta(hours=1)
# How far back costs are asked for at first, and how late they may arrive.
_BACK_FILL = timedelta(days=365)
_LATE = timedelta(days=35)


@callback
def async_start_statistics(hass: HomeAssistant, entry: ApiBalanceConfigEntry) -> None:
    """Write what an account spends from now on, once Home Assistant has started."""

    @callback
    def start(_: HomeAssistant) -> None:
        """Follow the polls, if there is a recorder to write to."""
        if "recorder" not in hass.config.components:
            return
        statistics = SpendStatistics(hass, entry)
        entry.async_on_unload(
            async_dispatcher_connect(
                hass,
                SIGNAL_POLLED.format(entry.entry_id),
                statistics.async_write_if_due,
            )
        )
        statistics.async_write_if_due()

    entry.async_on_unload(async_at_started(hass, start))


class SpendStatistics:
    """The long-term statistics of an account."""

    def __init__(self, hass: HomeAssistant, entry: ApiBalanceConfigEntry) -> None:
        """Be due."""
        self._hass = hass
        self._entry = entry
        self._coordinator = entry.runtime_data
        self._prefix = f"{DOMAIN}:{slugify(entry.entry_id)}_"
        self._task: asyncio.Task[None] | None = None
        self._tried_at: datetime | None = None
        self._pause = timedelta()
        # Until when a report was written, by its grouping.
        self._reported_until: dict[tuple[str, ...], date] = {}

    @callback
    def async_write_if_due(self) -> None:
        """Write in the background what is new, unless that was done a while ago."""
        now = dt_util.utcnow()
        if (
            not self._coordinator.last_update_success
            or (self._task and not self._task.done())
            # No time has passed where the clock was set back.
            or (self._tried_at and self._tried_at <= now < self._tried_at + self._pause)
        ):
            return
        self._tried_at = now
        self._task = self._entry.async_create_background_task(
            self._hass,
            self._async_write(now),
            f"{DOMAIN} statistics {self._entry.entry_id}",
        )

    async def _async_write(self, now: datetime) -> None:
        """Write what is new."""
        provider = self._coordinator.provider
        if not isinstance(provider, ReportsSpend):
            self._pause = start_of(hour_of(now) + 1) - now
            await self._async_write_ledgers()
            return
        self._pause = _EVERY * (1 + SPREAD * random.random())
        groups: list[tuple[str, ...]] = [()]
        if LINE_ITEM in provider.spend_groups:
            groups.append((LINE_ITEM,))
        try:
            for group_by in groups:
                await self._async_write_report(provider, group_by, now.date())
        except ProviderError as err:
            # The status of the account shows what is wrong; the next run tries again.
            LOGGER.debug("%s: no spend report (%s)", self._entry.title, err.problem)
            if err.problem.is_passing:
                self._pause = _AFTER_FAILURE

    async def _async_write_report(
        self, provider: ReportsSpend, group_by: tuple[str, ...], today: date
    ) -> None:
        """Write what the provider reports, and correct what it reported before."""
        recorder = await self._async_recorder()
        owns = self._owns(is_line_item=bool(group_by))
        reported_until = self._reported_until.get(group_by)
        if reported_until is None:
            last = await recorder.async_last_start(self._hass, owns)
            reported_until = last.date() if last else None
        start = today - _BACK_FILL
        if reported_until:
            start = max(start, min(reported_until, today) - _LATE)
        query = SpendQuery(start=start, end=today, group_by=group_by)
        rows, is_whole = await async_get_reported_spend(
            self._coordinator, provider, query
        )
        self._reported_until[group_by] = today
        # What is of several days has no day, and would count again as days pass.
        if not rows or any(row.end - row.start > _DAY for row in rows):
            return
        names = await recorder.async_names(self._hass, owns)
        series: dict[str, Series] = {}
        for row in rows:
            item = str(row.labels.get(LINE_ITEM, "")) if group_by else ""
            # What has no line item is in the total alone.
            if item or not group_by:
                start_of_row = datetime.combine(_day(row), _HOUR_OF_DAY)
                self._one_of(series, row.unit, names, item).add(
                    start_of_row, row.amount
                )
        # Providers may report less than they are asked for: nothing is known before.
        first = datetime.combine(min(map(_day, rows)), time(), UTC)
        await recorder.async_write(
            self._hass, owns, series, first if is_whole else None
        )

    async def _async_write_ledgers(self) -> None:
        """Write what the ledgers of the wallets saw until the last full hour."""
        series: dict[str, Series] = {}
        for ledger in self._coordinator.ledgers.values():
            history, seen = ledger.history, ledger.gauge
            if seen is None or history.until is None:
                continue
            first = start_of(min(history.hours))
            until = start_of(hour_of(history.until))
            for hour, spent in history.between(first, until):
                self._one_of(series, seen.unit, {}).add(start_of(hour), spent)
        if series:
            # A restart must not observe again what the statistics hold.
            await self._coordinator.async_save_waiting()
            recorder = await self._async_recorder()
            owns = self._owns(is_line_item=False)
            await recorder.async_write(self._hass, owns, series, None)

    async def _async_recorder(self) -> ModuleType:
        """Return what reads and writes, imported once it is known to be usable."""
        return await async_import_module(self._hass, f"{__package__}.recorder")

    def _one_of(
        self,
        series: dict[str, Series],
        unit: Unit,
        names: dict[str, str],
        line_item: str = "",
    ) -> Series:
        """Return the series of a unit, or of a line item in it.

        `names` are those of the line items' statistics.
        """
        id_ = f"{self._prefix}{slugify(unit.key)}_{_SPEND}"
        what = f"{_SPEND} on {line_item}" if line_item else _SPEND
        name = f"{self._entry.title} {what} ({unit.code})"
        if line_item:
            id_ += f"_{slugify(line_item)}"
            # Another line item may differ in special characters alone.
            if not names.setdefault(id_, name).endswith(f" {line_item} ({unit.code})"):
                id_ += f"_{sha256(line_item.encode()).hexdigest()[:8]}"
        return series.setdefault(id_, Series(name=name, unit=unit))

    def _owns(self, *, is_line_item: bool) -> Callable[[str], bool]:
        """Return a test for the totals, or the line items, of this account."""

        def owns(id_: str) -> bool:
            return (
                id_.startswith(self._prefix) and (f"_{_SPEND}_" in id_) is is_line_item
            )

        return owns


def _day(row: Spend) -> date:
    """Return the provider's day that a row is of."""
    return row.start.astimezone(UTC).date()
