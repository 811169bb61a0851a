"""Which account of a provider an entry belongs to."""

from collections.abc import Iterable


def is_same_account(known: Iterable[str], seen: Iterable[str]) -> bool | None:
    """Return whether two sets of account ids share one, None if either is unknown."""
    known, seen = set(known), set(seen)
    if not known or not seen:
        return None
    return not known.isdisjoint(seen)
