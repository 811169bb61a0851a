"""When spend jumped: what is far above its habit, and what only looks so."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import exp
from random import Random

import pytest

from custom_components.api_balance.insight.hourly_spend import HOUR, HourlySpend
from custom_components.api_balance.insight.jump import Jump, judge_jump, learn_baseline

# A Monday.
START = datetime(2026, 10, 5, tzinfo=UTC)
DAY = timedelta(days=1)
POLL = HOUR / 4

type Rate = Callable[[datetime], float]


def spend(
    history: HourlySpend, rate: Rate, length: timedelta, step: timedelta = HOUR
) -> datetime:
    """Add what a rate per hour costs from where the history ends; return its new end."""
    at = history.until or START
    end = at + length
    while at < end:
        amount = Decimal(rate(at) * (step / HOUR)).quantize(Decimal("0.0001"))
        history.add(at, at + step, amount)
        at += step
    return at


def spending(rate: Rate, length: timedelta) -> HourlySpend:
    """Return the history of a rate per hour."""
    history = HourlySpend()
    spend(history, rate, length)
    return history


def judge(
    is_jumping: bool, history: HourlySpend, now: datetime
) -> tuple[bool, Jump | None]:
    """Return how a history is judged by what was usual before."""
    return judge_jump(is_jumping, history, learn_baseline(history, now))


def find_jump(history: HourlySpend, now: datetime) -> Jump | None:
    """Return the jump of a history, None where there is none."""
    return judge(False, history, now)[1]


def follow(
    history: HourlySpend, rate: Rate, length: timedelta, is_jumping: bool = False
) -> tuple[bool, list[tuple[timedelta, Jump]]]:
    """Return how a judge that polls is left, and the news with the time it took."""
    assert history.until is not None
    begin, news = history.until, []
    while history.until < begin + length:
        now = spend(history, rate, POLL, POLL)
        is_jumping, jump = judge(is_jumping, history, now)
        if jump:
            news.append((now - begin, jump))
    return is_jumping, news


def by_day(at: datetime) -> float:
    """Return a rate that knows the hours of the day."""
    return 1.0 if 8 <= at.hour < 20 else 0.1


def nightly(at: datetime) -> float:
    """Return a rate of a job in the night."""
    return 12.0 if at.hour == 3 else 0.2


def one(at: datetime) -> float:
    """Return a constant rate."""
    return 1.0


def ten(at: datetime) -> float:
    """Return ten times that."""
    return 10.0


@pytest.mark.parametrize("days", [3.5, 7, 30])
@pytest.mark.parametrize("rate", [one, by_day])
def test_jump(rate: Rate, days: float) -> None:
    """Ten times the usual is found within hours, and told once."""
    history = spending(rate, days * DAY)
    is_jumping, news = follow(history, ten, 10 * HOUR)
    assert is_jumping
    [(after, jump)] = news
    assert after <= 2 * HOUR
    assert jump.hours in {2, 4, 6}
    assert jump.spent > 3 * jump.usual > 0


def test_what_is_told() -> None:
    """The jump tells what was spent, and what is usual in that time."""
    history = spending(one, 10 * DAY)
    now = spend(history, ten, 2 * HOUR)
    assert find_jump(history, now) == Jump(spent=Decimal(20), usual=Decimal(2), hours=2)


def test_leak_in_the_night() -> None:
    """What is usual is that of the hour: a leak shows the sooner at night."""
    history = spending(by_day, 10 * DAY)
    now = spend(history, lambda at: 2.5, 2 * HOUR)
    jump = find_jump(history, now)
    assert jump
    assert jump.usual < 1
    assert find_jump(spending(by_day, 10.5 * DAY), START + 10.5 * DAY) is None


def test_little_is_known() -> None:
    """It takes three days to know what is usual."""
    assert find_jump(HourlySpend(), START) is None
    for days, is_found in ((2.5, False), (3.5, True)):
        history = spending(one, days * DAY)
        now = spend(history, ten, 3 * HOUR)
        assert (find_jump(history, now) is not None) is is_found


def test_days_of_the_provider_are_no_habit() -> None:
    """Days that the provider told know nothing of bursts."""
    history = spending(one, 2 * DAY)
    days = [(START - day * DAY).date() for day in range(1, 20)]
    history.fill(dict.fromkeys(days, Decimal(24)))
    now = spend(history, ten, 3 * HOUR)
    assert find_jump(history, now) is None


def test_nothing_is_usual() -> None:
    """The first that is spent after a quiet week is no jump."""
    history = spending(lambda at: 0, 8 * DAY)
    now = spend(history, ten, 2 * HOUR)
    assert find_jump(history, now) is None


@pytest.mark.parametrize("rate", [one, by_day, nightly])
def test_habits_are_no_jumps(rate: Rate) -> None:
    """What comes every day is usual, however much it is."""
    is_jumping, news = follow(spending(rate, 4 * DAY), rate, 6 * DAY)
    assert (is_jumping, news) == (False, [])


def test_habitual_bursts_are_no_jumps() -> None:
    """A burst as there was one every week is no jump; one that is far larger is."""

    def weekly(at: datetime) -> float:
        return 15.0 if at.weekday() == 2 and at.hour in {5, 6} else 1.0

    history = spending(weekly, 30 * DAY)
    assert follow(history, weekly, 7 * DAY) == (False, [])
    # At another time of the week it is a burst like the others.
    spend(history, one, DAY)
    burst = spending(weekly, 30 * DAY)
    now = spend(burst, lambda at: 15, 2 * HOUR)
    assert find_jump(burst, now) is None
    now = spend(burst, lambda at: 90, 2 * HOUR)
    assert find_jump(burst, now) is not None


def test_cents_are_no_jump() -> None:
    """What is little beside the cost of a day is no leak, many times as it may be."""
    quiet = spending(lambda at: 5.0 if 8 <= at.hour < 20 else 0.001, 10 * DAY)
    now = spend(quiet, lambda at: 1.0, 3 * HOUR)
    assert find_jump(quiet, now) is None
    now = spend(quiet, lambda at: 10.0, 3 * HOUR)
    assert find_jump(quiet, now) is not None


def test_episode_ends() -> None:
    """When spend is back near its habit, the next jump is news again."""
    history = spending(one, 20 * DAY)
    is_jumping, news = follow(history, ten, 5 * HOUR)
    assert (is_jumping, len(news)) == (True, 1)
    # Not at once: it may go up and down.
    is_jumping, news = follow(history, one, HOUR, is_jumping)
    assert (is_jumping, news) == (True, [])
    is_jumping, news = follow(history, one, 8 * HOUR, is_jumping)
    assert (is_jumping, news) == (False, [])
    is_jumping, news = follow(history, lambda at: 50.0, 5 * HOUR, is_jumping)
    assert (is_jumping, len(news)) == (True, 1)


def test_new_level_is_learned() -> None:
    """What goes on for days is the habit."""
    history = spending(one, 20 * DAY)
    is_jumping, news = follow(history, ten, 7 * DAY)
    assert (is_jumping, len(news)) == (False, 1)


@pytest.mark.parametrize("was_jumping", [True, False])
def test_unknown_changes_nothing(was_jumping: bool) -> None:
    """Without history a jump neither begins nor ends."""
    assert judge(was_jumping, HourlySpend(), START) == (was_jumping, None)


def test_false_alarms() -> None:
    """Spend that scatters seldom jumps."""
    alarms = 0
    for seed in range(4):
        random = Random(seed)

        def noisy(at: datetime, random: Random = random) -> float:
            return by_day(at) * exp(random.gauss(0, 0.8))

        _, news = follow(spending(noisy, 3 * DAY), noisy, 14 * DAY)
        alarms += len(news)
    assert alarms <= 2
