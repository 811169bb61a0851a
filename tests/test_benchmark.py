"""The script that shows how fast it is. What it measures depends on the machine."""

import asyncio
from asyncio.subprocess import PIPE
import json
import os
from pathlib import Path
import re
import sys

import pytest
import yaml

from scripts.benchmark import add_past, cost_of, line, rest_configuration

ROOT = Path(__file__).parents[1]
LINE = re.compile(
    r"(?P<what> *\S.*?)  +(?P<ours>-?[\d.]+) +(?P<rest>-?[\d.]+) +(?P<ratio>-?[\d.]+|-)"
    r"(?: +(?P<target>(?:ratio )?<= [\d.]+))?(?: +(?P<verdict>met|missed))?"
)
WHAT = [
    "Unchanged poll: CPU (ms)",
    "  states written",
    "  rows in the recorder",
    "  files written",
    "Changed poll: CPU (ms)",
    "  CPU for a state written (ms)",
    "  states written",
    "  rows in the recorder",
    "  files written",
    "Memory, with 60 days behind it (MB)",
    "Longest hold of the event loop (ms)",
    "Idle for as long: CPU (ms)",
]


async def benchmark(*arguments: str) -> tuple[int | None, str, str]:
    """Return the exit code, the output and the errors of the script."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "scripts.benchmark", *arguments),
        stdout=PIPE,
        stderr=PIPE,
        env={"PATH": os.defpath, "PYTHONPATH": str(ROOT)},
    )
    output, errors = await process.communicate()
    return process.returncode, output.decode(), errors.decode()


@pytest.mark.timeout(300)
async def test_quick() -> None:
    """Every comparison has its line; what is counted beside rest is as it has to be."""
    code, output, errors = await benchmark("--quick", "--accounts", "1")
    assert code == 0, errors
    lines = [found for text in output.splitlines() if (found := LINE.fullmatch(text))]
    assert [found["what"] for found in lines] == WHAT
    rest = [float(found["rest"]) for found in lines]
    # rest writes the balance and the available credit, and nothing when nothing is new.
    assert rest[1:4] == [0, 0, 0]
    assert rest[6:9] == [2, 2, 0]
    assert float(lines[6]["ours"]) >= 2


@pytest.mark.parametrize("number", ["0", "301", "many"])
async def test_number_of_accounts(number: str) -> None:
    """From 1 to 300 accounts can be measured."""
    code, output, errors = await benchmark("--accounts", number)
    assert (code, output) == (2, "")
    assert "--accounts" in errors


async def test_help() -> None:
    """The help says how to read the table."""
    code, output, _ = await benchmark("--help")
    assert code == 0
    assert "How to read the table" in output


@pytest.mark.parametrize(
    ("ours", "rest", "target", "expected"),
    [
        (
            0.5,
            1,
            {"most_ratio": 0.5},
            ["0.500", "1.000", "0.50", "ratio <= 0.5", "met"],
        ),
        (
            2,
            1,
            {"most_ratio": 0.5},
            ["2.000", "1.000", "2.00", "ratio <= 0.5", "missed"],
        ),
        (2, 0, {"most_ratio": 0.5}, ["2.000", "0.000", "-", "ratio <= 0.5", None]),
        (0, 0, {"most": 0}, ["0.000", "0.000", "-", "<= 0", "met"]),
        (0.36, 0.1, {"most": 0.35}, ["0.360", "0.100", "3.60", "<= 0.35", "missed"]),
        (3, 2, {}, ["3.000", "2.000", "1.50", None, None]),
    ],
)
def test_line(
    ours: float, rest: float, target: dict[str, float], expected: list[str | None]
) -> None:
    """A line has both figures, their ratio, and whether the target is met."""
    found = LINE.fullmatch(line("What it is", ours, rest, **target))
    assert found is not None
    assert list(found.groups()) == ["What it is", *expected]


def test_cost() -> None:
    """A cost is the usual one of an account; a single busy round does not count."""
    readings = [{"cpu": cpu, "rows": 4 * cpu} for cpu in (10.0, 12.0, 14.0, 99.0)]
    assert cost_of(readings, 2) == {"cpu": 1, "rows": 4}


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (
            {"hours": [100, "1 - 2"], "since": "2026-11-03T04:30:00+00:00"},
            {"hours": [98, "5 6 1 - 2"], "since": "2026-11-03 02:30:00+00:00"},
        ),
        ({"first": 100, "hours": "1"}, {"first": 98, "hours": "5 6 1"}),
    ],
)
def test_past(stored: dict[str, object], expected: dict[str, object]) -> None:
    """A past is put before the hours that are stored, wherever they are."""
    record = {"wallets": [{"usd": {"history": stored}}], "hours": 3}
    assert add_past(record, ["5", "6"]) == 1
    assert record == {"wallets": [{"usd": {"history": expected}}], "hours": 3}


def test_unknown_form() -> None:
    """A record of another form stays as it is."""
    record = {"history": {"hours": {"100": "1"}}}
    before = json.dumps(record)
    assert add_past(record, ["5"]) == 0
    assert json.dumps(record) == before


def test_rest_configuration() -> None:
    """Each account has a key of its own, and four sensors."""
    resources = yaml.safe_load(rest_configuration("http://127.0.0.1:1", 2))["rest"]
    assert [row["headers"]["Authorization"] for row in resources] == [
        "Bearer KEY0",
        "Bearer KEY1",
    ]
    for row in resources:
        assert row["resource"] == "http://127.0.0.1:1/v2/balance"
        assert len({sensor["value_template"] for sensor in row["sensor"]}) == 4
