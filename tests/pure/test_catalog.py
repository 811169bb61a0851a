"""The catalog lists the providers."""

from pathlib import Path

import pytest

from custom_components.api_balance.providers.catalog import (
    CATALOG,
    MANUAL,
    UnknownProvider,
    find,
    load,
    load_all,
)

ROOT = Path(__file__).parents[2]
PACKAGE = "custom_components.api_balance"


@pytest.mark.parametrize("id_", CATALOG)
def test_listing(id_: str) -> None:
    """A provider is listed as it calls itself, in a module of its id."""
    provider = load(id_)
    listing = CATALOG[id_]
    assert (
        (listing.id, listing.name)
        == (provider.id, provider.name)
        == (id_, provider.name)
    )
    assert provider.__module__ == f"{PACKAGE}.providers.{id_}"


def test_every_module_is_listed() -> None:
    """Every module with a provider has its line, in the order of the names."""
    folder = ROOT / "custom_components/api_balance/providers"
    modules = {
        path.stem for path in folder.glob("*.py") if "(Provider):" in path.read_text()
    }
    assert modules == {*CATALOG, MANUAL}
    *names, other = [listing.name for listing in CATALOG.values()]
    assert names == sorted(names, key=str.casefold)
    assert other == "Other service"
    assert [provider.id for provider in load_all()] == list(CATALOG)


@pytest.mark.parametrize(
    ("word", "id_"),
    [
        ("openai", "openai"),
        (" OpenAI ", "openai"),
        ("chatgpt", "openai"),
        ("GPT", "openai"),
        ("Claude", "anthropic"),
        ("kimi", "moonshot"),
        ("Nexmo", "vonage"),
        ("46elks", "fortysix_elks"),
        ("Other service", "other"),
    ],
)
def test_find(word: str, id_: str) -> None:
    """A provider is found by its id, its name and its other names."""
    assert find(word) is CATALOG[id_]


def test_words_lead_to_one_provider() -> None:
    """No word leads to two providers."""
    for listing in CATALOG.values():
        for word in (listing.id, listing.name, *listing.aliases):
            assert find(word.upper()) is listing
    assert find("Nobody") is None


def test_unknown_provider() -> None:
    """An id that this version does not have is named in an error of its own."""
    with pytest.raises(UnknownProvider, match="nobody"):
        load("nobody")
    # Modules that are no provider are not loaded as one.
    with pytest.raises(UnknownProvider):
        load("http")
