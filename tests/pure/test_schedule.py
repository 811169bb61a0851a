"""When a provider may be asked again, and whose account it is."""

from datetime import UTC, datetime, timedelta

import pytest

from custom_components.api_balance.insight.identity import is_same_account
from custom_components.api_balance.insight.schedule import Ability, Schedule

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTES = timedelta(minutes=10)


def test_schedule() -> None:
    """The interval is the floor of every wait, and failures slow the polls down."""
    schedule = Schedule()
    assert schedule.backoff(MINUTES, is_refused=False) == MINUTES
    schedule.failures = 2
    assert schedule.backoff(MINUTES, is_refused=False) == 2 * MINUTES
    schedule.failures = 99
    assert schedule.backoff(MINUTES, is_refused=False) == 3 * MINUTES
    assert schedule.backoff(MINUTES, is_refused=True) == timedelta(hours=1)
    schedule.defer(Ability.SPEND_REPORT, timedelta(days=9), NOW)
    assert schedule.wait(Ability.SPEND_REPORT, NOW) == timedelta(days=1)
    assert schedule.wait(Ability.BALANCE, NOW) is None
    # A clock that was set back ends the wait.
    assert schedule.wait(Ability.SPEND_REPORT, NOW - timedelta(days=3)) is None
    schedule.defer(Ability.SPEND_REPORT, None, NOW)
    assert schedule.wait(Ability.SPEND_REPORT, NOW) is None


@pytest.mark.parametrize(
    ("known", "seen", "expected"),
    [("ab", "bc", True), ("ab", "cd", False), ("", "a", None), ("a", "", None)],
)
def test_identity(known: str, seen: str, expected: bool | None) -> None:
    """Two sets of ids are of one account where they share one."""
    assert is_same_account(known, seen) is expected
