"""When a provider may be asked again, and why."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from ..model import Failure, Problem

# A provider may ask for a longer pause; a clock that was set back looks like one.
MAX_RETRY_AFTER = timedelta(days=1)
# Polls slow down while they keep failing, up to this.
_LONGEST_BACKOFF = timedelta(minutes=30)
# While only a person can help, polls are rare.
_WHILE_REFUSED = timedelta(hours=1)
# A provider that limits reports and does not say for how long.
_AFTER_A_LIMIT = timedelta(minutes=15)
# Beyond so many failures the backoff has reached its end.
_MAX_DOUBLINGS = 8


class Ability(StrEnum):
    """What a provider is asked for; each has a wait of its own."""

    BALANCE = "balance"
    SPEND_REPORT = "spend_report"
    PURCHASES = "purchases"


@dataclass(slots=True, kw_only=True)
class Schedule:
    """The waits of an account.

    `retry_at` holds until when each ability may not be used, because the provider asked
    for a pause. `failures` counts the failed polls in a row.
    """

    retry_at: dict[Ability, datetime] = field(default_factory=dict)
    failures: int = 0

    def wait(self, ability: Ability, now: datetime) -> timedelta | None:
        """Return how long an ability may not be used, None if it may be used now."""
        retry_at = self.retry_at.get(ability)
        if retry_at and now < retry_at <= now + MAX_RETRY_AFTER:
            return retry_at - now
        return None

    def defer(
        self, ability: Ability, retry_after: timedelta | None, now: datetime
    ) -> None:
        """Store that an ability may not be used for some time; None ends the wait."""
        if retry_after:
            self.retry_at[ability] = now + min(retry_after, MAX_RETRY_AFTER)
        else:
            self.retry_at.pop(ability, None)

    def succeed(
        self, interval: timedelta, retry_after: timedelta | None, now: datetime
    ) -> timedelta:
        """Store that a poll succeeded, and return the time until the next one.

        A part of the account may have to wait, and with it the next poll.
        """
        self.failures = 0
        self.defer(Ability.BALANCE, retry_after, now)
        return max(interval, retry_after or interval)

    def fail(
        self, failure: Failure, interval: timedelta, now: datetime, *, is_refused: bool
    ) -> timedelta:
        """Store that a poll failed, and return the time until the next one."""
        self.failures += 1
        wait = self.backoff(interval, is_refused=is_refused)
        retry_after = failure.retry_after
        if failure.problem is Problem.RATE_LIMITED:
            # Whoever asks, and after a restart too.
            retry_after = max(retry_after or wait, wait)
        self.defer(Ability.BALANCE, retry_after, now)
        return max(wait, retry_after or wait)

    def refuse(self, ability: Ability, failure: Failure, now: datetime) -> None:
        """Store that a report was refused, so that it is not requested again at once."""
        is_limited = failure.problem is Problem.RATE_LIMITED
        pause = _AFTER_A_LIMIT if is_limited else None
        self.defer(ability, failure.retry_after or pause, now)

    def backoff(self, interval: timedelta, *, is_refused: bool) -> timedelta:
        """Return the time until the next poll after a failed one."""
        if is_refused:
            return max(_WHILE_REFUSED, interval)
        doublings = min(max(self.failures - 1, 0), _MAX_DOUBLINGS)
        return max(interval, min(interval * (1 << doublings), _LONGEST_BACKOFF))
