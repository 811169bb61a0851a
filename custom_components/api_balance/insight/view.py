"""What entities show of an account, made of what is known of it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from ..model import (
    ACCOUNT,
    Gauge,
    Period,
    Problem,
    Quota,
    Snapshot,
    Spend,
    Unit,
    Wallet,
)
from .budget import Budget
from .learning import Learned
from .levels import Availability, Level, availability
from .outlook import Outlook
from .schedule import Ability
from .state import AccountState, Amounts, GaugeState

type Part = Wallet | Quota | Gauge | Spend | Outlook | Budget
"""What has a key of its own in an account, a unit, a scope and a label."""

type PartId = tuple[str, str]

# The sensors that automations watch, by what their unique ids end with.
BALANCE = "balance"
AVAILABLE = "available"
REMAINING = "remaining"
TIME_LEFT = "time_left"

# One refusal proves nothing: the provider's own accounts system may fail too.
_REFUSALS_BEFORE_REAUTH = 2
# While a provider only asks for a pause, its last numbers stay for so many intervals.
INTERVALS_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What entities show of an account. Levels and outlooks are by the gauge's key.

    `over_budget` is by the budget's key, and holds those of which that is known.
    `is_current` is False while the facts are too old to be shown. `detail` belongs to
    `problem`: the missing permission, the path or the project that was not understood.
    """

    snapshot: Snapshot
    is_current: bool
    problem: Problem | None = None
    detail: str | None = None
    needs_new_key: bool = False
    misreadings: int = 0
    availability: Availability | None = None
    parts: Mapping[PartId, Part] = field(default_factory=dict)
    gauges: Mapping[str, Gauge] = field(default_factory=dict)
    levels: Mapping[str, Level] = field(default_factory=dict)
    over_budget: Mapping[str, bool] = field(default_factory=dict)
    outlooks: Mapping[str, Outlook] = field(default_factory=dict)
    scopes: frozenset[str] = frozenset()
    learned: Mapping[str, Learned] = field(default_factory=dict, compare=False)

    def label(self, scope: str) -> str:
        """Return what people call a part of the account."""
        labels = {part.key: part.label for part in self.snapshot.scopes}
        return labels.get(scope) or scope


def part_id(part: Part) -> PartId:
    """Return the id of a part, unique in the account."""
    return type(part).__name__, part.key


def build_view(
    state: AccountState,
    interval: timedelta,
    outlooks: Mapping[str, Outlook],
    budgets: Iterable[Budget],
    learned: Mapping[str, Learned],
    now: datetime,
) -> View:
    """Return the view of a state with the conclusions from it."""
    snapshot = state.snapshot or Snapshot()
    gauges = gauges_of(state)
    parts: list[Part] = [
        # The provider's own number takes the place of ours.
        *_own_spend(state, gauges, now),
        *snapshot.wallets,
        *snapshot.quotas,
        *gauges.values(),
        *snapshot.spend,
        *outlooks.values(),
        *budgets,
    ]
    part = next((scope for scope in snapshot.scopes if scope.problem), None)
    problem, detail = state.problem, state.detail
    if problem is None and part:
        problem = part.problem
        is_misread = problem is Problem.UNEXPECTED_ANSWER
        detail = (part.label or part.key) if is_misread else None
    view = View(
        snapshot=snapshot,
        is_current=is_current(state, interval, now),
        problem=problem,
        detail=detail,
        needs_new_key=needs_new_key(state),
        misreadings=state.misreadings,
        parts={part_id(part): part for part in parts},
        gauges=gauges,
        outlooks=outlooks,
        scopes=frozenset(
            {ACCOUNT, *(scope.key for scope in snapshot.scopes)}
            | {known.scope for known in state.gauges.values()}
        ),
        learned=learned,
    )
    return shown(state, view)


def gauges_in(snapshot: Snapshot) -> dict[str, Gauge]:
    """Return what runs down, by its key."""
    gauges = [wallet.gauge for wallet in snapshot.wallets]
    gauges += [gauge for quota in snapshot.quotas if (gauge := quota.gauge)]
    return {gauge.key: gauge for gauge in gauges}


def gauges_of(state: AccountState) -> dict[str, Gauge]:
    """Return what runs down of the last snapshot, as far as it is not forgotten."""
    found = gauges_in(state.snapshot) if state.snapshot else {}
    return {key: gauge for key, gauge in found.items() if key in state.gauges}


def shown(state: AccountState, view: View, *, is_delivered: bool = False) -> View:
    """Return the view with the levels and the availability that have been delivered."""
    levels = {
        key: known.shown_level
        for key, known in state.gauges.items()
        if known.shown_level is not None
    }
    if is_delivered or state.availability is None:
        state.availability = availability(
            view.snapshot,
            [
                (gauge, levels[key])
                for key, gauge in view.gauges.items()
                if key in levels and not is_dormant(state, state.gauges[key], gauge)
            ],
        )
    over_budget = {
        key: known.is_shown_over
        for key, known in state.budgets.items()
        if known.is_shown_over is not None
    }
    return replace(
        view,
        levels=levels,
        over_budget=over_budget,
        availability=state.availability,
    )


def is_dormant(state: AccountState, known: GaugeState, gauge: Gauge) -> bool:
    """Return whether a gauge was never used, beside one that was.

    It neither alerts nor makes the account look depleted.
    """
    return (
        gauge.remaining == 0
        and not known.has_held
        and any(other.has_held for other in state.gauges.values())
    )


def is_current(state: AccountState, interval: timedelta, now: datetime) -> bool:
    """Return whether the last facts can be shown."""
    if state.updated_at is None or state.problem not in (None, Problem.RATE_LIMITED):
        return False
    until = state.updated_at + INTERVALS_SHOWN * interval
    retry_at = state.schedule.retry_at.get(Ability.BALANCE)
    if state.problem is None and retry_at:
        # Every part but one was read; the next poll waits for that one.
        until = max(until, retry_at + interval)
    return now <= until


def needs_new_key(state: AccountState) -> bool:
    """Return whether the key was refused often enough to ask for another."""
    if state.snapshot is None:
        return state.refusals > 0
    return state.refusals >= _REFUSALS_BEFORE_REAUTH


def amounts_of(view: View, key: str) -> Amounts:
    """Return the numbers of a gauge that automations watch; times in days."""
    gauge, outlook = view.gauges[key], view.outlooks[key]
    found: dict[str, Decimal | None] = {TIME_LEFT: outlook.days_left}
    if gauge.is_quota:
        found[REMAINING] = gauge.remaining
    for wallet in view.snapshot.wallets:
        if wallet.key == key:
            found |= {BALANCE: wallet.balance, AVAILABLE: wallet.available}
    return {name: amount for name, amount in found.items() if amount is not None}


def _own_spend(
    state: AccountState, gauges: Mapping[str, Gauge], now: datetime
) -> Iterator[Spend]:
    """Yield what was spent in the current day and month, by our own count."""
    totals: dict[tuple[str, Unit, Period], Spend] = {}
    for key, gauge in gauges.items():
        if gauge.is_quota:
            continue
        for period, tally in state.gauges[key].ledger.tallies.items():
            whose = gauge.scope, gauge.unit, period
            total = totals.get(whose)
            totals[whose] = Spend(
                unit=gauge.unit,
                amount=tally.amount + (total.amount if total else 0),
                # Where a wallet appeared later, the sum is known since then.
                start=max(tally.since, total.start) if total else tally.since,
                end=now,
                scope=gauge.scope,
                period=period,
                label=gauge.label,
            )
    yield from totals.values()
