"""The script that shows how fast it is. What it measures depends on the machine."""

import asyncio
from asyncio.subprocess import PIPE
import os
from pathlib import Path
import re
import sys

import pytest

ROOT = Path(__file__).parents[1]
# What is compared, and two figures in the same unit with their ratio.
ROW = re.compile(
    r"(?P<what>\S.*?)  +(?P<ours>[\d.]+) (?P<unit>\S+) +"
    r"(?P<beside>[\d.]+) (?P=unit) +(?P<ratio>[\d.]+)"
)

WHAT = [
    "Read one provider; beside aiohttp and json alone",
    "Poll 26 providers at once; beside one after the other",
    "Longest wait of the event loop then; beside idling",
    "Poll without a change; beside one with a change",
    "States written by it; beside one with a change",
    "States written a poll later; beside one with a change",
    "Forecast from 60 days; beside one from 1 day",
    "Forecast from 60 days; beside their plain average",
    "Forecast from 5761 samples; beside bare subtractions",
    "A wallet's 60 days as JSON; beside orjson alone",
    "Its size on the disk; beside the most it may have",
]


async def test_quick() -> None:
    """Every comparison has its row; what is counted is as it has to be."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "scripts.benchmark", "--quick"),
        stdout=PIPE,
        stderr=PIPE,
        env={"PATH": os.defpath, "PYTHONPATH": str(ROOT)},
    )
    output, errors = await process.communicate()
    assert (process.returncode, errors.decode()) == (0, "")
    rows = [
        row for line in output.decode().splitlines() if (row := ROW.fullmatch(line))
    ]
    assert [row["what"] for row in rows] == WHAT
    found = {row["what"]: (float(row["ours"]), float(row["beside"])) for row in rows}
    for row in rows:
        ours, beside = found[row["what"]]
        # What is smaller is rounded too much.
        if beside >= 1:
            ratio = pytest.approx(ours / beside, rel=0.05, abs=0.01)
            assert float(row["ratio"]) == ratio
    written, written_with_change = found[WHAT[4]]
    assert written == 1 < written_with_change
    size, most = found[WHAT[10]]
    assert size <= most == 50
