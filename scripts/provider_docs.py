"""Write docs/providers.md from what the providers declare and say of themselves."""  # noqa: INP001

import argparse
from collections.abc import Iterator, Sequence
from importlib import import_module
from inspect import getdoc
import json
from pathlib import Path
import re
import sys
from textwrap import fill

from custom_components.api_balance.providers.base import Credential, Provider
from custom_components.api_balance.providers.catalog import CATALOG, Source, load_all

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs/providers.md"
COMMAND = "scripts/provider_docs"

WIDTH = 120
HEAD = f"""\
<!-- Made by {COMMAND} from custom_components/api_balance/providers; edits belong there. -->

# Providers

What API Balance reads from each provider, with which key, and how surely it is known. An amount that is positive is
yours; what a provider does not report is not shown.
"""

_TRANSLATIONS = ROOT / "custom_components/api_balance/translations/en.json"
_STEPS = json.loads(_TRANSLATIONS.read_text())["config"]["step"]
_FIELDS: dict[str, str] = _STEPS["credentials"]["data"] | _STEPS["service"]["data"]

_SOURCES = {
    Source.OFFICIAL: "the provider's documentation",
    Source.CLIENT: "the provider's own client library",
    Source.OTHERS: "other people's code, not confirmed by the provider's documentation",
}


def render() -> str:
    """Return the page."""
    lines = [HEAD, *_table(), ""]
    return "\n".join(lines) + "".join(map(_section, load_all()))


def _table() -> Iterator[str]:
    """Yield the lines of the table of all providers."""
    yield "| Provider | What is read | Key | Least permission | Asked every |"
    yield "| --- | --- | --- | --- | --- |"
    for provider in load_all():
        lead, *_ = paragraphs(provider)
        cells = (
            f"[{provider.name}](#{anchor(provider.name)})",
            lead.removesuffix("."),
            provider.key_kind,
            _permission(provider),
            _interval(provider),
        )
        yield f"| {' | '.join(cell.replace('|', r'\|') for cell in cells)} |"


def anchor(heading: str) -> str:
    """Return the fragment under which a heading is found."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _section(provider: type[Provider]) -> str:
    """Return the section of a provider."""
    lead, *more = paragraphs(provider)
    facts = (
        f"Key: {provider.key_kind}",
        f"Least permission: {_permission(provider)}",
        f"To enter: {', '.join(_field(item) for item in provider.credentials)}",
        f"Host: {_hosts(provider) or 'the one of the address you enter'}",
        f"Asked every: {_interval(provider)}",
        f"Source: {_SOURCES[CATALOG[provider.id].source]}",
        f"Make a key: {provider.key_url}",
        f"Top up: {provider.top_up_url}",
        f"Status: {provider.status_url}",
    )
    items = "\n".join(_wrapped(f"- {fact}", indent="  ") for fact in facts)
    blocks = (f"## {provider.name}", _wrapped(lead), items, *map(_wrapped, more))
    return "".join(f"\n{block}\n" for block in blocks)


def _permission(provider: type[Provider]) -> str:
    """Return the least permission, as code where it is a name and no sentence."""
    permission = provider.permission or "none"
    return (
        permission if permission == "none" or " " in permission else f"`{permission}`"
    )


def _hosts(provider: type[Provider]) -> str:
    """Return the hosts, with the names of their regions where there are several."""
    hosts = provider.hosts.items()
    return ", ".join(
        f"`{url.removeprefix('https://')}`" + (f" ({name})" if len(hosts) > 1 else "")
        for name, url in hosts
    )


def _field(item: Credential) -> str:
    """Return a credential as the form calls it."""
    name = _FIELDS.get(item.key, item.key)
    return name if item.is_required else f"{name} (optional)"


def _interval(provider: type[Provider]) -> str:
    return f"{provider.poll_interval.total_seconds() / 60:g} minutes"


def paragraphs(provider: type[Provider]) -> list[str]:
    """Return what a provider says of itself, the first sentence being the lead."""
    text = getdoc(import_module(provider.__module__)) or ""
    first, *more = (" ".join(part.split()) for part in re.split(r"\n\s*\n", text))
    lead = first.partition(": ")[2] or first
    return [lead[:1].upper() + lead[1:], *more]


def _wrapped(text: str, indent: str = "") -> str:
    """Return a text in lines, its addresses as links."""
    return fill(
        _linked(text),
        WIDTH,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _linked(text: str) -> str:
    """Return a text with its bare addresses marked as such."""
    return re.sub(r"(?<![(`<])https://\S*[^\s.,;:)`]", r"<\g<0>>", text)


def main(given: Sequence[str] | None = None) -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail where it would change"
    )
    arguments = parser.parse_args(given)
    page = render()
    if not arguments.check:
        DOCS.write_text(page)
    elif not DOCS.exists() or DOCS.read_text() != page:
        name = DOCS.relative_to(ROOT)
        print(f"error: {name} is not current: run {COMMAND}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
