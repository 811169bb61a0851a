"""The catalog imports no provider by itself."""

from pathlib import Path
import subprocess
import sys

ROOT = Path(__file__).parents[1]
PACKAGE = "custom_components.api_balance"


def test_providers_are_imported_lazily() -> None:
    """Neither the flow nor the integration imports the module of a provider."""
    program = (
        "import sys\n"
        f"import {PACKAGE}, {PACKAGE}.config_flow, {PACKAGE}.system_health\n"
        f"from {PACKAGE}.providers.catalog import CATALOG, load\n"
        f"modules = {{id_: '{PACKAGE}.providers.' + id_ for id_ in CATALOG}}\n"
        "assert [i for i, name in modules.items() if name in sys.modules] == []\n"
        "load('telnyx')\n"
        "found = [i for i, name in modules.items() if name in sys.modules]\n"
        "assert found == ['telnyx'], found\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert run.returncode == 0, run.stderr
