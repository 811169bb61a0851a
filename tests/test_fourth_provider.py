"""One more provider is one file, its line in the catalog and its recorded answers."""

from itertools import pairwise
import json
from pathlib import Path
import shutil
import subprocess
import sys

import pytest

ROOT = Path(__file__).parents[1]

PROVIDER = '''\
"""Example: the balance of an account.

From https://example.com/docs/balance.
"""

from collections.abc import Mapping
from typing import override

import voluptuous as vol

from ..model import Snapshot, Unit, Wallet
from .base import Provider
from .fields import amount

_BALANCE = {vol.Required("left"): amount}


class Example(Provider):
    """An Example account."""

    id = "example"
    name = "Example"
    hosts = {"com": "https://api.example.com"}
    key_kind = "API key"
    key_url = "https://example.com/keys"
    top_up_url = "https://example.com/top-up"
    status_url = "https://status.example.com"

    @override
    @classmethod
    def headers(cls, credentials: Mapping[str, str]) -> Mapping[str, str]:
        """Return the headers that show the credentials."""
        return {"X-Key": credentials["api_key"]}

    @override
    async def fetch(self) -> Snapshot:
        """Return the one wallet of the account."""
        answer = await self._client.get("/left", _BALANCE)
        unit = Unit.money("EUR")
        return Snapshot(
            wallets=(Wallet(key=unit.key, unit=unit, balance=answer["left"]),)
        )
'''


def recording(status: int, left: str, **meaning: object) -> str:
    """Return a recorded answer and what it means."""
    answer = {"shown": {"X-Key": "{api_key}"}, "status": status, "json": {"left": left}}
    return json.dumps(
        {
            "about": "an example",
            "source": "https://example.com/docs/balance",
            "answers": {"GET /left": answer},
            "expect": meaning,
        }
    )


def holding(left: str) -> str:
    """Return the recording of a balance."""
    unit = {"code": "EUR", "is_money": True}
    wallet = {"key": "eur", "unit": unit, "balance": left}
    return recording(200, left, snapshot={"wallets": [wallet]})


def plugins(config: pytest.Config) -> list[str]:
    """Return the arguments that made this run load its plug-ins."""
    given = config.invocation_params.args
    return [
        argument
        for option, name in pairwise(given)
        if option == "-p"
        for argument in (str(option), str(name))
    ]


def test_one_more_provider(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """A copy of the project with one more provider passes the tests of all providers."""
    for name in ("custom_components", "tests", "pyproject.toml", "hacs.json"):
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, tmp_path / name)
    providers = tmp_path / "custom_components" / "api_balance" / "providers"
    (providers / "example.py").write_text(PROVIDER)
    catalog = providers / "catalog.py"
    catalog.write_text(
        catalog.read_text().replace(
            '        Listing("telnyx"',
            '        Listing("example", "Example", _HOSTING),\n        Listing("telnyx"',
        )
    )
    folder = tmp_path / "tests" / "providers" / "example"
    folder.mkdir()
    for name, left in {"full": "5", "minimal": "5", "zero": "0", "debt": "-5"}.items():
        (folder / f"{name}.json").write_text(holding(left))
    (folder / "bad_key.json").write_text(recording(401, "", problem="bad_key"))

    run = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-n0", "-k", "example"),
            *plugins(pytestconfig),
            "tests/pure/test_providers.py",
            "tests/pure/test_simulated.py",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=55,
        check=False,
    )

    assert run.returncode == 0, run.stdout
    assert " passed" in run.stdout
    assert "failed" not in run.stdout
