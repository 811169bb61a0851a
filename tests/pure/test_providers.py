"""The contract of the providers: the same tests for every provider, without a socket."""

from collections.abc import Iterator
import copy
from decimal import Decimal
from importlib import import_module
import json
from pathlib import Path
import re
from typing import Any

import aiohttp
import pytest

from custom_components.api_balance.model import Snapshot
from custom_components.api_balance.providers.base import (
    InvalidCredentials,
    Provider,
    ProviderError,
    ProviderFault,
    RateLimited,
    UnexpectedAnswer,
    Unreachable,
)
from custom_components.api_balance.providers.catalog import load, load_all
from custom_components.api_balance.providers.http import SCHEMAS

from ..recording import (
    EVERY_PROVIDER,
    FOLDER,
    Answering,
    RecordedProvider,
    Recording,
    always,
    full_recording,
    joined,
    plain,
    read_recording,
    recordings,
)

pytestmark = pytest.mark.usefixtures("recorded_at")

each_provider = pytest.mark.parametrize(
    "provider", [pytest.param(provider, id=provider.id) for provider in load_all()]
)


@each_provider
def test_declarations(provider: type[Provider]) -> None:
    """A provider says what people need to know, and what it is built from."""
    assert provider.credentials
    for url in (
        *provider.hosts.values(),
        provider.key_url,
        provider.top_up_url,
        provider.status_url,
    ):
        assert url.startswith("https://")
    assert "https://" in (import_module(provider.__module__).__doc__ or "")


@each_provider
def test_recordings_are_there(provider: type[Provider]) -> None:
    """Every provider has the recordings that show its edges."""
    there = {path.stem for path in (FOLDER / provider.id).glob("*.json")}
    missing = set(EVERY_PROVIDER) - there
    assert not missing, f"add to {FOLDER / provider.id}: {sorted(missing)}"
    if provider.permission:
        missing |= {"missing_permission"} - there
    if "wallets" in full_recording(provider).expect["snapshot"]:
        missing |= {"debt"} - there
    assert not missing, f"add to {FOLDER / provider.id}: {sorted(missing)}"


@pytest.mark.parametrize("recording", recordings(), ids=str)
async def test_recorded_answers(recording: Recording) -> None:
    """A recorded answer means what its file says."""
    simulated = RecordedProvider(recording)
    outcome = await meaning(recording, simulated.answer)
    assert simulated.complaints == []
    assert outcome == recording.expect
    assert set(simulated.requests) == set(recording.answers)


@each_provider
async def test_second_poll(provider: type[Provider]) -> None:
    """What a provider learned from a poll does not change what the next one brings."""
    recording = full_recording(provider)
    simulated = RecordedProvider(recording)
    client = joined(provider, simulated.answer, recording.credentials, recording.region)
    first = plain(await client.read())
    compiled = len(SCHEMAS)
    assert plain(await client.read()) == first
    # A shape that is made anew with every request would never be forgotten.
    assert len(SCHEMAS) == compiled
    assert simulated.complaints == []


@each_provider
def test_credit_lines(provider: type[Provider]) -> None:
    """With a credit line, what can be spent is known: the balance alone ends at zero."""
    for recording in recordings(provider.id):
        for wallet in recording.expect.get("snapshot", {}).get("wallets", ()):
            if Decimal(wallet.get("credit_limit", 0)) > 0:
                assert wallet.keys() & {"available", "is_in_doubt"}, (
                    f"{recording.path}: add what is available"
                )


RECORDED: dict[str, Any] = {
    "about": "the official example",
    "source": "https://example.com/docs/balance",
    "answers": {"GET /v1/balance": {"shown": {}, "status": 200, "json": {}}},
    "expect": {},
}


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("{", "line 1 column 2"),
        (json.dumps({**RECORDED, "expects": {}}), "expects"),
        (json.dumps({**RECORDED, "answers": {"GET /v1/balance": {}}}), "shown"),
    ],
    ids=["not JSON", "misspelled", "missing"],
)
def test_mistakes_in_a_recording(tmp_path: Path, text: str, mistake: str) -> None:
    """A recording that is not well formed is named, with what is wrong in it."""
    path = tmp_path / "full.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"^{re.escape(str(path))}: .*{mistake}"):
        read_recording(path)


async def meaning(recording: Recording, answering: Answering) -> dict[str, Any]:
    """Return in plain words what the provider makes of a provider's answers."""
    try:
        provider = joined(
            load(recording.provider), answering, recording.credentials, recording.region
        )
        return {"snapshot": plain(await provider.read())}
    except ProviderError as err:
        details = {key: plain(value) for key, value in vars(err).items()}
        return {"problem": err.problem.value, **details}


def breakages(content: Any, rebuild: Any) -> Iterator[Any]:
    """Yield the content with each of its parts replaced, and each field left out."""
    wrong: Any
    for wrong in (None, "x", 5, -1.5, True, [], {}, [[]], "NaN", "1e999999999"):
        yield rebuild(wrong)
    children = (
        content.items()
        if isinstance(content, dict)
        else enumerate(content)
        if isinstance(content, list)
        else ()
    )
    for key, child in children:
        if isinstance(content, dict):
            yield rebuild({name: part for name, part in content.items() if name != key})

        def replace(value: Any, key: Any = key) -> Any:
            changed = copy.copy(content)
            changed[key] = value
            return rebuild(changed)

        yield from breakages(child, replace)


@each_provider
async def test_wrong_types(provider: type[Provider]) -> None:
    """An answer of any shape is read, or refused with the path that broke."""
    recording = full_recording(provider)
    simulated = RecordedProvider(recording)
    outcomes: set[type] = set()
    for asked, answer in recording.answers.items():
        for broken in breakages(answer["json"], lambda value: value):
            simulated.answers = {
                **recording.answers,
                asked: {**answer, "json": broken},
            }
            # A provider may have learned from the answer before.
            client = joined(provider, simulated.answer, recording.credentials)
            try:
                outcome: object = await client.read()
            except ProviderError as err:
                outcome = err
            outcomes.add(type(outcome))
    assert Snapshot in outcomes
    assert any(issubclass(outcome, UnexpectedAnswer) for outcome in outcomes)


PAGE = "<!DOCTYPE html><html><body>Attention required</body></html>"


def unreachable(asked: object) -> Any:
    """Break the connection."""
    raise aiohttp.ClientConnectionError


# What is on the way of every provider is in test_http.py: here is what a provider could
# take for an answer, or keep to itself.
FAULTS: dict[str, tuple[Answering, type[ProviderError], str]] = {
    "unreachable": (unreachable, Unreachable, ""),
    "redirect": (always(status=302), UnexpectedAnswer, "HTTP 302"),
    "no content": (always(status=204), UnexpectedAnswer, "HTTP 204"),
    "page": (always(PAGE), Unreachable, ""),
    "page as 401": (always(PAGE, 401), Unreachable, ""),
    "page as 403": (always(PAGE, 403), Unreachable, ""),
    "login to the network": (always(status=511), Unreachable, ""),
    "half": (always('{"data": {"bal'), UnexpectedAnswer, "JSON"),
    "nothing": (always(), UnexpectedAnswer, "JSON"),
    "list": (always("[]"), UnexpectedAnswer, ""),
    "number": (always("5"), UnexpectedAnswer, ""),
    "null": (always("null"), UnexpectedAnswer, ""),
    "something else": (always('{"unrelated": 1}'), UnexpectedAnswer, ""),
    "not a number": (always('{"data": NaN}'), UnexpectedAnswer, "JSON"),
    "teapot": (always(status=418), UnexpectedAnswer, "HTTP 418"),
    "provider at fault": (always(status=500), ProviderFault, ""),
    "request timeout": (always(status=408), ProviderFault, ""),
}


@each_provider
async def test_faults(provider: type[Provider]) -> None:
    """Whatever happens on the way has its own name, and holds no key."""
    secrets = (*full_recording(provider).secrets, PAGE)
    for fault, (answering, error, path) in FAULTS.items():
        with pytest.raises(ProviderError) as caught:
            await joined(provider, answering).read()
        assert isinstance(caught.value, error), fault
        assert path in str(caught.value), fault
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None
        assert [secret for secret in secrets if secret in repr(caught.value)] == []


@pytest.mark.parametrize("status", [401, 403])
@each_provider
async def test_refusal_without_a_word(provider: type[Provider], status: int) -> None:
    """A refusal without a reason speaks of the key, never of the account."""
    outcome = await meaning(full_recording(provider), always(status=status))
    assert outcome.get("problem") in {"bad_key", "missing_permission"}


@each_provider
async def test_retry_after(provider: type[Provider]) -> None:
    """Every provider is left alone as long as it wants."""
    for status, error in ((429, RateLimited), (503, ProviderFault)):
        for headers, wait in (({}, None), ({"Retry_After": "30"}, 30)):
            with pytest.raises(error) as caught:
                await joined(provider, always("", status, **headers)).read()
            pause = caught.value.retry_after
            assert (pause and pause.total_seconds()) == wait


@each_provider
async def test_payment_required(provider: type[Provider]) -> None:
    """An account is depleted where the provider documents the status, only there."""
    for status in (402, 432, 456):
        outcome = await meaning(full_recording(provider), always(status=status))
        if status in provider.payment_required_statuses:
            assert outcome == {"snapshot": {"is_available": False}}
        else:
            assert outcome == {"problem": "unexpected_answer", "path": f"HTTP {status}"}


@pytest.mark.parametrize("key", ["line\nbreak", "s\u00e9cret", "tab\there"])
@each_provider
async def test_keys_that_nothing_carries(provider: type[Provider], key: str) -> None:
    """A key that cannot be sent is a bad key, and is not in the error."""
    credentials = full_recording(provider).credentials | {
        item.key: key for item in provider.credentials if item.is_secret
    }
    with pytest.raises(InvalidCredentials) as caught:
        joined(provider, always(), credentials)
    assert repr(key) not in repr(caught.value)


def test_needs_are_told_apart() -> None:
    """A permission is called one: it would pass for another kind of key."""
    assert load("deepseek").key_needs() == "API key"
    assert load("elevenlabs").key_needs() == "API key; needed permission: user_read"
