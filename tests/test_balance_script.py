"""The script that shows what a provider says, without Home Assistant."""

import asyncio
from asyncio.subprocess import PIPE
from collections.abc import Mapping
from decimal import Decimal
import os
from pathlib import Path
import re
import sys

import pytest

from custom_components.api_balance.providers.catalog import load, load_all
from scripts.balance import BalanceError, report, variable

from .conftest import each_shape
from .recording import RecordedProvider, full_recording, recordings, served
from .simulator import Fault, Html, Http, Reset, SimulatedProvider, Simulator
from .simulator.deepgram import Deepgram
from .simulator.telnyx import Telnyx

ROOT = Path(__file__).parents[1]
MARK = "MARKED"


def environment_of(simulated: SimulatedProvider) -> dict[str, str]:
    """Return the variables that lead to a simulated account."""
    told = {**simulated.credentials, "base_url": simulated.url}
    provider = load(simulated.id)
    return {variable(provider, key): value for key, value in told.items()}


async def run(
    environment: Mapping[str, str], *arguments: str
) -> tuple[int | None, str, str]:
    """Return how the script ended, and what it said."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "scripts.balance", *arguments),
        stdout=PIPE,
        stderr=PIPE,
        env={"PATH": os.defpath, "PYTHONPATH": str(ROOT), **environment},
    )
    output, errors = await process.communicate()
    assert MARK.encode() not in output + errors
    return process.returncode, output.decode(), errors.decode()


# As a process of its own


async def test_good_key(simulator: Simulator) -> None:
    """A good key leads to tables."""
    telnyx = simulator[Telnyx]
    telnyx.credentials = telnyx.new_key(MARK)
    telnyx.set_balance(Decimal("-154.29"))
    assert await run(environment_of(telnyx), "telnyx") == (
        0,
        """\
Telnyx
Availability: depleted

Wallets
balance  available  credit limit  pending  unit  paid
-------  ---------  ------------  -------  ----  ----------
-154.29     -54.29        100.00    10.00  USD   afterwards
""",
        "",
    )


async def test_bad_key(simulator: Simulator) -> None:
    """A bad key leads to a sentence that says where to make another."""
    telnyx = simulator[Telnyx]
    environment = environment_of(telnyx) | {"TELNYX_API_KEY": f"KEY{MARK}"}
    assert await run(environment, "telnyx") == (
        1,
        "",
        "error: Telnyx does not accept these credentials. Check that TELNYX_API_KEY is"
        " whole and belongs to Telnyx, or make a new key at"
        " https://portal.telnyx.com/#/app/api-keys\n",
    )


async def test_missing_variable() -> None:
    """A variable that is not set is named."""
    code, output, error = await run({"TELNYX_KEY": MARK}, "telnyx")
    assert (code, output) == (1, "")
    assert error.startswith("error: Set TELNYX_API_KEY in the environment")


async def test_unknown_provider() -> None:
    """A misspelled provider is told, with one that is near."""
    code, output, error = await run({}, "telnix")
    assert (code, output) == (1, "")
    assert error.startswith(
        "error: There is no provider 'telnix'. Did you mean telnyx?"
    )


async def test_list() -> None:
    """Without a provider, all are listed with what each needs."""
    code, output, error = await run({})
    assert (code, error) == (0, "")
    for provider in load_all():
        assert f"\n{provider.id} " in output
    assert "TELNYX_API_KEY" in output


# Within the test


@each_shape
async def test_every_provider(simulator: Simulator, provider_id: str) -> None:
    """Every provider's numbers are shown, and no secret of the account is."""
    simulated = simulator[provider_id]
    simulated.credentials = simulated.new_key(MARK)
    text = await report(provider_id, environment_of(simulated))
    assert text.startswith(f"{load(provider_id).name}\nAvailability: ")
    assert any(f"\n{title}\n" in text for title in ("Wallets", "Quotas", "Spend"))
    assert MARK not in text
    assert "(secret)" not in text


@pytest.mark.usefixtures("socket_enabled")
async def test_quotas() -> None:
    """Only what was told has a column; what is unlimited says so."""
    recording = full_recording(load("deepl"))
    async with served(RecordedProvider(recording).handle) as address:
        text = await report(
            "deepl",
            {
                "DEEPL_API_KEY": recording.credentials["api_key"],
                "DEEPL_BASE_URL": address,
            },
        )
    assert (
        text
        == """\
DeepL
Availability: not reported

Quotas
quota                used  remaining      limit  unit        resets
----------------  -------  ---------  ---------  ----------  --------------------
characters        5947223             unlimited  characters  2025-06-13 09:18 UTC
API key               636             unlimited  characters  2025-06-13 09:18 UTC
speech to text         30        570        600  minutes     2025-06-13 09:18 UTC
speech to speech       12        588        600  minutes     2025-06-13 09:18 UTC"""
    )


async def test_parts(simulator: Simulator) -> None:
    """A part of the account that did not answer says why."""
    deepgram = simulator[Deepgram]
    deepgram.fail_project(deepgram.add_project("Garage"), Http(500))
    assert await report("deepgram", environment_of(deepgram)) == (
        """\
Deepgram
Availability: available

Wallets
part       balance  unit
----  ------------  ----
Home  104.56822227  USD

Not answered
part    problem
------  --------------
Garage  provider fault"""
    )


@pytest.mark.usefixtures("socket_enabled")
async def test_nothing_is_told() -> None:
    """An answer without numbers is told as such."""
    recording = next(item for item in recordings("telnyx") if item.name == "empty")
    async with served(RecordedProvider(recording).handle) as address:
        text = await report(
            "telnyx",
            {
                "TELNYX_API_KEY": recording.credentials["api_key"],
                "TELNYX_BASE_URL": address,
            },
        )
    assert text.endswith(
        "Availability: not reported\n\nNo wallet, quota or spend was reported."
    )


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (Http(429, retry_after=90), "was asked too often. Try again in 90 seconds."),
        (Http(429), "was asked too often. Try again in a few minutes."),
        (Http(503), "Look at https://status.deepgram.com and try again in a few"),
        (Http(418), "answered in a form that is not known here; it broke at: HTTP 418"),
        (Html(), "No answer of Deepgram arrived. Check the connection"),
        (Reset(), "No answer of Deepgram arrived. Check the connection"),
    ],
    ids=str,
)
async def test_faults(simulator: Simulator, fault: Fault, sentence: str) -> None:
    """Every fault has a sentence of its own."""
    deepgram = simulator[Deepgram]
    deepgram.fail(fault)
    with pytest.raises(BalanceError, match=re.escape(sentence)):
        await report("deepgram", environment_of(deepgram))


async def test_missing_permission(simulator: Simulator) -> None:
    """A permission that is missing is named."""
    deepgram = simulator[Deepgram]
    deepgram.weaken_key()
    with pytest.raises(
        BalanceError, match="it lacks the permission billing:read. Give it"
    ):
        await report("deepgram", environment_of(deepgram))


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"DEEPGRAM_API_KEY": "eyJhbGciOi.eyJzdWIi.c2ln"}, "another kind of key"),
        ({"DEEPGRAM_API_KEY": " "}, "Set DEEPGRAM_API_KEY in the environment"),
        (
            {"DEEPGRAM_API_KEY": "key", "DEEPGRAM_REGION": "mars"},
            "DEEPGRAM_REGION must be one of: com.",
        ),
        (
            {"DEEPGRAM_API_KEY": "key", "DEEPGRAM_BASE_URL": "http://example.com"},
            "DEEPGRAM_BASE_URL must be an address such as",
        ),
    ],
)
async def test_mistakes(environment: Mapping[str, str], sentence: str) -> None:
    """A mistake in the environment is told before anything is sent."""
    with pytest.raises(BalanceError, match=re.escape(sentence)):
        await report("deepgram", environment)
