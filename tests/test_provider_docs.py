"""The page about the providers says what their code says."""

from pathlib import Path
import re

import pytest

from custom_components.api_balance.providers.base import Provider
from custom_components.api_balance.providers.catalog import load_all
from scripts import provider_docs


def test_page_is_current() -> None:
    """What a provider declares is what people read."""
    assert provider_docs.DOCS.read_text() == provider_docs.render(), (
        f"run {provider_docs.COMMAND}: docs/providers.md is not what the providers say"
    )


def test_links_lead_to_sections() -> None:
    """Every line of the table leads to a section of its own."""
    page = provider_docs.render()
    links = re.findall(r"\(#(.*?)\)", page)
    headings = [
        provider_docs.anchor(name)
        for name in re.findall(r"^## (.*)$", page, re.MULTILINE)
    ]
    assert links == headings
    assert len(set(links)) == len(load_all())


@pytest.mark.parametrize(
    "provider", [pytest.param(provider, id=provider.id) for provider in load_all()]
)
def test_every_provider_says_enough(provider: type[Provider]) -> None:
    """The docstring of a provider is whole, and more than its first line."""
    lead, *more = provider_docs.paragraphs(provider)
    assert lead.endswith(".")
    assert more
    assert more[-1].endswith(".")


def test_command(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The page is written, and a page that is not current is told."""
    monkeypatch.setattr(provider_docs, "DOCS", tmp_path / "providers.md")
    monkeypatch.setattr(provider_docs, "ROOT", tmp_path)
    assert provider_docs.main(["--check"]) == 1
    assert capsys.readouterr().err == (
        "error: providers.md is not current: run scripts/provider_docs\n"
    )
    assert provider_docs.main([]) == 0
    assert provider_docs.main(["--check"]) == 0
    (tmp_path / "providers.md").write_text("old")
    assert provider_docs.main(["--check"]) == 1
