"""Answers of the actions: facts as plain data for templates.

Every key is always there, and null where nothing is known. Amounts are exact decimals
as text, as in states; times are in UTC, but for the days of the ledger, which are those
of the home.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonObjectType, JsonValueType

from .coordinator import AccountCoordinator
from .insight.outlook import Outlook
from .insight.view import View
from .model import ACCOUNT, Lot, Purchase, Quota, Spend, Unit, Wallet
from .reports.spend import PurchaseReport, Source, SpendField, SpendReport


def balances_answer(coordinator: AccountCoordinator) -> JsonObjectType:
    """Return the whole picture of an account as of its last poll."""
    account = coordinator.data
    snapshot = account.snapshot
    return {
        "account": coordinator.config_entry.title,
        "provider": coordinator.provider.name,
        "availability": account.availability,
        "as_of": _moment(coordinator.state.updated_at),
        "projects": [
            {"id": part.key, "name": part.label, "problem": part.problem}
            for part in snapshot.scopes
        ],
        "wallets": [_wallet(coordinator, wallet) for wallet in snapshot.wallets],
        "quotas": [_quota(account, quota) for quota in snapshot.quotas],
        "spent": [
            {**_spend(account, part), "period": part.period}
            for part in account.parts.values()
            if isinstance(part, Spend)
        ],
    }


def balance_answer(
    coordinator: AccountCoordinator, lot: Lot, scope: str, unit: Unit | None
) -> JsonObjectType:
    """Return a single balance that was asked for just now."""
    return {
        "account": coordinator.config_entry.title,
        "provider": coordinator.provider.name,
        "as_of": _moment(dt_util.utcnow()),
        "balance": {
            **_lot(lot),
            "unit": unit.code if unit else None,
            **_project(coordinator.data, scope),
        },
    }


def spend_answer(
    coordinator: AccountCoordinator, report: SpendReport
) -> JsonObjectType:
    """Return the rows of a report, and their sum in each unit."""
    is_local = report.source is Source.LEDGER
    return {
        "source": report.source,
        "total": _total(report.rows),
        "rows": [_spend(coordinator.data, row, is_local) for row in report.rows],
    }


def spend_fields_answer(fields: Mapping[str, SpendField]) -> JsonObjectType:
    """Return by what spend can be filtered and grouped."""
    return {
        "fields": {
            name: {
                "can_filter": known.can_filter,
                "can_group": known.can_group,
                "options": None
                if known.options is None
                else [
                    {"value": value, "label": label}
                    for value, label in known.options.items()
                ],
            }
            for name, known in fields.items()
        }
    }


def purchases_answer(
    coordinator: AccountCoordinator, report: PurchaseReport
) -> JsonObjectType:
    """Return what was paid in and granted."""
    return {
        "source": report.source,
        "purchases": [_purchase(coordinator.data, row) for row in report.rows],
    }


def _wallet(coordinator: AccountCoordinator, wallet: Wallet) -> JsonObjectType:
    """Return all that is known of a wallet: facts, and the conclusions from them."""
    thresholds = coordinator.thresholds(wallet.key)
    return {
        **_project(coordinator.data, wallet.scope),
        "label": wallet.label,
        "unit": wallet.unit.code,
        "balance": _amount(wallet.balance),
        "available": _amount(wallet.available),
        "credit_limit": _amount(wallet.credit_limit),
        "pending": _amount(wallet.pending),
        "granted": _amount(wallet.granted),
        "paid": _amount(wallet.paid),
        "is_postpaid": wallet.is_postpaid,
        "level": coordinator.data.levels.get(wallet.key),
        "threshold": _amount(thresholds.amount or None),
        "threshold_days": _amount(thresholds.days or None),
        "lots": [_lot(lot) for lot in wallet.lots],
        "forecast": _forecast(coordinator.data.outlooks[wallet.key]),
    }


def _forecast(outlook: Outlook) -> JsonObjectType:
    """Return how long a wallet lasts, and between which times it likely ends."""
    return {
        "state": outlook.state,
        "confidence": outlook.confidence,
        "daily_spend": _amount(outlook.daily_spend),
        "days_left": _amount(outlook.days_left),
        "runs_out": _moment(outlook.runs_out),
        "earliest": _moment(outlook.earliest),
        "latest": _moment(outlook.latest),
    }


def _lot(lot: Lot) -> JsonObjectType:
    """Return a part of a balance."""
    return {
        "id": lot.id or None,
        "amount": _amount(lot.amount),
        "kind": lot.kind,
        "expires_at": _moment(lot.expires_at),
    }


def _quota(account: View, quota: Quota) -> JsonObjectType:
    """Return what has a limit or a reset."""
    return {
        **_project(account, quota.scope),
        "label": quota.label,
        "unit": quota.unit.code,
        "used": _amount(quota.used),
        "limit": _amount(quota.limit),
        "remaining": _amount(quota.remaining),
        "is_unlimited": quota.is_unlimited,
        "resets_at": _moment(quota.resets_at),
    }


def _spend(account: View, spend: Spend, is_local: bool = False) -> JsonObjectType:
    """Return what was spent in a time; days of the home begin at its midnight."""
    start, end = spend.start, spend.end
    if is_local:
        start, end = dt_util.as_local(start), dt_util.as_local(end)
    return {
        "start": _moment(start),
        "end": _moment(end),
        "amount": _amount(spend.amount),
        "unit": spend.unit.code,
        **_project(account, spend.scope),
        "label": spend.label,
        "labels": {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in spend.labels.items()
        },
    }


def _purchase(account: View, purchase: Purchase) -> JsonObjectType:
    """Return a top-up or a grant."""
    return {
        "id": purchase.id or None,
        "amount": _amount(purchase.amount),
        "unit": purchase.unit.code,
        "kind": purchase.kind,
        "purchased_at": _moment(purchase.purchased_at),
        "expires_at": _moment(purchase.expires_at),
        **_project(account, purchase.scope),
    }


def _project(account: View, scope: str) -> JsonObjectType:
    """Return which part of the account something belongs to."""
    if scope == ACCOUNT:
        return {"project": None, "project_id": None}
    return {"project": account.label(scope), "project_id": scope}


def _total(rows: Iterable[Spend]) -> dict[str, JsonValueType]:
    """Return the sum of the rows in each unit."""
    totals: dict[str, Decimal] = {}
    for row in rows:
        totals[row.unit.code] = totals.get(row.unit.code, Decimal()) + row.amount
    return {code: _amount(total) for code, total in totals.items()}


def _amount(amount: Decimal | None) -> str | None:
    """Return an amount as text, exactly and never with an exponent."""
    return None if amount is None else f"{amount:f}"


def _moment(moment: datetime | None) -> str | None:
    """Return a time as text."""
    return moment.isoformat() if moment else None
