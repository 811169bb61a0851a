"""One poll of an account: from the provider's answer to what the home shows."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
import random
from typing import Any, override

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed
from homeassistant.util import dt as dt_util
from homeassistant.util.signal_type import SignalType, SignalTypeFormat

from .account import Account, conclude, fill, judge_wallets, levels_of, observe
from .const import CONF_THRESHOLDS, DOMAIN, LOGGER
from .insight.ledger import Ledger
from .insight.watch import Change, Thresholds
from .issues import AccountIssues, error_of, placeholders
from .model import ACCOUNT, Period, Problem, Snapshot, Spend
from .providers.base import (
    Deferred,
    InvalidCredentials,
    MissingPermission,
    Provider,
    ProviderError,
    RateLimited,
    UnexpectedAnswer,
    WrongCredentialKind,
)
from .providers.http import MAX_RETRY_AFTER
from .record import Record
from .store import AccountStore

type ApiBalanceConfigEntry = ConfigEntry[AccountCoordinator]

type Amounts = Mapping[str, Mapping[str, Decimal]]

# Sent after every poll, whatever came of it: listeners of the coordinator hear only of
# changes of the data.
SIGNAL_POLLED: SignalTypeFormat[()] = SignalTypeFormat(f"{DOMAIN}_{{}}_polled")
SIGNAL_ACTIVITY: SignalTypeFormat[str, Change] = SignalTypeFormat(
    f"{DOMAIN}_{{}}_activity"
)
# Sent when an account begins to warn.
SIGNAL_ARMED: SignalType[AccountCoordinator] = SignalType(f"{DOMAIN}_armed")

# A provider's own accounts system may fail too: one refusal proves nothing.
REFUSALS_BEFORE_REAUTH = 2
# Who does not see the question is still warned, should the provider have been wrong.
POLL_AFTER_REAUTH = timedelta(hours=1)
# While a provider only asks for patience, its last numbers stay for so many polls.
POLLS_OF_PATIENCE = 3
# Accounts that started together drift apart by up to this part of the interval.
SPREAD = 0.1


class AccountCoordinator(DataUpdateCoordinator[Account]):
    """Poll one account."""

    config_entry: ApiBalanceConfigEntry
    account_device_id: str

    def __init__(
        self, hass: HomeAssistant, entry: ApiBalanceConfigEntry, provider: Provider
    ) -> None:
        """Prepare to poll."""
        super().__init__(
            hass,
            LOGGER,
            config_entry=entry,
            name=entry.title,
            update_interval=provider.poll_interval,
            always_update=False,
        )
        self.provider = provider
        self.problem: Problem | None = None
        self.updated_at: datetime | None = None
        self._store = AccountStore(hass, entry.entry_id)
        self._record = Record()
        self._issues = AccountIssues(hass, entry, provider)
        self.is_armed = False
        # What each wallet showed before the last poll; at a start, before the start.
        self.amounts_before: Amounts = {}

    @override
    async def _async_setup(self) -> None:
        """Recall what the account kept over the restart."""
        self._record = await self._store.async_load()

    @override
    async def _async_update_data(self) -> Account:
        """Ask the provider, unless it wants to be left alone."""
        now = dt_util.utcnow()
        self.amounts_before = self._record.amounts
        self.update_interval = self.provider.poll_interval * (
            1 + SPREAD * random.random()
        )
        if rest := self._rest(now):
            return self._keep_quiet(rest)
        try:
            snapshot = await self.provider.read()
        except ProviderError as err:
            return self._failed(err, now)
        return self._succeeded(snapshot, now)

    @override
    @callback
    def _async_refresh_finished(self) -> None:
        """Tell those who follow every poll, and go on with polling."""
        is_refused = not self.last_update_success and isinstance(
            self.last_exception, ConfigEntryAuthFailed
        )
        if is_refused and self._listeners:
            self.update_interval = POLL_AFTER_REAUTH
            self._schedule_refresh()
        async_dispatcher_send(
            self.hass, SIGNAL_POLLED.format(self.config_entry.entry_id)
        )
        # After an outage or a start the home first sees the levels of before, and then
        # the change: whoever waits for a change gets it.
        self.hass.loop.call_soon(self.async_judge)

    @callback
    def async_arm(self) -> None:
        """Begin to warn: everybody who wants to hear of it is there."""
        self.is_armed = True
        self.async_judge()
        async_dispatcher_send(self.hass, SIGNAL_ARMED, self)

    @callback
    def async_disarm(self) -> None:
        """End to warn: what changes from now on is news for the next start."""
        self.is_armed = False

    async def async_close(self) -> None:
        """Write the record for the last time."""
        await self._store.async_close(self._record)

    @callback
    def async_judge(self) -> None:
        """Compare the wallets with their thresholds, and tell what is news."""
        if (
            not self.is_armed
            or not self.last_update_success
            # Nobody acts on it any more: it is news for the next start.
            or self.hass.is_stopping
        ):
            return
        record = self._record
        news = judge_wallets(record, self.data, self.thresholds, dt_util.utcnow())
        if levels_of(record) != self.data.levels:
            self._conclude_anew()
        for key, change in news:
            self.async_tell(key, change)
        # Told first and written then: rather a warning twice than never.
        self._save(is_urgent=bool(news))

    @callback
    def async_write_down(self) -> None:
        """Write down at once what somebody acts on, so that it is not news again."""

        # Automations may see a change before it is judged.
        self.hass.loop.call_soon(partial(self._save, is_urgent=True))

    @callback
    def async_tell(self, wallet_key: str, change: Change) -> None:
        """Tell what happened to a wallet."""
        async_dispatcher_send(
            self.hass,
            SIGNAL_ACTIVITY.format(self.config_entry.entry_id),
            wallet_key,
            change,
        )

    @callback
    def async_turn(self, now: datetime) -> None:
        """Begin the home's new day."""
        if self.last_update_success:
            for ledger in self._record.ledgers.values():
                ledger.turn(_starts(), now)
            self._conclude_anew()

    @property
    def knows_past(self) -> bool:
        """Tell whether the provider was asked what was spent before."""
        return self._record.knows_past

    async def async_learn_past(self, rows: Iterable[Spend]) -> None:
        """Add what the provider says of the days before the account was added."""
        fill(self._record, self.data.snapshot, rows, _starts())
        self._conclude_anew()
        await self._store.async_save(self._record)

    @property
    def ledgers(self) -> Mapping[str, Ledger]:
        """Return the ledger of each wallet, by its key."""
        return self._record.ledgers

    def thresholds(self, wallet_key: str) -> Thresholds:
        """Return what a person calls low, first of all when the account was added."""
        seeds = self.config_entry.data.get(CONF_THRESHOLDS, {})
        return self._record.thresholds.get(wallet_key) or Thresholds(
            amount=Decimal(seeds.get(wallet_key, 0))
        )

    async def async_set_thresholds(
        self, wallet_key: str, thresholds: Thresholds
    ) -> None:
        """Change what a person calls low."""
        self._record.thresholds[wallet_key] = thresholds
        await self._store.async_save(self._record)
        self.async_judge()

    async def async_ask[T](self, ask: Callable[[], Awaitable[T]]) -> T:
        """Return what the provider answers beside the polls. Raises ProviderError.

        A provider that wants to be left alone is not asked: this raises RateLimited.
        """
        if rest := self._rest(dt_util.utcnow()):
            raise RateLimited(rest)
        try:
            return await ask()
        except Deferred as err:
            if err.retry_after:
                self._record.quiet_until = dt_util.utcnow() + err.retry_after
                await self._store.async_save(self._record)
            raise

    def _rest(self, now: datetime) -> timedelta | None:
        """Return how much longer the provider wants to be left alone."""
        quiet_until = self._record.quiet_until
        # Longer than anybody may ask for is a clock that was set back.
        if quiet_until and now < quiet_until <= now + MAX_RETRY_AFTER:
            return quiet_until - now
        return None

    @callback
    def _conclude_anew(self) -> None:
        """Show what has changed beside the facts: the time, a level, the past."""
        self.data = conclude(
            self._record, self.data.snapshot, self.data, dt_util.utcnow()
        )
        self.async_update_listeners()

    @callback
    def _succeeded(self, snapshot: Snapshot, now: datetime) -> Account:
        """Return what the snapshot means, and remember what must outlive a restart.

        Nothing else may happen until it is shown: the record knows it already.
        """
        record = self._record
        snapshot = observe(record, snapshot, _starts(), now)
        record.refusals = 0
        record.has_worked = True
        self._remember(snapshot.retry_after, now)
        self.updated_at = now
        part = next((scope for scope in snapshot.scopes if scope.problem), None)
        self.problem = part.problem if part else None
        self._issues.async_update(self.problem, error_of(part) if part else None)
        self._withdraw_reauth()
        account = conclude(record, snapshot, self.data, now)
        if account.scopes is not None:
            self._remove_devices_except(account.scopes)
        return account

    @callback
    def _failed(self, err: ProviderError, now: datetime) -> Account:
        """Say what a provider's error means: the one table of the design."""
        record = self._record
        is_refused = isinstance(err, InvalidCredentials)
        record.refusals = record.refusals + 1 if is_refused else 0
        retry_after = err.retry_after if isinstance(err, Deferred) else None
        self._remember(retry_after, now)
        self.problem = err.problem
        self._issues.async_update(err.problem, err)
        texts: dict[str, Any] = {
            "translation_domain": DOMAIN,
            "translation_key": err.problem,
            "translation_placeholders": placeholders(self.provider, err),
        }
        match err:
            case InvalidCredentials() if (
                record.refusals >= REFUSALS_BEFORE_REAUTH or not record.has_worked
            ):
                raise ConfigEntryAuthFailed(**texts)
            case RateLimited():
                wait = retry_after or self.provider.poll_interval
                if self._is_fresh(now + wait):
                    self.update_interval = wait
                    return self.data
            case MissingPermission() | WrongCredentialKind() | UnexpectedAnswer():
                # Nothing mends itself here: a start must not ask every few seconds.
                retry_after = self.provider.poll_interval
        raise UpdateFailed(
            **texts, retry_after=retry_after.total_seconds() if retry_after else None
        )

    def _keep_quiet(self, rest: timedelta) -> Account:
        """Answer without asking the provider, as long as it wants to be left alone."""
        if self._is_fresh(dt_util.utcnow() + rest):
            self.update_interval = rest
            return self.data
        self.problem = self.problem or Problem.RATE_LIMITED
        raise UpdateFailed(
            translation_domain=DOMAIN,
            translation_key=self.problem,
            translation_placeholders=placeholders(self.provider, RateLimited()),
            retry_after=rest.total_seconds(),
        )

    def _is_fresh(self, until: datetime) -> bool:
        """Tell whether the last numbers are young enough to stay until then."""
        patience = POLLS_OF_PATIENCE * self.provider.poll_interval
        return (
            self.updated_at is not None
            and self.last_update_success
            and until - self.updated_at <= patience
        )

    @callback
    def _remember(self, retry_after: timedelta | None, now: datetime) -> None:
        """Write down what must outlive a restart, and when to ask again."""
        self._record.quiet_until = now + retry_after if retry_after else None
        if retry_after and self.update_interval:
            self.update_interval = max(self.update_interval, retry_after)
        self._save()

    @callback
    def _save(self, *, is_urgent: bool = False) -> None:
        """Write the record in the background; the account does not end before that."""
        self.config_entry.async_create_task(
            self.hass, self._store.async_save(self._record, is_urgent=is_urgent)
        )

    def _withdraw_reauth(self) -> None:
        """Ask for no new key while the one at hand is accepted."""
        flows = self.config_entry.async_get_active_flows(self.hass, {SOURCE_REAUTH})
        for flow in list(flows):
            self.hass.config_entries.flow.async_abort(flow["flow_id"])

    def _remove_devices_except(self, scopes: set[str]) -> None:
        """Remove the devices of the parts that the account no longer has."""
        entry_id = self.config_entry.entry_id
        kept = {(DOMAIN, device_id(entry_id, scope)) for scope in scopes}
        registry = dr.async_get(self.hass)
        for device in dr.async_entries_for_config_entry(registry, entry_id):
            if not device.identifiers & kept:
                registry.async_remove_device(device.id)


def _starts() -> dict[Period, datetime]:
    """Return when the running periods began, in the home's calendar."""
    today = dt_util.start_of_local_day()
    return {
        Period.TODAY: dt_util.as_utc(today),
        Period.THIS_MONTH: dt_util.as_utc(
            dt_util.start_of_local_day(today.date().replace(day=1))
        ),
    }


def device_id(entry_id: str, scope: str = ACCOUNT) -> str:
    """Return the identifier of the device of an account or of a part of it."""
    return entry_id if scope == ACCOUNT else f"{entry_id}_{scope}"
