"""Config flow for API Balance."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, override

import voluptuous as vol

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigFlowResult,
)
from homeassistant.const import CONF_NAME, CONF_REGION
from homeassistant.generated.currencies import ACTIVE_CURRENCIES
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util import dt as dt_util

from .accounts import is_total
from .connection import async_connect, async_load_provider
from .const import (
    CONF_ACCOUNT_IDS,
    CONF_ADVANCED,
    CONF_BALANCE,
    CONF_BALANCES,
    CONF_BASE_URL,
    CONF_CURRENCY,
    CONF_PROVIDER,
    CONF_THRESHOLDS,
    CONF_USUAL_AMOUNT,
    CONF_USUAL_PERIOD,
    DOMAIN,
    LOGGER,
)
from .forms import (
    PROVIDER_FORM,
    balances_form,
    by_label,
    credentials_form,
    is_all_accounts,
    list_amounts,
    manual_form,
    thresholds_form,
)
from .insight.identity import is_same_account
from .insight.tracked import enter
from .issues import placeholders
from .model import Problem, Quota, Snapshot, Unit, Wallet
from .providers import catalog
from .providers.base import IncompleteCredentials, NotInAnswer, Provider, ProviderError
from .providers.http import UnsafeAddress, origin
from .total_flow import TotalFlow

EXAMPLE_ADDRESS = "https://api.example.com"
PREVIEWED = ("balance", "available", "used", "limit")
# What to do about them is another thing where a person says how to read.
SERVICE_PROBLEMS = (
    Problem.BAD_KEY,
    Problem.MISSING_PERMISSION,
    Problem.UNEXPECTED_ANSWER,
    Problem.PROVIDER_FAULT,
)


class _KeyNeeded(Exception):
    """The key at hand may not be sent to the address that was entered."""


class ApiBalanceConfigFlow(TotalFlow, domain=DOMAIN):
    """Add an account, or give it new credentials."""

    _provider: type[Provider]
    _entered: dict[str, Any] | None = None
    _tried: dict[str, Any] | None = None
    _read: tuple[dict[str, Any], Snapshot]
    _units: tuple[Unit, ...]

    @override
    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Choose the provider, by the list or by its name."""
        errors: dict[str, str] = {}
        if user_input is not None:
            if user_input[CONF_PROVIDER] == catalog.MANUAL:
                return await self._async_ask_for_credentials(catalog.MANUAL)
            if is_all_accounts(user_input[CONF_PROVIDER]):
                return await self.async_step_total()
            if listing := catalog.find(user_input[CONF_PROVIDER]):
                return await self._async_ask_for_credentials(listing.id)
            errors[CONF_PROVIDER] = "unknown_provider"
        return self.async_show_form(
            step_id="user", data_schema=PROVIDER_FORM, errors=errors
        )

    async def async_step_reauth(
        self, entry_data: Mapping[str, Any]
    ) -> ConfigFlowResult:
        """Ask for credentials that work again."""
        return await self._async_ask_for_credentials(entry_data[CONF_PROVIDER])

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for other credentials, another region or another address."""
        entry = self._get_reconfigure_entry()
        if is_total(entry):
            return await self.async_step_total()
        return await self._async_ask_for_credentials(entry.data[CONF_PROVIDER])

    async def _async_ask_for_credentials(self, provider_id: str) -> ConfigFlowResult:
        """Ask for the credentials of a provider."""
        self._provider = await async_load_provider(self.hass, provider_id)
        if self._provider.is_manual:
            return await self.async_step_manual()
        return await self.async_step_credentials()

    async def async_step_manual(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for an account that a person keeps, or for what it usually costs."""
        entry, errors = self._entry, {}
        if user_input is not None:
            usual = str(user_input.get(CONF_USUAL_AMOUNT, 0))
            period = user_input[CONF_USUAL_PERIOD]
            changed = {CONF_USUAL_AMOUNT: usual, CONF_USUAL_PERIOD: period}
            if entry is not None:
                return self.async_update_reload_and_abort(entry, data_updates=changed)
            unit = Unit.money(user_input[CONF_CURRENCY].strip())
            if unit.code in ACTIVE_CURRENCIES:
                balance = Decimal(str(user_input[CONF_BALANCE]))
                credit = enter(unit, balance, dt_util.utcnow())
                data = {
                    CONF_PROVIDER: self._provider.id,
                    CONF_NAME: user_input[CONF_NAME].strip(),
                    CONF_CURRENCY: unit.code,
                    CONF_BALANCES: {unit.code: str(balance)},
                    **changed,
                }
                wallet = credit.wallet(credit.entered_at)
                self._read = (data, Snapshot(wallets=(wallet,)))
                self._units = ()
                return await self.async_step_save()
            errors[CONF_CURRENCY] = "unknown_currency"
        form = manual_form(self.hass.config.currency, is_new=entry is None)
        shown = user_input or (entry.data if entry else {})
        return self.async_show_form(
            step_id="manual",
            data_schema=self.add_suggested_values_to_schema(form, shown),
            errors=errors,
        )

    async def async_step_credentials(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the credentials, and try them before anything is saved."""
        errors: dict[str, str] = {}
        details: dict[str, str] = {}
        if user_input is not None:
            self._entered = user_input
            try:
                data = self._tried = self._entry_data(user_input)
                snapshot = await self._async_try(data)
            except _KeyNeeded:
                errors["base"] = "key_needed"
            except UnsafeAddress:
                errors |= (
                    {"url": "unsafe_url"}
                    if self._provider.is_previewed
                    else {"base": "unsafe_address"}
                )
            except ProviderError as err:
                errors |= self._complaint(err)
                details = placeholders(self._provider, err.problem, err.failure.detail)
                if isinstance(err, NotInAnswer):
                    details["usable"] = ", ".join(err.usable) or "-"
            except Exception as err:  # noqa: BLE001
                # The text of an unknown error could hold the key.
                LOGGER.error("Unexpected %s while trying a key", type(err).__name__)
                errors["base"] = "unknown"
            else:
                self._read = (data, snapshot)
                if self._provider.is_previewed:
                    return await self.async_step_preview()
                return await self.async_step_save()
        if self._tried is not None:
            details["provider"] = self._provider.title(self._tried)
        return self.async_show_form(
            step_id="service" if self._provider.is_previewed else "credentials",
            data_schema=self._schema(),
            errors=errors,
            description_placeholders={
                "provider": self._provider.name,
                "address": next(iter(self._provider.hosts.values()), EXAMPLE_ADDRESS),
                "key_kind": self._provider.key_kind,
                "key_needs": self._provider.key_needs(),
                "key_url": self._provider.key_url,
                "status_url": self._provider.status_url,
                "permission": self._provider.permission or self._provider.key_kind,
                "path": "",
                "usable": "",
                "source": await self._async_source(),
                **details,
            },
        )

    async def _async_source(self) -> str:
        """Return how surely it is known what the provider's answers mean."""
        source = catalog.CATALOG[self._provider.id].source
        texts = await async_get_translations(
            self.hass, self.hass.config.language, "selector", [DOMAIN]
        )
        text = texts[f"component.{DOMAIN}.selector.source.options.{source}"]
        return text.format(provider=self._provider.name)

    async def async_step_service(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the credentials, and how to read what they open."""
        return await self.async_step_credentials(user_input)

    def _complaint(self, err: ProviderError) -> dict[str, str]:
        """Return what is wrong, beside the field that is to blame."""
        if isinstance(err, IncompleteCredentials):
            return {"base": "incomplete"}
        if not self._provider.is_previewed:
            return {"base": err.problem}
        if isinstance(err, NotInAnswer):
            for field, value in (self._tried or {}).items():
                if field.endswith("_path") and value == err.path:
                    return {field: "not_in_answer"}
            return {err.path: "path_needed"}
        prefix = "service_" if err.problem in SERVICE_PROBLEMS else ""
        return {"base": f"{prefix}{err.problem}"}

    @property
    def _entry(self) -> ConfigEntry | None:
        """Return the entry that gets new credentials, None for a new account."""
        if self.source == SOURCE_REAUTH:
            return self._get_reauth_entry()
        if self.source == SOURCE_RECONFIGURE:
            return self._get_reconfigure_entry()
        return None

    @property
    def _kept(self) -> Mapping[str, Any]:
        """Return what a key that is left empty is taken from."""
        if self._tried is not None:
            return self._tried
        if self.source == SOURCE_RECONFIGURE:
            return self._get_reconfigure_entry().data
        return {}

    def _schema(self) -> vol.Schema:
        """Return the form: a secret is never in it, the rest stays as it was."""
        shown = self._entered
        if shown is None:
            shown = {item.key: item.default for item in self._provider.credentials}
            if self._entry is not None:
                stored = self._entry.data
                shown |= stored
                shown[CONF_ADVANCED] = {CONF_BASE_URL: stored.get(CONF_BASE_URL)}
        secrets = {item.key for item in self._provider.credentials if item.is_secret}
        return self.add_suggested_values_to_schema(
            credentials_form(self._provider, self._kept),
            {key: value for key, value in shown.items() if key not in secrets},
        )

    def _entry_data(self, user_input: dict[str, Any]) -> dict[str, Any]:
        """Return the data of the entry, without the account's identity.

        Raises UnsafeAddress, and _KeyNeeded where a key was left as it is but would go
        to another address.
        """
        kept = self._kept
        data: dict[str, Any] = {CONF_PROVIDER: self._provider.id}
        if region := user_input.get(CONF_REGION):
            data[CONF_REGION] = region
        if base_url := user_input.get(CONF_ADVANCED, {}).get(CONF_BASE_URL):
            data[CONF_BASE_URL] = origin(base_url)
        is_kept = False
        for credential in self._provider.credentials:
            value = user_input.get(credential.key, "")
            if isinstance(value, str):
                value = value.strip()
            if not value and credential.is_secret and credential.key in kept:
                value = kept[credential.key]
                is_kept = True
            if value or credential.is_required:
                data[credential.key] = value
        if is_kept and self._address(data) != self._address(kept):
            raise _KeyNeeded
        return data

    def _address(self, data: Mapping[str, Any]) -> str:
        """Return where a key goes: all regions of a provider are one place."""
        return self._provider.address(data, base_url=data.get(CONF_BASE_URL))

    async def _async_try(self, data: dict[str, Any]) -> Snapshot:
        """Return what the provider says to the credentials. Raises ProviderError."""
        provider = await async_connect(self.hass, data)
        snapshot = await provider.read()
        self._units = provider.units_to_enter(snapshot)
        return snapshot

    async def async_step_preview(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show what was read, to be saved or changed."""
        _, snapshot = self._read
        parts: list[Wallet | Quota] = [*snapshot.wallets, *snapshot.quotas]
        return self.async_show_menu(
            step_id="preview",
            menu_options=["save", "service"],
            description_placeholders={
                number: next(
                    (
                        f"{value} {part.unit.code}"
                        for part in parts
                        if (value := getattr(part, number, None)) is not None
                    ),
                    "-",
                )
                for number in PREVIEWED
            },
        )

    async def async_step_save(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Save the credentials, unless they are those of an account at hand."""
        data, snapshot = self._read
        ids = sorted(snapshot.account_ids)
        own = self._entry
        if self._is_at_hand(data, snapshot, own):
            return self.async_abort(reason="already_configured")
        data[CONF_ACCOUNT_IDS] = ids
        if own is None:
            return await self.async_step_balance()
        known_ids = own.data[CONF_ACCOUNT_IDS]
        if is_same_account(known_ids, ids) is False:
            return self.async_abort(reason="wrong_account")
        kept = {
            CONF_ACCOUNT_IDS: ids or known_ids,
            CONF_THRESHOLDS: own.data.get(CONF_THRESHOLDS, {}),
        }
        return self.async_update_reload_and_abort(own, data={**data, **kept})

    async def async_step_balance(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask what is left on an account whose provider reports costs alone."""
        data, _ = self._read
        if not self._units:
            return await self.async_step_thresholds()
        if user_input is None:
            return self.async_show_form(
                step_id="balance",
                data_schema=balances_form(self._units),
                description_placeholders={
                    "provider": self._provider.name,
                    "top_up_url": self._provider.top_up_url,
                },
            )
        data[CONF_BALANCES] = {code: str(amount) for code, amount in user_input.items()}
        return await self.async_step_thresholds()

    async def async_step_thresholds(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show what was read, and ask what to call low."""
        data, snapshot = self._read
        name = self._provider.title(data)
        wallets = by_label(snapshot, name)
        if wallets and user_input is None:
            return self.async_show_form(
                step_id="thresholds",
                data_schema=thresholds_form(wallets),
                description_placeholders={
                    "provider": name,
                    "wallets": list_amounts(wallets),
                },
            )
        # It may have been added while the form was open.
        if self._is_at_hand(data, snapshot):
            return self.async_abort(reason="already_configured")
        return self.async_create_entry(
            title=self._title(data),
            data={
                **data,
                CONF_THRESHOLDS: {
                    wallets[label].key: str(amount)
                    for label, amount in (user_input or {}).items()
                },
            },
        )

    def _is_at_hand(
        self, data: dict[str, Any], snapshot: Snapshot, own: ConfigEntry | None = None
    ) -> bool:
        """Return whether an account has another entry than its own."""
        return any(
            self._is_same(entry, data, snapshot)
            for entry in self._async_current_entries(include_ignore=False)
            if entry is not own
        )

    def _is_same(
        self, entry: ConfigEntry, data: dict[str, Any], snapshot: Snapshot
    ) -> bool:
        """Return whether an entry is of the same account, as far as can be known.

        The ids of an account change with its projects: they are no unique id of an entry,
        which Home Assistant would replace by another one of the same id.
        """
        if entry.data[CONF_PROVIDER] != self._provider.id:
            return False
        is_same = is_same_account(entry.data[CONF_ACCOUNT_IDS], snapshot.account_ids)
        if is_same is not None:
            return is_same
        return all(
            entry.data.get(credential.key) == data.get(credential.key)
            for credential in self._provider.credentials
        )

    def _title(self, data: dict[str, Any]) -> str:
        """Return the name of the account, numbered where it is not the first."""
        titles = {entry.title for entry in self._async_current_entries()}
        name = title = self._provider.title(data)
        number = 1
        while title in titles:
            number += 1
            title = f"{name} {number}"
        return title
