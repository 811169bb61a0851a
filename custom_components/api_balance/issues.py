"""Repair issues of an account: what only a person can solve."""

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN
from .insight.view import View
from .model import Problem
from .providers.base import Provider

# Fewer in a row prove nothing.
_MISREADINGS_BEFORE_ISSUE = 3

ISSUES = (Problem.MISSING_PERMISSION, Problem.WRONG_KEY, Problem.UNEXPECTED_ANSWER)


@callback
def async_update_issues(
    hass: HomeAssistant, entry: ConfigEntry, provider: Provider, view: View
) -> None:
    """Create the issue of the current problem, and delete those that are solved."""
    problem = view.problem
    if problem and problem.is_passing:
        return
    for kind in ISSUES:
        is_misread = kind is Problem.UNEXPECTED_ANSWER
        if kind is not problem or (
            is_misread and view.misreadings < _MISREADINGS_BEFORE_ISSUE
        ):
            ir.async_delete_issue(hass, DOMAIN, _issue_id(kind, entry.entry_id))
            continue
        ir.async_create_issue(
            hass,
            DOMAIN,
            _issue_id(kind, entry.entry_id),
            is_fixable=False,
            severity=ir.IssueSeverity.ERROR,
            translation_key=kind,
            translation_placeholders={
                "account": entry.title,
                **placeholders(provider, kind, view.detail),
            },
            # No page of the provider helps against an unexpected answer.
            learn_more_url=None if is_misread else provider.key_url,
        )


@callback
def async_delete_issues(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Delete the issues of an account that is disabled or removed."""
    for problem in ISSUES:
        ir.async_delete_issue(hass, DOMAIN, _issue_id(problem, entry.entry_id))


def placeholders(
    provider: type[Provider] | Provider, problem: Problem, detail: str | None = None
) -> dict[str, str]:
    """Return the placeholders of every text about a problem."""
    return {
        "provider": provider.name,
        "permission": provider.key_kind
        if problem is not Problem.MISSING_PERMISSION
        else detail or provider.permission or provider.key_kind,
        "key_kind": provider.key_kind,
        "path": detail or "",
    }


def _issue_id(problem: Problem, entry_id: str) -> str:
    """Return the identifier of a repair issue."""
    return f"{problem}_{entry_id}"
