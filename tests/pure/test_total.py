"""The total of all accounts: what is added up, and what makes it unknown."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from custom_components.api_balance.insight.account import Settings, advance, deliver
from custom_components.api_balance.insight.levels import Availability, Thresholds
from custom_components.api_balance.insight.outlook import Outlook, no_outlook
from custom_components.api_balance.insight.state import AccountState
from custom_components.api_balance.insight.total import (
    Account,
    Figure,
    Rate,
    RunOut,
    Sum,
    Totals,
    currencies,
    rate_of,
    sum_up,
)
from custom_components.api_balance.insight.view import View
from custom_components.api_balance.model import (
    UNKNOWN_CURRENCY,
    Gauge,
    Period,
    Quota,
    Scope,
    Snapshot,
    Spend,
    Unit,
    Wallet,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SETTINGS = Settings(
    interval=timedelta(minutes=10),
    starts={
        Period.TODAY: NOW - timedelta(hours=12),
        Period.THIS_MONTH: NOW - timedelta(days=20),
    },
)
USD = Unit.money("USD")
EUR = Unit.money("EUR")

AVAILABLE_USD = (Figure.AVAILABLE, "USD")
TODAY_USD = (Figure.SPENT_TODAY, "USD")


def wallet(amount: str | None, unit: Unit = USD, key: str = "", **facts: Any) -> Wallet:
    """Return a wallet that holds an amount."""
    balance = None if amount is None else Decimal(amount)
    return Wallet(key=key or unit.key, unit=unit, balance=balance, **facts)


def account(
    name: str,
    *answers: Snapshot | tuple[Wallet, ...],
    is_read: bool = True,
    low: int = 0,
) -> Account:
    """Return an account that has answered so, every ten minutes."""
    thresholds = {"usd": Thresholds(amount=Decimal(low))}
    state = AccountState(thresholds=thresholds)
    view: View | None = None
    for number, answer in enumerate(answers):
        snapshot = Snapshot(wallets=answer) if isinstance(answer, tuple) else answer
        now = NOW + number * SETTINGS.interval
        view = advance(state, snapshot, SETTINGS, now, view).view
        view, _, _ = deliver(state, view)
    return Account(name=name, view=view, gauges=state.gauges, is_read=is_read)


def sum_of(key: tuple[Figure, str], *accounts: Account) -> Sum:
    """Return a sum over the accounts."""
    return sum_up(accounts, {}).sums[key]


def test_currencies_are_added_apart() -> None:
    """Each currency has its sum; quotas and other units are in none."""
    found = sum_up(
        [
            account("One", (wallet("1.10"), wallet("5", EUR))),
            account(
                "Two",
                Snapshot(
                    wallets=(wallet("2.20"), wallet("7", Unit.named("credits"))),
                    quotas=(Quota(key="limit", unit=USD, remaining=Decimal(9)),),
                ),
            ),
        ],
        {},
    )
    available = {
        currency: one.amount
        for (figure, currency), one in found.sums.items()
        if figure is Figure.AVAILABLE
    }
    assert available == {"USD": Decimal("3.30"), "EUR": Decimal(5)}


def test_currencies_that_are_not_reported_are_not_added() -> None:
    """Two unknown currencies may differ."""
    one = account("One", (wallet("1", UNKNOWN_CURRENCY),))
    assert currencies([one]) == []


@pytest.mark.parametrize(
    ("wallets", "expected"),
    [
        pytest.param(
            (wallet("-5", available=Decimal(-5)),), Decimal(10), id="overdrawn"
        ),
        pytest.param(
            (wallet("-5", available=Decimal(95)),), Decimal(105), id="credit line"
        ),
    ],
)
def test_what_can_be_spent(wallets: tuple[Wallet, ...], expected: Decimal) -> None:
    """Credit lines count, and what one account overdrew is nothing of another's."""
    assert sum_of(
        AVAILABLE_USD, account("One", wallets), account("Two", (wallet("10"),))
    ) == Sum(amount=expected)


def test_debt_is_not_counted() -> None:
    """Debt that is paid later is not in the sum, and its account is named."""
    debt = account("Debt", (wallet("-5", is_postpaid=True), wallet("3", key="own")))
    other = account("Other", (wallet("10"),))
    assert sum_of(AVAILABLE_USD, debt, other) == Sum(
        amount=Decimal(13), not_counted=("Debt",)
    )


def test_account_without_a_balance_is_not_counted() -> None:
    """An account that reports its costs alone has nothing that can be spent."""
    costs = account(
        "Costs",
        Snapshot(
            spend=(
                Spend(
                    unit=USD,
                    amount=Decimal(4),
                    start=NOW,
                    end=NOW,
                    period=Period.THIS_MONTH,
                ),
            )
        ),
    )
    assert sum_of(AVAILABLE_USD, costs) == Sum(amount=None, not_counted=("Costs",))
    assert sum_of(AVAILABLE_USD, costs).is_empty
    assert sum_of((Figure.SPENT_THIS_MONTH, "USD"), costs) == Sum(amount=Decimal(4))
    assert sum_of(TODAY_USD, costs).is_empty


@pytest.mark.parametrize(
    "unknown",
    [
        pytest.param(Account(name="Unknown"), id="not loaded"),
        pytest.param(account("Unknown", (wallet("1"),), is_read=False), id="not read"),
        pytest.param(account("Unknown", (wallet(None),)), id="without an amount"),
        pytest.param(
            account("Unknown", (wallet("1", is_in_doubt=True),)), id="in doubt"
        ),
        pytest.param(account("Unknown", (wallet("1"),), ()), id="missing"),
    ],
)
def test_what_is_unknown_makes_the_sum_unknown(unknown: Account) -> None:
    """A sum is never too low: it is unknown, and says of which account."""
    other = account("Other", (wallet("10"),))
    assert sum_of(AVAILABLE_USD, unknown, other) == Sum(
        amount=None, unknown=("Unknown",)
    )


def test_account_without_the_currency_hinders_no_sum() -> None:
    """An account that cannot be read matters to its own currencies."""
    outage = account("Outage", (wallet("1", EUR),), is_read=False)
    other = account("Other", (wallet("10"),))
    assert sum_of(AVAILABLE_USD, outage, other) == Sum(amount=Decimal(10))


def test_spend() -> None:
    """What was spent is added over the accounts, and over the parts of each."""
    scopes = (Scope(key="a"), Scope(key="b"))
    parts = [
        Snapshot(
            scopes=scopes,
            wallets=(
                wallet(amount, key="a_usd", scope="a"),
                wallet("20", key="b_usd", scope="b"),
            ),
        )
        for amount in ("10", "8")
    ]
    one = account("One", (wallet("5"),), (wallet("4.50"),))
    two = account("Two", *parts)
    assert sum_of(TODAY_USD, one, two) == Sum(amount=Decimal("2.50"))

    failing = Snapshot(scopes=scopes, wallets=parts[1].wallets[:1])
    three = account("Three", *parts, failing)
    assert sum_of(TODAY_USD, one, three) == Sum(amount=None, unknown=("Three",))


def test_own_number_of_the_provider() -> None:
    """What the provider itself counts needs no wallet."""
    spend = tuple(
        Spend(unit=USD, amount=Decimal(7), start=NOW, end=NOW, period=period)
        for period in Period
    )
    one = account("One", (wallet("5"),), Snapshot(spend=spend))
    assert sum_of(TODAY_USD, one) == Sum(amount=Decimal(7))
    assert sum_of(AVAILABLE_USD, one) == Sum(amount=None, unknown=("One",))


def test_low() -> None:
    """What is low is what its own sensors call low, also a part of an account."""
    accounts = [
        account("Low", (wallet("5"),), low=10),
        account("Fine", (wallet("50"),), low=10),
        account("Refused", Snapshot(is_available=False)),
    ]
    found = sum_up(accounts, {})
    assert found.low == ("Low", "Refused")
    assert found.unread == ()
    beside = account(
        "Beside",
        (wallet("5"), wallet("5", key="other")),
        (wallet("0"), wallet("5", key="other")),
    )
    assert beside.view
    assert beside.view.availability is Availability.AVAILABLE
    assert sum_up([beside], {}).low == ("Beside",)


@pytest.mark.parametrize(
    ("accounts", "worst"),
    [
        ([], None),
        ([account("Fine", (wallet("50"),))], Availability.AVAILABLE),
        ([account("Fine", (wallet("50"),)), Account(name="Unknown")], None),
        (
            [account("Low", (wallet("5"),), low=10), Account(name="Unknown")],
            Availability.LOW,
        ),
        (
            [
                account("Low", (wallet("5"),), low=10),
                account("Depleted", (wallet("5"),), (wallet("0"),)),
            ],
            Availability.DEPLETED,
        ),
        (
            [
                account("Depleted", (wallet("5"),), (wallet("0"),)),
                account("Suspended", Snapshot(is_suspended=True)),
            ],
            Availability.SUSPENDED,
        ),
        ([account("Debt", (wallet("-5", is_postpaid=True),))], None),
    ],
)
def test_worst_availability(
    accounts: list[Account], worst: Availability | None
) -> None:
    """What is bad is shown; that all is well takes that all is known."""
    assert sum_up(accounts, {}).availability is worst


def outlook(key: str, days: int | None, lasts: bool | None = None) -> Outlook:
    """Return the outlook of a gauge that runs out in some days."""
    blank = no_outlook(Gauge(key=key, unit=USD))
    return Outlook(
        key=key,
        unit=USD,
        scope=blank.scope,
        label=None,
        can_run_out=True,
        state=blank.state,
        runs_out=None if days is None else NOW + timedelta(days=days),
        lasts_until_reset=lasts,
    )


def test_next_to_run_out() -> None:
    """The next is the first of all that have an end, before a reset."""

    def of(name: str, *outlooks: Outlook, is_read: bool = True) -> Account:
        view = View(
            snapshot=Snapshot(),
            is_current=True,
            outlooks={one.key: one for one in outlooks},
        )
        return Account(name=name, view=view, is_read=is_read)

    accounts = [
        of("One", outlook("a", None), outlook("b", 9)),
        of("Two", outlook("a", 1, lasts=True), outlook("b", 5, lasts=False)),
        of("Outage", outlook("a", 2), is_read=False),
    ]
    found = sum_up(accounts, {})
    assert found.next_to_run_out == RunOut(
        account="Two", unit=USD, at=NOW + timedelta(days=5)
    )
    assert found.unread == ("Outage",)
    assert sum_up(accounts[2:], {}).next_to_run_out is None


def rates(**amounts: str) -> dict[str, Rate]:
    """Return fixed rates."""
    return {
        code: Rate(amount=Decimal(amount), source="fixed", updated=NOW)
        for code, amount in amounts.items()
    }


def test_convert() -> None:
    """Every currency is converted by its rate, the target is taken as it is."""
    accounts = [
        account("One", (wallet("10"), wallet("5", EUR))),
        account("Two", (wallet("100", Unit.money("CNY")),)),
    ]
    found = sum_up(accounts, rates(USD="0.9", CNY="0.125"))
    assert found.convert(Figure.AVAILABLE, "EUR") == Sum(amount=Decimal("26.5"))

    found = sum_up(accounts, rates(USD="0.9"))
    assert found.convert(Figure.AVAILABLE, "EUR") == Sum(
        amount=None, missing_rates=("CNY",)
    )


def test_convert_what_is_unknown() -> None:
    """What is unknown in one currency is unknown in all, and nothing is not zero."""
    accounts = [
        account("One", (wallet("10"),)),
        account("Two", (wallet(None, EUR),)),
        account("Debt", (wallet("-5", Unit.money("CNY"), is_postpaid=True),)),
    ]
    found = sum_up(accounts, rates(USD="0.9"))
    assert found.convert(Figure.AVAILABLE, "EUR") == Sum(
        amount=None, unknown=("Two",), not_counted=("Debt",)
    )
    assert Totals().convert(Figure.AVAILABLE, "EUR") == Sum(amount=None)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("0.92", Decimal("0.92")),
        ("1e-3", Decimal("0.001")),
        ("0", None),
        ("-1", None),
        ("nan", None),
        ("inf", None),
        ("unavailable", None),
        ("", None),
        ("1e99", None),
        ("1e-99", None),
    ],
)
def test_rate(text: str, rate: Decimal | None) -> None:
    """A rate is a number above zero, of a size that a rate can have."""
    assert rate_of(text) == rate
