"""The long-term statistics as the recorder keeps them.

Imported only where there is a recorder: it has requirements of its own.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import partial

from homeassistant.components.recorder.core import Recorder
from homeassistant.components.recorder.models import (
    StatisticData,
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.components.recorder.statistics import (
    StatisticsRow,
    async_add_external_statistics,
    get_last_statistics,
    get_metadata,
    statistics_during_period,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from .series import Point, Series, correct

type Owns = Callable[[str], bool]
type Change = tuple[StatisticMetaData, list[StatisticData]]


async def async_last_start(hass: HomeAssistant, owns: Owns) -> datetime | None:
    """Return the start of the last row of the statistics that are owned."""
    recorder = await _async_ready(hass)
    return await recorder.async_add_executor_job(_last_start, hass, owns)


async def async_names(hass: HomeAssistant, owns: Owns) -> dict[str, str]:
    """Return the names of the statistics that are owned."""
    recorder = await _async_ready(hass)
    known = await recorder.async_add_executor_job(
        partial(get_metadata, hass, statistic_source=DOMAIN)
    )
    return {
        id_: metadata["name"] or "" for id_, (_, metadata) in known.items() if owns(id_)
    }


async def async_write(
    hass: HomeAssistant,
    owns: Owns,
    series: Mapping[str, Series],
    since: datetime | None,
) -> None:
    """Write what differs from what is kept, with all sums after it.

    From `since` on the series are all there is of the statistics that are owned. A
    statistic begins when something was spent.
    """
    recorder = await _async_ready(hass)
    for metadata, rows in await recorder.async_add_executor_job(
        _changes, hass, owns, series, since
    ):
        async_add_external_statistics(hass, metadata, rows)


async def _async_ready(hass: HomeAssistant) -> Recorder:
    """Return the recorder when it has written all that it was given."""
    recorder = get_instance(hass)
    await recorder.async_block_till_done()
    return recorder


def _last_start(hass: HomeAssistant, owns: Owns) -> datetime | None:
    """Read the start of the last row."""
    starts = [
        row["start"]
        for id_ in get_metadata(hass, statistic_source=DOMAIN)
        if owns(id_)
        for row in get_last_statistics(hass, 1, id_, False, set()).get(id_, ())
    ]
    return dt_util.utc_from_timestamp(max(starts)) if starts else None


def _changes(
    hass: HomeAssistant,
    owns: Owns,
    series: Mapping[str, Series],
    since: datetime | None,
) -> list[Change]:
    """Read what is kept, and return what has to be written."""
    known = {
        id_: metadata
        for id_, (_, metadata) in get_metadata(hass, statistic_source=DOMAIN).items()
        if owns(id_)
    }
    begun = {id_ for id_, one in series.items() if any(one.amounts.values())}
    ids = {*known, *begun}
    first = since or min(min(one.amounts) for one in series.values())
    kept = statistics_during_period(
        hass, first, None, ids, "hour", None, {"state", "sum"}
    )
    changes: list[Change] = []
    for id_ in sorted(ids):
        points = [_point(row) for row in kept.get(id_, ())]
        if points:
            base = points[0].total - points[0].amount
        else:
            last = get_last_statistics(hass, 1, id_, False, {"sum"}).get(id_, ())
            base = _decimal(last[0]["sum"]) if last else Decimal()
        reported = series[id_].amounts if id_ in series else {}
        rows = [
            StatisticData(
                start=point.start, state=float(point.amount), sum=float(point.total)
            )
            for point in correct(points, reported, base, since)
        ]
        if rows:
            metadata = _metadata(id_, series[id_]) if id_ in series else known[id_]
            changes.append((metadata, rows))
    return changes


def _metadata(statistic_id: str, series: Series) -> StatisticMetaData:
    """Return what a statistic is."""
    return StatisticMetaData(
        mean_type=StatisticMeanType.NONE,
        has_sum=True,
        name=series.name,
        source=DOMAIN,
        statistic_id=statistic_id,
        unit_class=None,
        unit_of_measurement=series.unit.code,
    )


def _point(row: StatisticsRow) -> Point:
    """Return a row as it is kept."""
    return Point(
        start=dt_util.utc_from_timestamp(row["start"]),
        amount=_decimal(row["state"]),
        total=_decimal(row["sum"]),
    )


def _decimal(number: float | None) -> Decimal:
    """Return the decimal that a number was made of."""
    return Decimal(str(number or 0))
