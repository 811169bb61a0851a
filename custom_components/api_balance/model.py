"""Facts: what a provider says about an account.

Amounts are exact decimals in the unit beside them. A field the provider did not
give is None; it is never zero. Times are aware, in UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Self


class Problem(StrEnum):
    """Why a provider, or a part of an account, did not answer this time."""

    BAD_KEY = "bad_key"
    MISSING_PERMISSION = "missing_permission"
    WRONG_KEY = "wrong_key"
    PAYMENT_REQUIRED = "payment_required"
    RATE_LIMITED = "rate_limited"
    PROVIDER_FAULT = "provider_fault"
    UNREACHABLE = "unreachable"
    UNEXPECTED_ANSWER = "unexpected_answer"
    INTERNAL_ERROR = "internal_error"

    @property
    def is_passing(self) -> bool:
        """Return whether it may pass by itself."""
        return self in (self.RATE_LIMITED, self.PROVIDER_FAULT, self.UNREACHABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What an amount counts. Amounts of different units are never added."""

    code: str
    is_money: bool

    @classmethod
    def money(cls, currency: str) -> Self:
        """Return the unit of a currency, by its ISO 4217 code in any case."""
        return cls(code=currency.upper(), is_money=True)

    @classmethod
    def named(cls, name: str) -> Self:
        """Return a unit that is not money, such as credits or hours."""
        return cls(code=name, is_money=False)

    @property
    def key(self) -> str:
        """Return the part of a wallet's key that stands for the unit."""
        return self.code.lower()


# ISO 4217 keeps this code for amounts whose currency is not reported.
UNKNOWN_CURRENCY = Unit.money("XXX")

ACCOUNT = "account"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A part of an account with money of its own: a project, a sub-account, a team.

    `is_whole` means that the wallets of this scope in the snapshot are all it has: one
    that was known before and is missing now is depleted. `is_available` is False where
    the provider refuses this scope because a payment is required, and None where it
    says nothing. `problem` is why the provider did not answer for this scope. In both
    cases its wallets are unknown.
    """

    key: str
    label: str | None = None
    is_whole: bool = False
    is_available: bool | None = None
    problem: Problem | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """A part of a wallet's balance: one purchase or grant, in the wallet's unit."""

    id: str
    amount: Decimal | None
    kind: str | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """How a balance is known that no provider reports.

    A person entered it at `since`; `newest_cost` is the start of the last day whose
    costs are in it, None where there was none.
    """

    since: datetime
    newest_cost: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wallet:
    """What can be spent down. A positive amount is the customer's.

    `key` is stable for ever and unique in the account: made of the provider's ids and
    the unit, never of a position in a list. `label` distinguishes wallets of one scope.
    `credit_limit` is how far the balance may fall below zero. `pending` is what the
    provider holds back or has yet to book. `granted` and `paid` are what the provider
    gave and what the customer topped up. `is_in_doubt` marks that there is a credit line
    and `available` is missing: the balance alone says little of what can be spent.
    `estimate` marks a balance that a person entered and that costs are taken off.
    """

    key: str
    unit: Unit
    scope: str = ACCOUNT
    label: str | None = None
    balance: Decimal | None = None
    available: Decimal | None = None
    credit_limit: Decimal | None = None
    pending: Decimal | None = None
    granted: Decimal | None = None
    paid: Decimal | None = None
    lots: tuple[Lot, ...] = ()
    is_postpaid: bool = False
    is_in_doubt: bool = False
    estimate: Estimate | None = None

    @property
    def spendable(self) -> Decimal | None:
        """Return what can be spent now; None where unknown or without an end.

        What is owed on a post-paid account without a stated credit line grows until
        the invoice: it cannot run dry.
        """
        if self.available is not None:
            return self.available
        return None if self.is_postpaid or self.is_in_doubt else self.balance

    @property
    def gauge(self) -> Gauge:
        """Return what runs down."""
        return Gauge(
            key=self.key,
            unit=self.unit,
            scope=self.scope,
            label=self.label,
            remaining=self.spendable,
            debt=self.balance,
            is_postpaid=self.is_postpaid,
            has_credit_line=self.available is not None,
            # The balance alone holds no credit line.
            credit_limit=None if self.available is None else self.credit_limit,
            granted=self.granted,
            paid=self.paid,
            lots=self.lots,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """A use that has a limit or a reset. All amounts are in `unit`.

    `used` may exceed `limit` where the provider allows it; `remaining` is what the
    provider reports or documents, and never negative. `is_unlimited` is the provider's
    word that there is no limit; `limit` and `remaining` are None then. `is_partial`
    marks a quota of only a part of the account, such as one key, one product or an
    option that is not offered: it is shown and never alerts, and the account may be
    usable without it. `can_exceed` marks that use beyond the limit is allowed and
    billed: with nothing remaining the account can still be used.
    """

    key: str
    unit: Unit
    scope: str = ACCOUNT
    label: str | None = None
    used: Decimal | None = None
    limit: Decimal | None = None
    remaining: Decimal | None = None
    is_unlimited: bool = False
    is_partial: bool = False
    can_exceed: bool = False
    resets_at: datetime | None = None

    @property
    def gauge(self) -> Gauge | None:
        """Return what runs down, None where the quota limits nothing as a whole."""
        remaining = self.remaining
        if remaining is None and self.limit is not None and self.used is not None:
            remaining = max(self.limit - self.used, Decimal())
        if (
            remaining is None
            or self.is_unlimited
            or self.is_partial
            or self.scope != ACCOUNT
        ):
            return None
        return Gauge(
            key=f"quota_{self.key}",
            unit=self.unit,
            scope=self.scope,
            label=self.label,
            remaining=remaining,
            limit=self.limit,
            resets_at=self.resets_at,
            is_quota=True,
            can_exceed=self.can_exceed,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """What runs down, in one shape for wallets and quotas.

    `remaining` is what can be spent now, in `unit`; None where it is unknown or has no
    end. `limit` and `resets_at` are those of a quota. `debt` is the balance of an account
    that is paid later. `has_credit_line` marks that `remaining` may include one. The
    other fields help to explain changes, see Wallet.
    """

    key: str
    unit: Unit
    scope: str = ACCOUNT
    label: str | None = None
    remaining: Decimal | None = None
    debt: Decimal | None = None
    limit: Decimal | None = None
    resets_at: datetime | None = None
    is_quota: bool = False
    is_postpaid: bool = False
    can_exceed: bool = False
    has_credit_line: bool = False
    credit_limit: Decimal | None = None
    granted: Decimal | None = None
    paid: Decimal | None = None
    lots: tuple[Lot, ...] = ()

    @property
    def shown(self) -> Decimal | None:
        """Return the amount that changes are measured by."""
        return self.debt if self.remaining is None else self.remaining


class Period(StrEnum):
    """A period that is still running, in the provider's own calendar."""

    TODAY = "today"
    THIS_MONTH = "this_month"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """What the provider says was spent from `start` until `end`; positive is spent.

    `period` is the running period it belongs to, None in a report. `labels` holds what
    the amount was spent on: by a name that is the same for all providers, a value in the
    provider's own words, such as {"line_item": "streaming::nova-3"}. It is empty for a
    total.
    """

    unit: Unit
    amount: Decimal
    start: datetime
    # The end of a running period is now: that time passed is no news.
    end: datetime = field(compare=False)
    scope: str = ACCOUNT
    period: Period | None = None
    label: str | None = None
    labels: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Return the key of a running total in the account, stable for ever."""
        part = "" if self.scope == ACCOUNT else f"{self.scope}_"
        return f"{part}{self.unit.key}_spent_{self.period}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """A top-up or a grant as the provider booked it, in its own unit.

    A positive amount is the customer's. `id` is empty where the provider gives none.
    """

    id: str
    unit: Unit
    scope: str = ACCOUNT
    amount: Decimal | None = None
    kind: str | None = None
    purchased_at: datetime | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All that a provider said about an account in one poll.

    `account_ids` are the provider's own names of the account, none of them secret; it
    is empty where the provider gives none. `is_available` is the provider's own word on
    whether the account can be used, None where there is no such word; `is_suspended`
    that it was stopped for another reason than money; `has_auto_top_up` whether it tops
    itself up, None where that is not reported. `scopes` are all the parts the
    account has; it is empty where the provider knows none. `retry_after` is how long
    the provider wants to be left alone.
    """

    account_ids: frozenset[str] = frozenset()
    is_available: bool | None = None
    is_suspended: bool = False
    has_auto_top_up: bool | None = None
    scopes: tuple[Scope, ...] = ()
    wallets: tuple[Wallet, ...] = ()
    quotas: tuple[Quota, ...] = ()
    spend: tuple[Spend, ...] = ()
    retry_after: timedelta | None = field(default=None, compare=False)
    as_of: datetime = field(default_factory=lambda: datetime.now(UTC), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a poll brought no facts.

    `detail` is the missing permission or the path that was not understood, never a value.
    `retry_after` is how long the provider asks to wait.
    """

    problem: Problem
    detail: str | None = None
    retry_after: timedelta | None = None
