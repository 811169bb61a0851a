"""The forms of the config flow."""

from collections.abc import Container, Iterable, Mapping
from decimal import Decimal
from typing import Any

from probatio import Secret
import voluptuous as vol

from homeassistant.const import CONF_NAME, CONF_REGION
from homeassistant.data_entry_flow import section
from homeassistant.generated.currencies import ACTIVE_CURRENCIES
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    Selector,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)

from .const import (
    ALL_ACCOUNTS,
    ALL_ACCOUNTS_NAME,
    CONF_ADVANCED,
    CONF_BALANCE,
    CONF_BASE_URL,
    CONF_CURRENCY,
    CONF_PROVIDER,
    CONF_USUAL_AMOUNT,
    CONF_USUAL_PERIOD,
    MAX_AMOUNT,
)
from .model import Snapshot, Unit, Wallet
from .providers.base import Credential, Provider
from .providers.catalog import CATALOG, MANUAL

CURRENCY_SELECTOR = SelectSelector(
    SelectSelectorConfig(
        options=sorted(ACTIVE_CURRENCIES),
        mode=SelectSelectorMode.DROPDOWN,
        # Only a list that takes other words too can be searched.
        custom_value=True,
    )
)
PROVIDER_FORM = vol.Schema(
    {
        # Nothing is chosen yet: the frontend would choose the first.
        vol.Required(
            CONF_PROVIDER, description={"suggested_value": ""}
        ): SelectSelector(
            SelectSelectorConfig(
                options=[
                    SelectOptionDict(value=listing.id, label=listing.name)
                    for listing in CATALOG.values()
                ]
                # No providers: what people choose beside them.
                + [
                    SelectOptionDict(value=MANUAL, label="Manual account"),
                    SelectOptionDict(value=ALL_ACCOUNTS, label=ALL_ACCOUNTS_NAME),
                ],
                translation_key=CONF_PROVIDER,
                mode=SelectSelectorMode.DROPDOWN,
                # Only a list that takes other words too can be searched.
                custom_value=True,
            )
        )
    }
)
_ADVANCED = section(
    vol.Schema(
        {
            vol.Optional(CONF_BASE_URL): TextSelector(
                TextSelectorConfig(type=TextSelectorType.URL)
            )
        }
    ),
    {"collapsed": True},
)


def is_all_accounts(word: str) -> bool:
    """Return whether the total was chosen in place of a provider."""
    names = (ALL_ACCOUNTS, ALL_ACCOUNTS_NAME.casefold())
    return word.strip().casefold() in names


def credentials_form(provider: type[Provider], kept: Container[str]) -> vol.Schema:
    """Return the form of a provider's credentials; a secret may be kept as it is."""
    fields: dict[vol.Marker, Any] = {}
    for credential in provider.credentials:
        # Nothing is asked for twice.
        may_be_empty = not credential.is_required or (
            credential.is_secret and credential.key in kept
        )
        field = vol.Optional if may_be_empty else vol.Required
        key = Secret(credential.key) if credential.is_secret else credential.key
        fields[field(key)] = _selector(credential)
    hosts = provider.hosts
    if len(hosts) > 1 and provider.is_region_asked:
        fields[vol.Required(CONF_REGION, default=next(iter(hosts)))] = SelectSelector(
            SelectSelectorConfig(
                options=[
                    SelectOptionDict(value=region, label=url.removeprefix("https://"))
                    for region, url in hosts.items()
                ],
                mode=SelectSelectorMode.DROPDOWN,
            )
        )
    if hosts:
        fields[vol.Optional(CONF_ADVANCED)] = _ADVANCED
    return vol.Schema(fields)


def thresholds_form(wallets: Mapping[str, Wallet]) -> vol.Schema:
    """Return the form that asks of each wallet what to call low."""
    return vol.Schema(
        {
            vol.Optional(
                label, description={"suggested_value": _suggest(wallet.spendable)}
            ): NumberSelector(
                NumberSelectorConfig(
                    # Debt that is paid later is a negative amount.
                    min=-MAX_AMOUNT if wallet.is_postpaid else 0,
                    max=MAX_AMOUNT,
                    mode=NumberSelectorMode.BOX,
                    step="any",
                    unit_of_measurement=wallet.unit.code,
                )
            )
            for label, wallet in wallets.items()
        }
    )


def balances_form(units: Iterable[Unit]) -> vol.Schema:
    """Return the form that asks what is left of each currency."""
    return vol.Schema(
        {
            vol.Optional(unit.code): NumberSelector(
                NumberSelectorConfig(
                    min=-MAX_AMOUNT,
                    max=MAX_AMOUNT,
                    mode=NumberSelectorMode.BOX,
                    step="any",
                )
            )
            for unit in units
        }
    )


def manual_form(currency: str, *, is_new: bool) -> vol.Schema:
    """Return the form of an account that a person keeps."""
    amount = NumberSelector(
        NumberSelectorConfig(
            min=0, max=MAX_AMOUNT, mode=NumberSelectorMode.BOX, step="any"
        )
    )
    period = SelectSelector(
        SelectSelectorConfig(
            options=["day", "month"],
            mode=SelectSelectorMode.DROPDOWN,
            translation_key="usual_period",
        )
    )
    new: dict[vol.Marker, Any] = {
        vol.Required(CONF_NAME): TextSelector(),
        vol.Required(CONF_CURRENCY, default=currency): CURRENCY_SELECTOR,
        vol.Required(CONF_BALANCE): amount,
    }
    return vol.Schema(
        {
            **(new if is_new else {}),
            vol.Optional(CONF_USUAL_AMOUNT): amount,
            vol.Required(CONF_USUAL_PERIOD, default="month"): period,
        }
    )


def by_label(snapshot: Snapshot, account: str) -> dict[str, Wallet]:
    """Return the wallets by labels that differ from each other."""
    names = {scope.key: scope.label or scope.key for scope in snapshot.scopes}
    labels = [
        f"{names.get(wallet.scope, account)} ({wallet.unit.code})"
        for wallet in snapshot.wallets
    ]
    return {
        label if labels.count(label) == 1 else f"{label} {wallet.key}": wallet
        for label, wallet in zip(labels, snapshot.wallets, strict=True)
    }


def list_amounts(wallets: Mapping[str, Wallet]) -> str:
    """Return what wallets hold, as a list that a person reads."""
    return "\n".join(
        f"- {label}: " + ("-" if amount is None else f"{amount:f} {wallet.unit.code}")
        for label, wallet in wallets.items()
        for amount in (wallet.gauge.shown,)
    )


def _suggest(spendable: Decimal | None) -> float | None:
    """Return a tenth of what is there, rounded to its first digit."""
    if spendable is None or spendable <= 0:
        return None
    tenth = min(spendable / 10, Decimal(MAX_AMOUNT))
    return float(round(tenth, -tenth.adjusted()))


def _selector(credential: Credential) -> Selector[Any]:
    """Return the field of a credential, which a browser does not remember."""
    if isinstance(credential.default, bool):
        return BooleanSelector()
    if credential.options:
        return SelectSelector(
            SelectSelectorConfig(
                options=list(credential.options),
                mode=SelectSelectorMode.DROPDOWN,
                translation_key=credential.key,
            )
        )
    kind = TextSelectorType.PASSWORD if credential.is_secret else TextSelectorType.TEXT
    return TextSelector(TextSelectorConfig(type=kind, autocomplete="off"))
