"""Measure the forecast against simple rules, with spending whose end is known."""  # noqa: INP001

import argparse
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
import csv
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import accumulate
from math import inf, log
from pathlib import Path
from statistics import median
import sys
from time import perf_counter

from custom_components.api_balance.insight.forecast import State, estimate
from custom_components.api_balance.insight.hourly_spend import DAYS_KEPT, HourlySpend
from custom_components.api_balance.insight.movements import Ledger
from custom_components.api_balance.model import UNKNOWN_CURRENCY, Wallet

from .balance import Column, table

POLL = timedelta(minutes=15)
POLLS_AN_HOUR = 4
CENT = Decimal("0.01")
HISTORIES = (1, 3, 7, 14)
HORIZONS = (6, 24, 72, 168)
# Prime, so that the forecast is asked at all hours of the day.
STEP = 5

OURS = "forecast"
SIMPLE = "7 days"
# The simple rules: what was spent in so many of the last hours goes on.
RULES = {SIMPLE: 168, "24 hours": 24, "3 hours": 3}


class ScoreError(Exception):
    """What keeps a trace from being measured, in a sentence for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What was spent in all before each poll, in whole cents."""

    name: str
    start: datetime
    spent: list[Decimal]

    def at(self, poll: int) -> datetime:
        """Return when a poll is."""
        return self.start + poll * POLL


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One question, and by what each answer is wrong: |ln(predicted / true)|."""

    trace: str
    days: int
    hours: int
    errors: dict[str, float]
    is_covered: bool


def read(path: Path, daily: float) -> Trace:
    """Return a trace as the spending of an account that costs so much a day."""
    try:
        with path.open(newline="") as file:
            rows = [
                (datetime.fromisoformat(row["timestamp"]), float(row["value"]))
                for row in csv.DictReader(file)
            ]
    except (OSError, KeyError, ValueError) as err:
        raise ScoreError(f"{path} is no table of timestamp and value: {err}") from err
    if not any(value for _, value in rows):
        raise ScoreError(f"{path} holds no spending.")
    start = rows[0][0]
    values = [0.0] * (int((rows[-1][0] - start) / POLL) + 1)
    for at, value in rows:
        values[int((at - start) / POLL)] += value
    scale = daily / 24 / POLLS_AN_HOUR * len(values) / sum(values)
    return Trace(
        name=path.stem,
        start=start.replace(tzinfo=start.tzinfo or UTC),
        spent=[
            Decimal(spent * scale).quantize(CENT)
            for spent in accumulate(values, initial=0.0)
        ],
    )


def watch(trace: Trace, first: int, now: int) -> HourlySpend:
    """Return the history of polls, of an account with plenty."""
    ledger = Ledger()
    for poll in range(first, now + 1):
        balance = trace.spent[-1] + 1 - trace.spent[poll]
        wallet = Wallet(key="", unit=UNKNOWN_CURRENCY, balance=balance)
        ledger.observe(wallet.gauge, trace.at(poll))
    return ledger.history


def cases(trace: Trace) -> Iterator[Case]:
    """Yield all questions about a trace, with the answers."""
    for days in HISTORIES:
        start = days * 24 * POLLS_AN_HOUR
        for now in range(start, len(trace.spent), STEP * POLLS_AN_HOUR):
            history = watch(trace, now - start, now)
            for hours in HORIZONS:
                end = now + hours * POLLS_AN_HOUR
                if end < len(trace.spent) and trace.spent[end] > trace.spent[now]:
                    yield ask(trace, history, days, now, end)


def ask(trace: Trace, history: HourlySpend, days: int, now: int, end: int) -> Case:
    """Return how wrong the answers are, where what is left is spent until the end."""
    left = trace.spent[end] - trace.spent[now]
    # The last cent may be spent before.
    true = (bisect_left(trace.spent, trace.spent[end]) - now) * POLL

    def error(predicted: timedelta | None) -> float:
        return abs(log(predicted / true)) if predicted else inf

    def by_rule(hours: int) -> timedelta | None:
        polls = min(hours, days * 24) * POLLS_AN_HOUR
        spent = trace.spent[now] - trace.spent[now - polls]
        return float(left / spent) * polls * POLL if spent else None

    told = estimate(history, trace.at(now)).forecast(left, trace.at(now))
    low, high = told.runway_low, told.runway_high
    return Case(
        trace=trace.name,
        days=days,
        hours=(end - now) // POLLS_AN_HOUR,
        errors={
            OURS: error(told.runway),
            **{rule: error(by_rule(hours)) for rule, hours in RULES.items()},
        },
        is_covered=told.state is State.OK
        and low is not None
        and high is not None
        and low <= true <= high,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What some of the cases have in common."""

    name: str
    cases: list[Case]

    def median(self, rule: str) -> float:
        """Return the median error of a rule."""
        return median(case.errors[rule] for case in self.cases)

    def ninth(self, rule: str) -> float:
        """Return what nine of ten errors of a rule are up to."""
        errors = sorted(case.errors[rule] for case in self.cases)
        return errors[(len(errors) - 1) * 9 // 10]

    def ratio(self, error: Callable[[Row, str], float]) -> float:
        """Return the forecast's error as a part of the simple rule's."""
        simple = error(self, SIMPLE)
        return error(self, OURS) / simple if simple else inf

    @property
    def coverage(self) -> float:
        """Return in what part of the cases the truth is in the range."""
        return sum(case.is_covered for case in self.cases) / len(self.cases)


def rows(found: Sequence[Case]) -> Iterator[Row]:
    """Yield the cases by time ahead, by history and by trace, and all together."""
    groups = {
        **{f"{hours} hours ahead": ("hours", hours) for hours in HORIZONS},
        **{f"{days} days of history": ("days", days) for days in HISTORIES},
        **{
            name: ("trace", name)
            for name in dict.fromkeys(case.trace for case in found)
        },
    }
    for name, (field, value) in groups.items():
        if chosen := [case for case in found if getattr(case, field) == value]:
            yield Row(name=name, cases=chosen)
    yield Row(name="all", cases=list(found))


def milliseconds(trace: Trace) -> float:
    """Return how long one forecast over the longest history takes."""
    history, times = HourlySpend(), []
    polls = DAYS_KEPT * 24 * POLLS_AN_HOUR
    for poll in range(polls):
        # A trace that is shorter begins again.
        before = poll % (len(trace.spent) - 1)
        spent = trace.spent[before + 1] - trace.spent[before]
        history.add(trace.at(poll), trace.at(poll + 1), spent)
    for _ in range(50):
        begin = perf_counter()
        estimate(history, trace.at(polls)).forecast(Decimal(100), trace.at(polls))
        times.append(perf_counter() - begin)
    return 1000 * median(times)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A figure, and what it has to be."""

    name: str
    value: float
    least: float = 0
    most: float

    @property
    def is_met(self) -> bool:
        """Tell whether the figure is what it has to be."""
        return self.least <= self.value <= self.most


def targets(shown: Sequence[Row], trace: Trace) -> Iterator[Target]:
    """Yield what the forecast has to reach."""
    everything = shown[-1]
    yield Target(name="median ratio", value=everything.ratio(Row.median), most=0.80)
    for row in shown:
        if row.name == "6 hours ahead":
            yield Target(name="at six hours", value=row.ratio(Row.median), most=0.60)
    yield Target(name="90th percentile", value=everything.ratio(Row.ninth), most=0.85)
    yield Target(name="in the range", value=everything.coverage, least=0.75, most=0.85)
    yield Target(name="ms for 60 days", value=milliseconds(trace), most=2)


def number(value: float, digits: int = 2) -> Decimal:
    """Return a number for a cell."""
    return Decimal(f"{value:.{digits}f}")


def column(name: str, value: Callable[[Row], float]) -> Column[Row]:
    """Return a column of numbers."""
    return name, lambda row: number(value(row))


def columns() -> Iterator[Column[Row]]:
    """Yield the columns of the table."""
    yield "", lambda row: row.name
    yield "cases", lambda row: number(len(row.cases), 0)
    for error in (Row.median, Row.ninth):
        for rule in (OURS, *RULES):
            yield column(rule, partial(error, rule=rule))
        yield column("ratio", partial(Row.ratio, error=error))
    yield "in range", lambda row: number(row.coverage)


def report(paths: Sequence[Path], daily: float) -> Iterator[str]:
    """Yield what is measured, the table and the targets. Raises ScoreError."""
    traces = [read(path, daily) for path in paths]
    found = [case for trace in traces for case in cases(trace)]
    if not found:
        raise ScoreError("The traces are too short: it takes more than a day.")
    shown = list(rows(found))
    yield "|ln(predicted / true)| of how long money lasts, median and then 90th percentile:"
    yield "by the forecast, and by what was spent in the last days or hours going on so."
    yield f"Polled every 15 minutes, in cents, {daily:g} a day. The ratio is to {SIMPLE}."
    yield from table("Errors", shown, columns())
    yield from table(
        "Targets",
        list(targets(shown, traces[0])),
        (
            ("", lambda target: target.name),
            ("is", lambda target: number(target.value)),
            ("at least", lambda t: number(t.least) if t.least else None),
            ("at most", lambda target: number(target.most)),
            ("met", lambda target: "yes" if target.is_met else "no"),
        ),
    )


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="scripts/forecast_score", description=__doc__)
    parser.add_argument("trace", nargs="+", type=Path, help="timestamp,value as CSV")
    parser.add_argument(
        "--daily", type=float, default=5, help="what an average day costs (5)"
    )
    arguments = parser.parse_args()
    try:
        for line in report(arguments.trace, arguments.daily):
            print(line)
    except ScoreError as err:
        print(f"error: {err}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
