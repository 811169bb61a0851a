"""What providers book day by day: costs by what they were for, and a past of them."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import ClassVar, Literal, override

from .simulated_provider import SimulatedProvider, command

type Deployment = Literal["hosted", "beta", "self-hosted", "dedicated"]

# What a home spends from Monday to Sunday, in percent of an average day.
WEEK = (110, 105, 110, 110, 115, 80, 70)
_LAST_DIGIT = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Use:
    """Something a home spends on, with its part of the spending in percent."""

    percent: int
    line_item: str
    project: str | None = None
    accessor: str | None = None
    deployment: Deployment = "hosted"
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Booked:
    """What one use cost on one day."""

    day: date
    amount: Decimal
    use: Use


def today() -> date:
    """Tell the day by which costs are counted."""
    return datetime.now(UTC).date()


def past(
    uses: Iterable[Use], days: int, per_day: Decimal, seed: int
) -> Iterator[tuple[date, Decimal, Use]]:
    """Make up what was spent until yesterday; a day is the same whenever it is made."""
    uses = tuple(uses)
    for ago in range(days, 0, -1):
        day = today() - timedelta(days=ago)
        random = Random(f"{seed} {day}")
        percent = Decimal(WEEK[day.weekday()] * random.randint(80, 120)).scaleb(-2)
        for use in uses:
            amount = per_day * percent * use.percent / 10_000
            yield day, amount.quantize(_LAST_DIGIT), use


class Biller(SimulatedProvider):
    """A provider that tells what was spent on each day, and on what."""

    uses: ClassVar[tuple[Use, ...]]
    """What the past is made of; what is spent now goes to the first."""

    # What every day before today costs until a past is given.
    daily = Decimal(0)

    def __init__(self, credentials: Mapping[str, str] | None = None) -> None:
        """Open an account without costs."""
        super().__init__(credentials)
        self.costs: list[Booked] = []

    @command
    @override
    def spend(self, amount: Decimal, wallet: str | None = None) -> None:
        """Use up money, which is a cost of today."""
        self.add_cost(amount)

    @command
    def add_cost(
        self,
        amount: Decimal,
        day: date | None = None,
        line_item: str | None = None,
        project: str | None = None,
        accessor: str | None = None,
    ) -> None:
        """Add to what a day cost, today by default; no balance changes."""
        use = self.uses[0]
        use = replace(
            use,
            line_item=line_item or use.line_item,
            project=project or use.project,
            accessor=accessor or use.accessor,
        )
        self.costs.append(Booked(day or today(), amount, use))

    @command
    def give_past(
        self, days: int = 30, per_day: Decimal = Decimal("2.40"), seed: int = 0
    ) -> None:
        """Replace what was before today by so many days; no balance changes."""
        self.daily = Decimal(0)
        self.costs = [cost for cost in self.costs if cost.day >= today()]
        self.costs += (
            Booked(day, amount, use)
            for day, amount, use in past(self.uses, days, per_day, seed)
        )

    def costs_of(self, day: date) -> list[Booked]:
        """Tell what a day has cost."""
        costs = [cost for cost in self.costs if cost.day == day]
        if self.daily and day < today():
            costs.append(Booked(day, self.daily, self.uses[0]))
        return costs

    def groups_of(
        self, day: date, grouping: Container[str], **filters: Sequence[str]
    ) -> dict[tuple[str | None, ...], Decimal]:
        """Sum what a day has cost by line item, project and accessor.

        What is not grouped by is None. A filter that is empty lets everything through.
        """
        groups: dict[tuple[str | None, ...], Decimal] = {}
        for cost in self.costs_of(day):
            if any(
                wanted and getattr(cost.use, name) not in wanted
                for name, wanted in filters.items()
            ):
                continue
            group = tuple(
                getattr(cost.use, name) if name in grouping else None
                for name in ("line_item", "project", "accessor")
            )
            groups[group] = groups.get(group, Decimal(0)) + cost.amount
        return groups

    def total(self, first: date) -> Decimal:
        """Sum what was spent from a day until now."""
        return sum(
            (cost.amount for cost in self.costs if cost.day >= first), Decimal(0)
        )
