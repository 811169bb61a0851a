"""The budgets of an account: from what is stored to what is shown and reported."""

from dataclasses import replace
from datetime import UTC, datetime, tzinfo

from ..model import ACCOUNT, Snapshot, Unit
from .budget import (
    Budget,
    BudgetState,
    assess,
    budget_key,
    month_of,
    reported_months,
    settle,
)
from .hourly_spend import HourlySpend
from .learning import Learned, learn
from .state import AccountState, GaugeState
from .view import View, gauges_of


def budget_of(state: AccountState, unit: Unit) -> BudgetState:
    """Return what is stored of the budget of a currency."""
    return state.budgets.setdefault(budget_key(unit), BudgetState(unit=unit))


def observe_months(state: AccountState, snapshot: Snapshot, now: datetime) -> None:
    """Add the provider's own totals of its month to the state."""
    for unit, total in reported_months(snapshot).items():
        budget_of(state, unit).observe(total, now)


def keep_spend(state: AccountState, known: GaugeState) -> None:
    """Keep what a wallet has spent that is forgotten: it counts for its month."""
    if known.unit.is_money and not known.is_quota:
        budget = budget_of(state, known.unit)
        budget.forgotten = HourlySpend.merge([budget.forgotten, known.ledger.history])


def conclude_budgets(
    state: AccountState,
    zone: tzinfo,
    learned: dict[str, Learned],
    before: View | None,
    now: datetime,
    *,
    is_anew: bool,
    is_answer: bool,
) -> tuple[list[Budget], Exception | None]:
    """Return how each currency stands to its budget, and what kept one from it.

    After an answer of the provider, what is to be reported is added to the events.
    """
    budgets: list[Budget] = []
    error: Exception | None = None
    currencies = _currencies(state)
    for unit in currencies:
        key = budget_key(unit)
        kept = before.learned.get(key) if before and not is_anew else None
        try:
            budget, ended = _assess(state, unit, zone, learned, kept, now)
        except Exception as err:  # noqa: BLE001
            # A conclusion that fails hides no fact.
            error = err
            continue
        if is_answer and budget.amount:
            for month in filter(None, (ended, budget)):
                state.events += budget_of(state, unit).judge(month, now)
        old = before.parts.get(("Budget", key)) if before else None
        if isinstance(old, Budget):
            budget = settle(budget, old)
        if len(currencies) > 1:
            budget = replace(budget, label=unit.code)
        budgets.append(budget)
    return budgets, error


def _currencies(state: AccountState) -> list[Unit]:
    """Return the currencies in which the account spends money, each once."""
    units = [gauge.unit for gauge in gauges_of(state).values() if not gauge.is_quota]
    units += reported_months(state.snapshot or Snapshot())
    # A budget that was set stays, whatever an answer leaves out.
    units += [known.unit for known in state.budgets.values() if known.amount]
    return [*dict.fromkeys(unit for unit in units if unit.is_money)]


def _assess(
    state: AccountState,
    unit: Unit,
    zone: tzinfo,
    learned: dict[str, Learned],
    kept: Learned | None,
    now: datetime,
) -> tuple[Budget, Budget | None]:
    """Return how a currency stands to its budget, and its last month if that has ended.

    The provider's own number of its month takes the place of what the wallets spent.
    """
    known, key = budget_of(state, unit), budget_key(unit)
    snapshot, gauges = state.snapshot or Snapshot(), gauges_of(state)
    wallets = {
        key: wallet
        for key, wallet in state.gauges.items()
        if wallet.unit == unit and not wallet.is_quota
    }
    ledgers = HourlySpend.merge(
        [known.forgotten, *(wallet.ledger.history for wallet in wallets.values())]
    )
    present = [key for key in wallets if key in gauges]
    total = reported_months(snapshot).get(unit)
    if total and any(gauges[key].is_postpaid for key in present):
        # Such a balance falls by invoices, which do not show when money was spent.
        ledgers = HourlySpend()
    is_reported = total is not None and known.day == 1
    if total and is_reported:
        # Its month is one in UTC.
        month, spent, is_whole = month_of(total.start, 1, UTC), total.amount, True
    else:
        month = month_of(now, known.day, zone)
        spent = ledgers.total(month.start, month.end)
        scopes = {ACCOUNT, *(scope.key for scope in snapshot.scopes)}
        is_whole = ledgers.covers(month.start) and all(
            key in gauges and gauges[key].shown is not None
            for key, wallet in wallets.items()
            if wallet.scope in scopes
        )
    if not total and len(present) == 1:
        found = learned[present[0]]
    else:
        histories = [wallets[key].ledger.history for key in present]
        history = known.history if total else HourlySpend.merge(histories)
        found = learned[key] = learn(history, kept, now)
    budget = assess(
        Budget(
            key=key,
            unit=unit,
            amount=known.amount,
            day=known.day,
            month=month,
            spent=spent,
            is_whole=is_whole,
            has_ledger=bool(ledgers.hours),
        ),
        found.estimates,
        now,
    )
    ended = None
    if known.month and not is_reported and not month.is_same(known.month.start):
        spent = ledgers.total(known.month.start, known.month.end)
        ended = replace(
            budget,
            month=known.month,
            spent=spent,
            forecast=None,
            is_over=spent > known.amount,
            is_at_risk=False,
        )
    return budget, ended
