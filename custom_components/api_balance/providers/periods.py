"""The periods that providers count in, all in UTC."""

from datetime import UTC, date, datetime, time, timedelta


def today(now: datetime) -> datetime:
    """Return when the day began."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def this_week(now: datetime) -> datetime:
    """Return when the week began, on Monday."""
    return today(now) - timedelta(days=now.weekday())


def this_month(now: datetime) -> datetime:
    """Return when the month began."""
    return today(now).replace(day=1)


def next_month(now: datetime) -> datetime:
    """Return when the next month begins."""
    return this_month(this_month(now) + timedelta(days=32))


def day_start(day: date) -> datetime:
    """Return when a day began."""
    return datetime.combine(day, time(), UTC)
