"""What a wallet spent, hour by hour."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from math import ceil
from typing import Any, Self

HOUR = timedelta(hours=1)
DAYS_KEPT = 60

_KEPT = timedelta(days=DAYS_KEPT)
_HOURS_KEPT = DAYS_KEPT * 24
# What falls into several hours is divided to so many more digits than it has.
_MORE_DIGITS = 4
_MAX_DIGITS = 24
_ZERO = Decimal()
_NOT_OBSERVED = "-"
# The year 9999: no time is later.
_LAST_HOUR = 70_389_527
_STORED_DIGITS = 60


def hour_of(at: datetime) -> int:
    """Return the hour of a time, counted since 1970 in UTC."""
    return int(at.timestamp() // 3600)


def start_of(hour: int) -> datetime:
    """Return when an hour began."""
    return datetime.fromtimestamp(hour * 3600, UTC)


@dataclass(slots=True, kw_only=True)
class HourlySpend:
    """The hourly spend of a wallet, in its unit; positive is spent.

    `hours` has every hour from `since` until `until`: what was spent in an outage is
    spread over it. The first and the last hour are observed in part. Hours before
    `filled_until` come from the provider's days, which know nothing of the hour; those
    of a day that the provider had yet to report are missing.
    """

    hours: dict[int, Decimal] = field(default_factory=dict)
    since: datetime | None = None
    until: datetime | None = None
    filled_until: int = 0

    @property
    def last(self) -> int | None:
        """Return the last hour that was observed, None where none was."""
        return None if self.until is None else ceil(self.until.timestamp() / 3600) - 1

    def encode(self) -> dict[str, Any]:
        """Return the data to store: the hours on one line, which takes half the space."""
        first, last = min(self.hours, default=0), max(self.hours, default=-1)
        spends = (self.hours.get(hour) for hour in range(first, last + 1))
        return {
            "first": first,
            "hours": " ".join(
                _NOT_OBSERVED if spent is None else f"{spent.normalize():f}"
                for spent in spends
            ),
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
            "filled_until": self.filled_until,
        }

    @classmethod
    def decode(cls, data: Mapping[str, Any]) -> Self:
        """Return the spend of stored data. Raises ValueError or ArithmeticError."""
        first, filled_until = int(data["first"]), int(data["filled_until"])
        spends = str(data["hours"]).split()
        if len(spends) > _HOURS_KEPT or not 0 <= first <= _LAST_HOUR:
            raise ValueError("more hours than are kept")
        hours = {
            hour: Decimal(spent)
            for hour, spent in enumerate(spends, first)
            if spent != _NOT_OBSERVED
        }
        if not all(
            spent.is_finite() and abs(spent.adjusted()) <= _STORED_DIGITS
            for spent in hours.values()
        ):
            raise ValueError("a spend that no account has")
        since, until = (
            datetime.fromisoformat(data[name]) if data[name] else None
            for name in ("since", "until")
        )
        return cls(hours=hours, since=since, until=until, filled_until=filled_until)

    @classmethod
    def merge(cls, histories: Iterable[Self]) -> Self:
        """Return what several wallets of one unit spent together.

        What one of them was not observed for, as before it appeared, counts as nothing.
        The end is that of the one that was observed the least far.
        """
        known = [history for history in histories if history.hours]
        if len(known) == 1:
            return known[0]
        total = cls(
            since=min((one.since for one in known if one.since), default=None),
            until=min((one.until for one in known if one.until), default=None),
            filled_until=max((one.filled_until for one in known), default=0),
        )
        for one in known:
            for hour, spent in one.hours.items():
                total.hours[hour] = total.hours.get(hour, _ZERO) + spent
        total._trim()
        return total

    def add(self, start: datetime, end: datetime, amount: Decimal) -> None:
        """Add what was spent from start to end, evenly over that time."""
        if self.until is not None and end < self.until:
            self._set_back(end)
        if self.since is None or end < self.since:
            self.since = start
        self.until = end
        last = hour_of(end)
        if end - start > _KEPT:
            amount = share(amount, _KEPT / (end - start))
            start = end - _KEPT
        for hour in range(hour_of(start), last):
            part = start_of(hour + 1) - max(start_of(hour), start)
            spent = share(amount, part / (end - start))
            amount -= spent
            start = start_of(hour + 1)
            self.hours[hour] = self.hours.get(hour, _ZERO) + spent
        self.hours[last] = self.hours.get(last, _ZERO) + amount
        self._trim()

    def fill(self, days: Mapping[date, Decimal]) -> None:
        """Add what the provider reports of the days, in UTC, before the first observation.

        Between the first day that is reported and the day of the observation, a day that is
        missing is one without spending. The day of the observation may be reported later.
        """
        if not days or self.since is None:
            return
        seen_from = hour_of(self.since)
        today = self.since.date()
        first = max(hour_of(_midnight(min(days))), seen_from - _HOURS_KEPT)
        # The report of that day may arrive late: it holds what was observed since then.
        tomorrow = _midnight(today) + timedelta(days=1)
        observed = sum(
            spent for _, spent in self.between(start_of(seen_from), tomorrow)
        )
        before = max(days.get(today, _ZERO) - observed, _ZERO)
        for hour in range(first, seen_from):
            day = start_of(hour).date()
            if day < today:
                self.hours[hour] = share(days.get(day, _ZERO), 1 / 24)
            elif day in days:
                # Of the day of the observation, the hours before it.
                length = seen_from - hour_of(_midnight(day))
                self.hours[hour] = share(before, 1 / length)
        if first < seen_from:
            self.since, self.filled_until = start_of(first), seen_from
            self._trim()

    def between(self, start: datetime, end: datetime) -> Iterator[tuple[int, Decimal]]:
        """Yield the observed hours that begin from start on and before end, in order."""
        for hour in range(ceil(start.timestamp() / 3600), ceil(end.timestamp() / 3600)):
            spent = self.hours.get(hour)
            if spent is not None:
                yield hour, spent

    def total(self, start: datetime, end: datetime) -> Decimal:
        """Return what was observed from start to end, with the part of an hour at both."""
        first, last = hour_of(start), ceil(end.timestamp() / 3600)
        found = _ZERO
        for hour in range(first, last):
            if spent := self.hours.get(hour):
                begin, over = max(start_of(hour), start), min(start_of(hour + 1), end)
                part = (over - begin) / HOUR
                found += spent if part == 1 else share(spent, part)
        return found

    def covers(self, start: datetime) -> bool:
        """Return whether every hour from then on was observed."""
        last = self.last
        return (
            self.since is not None
            and last is not None
            and self.since <= start
            and all(hour in self.hours for hour in range(hour_of(start), last + 1))
        )

    def pace(self, length: timedelta, least: timedelta) -> Decimal | None:
        """Return what an hour cost in the last time that was observed, of some length.

        None where less was observed than `least`.
        """
        since, until = self.since, self.until
        if since is None or until is None or until - since < least:
            return None
        begin = max(since, until - length)
        first = hour_of(begin)
        spent = sum(amount for hour, amount in self.hours.items() if hour >= first)
        return spent / Decimal((until - begin) / HOUR)

    def _set_back(self, now: datetime) -> None:
        """Forget the hours that have yet to come: the clock was wrong."""
        for hour in [hour for hour in self.hours if hour > hour_of(now)]:
            del self.hours[hour]

    def _trim(self) -> None:
        """Forget the hours beyond what is kept."""
        if len(self.hours) > _HOURS_KEPT:
            oldest = max(self.hours) - _HOURS_KEPT
            for hour in [hour for hour in self.hours if hour <= oldest]:
                del self.hours[hour]


def _midnight(day: date) -> datetime:
    """Return when a day begins in UTC."""
    return datetime.combine(day, time(), UTC)


def share(amount: Decimal, part: float) -> Decimal:
    """Return a part of an amount, to a few more digits than it has."""
    exponent = int(amount.as_tuple().exponent) - _MORE_DIGITS
    # Decimal arithmetic keeps 28 digits.
    digits = Decimal((0, (1,), max(exponent, amount.adjusted() - _MAX_DIGITS)))
    return (amount * Decimal(part)).quantize(digits)
