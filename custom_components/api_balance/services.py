"""Actions of API Balance."""

from collections.abc import Awaitable
from contextlib import suppress
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import voluptuous as vol

from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.service import async_get_config_entry
from homeassistant.util import dt as dt_util

from .accounts import is_total
from .answers import (
    balance_answer,
    balances_answer,
    purchases_answer,
    spend_answer,
    spend_fields_answer,
)
from .const import DOMAIN, MAX_AMOUNT
from .coordinator import AccountCoordinator, ApiBalanceConfigEntry
from .insight.movements import Kind, Movement
from .insight.schedule import Ability
from .issues import placeholders
from .model import ACCOUNT, Lot, Unit
from .providers.base import (
    SPEND_DIMENSIONS,
    NotFound,
    ProviderError,
    ReportsOneBalance,
    ReportsSpend,
    SpendQuery,
    UnexpectedAnswer,
)
from .remind import remind
from .reports.spend import async_get_purchases, async_get_spend, async_get_spend_fields

SERVICE_REMIND = "remind"
SERVICE_RECORD_SPEND = "record_spend"
SERVICE_SET_BALANCE = "set_balance"
SERVICE_GET_BALANCES = "get_balances"
SERVICE_GET_SPEND = "get_spend"
SERVICE_GET_SPEND_FIELDS = "get_spend_fields"
SERVICE_GET_PURCHASES = "get_purchases"

ATTR_ACCOUNT = "account"
ATTR_AMOUNT = "amount"
ATTR_BALANCE = "balance"
ATTR_BALANCE_ID = "balance_id"
ATTR_CURRENCY = "currency"
ATTR_NOTE = "note"
ATTR_TIME = "time"
ATTR_TOP_UP = "top_up"
ATTR_START = "start"
ATTR_END = "end"
ATTR_GROUP_BY = "group_by"

# More would be many requests for some providers.
MAX_DAYS = 366


def _day(value: Any) -> date:
    """Return a day, of a time the one that it is in the home. Raises vol.Invalid."""
    day = cv.date(value)
    return dt_util.as_local(day).date() if isinstance(day, datetime) else day


def _amount(value: Any) -> Decimal:
    """Return an amount, exactly as it was written. Raises vol.Invalid."""
    try:
        amount = Decimal(str(value))
    except ArithmeticError:
        raise vol.Invalid("not an amount") from None
    if not amount.is_finite() or abs(amount) > MAX_AMOUNT:
        raise vol.Invalid("not an amount")
    return amount


def _positive(amount: Decimal) -> Decimal:
    """Return an amount above zero. Raises vol.Invalid."""
    if amount <= 0:
        raise vol.Invalid("not above zero")
    return amount


ACCOUNT_FIELDS = {vol.Required(ATTR_ACCOUNT): cv.string}
DAYS_FIELDS = {vol.Optional(ATTR_START): _day, vol.Optional(ATTR_END): _day}

BALANCES_SCHEMA = vol.Schema(
    {
        **ACCOUNT_FIELDS,
        # It becomes a part of an address.
        vol.Optional(ATTR_BALANCE_ID): cv.matches_regex(r"^[\w-]+$"),
    }
)
SPEND_SCHEMA = vol.Schema(
    {
        **ACCOUNT_FIELDS,
        **DAYS_FIELDS,
        vol.Optional(ATTR_GROUP_BY, default=[]): [vol.In(SPEND_DIMENSIONS)],
        **{vol.Optional(name): cv.string for name in SPEND_DIMENSIONS},
    }
)
SPEND_FIELDS_SCHEMA = vol.Schema({**ACCOUNT_FIELDS, **DAYS_FIELDS})
PURCHASES_SCHEMA = vol.Schema(ACCOUNT_FIELDS)
RECORD_SPEND_SCHEMA = vol.Schema(
    {
        **ACCOUNT_FIELDS,
        vol.Required(ATTR_AMOUNT): vol.All(_amount, _positive),
        vol.Optional(ATTR_NOTE): vol.All(cv.string, vol.Length(max=200)),
    }
)
SET_BALANCE_SCHEMA = vol.All(
    cv.has_at_least_one_key(ATTR_BALANCE, ATTR_TOP_UP),
    vol.Schema(
        {
            **ACCOUNT_FIELDS,
            vol.Exclusive(ATTR_BALANCE, ATTR_BALANCE): _amount,
            vol.Exclusive(ATTR_TOP_UP, ATTR_BALANCE): vol.All(_amount, _positive),
            vol.Optional(ATTR_CURRENCY): vol.All(cv.string, vol.Upper),
            vol.Optional(ATTR_TIME): cv.datetime,
        }
    ),
)


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions."""
    hass.services.async_register(
        DOMAIN, SERVICE_REMIND, remind, schema=vol.Schema(cv.TARGET_FIELDS)
    )
    hass.services.async_register(
        DOMAIN, SERVICE_SET_BALANCE, _set_balance, schema=SET_BALANCE_SCHEMA
    )
    hass.services.async_register(
        DOMAIN, SERVICE_RECORD_SPEND, _record_spend, schema=RECORD_SPEND_SCHEMA
    )
    for service, answer, schema in (
        (SERVICE_GET_BALANCES, _get_balances, BALANCES_SCHEMA),
        (SERVICE_GET_SPEND, _get_spend, SPEND_SCHEMA),
        (SERVICE_GET_SPEND_FIELDS, _get_spend_fields, SPEND_FIELDS_SCHEMA),
        (SERVICE_GET_PURCHASES, _get_purchases, PURCHASES_SCHEMA),
    ):
        hass.services.async_register(
            DOMAIN,
            service,
            answer,
            schema=schema,
            supports_response=SupportsResponse.ONLY,
        )


async def _get_balances(call: ServiceCall) -> ServiceResponse:
    """Answer what an account has, as of the last poll; a single balance afresh."""
    coordinator = _account(call)
    if balance_id := call.data.get(ATTR_BALANCE_ID):
        asked = _ask_balance(coordinator, balance_id)
        return balance_answer(coordinator, *await _answer(coordinator, asked))
    # Old numbers would pass for those of now.
    if not coordinator.last_update_success:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="last_update_failed",
            translation_placeholders={"account": coordinator.config_entry.title},
        ) from coordinator.last_exception
    return balances_answer(coordinator)


async def _get_spend(call: ServiceCall) -> ServiceResponse:
    """Answer what an account spent."""
    coordinator = _account(call)
    query = _query(coordinator, call)
    report = await _answer(coordinator, async_get_spend(coordinator, query))
    return spend_answer(coordinator, report)


async def _get_spend_fields(call: ServiceCall) -> ServiceResponse:
    """Answer by what the spend of an account can be filtered and grouped."""
    coordinator = _account(call)
    query = _query(coordinator, call)
    return spend_fields_answer(
        await _answer(coordinator, async_get_spend_fields(coordinator, query))
    )


async def _get_purchases(call: ServiceCall) -> ServiceResponse:
    """Answer what was paid into an account."""
    coordinator = _account(call)
    report = await _answer(coordinator, async_get_purchases(coordinator))
    return purchases_answer(coordinator, report)


async def _set_balance(call: ServiceCall) -> None:
    """Follow a balance that a person knows, or add a top-up to it.

    Raises ServiceValidationError.
    """
    coordinator = _account(call)
    unit = _currency(coordinator, call.data.get(ATTR_CURRENCY))
    balance: Decimal | None = call.data.get(ATTR_BALANCE)
    if balance is not None:
        await coordinator.async_enter_balance(unit, balance)
        return
    at = dt_util.as_utc(call.data.get(ATTR_TIME, dt_util.utcnow()))
    amount = call.data[ATTR_TOP_UP]
    added = Movement(kind=Kind.TOP_UP, amount=amount, start=at, end=at)
    await _move(coordinator, unit, added)


async def _record_spend(call: ServiceCall) -> None:
    """Take off what a person has spent of an account that has no API.

    Raises ServiceValidationError.
    """
    coordinator = _account(call)
    if not coordinator.provider.is_manual:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="spend_is_reported",
            translation_placeholders={"account": coordinator.config_entry.title},
        )
    now = dt_util.utcnow()
    spent = Movement(
        kind=Kind.SPEND, amount=-call.data[ATTR_AMOUNT], start=now, end=now
    )
    unit = _currency(coordinator, None)
    await _move(coordinator, unit, spent, call.data.get(ATTR_NOTE))


async def _move(
    coordinator: AccountCoordinator,
    unit: Unit,
    moved: Movement,
    note: str | None = None,
) -> None:
    """Change a balance that was set before. Raises ServiceValidationError."""
    credit = coordinator.state.tracked.get(unit.key)
    if credit is None or not credit.entered_at <= moved.end <= dt_util.utcnow():
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="balance_not_set",
            translation_placeholders={"account": coordinator.config_entry.title},
        )
    await coordinator.async_move_credit(unit, moved, note)


def _currency(coordinator: AccountCoordinator, code: str | None) -> Unit:
    """Return the currency that a balance can be entered in.

    Raises ServiceValidationError.
    """
    units: tuple[Unit, ...] = coordinator.provider.units_to_enter(
        coordinator.data.snapshot
    )
    found = [unit for unit in units if code in (None, unit.code)]
    if len(found) == 1:
        return found[0]
    raise ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key="no_balance_to_set",
        translation_placeholders={
            "account": coordinator.config_entry.title,
            "currencies": ", ".join(sorted(unit.code for unit in units)) or "-",
        },
    )


def _account(call: ServiceCall) -> AccountCoordinator:
    """Return the account that an action is about. Raises ServiceValidationError."""
    entry: ApiBalanceConfigEntry = async_get_config_entry(
        call.hass, DOMAIN, call.data[ATTR_ACCOUNT]
    )
    if is_total(entry):
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="no_account"
        )
    return entry.runtime_data


async def _answer[T](coordinator: AccountCoordinator, asked: Awaitable[T]) -> T:
    """Return the answer to what was asked. Raises HomeAssistantError."""
    try:
        return await asked
    except ProviderError as err:
        # Of a question of one's own, a refusal is no new form of the answer.
        is_refused = isinstance(err, UnexpectedAnswer) and err.path.startswith("HTTP 4")
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="question_refused" if is_refused else err.problem,
            translation_placeholders=placeholders(
                coordinator.provider, err.problem, err.failure.detail
            ),
        ) from err


def _query(coordinator: AccountCoordinator, call: ServiceCall) -> SpendQuery:
    """Return what spend an action asks for. Raises ServiceValidationError."""
    today = dt_util.now().date()
    start, end = call.data.get(ATTR_START), call.data.get(ATTR_END)
    if end is not None:
        # Some providers are a day ahead of the home.
        end = min(end, today + timedelta(days=1))
    elif not isinstance(coordinator.provider, ReportsSpend):
        end = today
    elif start is not None and start <= today:
        # The others may be a day behind: today is the day that runs there.
        start = min(start, dt_util.utcnow().date())
    query = SpendQuery(
        start=start,
        end=end,
        filters={
            name: call.data[name] for name in SPEND_DIMENSIONS if name in call.data
        },
        group_by=tuple(dict.fromkeys(call.data.get(ATTR_GROUP_BY, ()))),
    )
    if query.first > query.last:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="start_after_end"
        )
    if query.last - query.first >= timedelta(days=MAX_DAYS):
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="report_too_long",
            translation_placeholders={"days": str(MAX_DAYS)},
        )
    return query


async def _ask_balance(
    coordinator: AccountCoordinator, balance_id: str
) -> tuple[Lot, str, Unit | None]:
    """Return a single balance, the part of the account that has it, and its unit.

    Raises ProviderError, and ServiceValidationError where there is no such balance.
    """
    provider = coordinator.provider
    if not isinstance(provider, ReportsOneBalance):
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="no_single_balance",
            translation_placeholders={"provider": provider.name},
        )
    snapshot = coordinator.data.snapshot
    places: list[tuple[str, Unit | None]] = [
        (wallet.scope, wallet.unit)
        for wallet in snapshot.wallets
        if any(lot.id == balance_id for lot in wallet.lots)
    ]
    # One that is not known may have been bought since the last poll.
    places = places or [(part.key, None) for part in snapshot.scopes]
    for scope, unit in places or [(ACCOUNT, None)]:
        with suppress(NotFound):
            ask = partial(provider.fetch_balance, scope, balance_id)
            return (
                await coordinator.reader.async_ask(Ability.PURCHASES, ask),
                scope,
                unit,
            )
    raise ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key="balance_not_found",
        translation_placeholders={"provider": provider.name, "balance_id": balance_id},
    )
