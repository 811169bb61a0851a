"""What is known of an account: facts, and the conclusions from them.

`advance` is the one way from an answer to the state, the view and the events. It is pure:
the clock and the randomness are given to it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import partial
from math import ceil

from ..model import (
    ACCOUNT,
    Failure,
    Gauge,
    Period,
    Problem,
    Snapshot,
    Spend,
    Unit,
    Wallet,
)
from .budget import Budget, reported_months
from .budgets import budget_of, conclude_budgets, keep_spend, observe_months
from .forecast import Estimates, State
from .hourly_spend import hour_of, share
from .jump import Jump, judge_jump
from .learning import Learned, learn
from .levels import Activity, Event, Level, Thresholds, alerts, judge
from .movements import Kind, Movement
from .outlook import Outlook, look_ahead, no_outlook
from .schedule import Ability
from .state import AccountState, Amounts, GaugeState
from .tracked import TrackedCredit
from .view import (
    INTERVALS_SHOWN,
    TIME_LEFT,
    View,
    amounts_of,
    build_view,
    gauges_in,
    gauges_of,
    is_dormant,
    needs_new_key,
    shown,
)

_DAY = timedelta(days=1)
# What is missing for so long is forgotten.
_FORGOTTEN_AFTER = timedelta(days=7)
# So many answers may leave out what can be spent before the balance takes its place.
_PATIENCE = 2
# A time that rises by less than a tenth has not risen: automations see no flutter.
_FLUTTER = Decimal("1.1")
# What a person did to credit; a top-up is an alert like any other.
_ENTERED: Mapping[Kind | None, Activity] = {
    None: Activity.BALANCE_SET,
    Kind.SPEND: Activity.SPEND_RECORDED,
}
# Only a person can end these.
_PERSISTENT = (Problem.MISSING_PERMISSION, Problem.WRONG_KEY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an advance needs to know beside the facts.

    `interval` is the provider's poll interval, `spread` by which part of it the next poll
    is later. `starts` are the starts of the current day and month in the home's calendar,
    `zone` is its time zone.
    """

    interval: timedelta
    starts: Mapping[Period, datetime]
    spread: float = 0
    zone: tzinfo = UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class AmountsChanged:
    """The numbers of a gauge that automations watch, before and after a change."""

    gauge: str
    before: Amounts
    after: Amounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """What came of a poll.

    `next_poll` is the time until the next one. `error` is what kept a conclusion from
    being drawn; the facts are there all the same.
    """

    view: View
    next_poll: timedelta
    error: Exception | None = None


def advance(
    state: AccountState,
    outcome: Snapshot | Failure | None,
    settings: Settings,
    now: datetime,
    before: View | None = None,
) -> Advance:
    """Update the state by the outcome of a poll, None if the provider was not asked."""
    schedule = state.schedule
    interval = settings.interval * (1 + settings.spread)
    movements: Mapping[str, tuple[Movement, ...]] = {}
    if isinstance(outcome, Snapshot):
        state.updated_at, state.refusals = now, 0
        state.problem = state.detail = None
        next_poll = schedule.succeed(interval, outcome.retry_after, now)
        if before and _is_unchanged(state, outcome, now, before):
            _pass_time(state, before, now)
            return Advance(view=before, next_poll=next_poll)
        _forget(state, outcome, now)
        snapshot = _complete(state, outcome)
        movements = _observe(state, snapshot, settings.starts, now)
        state.snapshot, state.received = snapshot, outcome
        misread = any(
            scope.problem is Problem.UNEXPECTED_ANSWER for scope in snapshot.scopes
        )
        state.misreadings = state.misreadings + 1 if misread else 0
    elif outcome:
        next_poll = _fail(state, outcome, interval, now)
    else:
        next_poll = schedule.wait(Ability.BALANCE, now) or interval
    view, error = _conclude(
        state,
        settings,
        movements,
        now,
        before,
        is_answer=isinstance(outcome, Snapshot),
    )
    if view.is_current and state.problem and state.updated_at:
        # Shown for some time still, and not a moment longer.
        stale_at = state.updated_at + INTERVALS_SHOWN * settings.interval
        next_poll = min(next_poll, stale_at - now + timedelta(seconds=1))
    return Advance(view=view, next_poll=next_poll, error=error)


def look_again(
    state: AccountState, settings: Settings, now: datetime, before: View | None
) -> View:
    """Return the view where something beside the facts has changed, without alerts."""
    for known in state.gauges.values():
        known.ledger.turn(settings.starts, now)
    return _conclude(state, settings, {}, now, before, is_anew=True)[0]


def enter_credit(
    state: AccountState,
    credit: TrackedCredit,
    settings: Settings,
    now: datetime,
    before: View,
    moved: Movement | None = None,
    note: str | None = None,
) -> View:
    """Take over credit that a person entered, and judge it.

    `moved` is what was added or spent; without it the amount was corrected.
    """
    state.tracked[credit.unit.key] = credit
    wallet = credit.wallet(now)
    gauge = wallet.gauge
    old = before.gauges.get(gauge.key)
    snapshot = state.snapshot or Snapshot()
    others = [other for other in snapshot.wallets if other.key != wallet.key]
    state.snapshot = replace(snapshot, wallets=(*others, wallet))
    known = _known(state, gauge)
    if old is None:
        movements = known.ledger.observe(gauge, now, settings.starts)
    else:
        movements = known.ledger.restate(gauge, now, moved)
        if activity := _ENTERED.get(moved.kind if moved else None):
            state.events.append(
                Event(
                    activity=activity,
                    gauge=gauge.key,
                    unit=gauge.unit,
                    at=now,
                    before=old.remaining,
                    after=gauge.remaining,
                    note=note,
                )
            )
    return _conclude(state, settings, {gauge.key: movements}, now, before)[0]


def set_thresholds(
    state: AccountState, key: str, thresholds: Thresholds, before: View
) -> View:
    """Store thresholds and judge by them: a person's change is no alert."""
    state.thresholds[key] = thresholds
    known, gauge = state.gauges.get(key), None
    if known and (gauge := before.gauges.get(key) or known.ledger.gauge):
        # Judged as if it was new: a flutter is no concern of a person's change.
        old, known.level = known.level, None
        level = _level(state, known, gauge, before.snapshot) or old
        known.level = known.shown_level = level
    return shown(state, before, is_delivered=True)


def set_budget(
    state: AccountState,
    key: str,
    settings: Settings,
    now: datetime,
    before: View,
    *,
    amount: Decimal | None = None,
    day: int | None = None,
) -> View:
    """Store a budget and judge by it: a person's change is no alert."""
    known = state.budgets[key]
    known.change(amount, day)
    view = look_again(state, settings, now, before)
    for part in view.parts.values():
        if isinstance(part, Budget) and part.key == key:
            known.judge(part, now)
    known.is_shown_over = known.is_over
    return shown(state, view)


def deliver(
    state: AccountState, view: View
) -> tuple[View, list[Event], list[AmountsChanged]]:
    """Return what is to be delivered now, once, and the view after it."""
    events, state.events = state.events, []
    risen = {
        event.gauge
        for event in events
        if event.activity in (Activity.TOPPED_UP, Activity.RESET)
    }
    changed: list[AmountsChanged] = []
    for key, known in state.gauges.items():
        known.shown_level = known.level
        if not view.is_current or key not in view.gauges:
            continue
        after = {**known.amounts, **amounts_of(view, key)}
        if key not in risen and TIME_LEFT in known.amounts:
            old, new = known.amounts[TIME_LEFT], after[TIME_LEFT]
            after[TIME_LEFT] = old if old < new <= old * _FLUTTER else new
        if known.amounts and known.amounts != after:
            changed.append(AmountsChanged(gauge=key, before=known.amounts, after=after))
        known.amounts = after
    for budget in state.budgets.values():
        budget.is_shown_over = budget.is_over
    return shown(state, view, is_delivered=True), events, changed


def fill(
    state: AccountState,
    rows: Iterable[Spend],
    starts: Mapping[Period, datetime],
    now: datetime,
) -> None:
    """Add what the provider reports of the days before the account was added.

    What is of several days is spread over those that have begun.
    """
    days: defaultdict[tuple[str, Unit], defaultdict[date, Decimal]] = defaultdict(
        lambda: defaultdict(Decimal)
    )
    for row in rows:
        length = max(ceil((min(row.end, now) - row.start) / _DAY), 1)
        for number in range(length):
            day = (row.start + number * _DAY).date()
            days[row.scope, row.unit][day] += share(row.amount, 1 / length)
    wallets = [known for known in state.gauges.values() if not known.is_quota]
    sharing = Counter((known.scope, known.unit) for known in wallets)
    for known in wallets:
        whose = known.scope, known.unit
        # Which of several wallets was spent is not reported.
        if sharing[whose] == 1 and whose in days and known.ledger.gauge:
            known.ledger.fill(days[whose], starts)
    state.knows_past = True


def _is_unchanged(
    state: AccountState, outcome: Snapshot, now: datetime, before: View
) -> bool:
    """Return whether a snapshot says what the last one said, within the same hour."""
    return (
        before.is_current
        and before.problem is None
        and outcome == state.received
        and not any(wallet.is_in_doubt for wallet in before.snapshot.wallets)
        and not state.events
        and all(
            at is None or (at <= now and hour_of(at) == hour_of(now))
            for at in (
                *(known.ledger.at for known in state.gauges.values()),
                *(
                    budget_of(state, unit).history.until
                    for unit in reported_months(outcome)
                ),
            )
        )
    )


def _pass_time(state: AccountState, view: View, now: datetime) -> None:
    """Store that nothing was spent until now."""
    for key, gauge in view.gauges.items():
        if gauge.shown is not None:
            state.gauges[key].ledger.pass_time(now)
    observe_months(state, view.snapshot, now)


def _fail(
    state: AccountState, failure: Failure, interval: timedelta, now: datetime
) -> timedelta:
    """Store why a poll failed, and return the time until the next one."""
    problem = failure.problem
    state.problem, state.detail = problem, failure.detail
    state.refusals = state.refusals + 1 if problem is Problem.BAD_KEY else 0
    if problem is Problem.UNEXPECTED_ANSWER:
        state.misreadings += 1
    elif not problem.is_passing:
        state.misreadings = 0
    is_refused = needs_new_key(state) or problem in _PERSISTENT
    return state.schedule.fail(failure, interval, now, is_refused=is_refused)


def _complete(state: AccountState, snapshot: Snapshot) -> Snapshot:
    """Return the snapshot with what is known of what it leaves out.

    A provider may leave out what is depleted. Where a scope lists everything, a wallet
    that is known and missing has nothing left. A wallet that had a credit line has it
    still, even if an answer holds the balance alone. A provider that only says that the
    account cannot be used says it of the wallets that held money.
    """
    given = {wallet.key for wallet in snapshot.wallets}
    whole = {scope.key for scope in snapshot.scopes if scope.is_whole}
    refused = {scope.key for scope in snapshot.scopes if scope.is_available is False}
    is_refused = snapshot.is_available is False or snapshot.is_suspended
    if is_refused and not (snapshot.wallets or snapshot.scopes):
        refused.add(ACCOUNT)
    added: list[Wallet] = []
    for key, known in state.gauges.items():
        if known.is_quota or key in given:
            continue
        wallet = Wallet(key=key, unit=known.unit, scope=known.scope, label=known.label)
        if known.scope in whole:
            added.append(replace(wallet, balance=Decimal()))
        elif known.scope in refused and known.has_held:
            added.append(wallet)
    wallets = [
        # Debt is paid later where there is no credit line; that is not known now.
        replace(wallet, is_in_doubt=True, is_postpaid=False)
        if wallet.available is None
        and (known_wallet := state.gauges.get(wallet.key))
        and known_wallet.patience
        else wallet
        for wallet in snapshot.wallets
    ]
    return replace(snapshot, wallets=(*wallets, *added))


def _observe(
    state: AccountState,
    snapshot: Snapshot,
    starts: Mapping[Period, datetime],
    now: datetime,
) -> dict[str, tuple[Movement, ...]]:
    """Add what a snapshot holds to the state, and return what moved."""
    movements = {}
    gauges = gauges_in(snapshot)
    for key, gauge in gauges.items():
        known = _known(state, gauge)
        if gauge.has_credit_line:
            known.patience = _PATIENCE
        elif gauge.shown is not None:
            # An answer without any amount leaves out more than what can be spent.
            known.patience = max(known.patience - 1, 0)
        movements[key] = known.ledger.observe(gauge, now, starts)
    observe_months(state, snapshot, now)
    return movements


def _known(state: AccountState, gauge: Gauge) -> GaugeState:
    """Return what is stored of a gauge, with what is new of it."""
    known = state.gauges.get(gauge.key)
    if known is None:
        known = GaugeState(unit=gauge.unit, scope=gauge.scope)
        state.gauges[gauge.key] = known
    known.unit, known.scope, known.label = gauge.unit, gauge.scope, gauge.label
    known.is_quota = gauge.is_quota
    known.has_held |= (gauge.remaining or 0) > 0
    return known


def _forget(state: AccountState, snapshot: Snapshot, now: datetime) -> None:
    """Forget the gauges of projects that have been missing for long.

    One short list proves nothing. Where a provider knows no projects, what it leaves out
    may come back at any time.
    """
    present = gauges_in(snapshot).keys()
    for key, known in list(state.gauges.items()):
        since = known.missing_since
        if key in present or known.scope == ACCOUNT:
            known.missing_since = None
        elif since is None or since > now:
            known.missing_since = now
        elif now - since >= _FORGOTTEN_AFTER:
            del state.gauges[key]
            keep_spend(state, known)


def _conclude(
    state: AccountState,
    settings: Settings,
    movements: Mapping[str, tuple[Movement, ...]],
    now: datetime,
    before: View | None,
    *,
    is_anew: bool = False,
    is_answer: bool = False,
) -> tuple[View, Exception | None]:
    """Return the view of the state, and what kept a conclusion from being drawn."""
    snapshot = state.snapshot or Snapshot()
    outlooks: dict[str, Outlook] = {}
    learned: dict[str, Learned] = {}
    error: Exception | None = None
    for key, gauge in gauges_of(state).items():
        known = state.gauges[key]
        moved = movements.get(key, ())
        kept = before.learned.get(key) if before and not is_anew else None
        jump: Jump | None = None
        try:
            found = learn(known.ledger.history, kept, now)
            old_outlook = before.outlooks.get(key) if before else None
            outlook = look_ahead(gauge, known.ledger, found.estimates, old_outlook, now)
            if key in movements:
                known.is_jumping, jump = judge_jump(
                    known.is_jumping, known.ledger.history, found.baseline
                )
        except Exception as err:  # noqa: BLE001
            # A conclusion that fails hides no fact.
            error = err
            found = Learned(estimates=Estimates(state=State.COLLECTING))
            outlook = no_outlook(gauge)
        outlooks[key], learned[key] = outlook, found
        if key in movements:
            known.runway = known.runway if outlook.lasts is None else outlook.lasts
            _alert(state, known, gauge, snapshot, moved, jump, now)
    budgets, failed = conclude_budgets(
        state, settings.zone, learned, before, now, is_anew=is_anew, is_answer=is_answer
    )
    error = error or failed
    view = build_view(state, settings.interval, outlooks, budgets, learned, now)
    return view, error


def _alert(
    state: AccountState,
    known: GaugeState,
    gauge: Gauge,
    snapshot: Snapshot,
    movements: tuple[Movement, ...],
    jump: Jump | None,
    now: datetime,
) -> None:
    """Judge a gauge, and add what is to be reported of it to the events."""
    old = known.level
    known.level = _level(state, known, gauge, snapshot)
    if old is None:
        # New, and nobody waits for it.
        known.shown_level = known.level
    activities: list[Activity] = []
    # What never held anything can neither become low nor recover.
    if known.has_held or gauge.is_postpaid:
        activities = alerts(old, known.level, movements)
    thresholds = state.thresholds_of(gauge.key)
    after = gauge.shown
    report = partial(
        Event,
        gauge=gauge.key,
        unit=gauge.unit,
        at=now,
        before=None if after is None else after - sum(one.amount for one in movements),
        after=after,
        old_level=old,
        level=known.level,
        threshold=thresholds.amount_of(gauge) or None,
        runway=known.runway,
        days=thresholds.days or None,
    )
    state.events += [report(activity=activity) for activity in activities]
    if jump:
        state.events.append(
            report(activity=Activity.SPEND_JUMPED, before=None, jump=jump)
        )


def _level(
    state: AccountState, known: GaugeState, gauge: Gauge, snapshot: Snapshot
) -> Level | None:
    """Return how a gauge stands."""
    refused = {scope.key for scope in snapshot.scopes if scope.is_available is False}
    is_usable = snapshot.is_available is not False and not snapshot.is_suspended
    return judge(
        known.level,
        gauge,
        state.thresholds_of(gauge.key),
        known.runway,
        is_usable=is_usable and gauge.scope not in refused,
        is_dormant=is_dormant(state, known, gauge),
    )
