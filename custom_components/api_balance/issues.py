"""Repair issues of an account: what a person has to mend, and only that."""

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN
from .model import Problem, Scope
from .providers.base import (
    MissingPermission,
    Provider,
    ProviderError,
    UnexpectedAnswer,
    WrongCredentialKind,
)

UNEXPECTED_ANSWERS_BEFORE_ISSUE = 3

ISSUES = (Problem.MISSING_PERMISSION, Problem.WRONG_KEY, Problem.UNEXPECTED_ANSWER)


class AccountIssues:
    """The repair issues of one account, at most one at a time."""

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry, provider: Provider
    ) -> None:
        """Begin without knowing of any."""
        self._hass = hass
        self._entry = entry
        self._provider = provider
        self._unexpected_answers = 0

    @callback
    def async_update(self, problem: Problem | None, err: ProviderError | None) -> None:
        """Show what is wrong now; the error tells what a person has to mend."""
        is_unexpected = isinstance(err, UnexpectedAnswer)
        self._unexpected_answers = self._unexpected_answers + 1 if is_unexpected else 0
        if problem and problem.is_passing:
            return
        for kind in ISSUES:
            id_ = _issue_id(kind, self._entry.entry_id)
            if (
                err is None
                or kind is not err.problem
                or (
                    is_unexpected
                    and self._unexpected_answers < UNEXPECTED_ANSWERS_BEFORE_ISSUE
                )
            ):
                ir.async_delete_issue(self._hass, DOMAIN, id_)
                continue
            ir.async_create_issue(
                self._hass,
                DOMAIN,
                id_,
                is_fixable=False,
                severity=ir.IssueSeverity.ERROR,
                translation_key=kind,
                translation_placeholders={
                    "account": self._entry.title,
                    **placeholders(self._provider, err),
                },
                # No page of the provider helps against an answer that is not understood.
                learn_more_url=None
                if kind is Problem.UNEXPECTED_ANSWER
                else self._provider.key_url,
            )


@callback
def async_delete_issues(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Forget what is wrong with an account that is no more."""
    for problem in ISSUES:
        ir.async_delete_issue(hass, DOMAIN, _issue_id(problem, entry.entry_id))


def error_of(part: Scope) -> ProviderError | None:
    """Return what a person may have to mend in a part of an account."""
    match part.problem:
        case Problem.MISSING_PERMISSION:
            return MissingPermission()
        case Problem.UNEXPECTED_ANSWER:
            return UnexpectedAnswer(part.label or part.key)
        case _:
            return None


def placeholders(
    provider: type[Provider] | Provider, err: ProviderError
) -> dict[str, str]:
    """Return what the text of an error needs to know."""
    match err:
        case MissingPermission():
            permission = err.permission or provider.permission or provider.key_kind
            return {"provider": provider.name, "permission": permission}
        case WrongCredentialKind():
            return {"provider": provider.name, "key_kind": provider.key_kind}
        case UnexpectedAnswer():
            return {"provider": provider.name, "path": err.path}
        case _:
            return {"provider": provider.name}


def _issue_id(problem: Problem, entry_id: str) -> str:
    """Return the identifier of a repair issue."""
    return f"{problem}_{entry_id}"
