"""The record of version 0.1.0, in the form of today."""

from collections.abc import Mapping
from typing import Any

from .insight.schedule import Ability


def migrate(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data of an account state from a record of 0.1.0. Raises LookupError."""
    return {
        "gauges": {
            key: _gauge(key, wallet, record)
            for key, wallet in record["wallets"].items()
        },
        "thresholds": record.get("thresholds", {}),
        "schedule": {
            "retry_at": {Ability.BALANCE: record["quiet_until"]}
            if record.get("quiet_until")
            else {}
        },
        "refusals": record["refusals"],
        "knows_past": record.get("knows_past", False),
        # Empty but there: the account has worked before.
        **({"snapshot": {}} if record["has_worked"] else {}),
    }


def _gauge(
    key: str, wallet: Mapping[str, Any], record: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the data of a gauge."""
    watched = record.get("watched", {}).get(key, {})
    data = {
        "unit": _unit(wallet),
        "scope": wallet["scope"],
        "label": wallet["label"],
        "has_held": wallet["has_held_money"],
        "patience": wallet.get("patience", 0),
        "level": watched.get("level"),
        "shown_level": watched.get("level"),
        "runway": watched.get("runway"),
        "amounts": record.get("amounts", {}).get(key, {}),
        "is_jumping": key in record.get("jumping", ()),
    }
    if ledger := record.get("ledgers", {}).get(key):
        data["ledger"] = _ledger(key, wallet, ledger)
    return data


def _ledger(
    key: str, wallet: Mapping[str, Any], ledger: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the data of a ledger."""
    seen, history = ledger["seen"], ledger["history"]
    first, hours = history["hours"]
    return {
        "history": {**history, "first": first, "hours": hours},
        "gauge": {
            "key": key,
            "unit": _unit(seen),
            "scope": wallet["scope"],
            "label": wallet["label"],
            "remaining": seen["amount"],
            "has_credit_line": seen["is_available"],
            "credit_limit": seen["credit_limit"],
            "granted": seen["granted"],
            "paid": seen["paid"],
            "lots": seen["lots"],
        },
        "at": seen["at"],
        "refund": ledger["refund"],
        "top_ups": ledger["top_ups"],
        "tallies": ledger["tallies"],
    }


def _unit(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data of a unit."""
    return {"code": data["unit"], "is_money": data["is_money"]}
