"""Reports of what was spent and paid in: the provider's own, else the ledger's."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import partial

from homeassistant.exceptions import ServiceValidationError
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..coordinator import AccountCoordinator
from ..insight.hourly_spend import start_of
from ..insight.movements import Ledger
from ..insight.schedule import Ability
from ..model import ACCOUNT, Problem, Purchase, Spend, Wallet
from ..providers.base import (
    SPEND_DIMENSIONS,
    ReportsPurchases,
    ReportsSpend,
    ReportsSpendFields,
    SpendQuery,
)

PROJECT = "project"
_DAY = timedelta(days=1)
_LAST_DIGIT = Decimal("0.000001")


class Source(StrEnum):
    """Whose numbers a report has."""

    PROVIDER = "provider"
    LEDGER = "ledger"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendReport:
    """What was spent, a row for each day and group, oldest first.

    The days of the provider are those of its calendar, in UTC; the days of the ledger are
    those of the home.
    """

    source: Source
    rows: tuple[Spend, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseReport:
    """What was paid in. The ledger knows when it was noticed, and no id."""

    source: Source
    rows: tuple[Purchase, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendField:
    """By what spend can be filtered or grouped.

    `options` are the values with what they mean, None where the provider lists none.
    """

    can_filter: bool
    can_group: bool
    options: Mapping[str, str] | None = None


async def async_get_spend(
    coordinator: AccountCoordinator, query: SpendQuery
) -> SpendReport:
    """Return what an account spent.

    Raises ProviderError, and ServiceValidationError for what is not available.
    """
    scopes, query = _narrow(coordinator, query)
    provider = coordinator.provider
    if not isinstance(provider, ReportsSpend):
        days = [
            day
            for wallet, ledger in _ledgers(coordinator, scopes)
            for day in _days(wallet, ledger, query)
        ]
        return SpendReport(source=Source.LEDGER, rows=tuple(sorted(days, key=_start)))
    rows = await _fetch(coordinator, provider, scopes, query)
    return SpendReport(source=Source.PROVIDER, rows=tuple(rows))


async def async_get_reported_spend(
    coordinator: AccountCoordinator, provider: ReportsSpend, query: SpendQuery
) -> tuple[list[Spend], bool]:
    """Return what a provider reports of the spend, and whether that is all of it.

    A part that the key may never read keeps nobody from knowing the others. Raises
    ProviderError.
    """
    parts = coordinator.data.snapshot.scopes
    readable = [
        part.key for part in parts if part.problem is not Problem.MISSING_PERMISSION
    ]
    scopes = readable if parts else [ACCOUNT]
    rows = await _fetch(coordinator, provider, scopes, query)
    return rows, len(readable) == len(parts)


async def _fetch(
    coordinator: AccountCoordinator,
    provider: ReportsSpend,
    scopes: Iterable[str],
    query: SpendQuery,
) -> list[Spend]:
    """Return the provider's rows for some parts, oldest first. Raises ProviderError."""
    rows: list[Spend] = []
    for scope in scopes:
        rows += await coordinator.reader.async_ask(
            Ability.SPEND_REPORT, partial(provider.fetch_spend, scope, query)
        )
    return sorted(rows, key=_start)


async def async_get_spend_fields(
    coordinator: AccountCoordinator, query: SpendQuery
) -> Mapping[str, SpendField]:
    """Return by what the spend of an account can be filtered and grouped.

    Raises ProviderError, and ServiceValidationError where nothing is available.
    """
    filters, groups = _dimensions(coordinator)
    if not filters and not groups:
        raise _refusal(coordinator, "no_spend_fields")
    provider = coordinator.provider
    options: dict[str, dict[str, str]] = {}
    if parts := coordinator.data.snapshot.scopes:
        options[PROJECT] = {part.key: part.label or part.key for part in parts}
    if isinstance(provider, ReportsSpendFields):
        for scope in _scopes(coordinator):
            values_of = await coordinator.reader.async_ask(
                Ability.SPEND_REPORT,
                partial(provider.fetch_spend_fields, scope, query),
            )
            for name, values in values_of.items():
                options.setdefault(name, {}).update(values)
    return {
        name: SpendField(
            can_filter=name in filters,
            can_group=name in groups,
            options=options.get(name),
        )
        for name in SPEND_DIMENSIONS
        if name in filters or name in groups
    }


async def async_get_purchases(coordinator: AccountCoordinator) -> PurchaseReport:
    """Return what was bought for an account, granted to it, or paid in.

    Raises ProviderError, and ServiceValidationError where nothing is available.
    """
    provider = coordinator.provider
    scopes = _scopes(coordinator)
    if not isinstance(provider, ReportsPurchases):
        return PurchaseReport(
            source=Source.LEDGER,
            rows=tuple(
                Purchase(
                    id="",
                    unit=wallet.unit,
                    scope=wallet.scope,
                    amount=top_up.amount,
                    kind=top_up.kind,
                    purchased_at=top_up.end,
                )
                for wallet, ledger in _ledgers(coordinator, scopes)
                for top_up in ledger.top_ups
            ),
        )
    rows: list[Purchase] = []
    for scope in scopes:
        rows += await coordinator.reader.async_ask(
            Ability.PURCHASES, partial(provider.fetch_purchases, scope)
        )
    return PurchaseReport(source=Source.PROVIDER, rows=tuple(rows))


def _scopes(coordinator: AccountCoordinator) -> list[str]:
    """Return the parts that the provider is asked for, the account where it has none."""
    return [part.key for part in coordinator.data.snapshot.scopes] or [ACCOUNT]


def _dimensions(
    coordinator: AccountCoordinator,
) -> tuple[Sequence[str], Sequence[str]]:
    """Return by what spend can be filtered, and by what it can be grouped."""
    provider = coordinator.provider
    filters: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    if isinstance(provider, ReportsSpend):
        filters, groups = provider.spend_filters, provider.spend_groups
    if coordinator.data.snapshot.scopes:
        # Every row holds its part: this needs nothing of the provider.
        filters, groups = (*filters, PROJECT), (*groups, PROJECT)
    return filters, groups


def _narrow(
    coordinator: AccountCoordinator, query: SpendQuery
) -> tuple[list[str], SpendQuery]:
    """Return the parts to ask for, and what is left of the query for each of them.

    Raises ServiceValidationError for what is not available.
    """
    filters, groups = _dimensions(coordinator)
    for asked, known, problem in (
        (query.filters, filters, "unknown_filter"),
        (query.group_by, groups, "unknown_group"),
    ):
        if unknown := set(asked).difference(known):
            if not filters and not groups:
                raise _refusal(coordinator, "no_spend_fields")
            raise _refusal(
                coordinator,
                problem,
                unknown=", ".join(sorted(unknown)),
                known=", ".join(known) or "-",
            )
    parts = coordinator.data.snapshot.scopes
    if not parts:
        return [ACCOUNT], query
    project = query.filters.get(PROJECT)
    scopes = [part.key for part in parts if project in {None, part.key, part.label}]
    if not scopes:
        raise _refusal(coordinator, "unknown_project", project=str(project))
    return scopes, replace(
        query,
        filters={
            name: value for name, value in query.filters.items() if name != PROJECT
        },
        group_by=tuple(name for name in query.group_by if name != PROJECT),
    )


def _ledgers(
    coordinator: AccountCoordinator, scopes: Sequence[str]
) -> list[tuple[Wallet, Ledger]]:
    """Return the wallets of some parts with their ledgers.

    Raises ServiceValidationError where there is nothing to keep a ledger of.
    """
    found = [
        (wallet, coordinator.ledgers[wallet.key])
        for wallet in coordinator.data.snapshot.wallets
        if wallet.scope in scopes
    ]
    if not found:
        raise _refusal(coordinator, "no_ledger")
    return found


def _days(wallet: Wallet, ledger: Ledger, query: SpendQuery) -> Iterator[Spend]:
    """Yield what a wallet spent on each day of the home that was observed."""
    days: defaultdict[date, Decimal] = defaultdict(Decimal)
    begin = dt_util.start_of_local_day(query.first)
    end = dt_util.start_of_local_day(query.last + _DAY)
    for hour, amount in ledger.history.between(begin, end):
        days[dt_util.as_local(start_of(hour)).date()] += amount
    for day, amount in days.items():
        yield Spend(
            unit=wallet.unit,
            # It was divided among hours more exactly than anybody can know.
            amount=amount.quantize(_LAST_DIGIT).normalize(),
            start=dt_util.as_utc(dt_util.start_of_local_day(day)),
            end=dt_util.as_utc(dt_util.start_of_local_day(day + _DAY)),
            scope=wallet.scope,
            label=wallet.label,
        )


def _start(row: Spend) -> datetime:
    """Return when the time of a row began."""
    return row.start


def _refusal(
    coordinator: AccountCoordinator, problem: str, **words: str
) -> ServiceValidationError:
    """Return the error of a question that nobody can answer."""
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=problem,
        translation_placeholders={"provider": coordinator.provider.name, **words},
    )
