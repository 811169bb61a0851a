"""What an account keeps over a restart, and the form it has on disk."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import voluptuous as vol

from .insight.history import History
from .insight.ledger import Kind, Ledger, Movement, Seen, Tally
from .insight.memory import KnownWallet, Memory
from .insight.watch import Level, Thresholds, Watched
from .model import Lot, Period, Unit
from .providers.fields import amount, maybe, moment

_NOT_OBSERVED = "-"
_SECOND = timedelta(seconds=1)


def _seconds(value: Any) -> timedelta:
    """Return a time from whole seconds. Raises vol.Invalid."""
    try:
        return timedelta(seconds=int(value))
    except (OverflowError, TypeError, ValueError) as err:
        raise vol.Invalid("expected seconds") from err


def _hours(value: Any) -> dict[int, Decimal]:
    """Return the hours of a history: the first, and what each has. Raises vol.Invalid."""
    first, spends = vol.Schema(vol.ExactSequence([int, str]))(value)
    return {
        hour: amount(spent)
        for hour, spent in enumerate(spends.split(), first)
        if spent != _NOT_OBSERVED
    }


_UNIT = {vol.Required("unit"): str, vol.Required("is_money"): bool}
_LOT = {
    vol.Required("id"): str,
    vol.Required("amount"): maybe(amount),
    vol.Required("expires_at"): maybe(moment),
}
_MOVEMENT = {
    vol.Required("kind"): vol.Coerce(Kind),
    vol.Required("amount"): amount,
    vol.Required("start"): moment,
    vol.Required("end"): moment,
}
_LEDGER = {
    vol.Required("seen"): {
        **_UNIT,
        vol.Required("at"): moment,
        vol.Required("amount"): amount,
        vol.Required("is_available"): bool,
        vol.Required("credit_limit"): maybe(amount),
        vol.Required("granted"): maybe(amount),
        vol.Required("paid"): maybe(amount),
        vol.Required("lots"): [_LOT],
    },
    vol.Required("refund"): amount,
    vol.Required("top_ups"): [_MOVEMENT],
    vol.Required("tallies"): {
        vol.Coerce(Period): {
            vol.Required("since"): moment,
            vol.Required("amount"): amount,
        }
    },
    vol.Required("history"): {
        vol.Required("hours"): _hours,
        vol.Required("since"): moment,
        vol.Required("until"): moment,
        vol.Required("filled_until"): int,
    },
}
_RECORD = vol.Schema(
    {
        vol.Required("wallets"): {
            str: {
                **_UNIT,
                vol.Required("scope"): str,
                vol.Required("label"): maybe(str),
                vol.Required("has_held_money"): bool,
                vol.Optional("patience", default=0): int,
            }
        },
        vol.Optional("watched", default=dict): {
            str: {
                vol.Required("level"): vol.Coerce(Level),
                vol.Required("amount"): maybe(amount),
                vol.Optional("is_available", default=False): bool,
                vol.Optional("runway", default=None): maybe(_seconds),
            }
        },
        vol.Optional("amounts", default=dict): {str: {str: amount}},
        vol.Optional("thresholds", default=dict): {
            str: {vol.Required("amount"): amount, vol.Required("days"): amount}
        },
        vol.Optional("ledgers", default=dict): {str: _LEDGER},
        vol.Optional("jumping", default=list): vol.All([str], vol.Coerce(set)),
        vol.Optional("knows_past", default=False): bool,
        vol.Required("refusals"): int,
        vol.Required("quiet_until"): maybe(moment),
        vol.Required("has_worked"): bool,
    },
    extra=vol.ALLOW_EXTRA,
)


@dataclass(kw_only=True)
class Record:
    """What an account keeps over a restart.

    `amounts` are those that each wallet showed last. `jumping` are the wallets whose
    spend has jumped and not yet calmed down. `knows_past` tells that the provider
    was asked what was spent before. `refusals` counts the polls in a row that called
    the key bad. `quiet_until` is how long the provider wants to be left alone.
    """

    memory: Memory = field(default_factory=dict)
    watched: dict[str, Watched] = field(default_factory=dict)
    amounts: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)
    thresholds: dict[str, Thresholds] = field(default_factory=dict)
    ledgers: dict[str, Ledger] = field(default_factory=dict)
    jumping: set[str] = field(default_factory=set)
    knows_past: bool = False
    refusals: int = 0
    quiet_until: datetime | None = None
    has_worked: bool = False


def as_record(saved: dict[str, Any]) -> Record:
    """Return what the data of the file stands for. Raises vol.Invalid."""
    valid = _RECORD(saved)
    return Record(
        memory={
            key: KnownWallet(
                scope=wallet["scope"],
                unit=_as_unit(wallet),
                label=wallet["label"],
                has_held_money=wallet["has_held_money"],
                patience=wallet["patience"],
            )
            for key, wallet in valid["wallets"].items()
        },
        watched={key: Watched(**watched) for key, watched in valid["watched"].items()},
        amounts=valid["amounts"],
        thresholds={
            key: Thresholds(**thresholds)
            for key, thresholds in valid["thresholds"].items()
        },
        ledgers={
            key: Ledger(
                seen=Seen(
                    at=ledger["seen"]["at"],
                    unit=_as_unit(ledger["seen"]),
                    amount=ledger["seen"]["amount"],
                    is_available=ledger["seen"]["is_available"],
                    credit_limit=ledger["seen"]["credit_limit"],
                    granted=ledger["seen"]["granted"],
                    paid=ledger["seen"]["paid"],
                    lots=tuple(Lot(**lot) for lot in ledger["seen"]["lots"]),
                ),
                refund=ledger["refund"],
                top_ups=[Movement(**top_up) for top_up in ledger["top_ups"]],
                tallies={
                    period: Tally(**tally)
                    for period, tally in ledger["tallies"].items()
                },
                history=History(**ledger["history"]),
            )
            for key, ledger in valid["ledgers"].items()
        },
        jumping=valid["jumping"],
        knows_past=valid["knows_past"],
        refusals=valid["refusals"],
        quiet_until=valid["quiet_until"],
        has_worked=valid["has_worked"],
    )


def as_data(record: Record) -> dict[str, Any]:
    """Return the data of the file."""
    return {
        "wallets": {
            key: {
                **_unit_data(wallet.unit),
                "scope": wallet.scope,
                "label": wallet.label,
                "has_held_money": wallet.has_held_money,
                "patience": wallet.patience,
            }
            for key, wallet in record.memory.items()
        },
        "watched": {
            key: {
                "level": watched.level,
                "amount": _text(watched.amount),
                "is_available": watched.is_available,
                "runway": (
                    # Exactly: the longest time there is would be rounded up.
                    None if watched.runway is None else watched.runway // _SECOND
                ),
            }
            for key, watched in record.watched.items()
        },
        "amounts": {
            key: {name: str(amount) for name, amount in amounts.items()}
            for key, amounts in record.amounts.items()
        },
        "thresholds": {
            key: {"amount": str(thresholds.amount), "days": str(thresholds.days)}
            for key, thresholds in record.thresholds.items()
        },
        "ledgers": {
            key: _ledger_data(ledger, ledger.seen)
            for key, ledger in record.ledgers.items()
            if ledger.seen
        },
        "jumping": sorted(record.jumping),
        "knows_past": record.knows_past,
        "refusals": record.refusals,
        "quiet_until": _iso(record.quiet_until),
        "has_worked": record.has_worked,
    }


def _ledger_data(ledger: Ledger, seen: Seen) -> dict[str, Any]:
    """Return the data of a ledger that has seen its wallet."""
    return {
        "seen": {
            **_unit_data(seen.unit),
            "at": _iso(seen.at),
            "amount": str(seen.amount),
            "is_available": seen.is_available,
            "credit_limit": _text(seen.credit_limit),
            "granted": _text(seen.granted),
            "paid": _text(seen.paid),
            "lots": [
                {
                    "id": lot.id,
                    "amount": _text(lot.amount),
                    "expires_at": _iso(lot.expires_at),
                }
                for lot in seen.lots
            ],
        },
        "refund": str(ledger.refund),
        "top_ups": [
            {
                "kind": moved.kind,
                "amount": str(moved.amount),
                "start": _iso(moved.start),
                "end": _iso(moved.end),
            }
            for moved in ledger.top_ups
        ],
        "tallies": {
            period: {"since": _iso(tally.since), "amount": str(tally.amount)}
            for period, tally in ledger.tallies.items()
        },
        "history": {
            "hours": _hours_data(ledger.history.hours),
            "since": _iso(ledger.history.since),
            "until": _iso(ledger.history.until),
            "filled_until": ledger.history.filled_until,
        },
    }


def _hours_data(hours: Mapping[int, Decimal]) -> list[int | str]:
    """Return a history on one line: on a line each, its hours would take twice as much."""
    spends = (hours.get(hour) for hour in range(min(hours), max(hours) + 1))
    return [
        min(hours),
        " ".join(
            _NOT_OBSERVED if spent is None else format(spent.normalize(), "f")
            for spent in spends
        ),
    ]


def _as_unit(data: Mapping[str, Any]) -> Unit:
    """Return the unit that the data names."""
    return Unit(code=data["unit"], is_money=data["is_money"])


def _unit_data(unit: Unit) -> dict[str, Any]:
    """Return the data of a unit."""
    return {"unit": unit.code, "is_money": unit.is_money}


def _text(number: Decimal | None) -> str | None:
    """Return an amount in figures."""
    return None if number is None else str(number)


def _iso(at: datetime | None) -> str | None:
    """Return a time in figures."""
    return at.isoformat() if at else None
