"""Coordinator of an account: it carries answers to the insight, and events to the home."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
import random
import traceback
from typing import override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed
from homeassistant.util import dt as dt_util
from homeassistant.util.signal_type import SignalType, SignalTypeFormat

from .const import CONF_BALANCES, CONF_THRESHOLDS, DOMAIN, LOGGER
from .follow import async_follow
from .insight.account import (
    AmountsChanged,
    Settings,
    advance,
    deliver,
    enter_credit,
    fill,
    look_again,
    set_budget,
    set_thresholds,
)
from .insight.levels import Event, Thresholds
from .insight.movements import Ledger, Movement
from .insight.schedule import Ability
from .insight.state import AccountState
from .insight.tracked import TrackedCredit, enter
from .insight.view import View
from .issues import placeholders
from .model import Failure, Period, Problem, Snapshot, Spend, Unit
from .providers.base import Provider, ProviderError
from .reader import AccountReader
from .store import AccountStore

type ApiBalanceConfigEntry = ConfigEntry[AccountCoordinator]

# Sent after every poll: listeners of the coordinator are called only for changes.
SIGNAL_POLLED: SignalTypeFormat[()] = SignalTypeFormat(f"{DOMAIN}_{{}}_polled")
# What happened to any account: sent once, over outages and restarts.
SIGNAL_EVENTS: SignalType[AccountCoordinator, list[Event]] = SignalType(
    f"{DOMAIN}_events"
)
SIGNAL_AMOUNTS: SignalType[AccountCoordinator, list[AmountsChanged]] = SignalType(
    f"{DOMAIN}_amounts"
)
# What any account shows has changed.
SIGNAL_ACCOUNT_UPDATED: SignalType[()] = SignalType(f"{DOMAIN}_account_updated")
# Accounts that started together drift apart by up to this part of the interval.
SPREAD = 0.1


class AccountCoordinator(DataUpdateCoordinator[View]):
    """Poll one account."""

    config_entry: ApiBalanceConfigEntry
    account_device_id: str

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ApiBalanceConfigEntry,
        provider: Provider,
        store: AccountStore,
        state: AccountState,
    ) -> None:
        """Show what was known before."""
        super().__init__(
            hass,
            LOGGER,
            config_entry=entry,
            name=entry.title,
            update_interval=provider.poll_interval,
            always_update=False,
        )
        self.provider = provider
        self.state = state
        self._store = store
        self._is_armed = False
        self._is_error_logged = False
        self.reader = AccountReader(
            provider, state, lambda: store.async_save_soon(state)
        )
        # Those that were entered with the account count until they are changed.
        entered: Mapping[str, str] = entry.data.get(CONF_THRESHOLDS, {})
        for key, amount in entered.items():
            state.thresholds.setdefault(key, Thresholds(amount=Decimal(amount)))
        balances: Mapping[str, str] = entry.data.get(CONF_BALANCES, {})
        for code, amount in balances.items():
            unit = Unit.money(code)
            state.tracked.setdefault(unit.key, self._credit(unit, Decimal(amount)))
        for credit in list(state.tracked.values()):
            # What is usual may have been reconfigured.
            if credit.daily != provider.usual_spend:
                balance = credit.balance(dt_util.utcnow())
                state.tracked[credit.unit.key] = self._credit(credit.unit, balance)
        self.data = look_again(state, self.settings, dt_util.utcnow(), None)

    @property
    def settings(self) -> Settings:
        """Return what the insight needs to know beside the facts."""
        today = dt_util.start_of_local_day()
        month = dt_util.start_of_local_day(today.date().replace(day=1))
        return Settings(
            interval=self.provider.poll_interval,
            starts={
                Period.TODAY: dt_util.as_utc(today),
                Period.THIS_MONTH: dt_util.as_utc(month),
            },
            spread=SPREAD * random.random(),
            zone=dt_util.get_default_time_zone(),
        )

    @property
    def ledgers(self) -> Mapping[str, Ledger]:
        """Return the ledger of each wallet, by its key."""
        return {
            key: known.ledger
            for key, known in self.state.gauges.items()
            if not known.is_quota
        }

    @override
    async def _async_update_data(self) -> View:
        """Ask the provider, unless it has asked to wait."""
        outcome: Snapshot | Failure | None = None
        if not self.state.schedule.wait(Ability.BALANCE, dt_util.utcnow()):
            outcome = await self._async_read()
        before, now = self.data, dt_util.utcnow()
        step = advance(self.state, outcome, self.settings, now, before)
        view = step.view
        self.update_interval = step.next_poll
        if step.error:
            self._log_once("Unexpected error in a forecast", step.error)
        elif view.is_current:
            self._is_error_logged = False
        if view is not before:
            self.data = view
            async_follow(self.hass, self.config_entry, self.provider, view)
            if view != before or isinstance(outcome, Failure):
                self._store.async_save_soon(self.state)
        # After an outage or a start the home sees the levels of before first, and then
        # the change: automations that wait for a change of a state see one.
        self.hass.loop.call_soon(self.async_deliver)
        if not view.is_current:
            problem = view.problem or Problem.RATE_LIMITED
            raise UpdateFailed(
                translation_domain=DOMAIN,
                translation_key=problem,
                translation_placeholders=placeholders(
                    self.provider, problem, view.detail
                ),
            )
        return view

    @override
    @callback
    def async_update_listeners(self) -> None:
        """Notify the entities of the account, and those who follow all accounts."""
        super().async_update_listeners()
        async_dispatcher_send(self.hass, SIGNAL_ACCOUNT_UPDATED)

    @override
    @callback
    def _async_refresh_finished(self) -> None:
        """Notify those who follow every poll."""
        if not self.last_update_success:
            # Without a success before and after it, no listener is called.
            self.async_update_listeners()
        async_dispatcher_send(
            self.hass, SIGNAL_POLLED.format(self.config_entry.entry_id)
        )

    async def _async_read(self) -> Snapshot | Failure:
        """Return what the provider answers, whatever goes wrong."""
        try:
            return await self.reader.async_read()
        except ProviderError as err:
            return err.failure
        except Exception as err:  # noqa: BLE001
            self._log_once("Unexpected error while reading an account", err)
            return Failure(problem=Problem.INTERNAL_ERROR)

    @callback
    def entered_balance(self, unit: Unit) -> Decimal | None:
        """Return what is left of the balance that a person entered, None if none was."""
        credit = self.state.tracked.get(unit.key)
        return credit.balance(dt_util.utcnow()) if credit else None

    async def async_enter_balance(self, unit: Unit, balance: Decimal) -> None:
        """Follow a balance that a person entered."""
        credit = self._credit(unit, balance)
        await self.reader.async_read_costs(credit)
        await self._async_enter(credit)

    def _credit(self, unit: Unit, balance: Decimal) -> TrackedCredit:
        """Return credit that is entered now."""
        return enter(unit, balance, dt_util.utcnow(), self.provider.usual_spend)

    async def async_move_credit(
        self, unit: Unit, moved: Movement, note: str | None = None
    ) -> None:
        """Change a balance that is followed by what a person has added or spent."""
        credit = self.state.tracked[unit.key]
        credit.amount += moved.amount
        await self._async_enter(credit, moved, note)

    async def _async_enter(
        self,
        credit: TrackedCredit,
        moved: Movement | None = None,
        note: str | None = None,
    ) -> None:
        """Show credit that a person has changed, and send what came of it."""
        self._show(
            enter_credit(
                self.state,
                credit,
                self.settings,
                dt_util.utcnow(),
                self.data,
                moved,
                note,
            )
        )
        self.async_deliver()
        await self.async_save()

    @callback
    def async_refresh_later(self, delay: timedelta) -> None:
        """Poll for the first time in a while; what was stored is shown until then."""

        async def refresh(now: datetime) -> None:
            await self.async_refresh()

        self.config_entry.async_on_unload(async_call_later(self.hass, delay, refresh))

    @callback
    def async_arm(self) -> None:
        """Start sending alerts: the automations are there."""
        self._is_armed = True
        self.async_deliver()

    @callback
    def async_disarm(self) -> None:
        """Stop sending alerts; later changes are reported after the next start."""
        self._is_armed = False

    @callback
    def async_deliver(self) -> None:
        """Send what has happened, and save that it was sent."""
        if not self._is_armed or self.hass.is_stopping:
            return
        view, events, changes = deliver(self.state, self.data)
        self._show(view)
        if events:
            async_dispatcher_send(self.hass, SIGNAL_EVENTS, self, events)
        if changes:
            async_dispatcher_send(self.hass, SIGNAL_AMOUNTS, self, changes)
        # Notify before saving: a repeated alert is better than a lost one.
        if events:
            self.async_save_now()
        elif changes:
            self._store.async_save_soon(self.state)

    @callback
    def async_save_now(self) -> None:
        """Save in the background that something was acted on."""
        self.config_entry.async_create_task(self.hass, self.async_save())

    async def async_save(self) -> None:
        """Save the state."""
        await self._store.async_save(self.state)

    async def async_save_waiting(self) -> None:
        """Save now what would be saved in a moment."""
        await self._store.async_save_waiting(self.state)

    async def async_close(self) -> None:
        """Save the state for the last time."""
        await self._store.async_close(self.state)

    @callback
    def async_turn(self, now: datetime) -> None:
        """Begin the home's new day."""
        self._show(look_again(self.state, self.settings, now, self.data))

    async def async_learn_past(self, rows: Iterable[Spend]) -> None:
        """Add what the provider reports of the days before the account was added."""
        settings, now = self.settings, dt_util.utcnow()
        fill(self.state, rows, settings.starts, now)
        self._show(look_again(self.state, settings, now, self.data))
        await self.async_save()

    def thresholds(self, key: str) -> Thresholds:
        """Return what a person calls low."""
        return self.state.thresholds_of(key)

    async def async_set_thresholds(self, key: str, thresholds: Thresholds) -> None:
        """Change what a person calls low."""
        self._show(set_thresholds(self.state, key, thresholds, self.data))
        await self.async_save()

    async def async_set_budget(
        self, key: str, *, amount: Decimal | None = None, day: int | None = None
    ) -> None:
        """Change the budget of a month, or the day on which it begins."""
        now = dt_util.utcnow()
        self._show(
            set_budget(
                self.state, key, self.settings, now, self.data, amount=amount, day=day
            )
        )
        await self.async_save()

    @callback
    def _show(self, view: View) -> None:
        """Show what has changed beside the facts."""
        if view != self.data:
            self.data = view
            self.async_update_listeners()

    def _log_once(self, message: str, err: Exception) -> None:
        """Log an unexpected error without its text, which may hold a key."""
        if not self._is_error_logged:
            self._is_error_logged = True
            frames = "".join(traceback.format_tb(err.__traceback__))
            LOGGER.error("%s: %s\n%s", message, type(err).__name__, frames)
