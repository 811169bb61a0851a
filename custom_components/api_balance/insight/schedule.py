"""When a provider may be asked again, and why."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

# A provider may ask for a longer pause; a clock that was set back looks like one.
MAX_RETRY_AFTER = timedelta(days=1)
# Polls slow down while they keep failing, up to this.
_LONGEST_BACKOFF = timedelta(minutes=30)
# While only a person can help, polls are rare.
_WHILE_REFUSED = timedelta(hours=1)
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

    def backoff(self, interval: timedelta, *, is_refused: bool) -> timedelta:
        """Return the time until the next poll after a failed one."""
        if is_refused:
            return max(_WHILE_REFUSED, interval)
        doublings = min(max(self.failures - 1, 0), _MAX_DOUBLINGS)
        return max(interval, min(interval * (1 << doublings), _LONGEST_BACKOFF))
