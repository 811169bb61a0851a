"""How long the money lasts: every habit by example, and how good it is at random."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import exp, log, sin, tau
from pathlib import Path
from random import Random
from statistics import median, quantiles

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.api_balance.insight.forecast import (
    Confidence,
    Forecast,
    State,
    estimate,
    forecast,
)
from custom_components.api_balance.insight.hourly_spend import (
    DAYS_KEPT,
    HOUR,
    HourlySpend,
)
from scripts.forecast_score import ScoreError, report

# A Monday.
START = datetime(2026, 10, 5, tzinfo=UTC)
DAY = timedelta(days=1)
NOTHING = timedelta()
TEN_YEARS = timedelta(days=3652)

type Rate = Callable[[datetime], float]


def spending(rate: Rate, length: timedelta, start: datetime = START) -> HourlySpend:
    """Return the history of a rate per hour, as it was at each hour's begin."""
    history = HourlySpend()
    history.add(start, start, Decimal())
    at = start
    while at < start + length:
        end = min(at + HOUR, start + length)
        amount = Decimal(rate(at) * ((end - at) / HOUR)).quantize(Decimal("0.0001"))
        history.add(at, end, amount)
        at = end
    return history


def steady(length: timedelta, rate: float = 1.0) -> HourlySpend:
    """Return the history of a constant rate per hour."""
    return spending(lambda at: rate, length)


def foresee(history: HourlySpend, remaining: Decimal | None, now: datetime) -> Forecast:
    """Return how long an amount lasts by a history."""
    return estimate(history, now).forecast(remaining, now)


def asked(
    history: HourlySpend, spendable: float, after: timedelta = NOTHING
) -> Forecast:
    """Return the forecast right after the history, or later."""
    assert history.until is not None
    return foresee(history, Decimal(str(spendable)), history.until + after)


def runway(found: Forecast) -> float:
    """Return how many hours are foreseen."""
    assert found.runway is not None
    return found.runway / HOUR


def width(found: Forecast) -> float:
    """Return how many times longer the range's end is than its begin."""
    assert found.runway_low
    assert found.runway_high
    return found.runway_high / found.runway_low


def samples(amounts: Iterable[str], step: timedelta) -> list[tuple[datetime, Decimal]]:
    """Return observed amounts."""
    return [
        (START + index * step, Decimal(amount)) for index, amount in enumerate(amounts)
    ]


# What can be said


def test_nothing_is_known() -> None:
    """Without history there is nothing to say."""
    assert forecast([], START) == Forecast(state=State.COLLECTING)
    assert forecast(samples(["5"], HOUR), START) == Forecast(state=State.COLLECTING)
    assert foresee(HourlySpend(), None, START) == Forecast(state=State.COLLECTING)


@pytest.mark.parametrize(
    ("hours", "rate", "state"),
    [
        (5.5, 1, State.COLLECTING),
        (6.5, 1, State.OK),
        (23, 0, State.COLLECTING),
        (25, 0, State.IDLE),
    ],
)
def test_enough_history(hours: float, rate: float, state: State) -> None:
    """A few hours of spending are enough; that there is none takes a day to know."""
    found = asked(steady(hours * HOUR, rate), 10)
    assert found.state is state
    assert (found.runway is None) is (state is not State.OK)
    assert (found.confidence is None) is (state is not State.OK)


def test_idle() -> None:
    """Where nothing is spent there is no end."""
    idle = Forecast(state=State.IDLE, daily_spend=Decimal())
    assert asked(steady(3 * DAY, 0), 10) == idle
    assert forecast(samples(["7.50"] * 30, HOUR), START + 30 * HOUR) == idle


@pytest.mark.parametrize(
    ("every", "quiet", "state"),
    [
        (1, 5, State.OK),
        (1, 8, State.IDLE),
        (20, 15, State.OK),
        (4, 13, State.IDLE),
    ],
)
def test_idle_after_spending(every: int, quiet: int, state: State) -> None:
    """Idle is what is quiet for a week, and for much longer than it ever was."""
    end = START + 40 * DAY

    def rate(at: datetime) -> float:
        is_due = (at - START) % (every * DAY) < HOUR
        return 5.0 if is_due and at < end else 0.0

    history = spending(rate, 40 * DAY + quiet * DAY)
    assert asked(history, 10).state is state


@pytest.mark.parametrize("spendable", [0, -3])
@pytest.mark.parametrize(
    ("history", "state"),
    [
        (HourlySpend(since=START, until=START), State.COLLECTING),
        (steady(2 * DAY, 0), State.IDLE),
        (steady(2 * DAY), State.OK),
    ],
)
def test_nothing_is_left(history: HourlySpend, state: State, spendable: int) -> None:
    """What is used up does not last, whatever else is known."""
    found = asked(history, spendable)
    assert found.state is state
    assert found.runway == found.runway_low == found.runway_high == NOTHING


def test_without_end() -> None:
    """Debt that is paid later has a daily spend, but does not run dry."""
    found = foresee(steady(2 * DAY), None, START + 2 * DAY)
    assert found.state is State.OK
    assert found.daily_spend == 24
    assert found.runway is found.runway_low is found.runway_high is None
    assert found.confidence is not None


def test_steady() -> None:
    """A constant rate goes on."""
    found = asked(steady(14 * DAY, 0.1), 12)
    assert found.daily_spend == Decimal("2.4")
    assert runway(found) == pytest.approx(120, rel=0.01)
    assert found.confidence is Confidence.HIGH
    assert width(found) < 1.5


@pytest.mark.parametrize("days", [0.001, 0.2, 6.9, 7.1, 45, 400])
def test_any_length(days: float) -> None:
    """What lasts longer than a week goes on like the week."""
    assert runway(asked(steady(9 * DAY), days * 24)) == pytest.approx(
        days * 24, rel=0.01
    )


def test_longest() -> None:
    """Nobody plans further than ten years."""
    found = asked(steady(9 * DAY, 0.001), 1000)
    assert found.runway == found.runway_high == TEN_YEARS
    found = asked(steady(9 * DAY), 10**12)
    assert found.runway_low == TEN_YEARS


def test_daily_spend_has_few_digits() -> None:
    """The daily spend is never more exact than it is, and never in powers of ten."""
    for rate, expected in ((0.5432, "13.04"), (123456.789, "2963000")):
        found = asked(steady(9 * DAY, rate), 1)
        assert str(found.daily_spend) == expected


# What is spent


def test_samples() -> None:
    """Observed amounts become a history by way of the ledger."""
    polled = samples([f"{100 - poll * 0.25:.2f}" for poll in range(200)], HOUR / 4)
    found = forecast(polled, polled[-1][0])
    assert found.daily_spend == pytest.approx(Decimal(24), rel=Decimal("0.01"))
    assert runway(found) == pytest.approx(50.25, rel=0.02)


def test_top_ups_do_not_count() -> None:
    """What is paid in changes what is left, and nothing else."""
    spent = [Decimal(poll) / 10 for poll in range(300)]
    plain = [(START + i * HOUR / 4, 50 - each) for i, each in enumerate(spent)]
    topped_up = [
        (at, amount + 100 if index > 150 else amount)
        for index, (at, amount) in enumerate(plain)
    ]
    now = plain[-1][0]
    before, after = forecast(plain, now), forecast(topped_up, now)
    assert before.daily_spend is not None
    assert after.daily_spend == pytest.approx(before.daily_spend, rel=Decimal("0.01"))
    assert runway(after) - runway(before) == pytest.approx(250, rel=0.02)


def test_cents() -> None:
    """A provider that tells whole cents makes steps of a little that is spent."""
    spent = [Decimal(f"{poll * 0.3 / 96:.2f}") for poll in range(5 * 96)]
    found = forecast(
        [(START + i * HOUR / 4, 20 - each) for i, each in enumerate(spent)],
        START + 5 * DAY,
    )
    assert found.daily_spend == pytest.approx(Decimal("0.3"), rel=Decimal("0.1"))
    assert runway(found) == pytest.approx(24 * 18.5 / 0.3, rel=0.1)


# Habits


def office(at: datetime) -> float:
    """Return a rate by day, every day."""
    return 1.0 if 9 <= at.hour < 17 else 0.0


def workdays(at: datetime) -> float:
    """Return a rate that is of five days a week."""
    return 1.0 if at.weekday() < 5 else 0.0


def test_hours_of_the_day() -> None:
    """What is left in the evening lasts until late next morning."""
    history = spending(office, 14 * DAY + 17 * HOUR)
    # By the average of a third an hour it would be twelve hours.
    assert runway(asked(history, 4)) == pytest.approx(20, abs=2)
    # And what is left in the morning is gone sooner.
    history = spending(office, 14 * DAY + 9 * HOUR)
    assert runway(asked(history, 4)) == pytest.approx(4, abs=1)


def test_hours_within_a_day() -> None:
    """The hours of the day are counted from the moment that is asked."""
    history = spending(office, 14 * DAY + 12 * HOUR)
    assert runway(asked(history, 1)) < 2
    assert runway(asked(history, 1, 5 * HOUR)) > 15


def test_days_of_the_week() -> None:
    """What is left on Friday night lasts over the weekend."""
    history = spending(workdays, 33 * DAY)
    # It is Saturday. By the average it would be less than two days.
    assert runway(asked(history, 30)) > 65
    history = spending(workdays, 28 * DAY)
    # It is Monday.
    assert runway(asked(history, 30)) == pytest.approx(30, rel=0.2)


def test_one_day_is_no_week() -> None:
    """A history of a day tells the level, and half believes in its hours."""
    found = asked(spending(office, DAY), 56)
    assert found.daily_spend == pytest.approx(8, rel=0.1)
    assert runway(found) == pytest.approx(7 * 24, rel=0.1)
    assert width(found) > 3 * width(asked(spending(office, 14 * DAY), 56))


def test_new_level() -> None:
    """What is spent lately counts, the more, the sooner it is asked for."""
    history = spending(lambda at: 1 if at < START + 10 * DAY else 4, 13 * DAY)
    soon, later = asked(history, 24), asked(history, 4 * 24 * 7)
    average = (10 + 3 * 4) / 13
    assert 6 <= runway(soon) < 9
    assert 7 * 24 < runway(later) < 7 * 24 * 4 / average
    assert soon.daily_spend is not None
    assert 24 * average < soon.daily_spend < 24 * 4


def test_bursts() -> None:
    """A rare burst does not make the next hours expensive."""
    history = spending(
        lambda at: 200 if at == START + 5 * DAY + 3 * HOUR else 1, 14 * DAY
    )
    # By the average of the week it would be eleven hours.
    assert runway(asked(history, 24)) == pytest.approx(24, rel=0.15)


def calls(seed: int, chance: float) -> Rate:
    """Return a rate of calls that come in some of the hours only."""
    random = Random(seed)
    return lambda at: random.random() < chance


@pytest.mark.parametrize("chance", [0.05, 0.1, 0.2])
def test_rare_calls(chance: float) -> None:
    """Where most hours are quiet, what is left goes as fast as the calls come."""
    runways = [
        runway(asked(spending(calls(seed, chance), 14 * DAY), 2)) for seed in range(21)
    ]
    assert median(runways) == pytest.approx(2 / chance, rel=0.25)


# How sure it is


def noisy(seed: int, scatter: float = 1) -> Rate:
    """Return a rate that scatters."""
    random = Random(seed)
    return lambda at: exp(random.gauss(0, scatter))


def test_range_is_wider_after_a_short_time() -> None:
    """The less is known, the less sure it is."""
    widths = [
        median(width(asked(spending(noisy(seed), days * DAY), 60)) for seed in range(9))
        for days in (1, 4, 14, 50)
    ]
    assert widths[0] > 1.3 * widths[1]
    assert widths[1] > 1.2 * max(widths[2:])


def test_confidence() -> None:
    """How sure a forecast is follows from its range."""
    found = {
        scatter: asked(spending(noisy(1, scatter), 9 * DAY), 9).confidence
        for scatter in (0.1, 1, 3)
    }
    assert found == {0.1: Confidence.HIGH, 1: Confidence.MEDIUM, 3: Confidence.LOW}
    assert asked(steady(8 * HOUR), 99).confidence is Confidence.LOW


# Odd histories


def test_unobserved_hours() -> None:
    """An hour that is missing is not one without spending."""
    history = spending(office, 14 * DAY)
    whole = asked(history, 50)
    for hour in sorted(history.hours)[24 * 3 : 24 * 6]:
        del history.hours[hour]
    assert asked(history, 50).daily_spend == pytest.approx(
        whole.daily_spend, rel=Decimal("0.02")
    )
    assert runway(asked(history, 50)) == pytest.approx(runway(whole), rel=0.1)


def test_days_that_the_provider_told() -> None:
    """Days before the first observation tell the level and the weekdays, not the hours."""
    history = spending(office, 2 * DAY, START + 28 * DAY)
    days = [START.date() + timedelta(days=day) for day in range(28)]
    history.fill({day: Decimal(8 if day.weekday() < 5 else 1) for day in days})
    found = asked(history, 4, 17 * HOUR)
    assert found.daily_spend == pytest.approx(Decimal(6), rel=Decimal("0.1"))
    assert runway(found) == pytest.approx(20, abs=5)
    friday = foresee(history, Decimal(6), START + 33 * DAY)
    assert runway(friday) > 36


def test_days_alone() -> None:
    """What the provider told is enough, whatever was seen since."""
    history = steady(HOUR, 0)
    days = [START.date() - timedelta(days=day) for day in range(1, 10)]
    history.fill(dict.fromkeys(days, Decimal(24)))
    found = asked(history, 24)
    assert found.daily_spend == pytest.approx(Decimal(24), rel=Decimal("0.05"))
    assert runway(found) == pytest.approx(24, rel=0.1)


def test_long_ago() -> None:
    """A history that ended long ago is the best that is known."""
    found = asked(steady(3 * DAY), 24, 30 * DAY)
    assert found.daily_spend == 24
    assert runway(found) == pytest.approx(24, rel=0.02)


def test_clock_is_set_back() -> None:
    """What is yet to come is not known."""
    history = spending(lambda at: 1 if at < START + 2 * DAY else 99, 4 * DAY)
    found = asked(history, 24, -2 * DAY)
    assert found.daily_spend == 24
    assert asked(history, 24, -9 * DAY) == Forecast(state=State.COLLECTING)


def test_oldest_hours_are_forgotten() -> None:
    """A history of more than is kept counts from what is kept."""
    history = steady((DAYS_KEPT + 5) * DAY)
    found = asked(history, 24)
    assert found.daily_spend == 24
    assert found.confidence is Confidence.HIGH


def test_less_than_nothing() -> None:
    """What rounding leaves in an hour is no income."""
    history = steady(2 * DAY)
    hour = min(history.hours) + 5
    history.hours[hour] = Decimal("-0.0000001")
    assert asked(history, 24).daily_spend == pytest.approx(24, rel=0.05)


@settings(deadline=None)
@given(
    amounts=st.lists(
        st.decimals("0", "1000000", places=6) | st.just(Decimal()), max_size=120
    ),
    spendable=st.none() | st.decimals("-10", "1000000000", places=2),
    minutes=st.integers(1, 600),
    late=st.integers(-3000, 3000),
)
def test_any_history(
    amounts: list[Decimal], spendable: Decimal | None, minutes: int, late: int
) -> None:
    """Whatever was seen, the forecast is in its range, and there or not as it says."""
    history, at = HourlySpend(), START
    for amount in amounts:
        history.add(at, at + timedelta(minutes=minutes), amount)
        at += timedelta(minutes=minutes)
    found = foresee(history, spendable, at + timedelta(minutes=late))
    parts = (found.runway_low, found.runway, found.runway_high)
    assert (found.confidence is not None) is (found.state is State.OK)
    assert (found.daily_spend is None) is (found.state is State.COLLECTING)
    if spendable is not None and (found.state is State.OK or spendable <= 0):
        low, middle, high = parts
        assert low is not None
        assert middle is not None
        assert high is not None
        assert NOTHING <= low <= middle <= high <= TEN_YEARS
    else:
        assert parts == (None, None, None)


# How good it is


def by_day(random: Random) -> Rate:
    """Return a rate of people: by day, less on weekends, never twice the same."""
    noise = 0.0

    def rate(at: datetime) -> float:
        nonlocal noise
        noise = 0.8 * noise + random.gauss(0, 0.2)
        weekend = 0.4 if at.weekday() >= 5 else 1.0
        return weekend * exp(noise) * (1.1 + sin(tau * (at.hour - 9) / 24))

    return rate


def messages(random: Random) -> Rate:
    """Return a rate with bursts."""
    burst = 0.0

    def rate(at: datetime) -> float:
        nonlocal burst
        burst = burst * 0.5 + (
            random.paretovariate(1.3) if random.random() < 0.03 else 0
        )
        return exp(random.gauss(0, 0.5)) * (1.3 + sin(tau * at.hour / 24)) + 4 * burst

    return rate


def moving(random: Random) -> Rate:
    """Return a rate whose level moves."""
    level = 0.0

    def rate(at: datetime) -> float:
        nonlocal level
        level += random.gauss(0, 0.06)
        return exp(level + random.gauss(0, 0.3))

    return rate


def nightly(random: Random) -> Rate:
    """Return a rate of jobs in the night."""
    return lambda at: 6 * exp(random.gauss(0, 0.2)) if 2 <= at.hour < 4 else 0.2


def test_accuracy() -> None:
    """It is better than that the average of the week goes on, and knows how good it is."""
    ours: dict[int, list[float]] = {}
    simple: dict[int, list[float]] = {}
    covered = []
    for kind in (by_day, messages, moving, nightly):
        for seed in range(8):
            rate, days = kind(Random(seed)), (1, 3, 7, 14)[seed % 4]
            now = START + days * DAY + (seed * 7 + 3) * HOUR
            history = spending(rate, now - START)
            week = list(history.hours.values())[-7 * 24 :]
            average = float(sum(week)) / len(week)
            left = 0.0
            for hours in range(1, 169):
                left += rate(now + (hours - 1) * HOUR)
                if hours not in {6, 24, 72, 168}:
                    continue
                found = foresee(history, Decimal(left), now)
                ours.setdefault(hours, []).append(abs(log(runway(found) / hours)))
                simple.setdefault(hours, []).append(abs(log(left / average / hours)))
                assert found.runway_low is not None
                assert found.runway_high is not None
                covered.append(found.runway_low <= hours * HOUR <= found.runway_high)
    all_ours = [error for errors in ours.values() for error in errors]
    all_simple = [error for errors in simple.values() for error in errors]
    assert median(ours[6]) < 0.6 * median(simple[6])
    assert median(all_ours) < 0.8 * median(all_simple)
    assert quantiles(all_ours, n=10)[-1] < 0.85 * quantiles(all_simple, n=10)[-1]
    assert sum(covered) / len(covered) == pytest.approx(0.8, abs=0.025)


# scripts/forecast_score


def trace_of(rate: Rate, days: int, path: Path) -> Path:
    """Write a trace of a value every half an hour."""
    moments = [START + half * HOUR / 2 for half in range(days * 48)]
    lines = [f"{at:%Y-%m-%d %H:%M:%S},{rate(at):.3f}" for at in moments]
    path.write_text("\n".join(["timestamp,value", *lines]))
    return path


def test_score(tmp_path: Path) -> None:
    """The script compares with simple rules, and says which targets are met."""
    path = trace_of(by_day(Random(1)), 6, tmp_path / "office.csv")
    text = "\n".join(report([path], daily=5))
    rows = {line.split("  ")[0]: line.split() for line in text.splitlines() if line}
    for name in (
        "6 hours ahead",
        "72 hours ahead",
        "1 days of history",
        "office",
        "all",
    ):
        assert name in rows
    assert "7 days of history" not in rows
    assert rows["median ratio"][-1] == "yes"


def test_score_of_no_trace(tmp_path: Path) -> None:
    """What cannot be measured is told."""
    bad, short = tmp_path / "bad.csv", trace_of(office, 1, tmp_path / "short.csv")
    bad.write_text("time\n1")
    empty = trace_of(lambda at: 0, 3, tmp_path / "empty.csv")
    for path, told in (
        (tmp_path / "none.csv", "no table"),
        (bad, "no table"),
        (short, "too short"),
        (empty, "no spending"),
    ):
        with pytest.raises(ScoreError, match=told):
            list(report([path], daily=5))
