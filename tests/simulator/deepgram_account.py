"""Deepgram's side of the money: projects with balances, orders and costs."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Literal, override

from multidict import MultiMapping

from .costs import Deployment, Use, past, today
from .faults import FaultArgument
from .simulated_provider import CommandError, SimulatedProvider, command
from .wire import make_id

type Units = Literal["usd", "hour"]
type Group = tuple[date, tuple[object, ...]]

GROUPINGS = ("accessor", "deployment", "line_item", "tags")
OTHER_KEY = make_id("deepgram", "other key")
USES: tuple[Use, ...] = (
    Use(45, "streaming::nova-3", tags=("kitchen",)),
    Use(25, "streaming::nova-3", accessor=OTHER_KEY, tags=("office", "meetings")),
    Use(20, "sync::aura-2", tags=("kitchen",)),
    Use(10, "streaming::flux", deployment="beta"),
)


@dataclass(slots=True)
class Balance:
    """What is left of one purchase or gift."""

    id: str
    amount: Decimal
    units: Units
    purchase_order_id: str

    def show(self) -> dict[str, object]:
        """Show the balance as the API does."""
        return {
            "balance_id": self.id,
            "amount": self.amount,
            "units": self.units,
            "purchase_order_id": self.purchase_order_id,
        }


@dataclass(frozen=True, slots=True)
class Cost:
    """What one use on one day cost in dollars."""

    day: date
    dollars: Decimal
    accessor: str
    deployment: Deployment
    line_item: str
    tags: tuple[str, ...]

    def matches(self, query: MultiMapping[str]) -> bool:
        """Whether every filter of a query lets the cost through."""
        return (
            query.get("accessor", self.accessor) == self.accessor
            and query.get("deployment", self.deployment) == self.deployment
            and query.get("line_item", self.line_item) == self.line_item
            and ("tag" not in query or query["tag"] in self.tags)
        )

    def group(self, grouping: Container[str]) -> Group:
        """Name the group the cost falls into: its day and what is grouped by."""
        values = (
            getattr(self, name) if name in grouping else None for name in GROUPINGS
        )
        return self.day, tuple(values)


@dataclass(slots=True)
class Project:
    """A project: money is never shared between projects."""

    id: str
    name: str
    balances: list[Balance] = field(default_factory=list)
    orders: list[dict[str, object]] = field(default_factory=list)
    costs: list[Cost] = field(default_factory=list)


class DeepgramAccount(SimulatedProvider):
    """What a customer has at Deepgram, with one project to begin with."""

    def __init__(self, credentials: Mapping[str, str] | None = None) -> None:
        """Open an account with a promotional balance that is partly used."""
        super().__init__(credentials)
        self._projects: dict[str, Project] = {}
        self._made = 0
        self.accessor = self._make_id("key")
        project_id = self.add_project("Home")
        order_id = self.add_purchase(
            project_id,
            Decimal(200),
            order_type="promotional",
            expiration=datetime.now(UTC) + timedelta(days=365),
        )
        self.add_balance(
            project_id, Decimal("104.56822227"), purchase_order_id=order_id
        )
        now = today()
        for days in range(1, 8):
            day = now - timedelta(days=days)
            self.add_cost(project_id, Decimal("0.25"), day)
            self.add_cost(project_id, Decimal("0.0412"), day, line_item="sync::aura-2")

    @property
    def projects(self) -> list[str]:
        """The ids of the projects, in the order of the API."""
        return list(self._projects)

    def amounts(self, project_id: str) -> list[Decimal]:
        """What the balances of a project hold, in the order of the API."""
        return [balance.amount for balance in self._project(project_id).balances]

    @command
    @override
    def spend(self, amount: Decimal, wallet: str | None = None) -> None:
        """Spend from a balance, or from a project's dollars, oldest first."""
        project, balances = self._find(wallet)
        left = amount
        for balance in balances[:-1]:
            part = max(min(balance.amount, left), Decimal(0))
            balance.amount -= part
            left -= part
        # Contracts with overage exist: only the last balance may fall below zero.
        balances[-1].amount -= left
        if balances[-1].units == "usd":
            self.add_cost(project.id, amount)

    @command
    @override
    def top_up(self, amount: Decimal, wallet: str | None = None) -> None:
        """Buy credit: a new balance in a project, or more in one balance."""
        if wallet is None or wallet in self._projects:
            project = self._project(wallet)
            order_id = self.add_purchase(project.id, amount)
            self.add_balance(project.id, amount, purchase_order_id=order_id)
            return
        project, (balance,) = self._find(wallet)
        self.add_purchase(project.id, amount, balance.units)
        balance.amount += amount

    @command
    def add_project(self, name: str) -> str:
        """Add a project without money and tell its id."""
        project = Project(self._make_id("project"), name)
        self._projects[project.id] = project
        return project.id

    @command
    def remove_project(self, project_id: str) -> None:
        """Delete a project."""
        del self._projects[self._project(project_id).id]

    @command
    def rename_project(self, project_id: str, name: str) -> None:
        """Give a project another name."""
        self._project(project_id).name = name

    @command
    def fail_project(self, project_id: str, fault: FaultArgument) -> None:
        """Fail all that is asked about one project, until healed."""
        self.fail(fault, path=f"^/v1/projects/{self._project(project_id).id}(/|$)")

    @command
    def add_balance(
        self,
        project_id: str,
        amount: Decimal,
        units: Units = "usd",
        purchase_order_id: str = "",
    ) -> str:
        """Add a balance to a project and tell its id."""
        balance = Balance(self._make_id("balance"), amount, units, purchase_order_id)
        self._project(project_id).balances.append(balance)
        return balance.id

    @command
    def set_balance(self, balance_id: str, amount: Decimal) -> None:
        """Set the amount of a balance."""
        self._find(balance_id)[1][0].amount = amount

    @command
    def remove_balance(self, balance_id: str) -> None:
        """Drop a balance from the list, as may happen once it is used up."""
        project, (balance,) = self._find(balance_id)
        project.balances.remove(balance)

    @command
    def clear_balances(self, project_id: str) -> None:
        """Drop every balance of a project: its list is empty from now on."""
        self._project(project_id).balances.clear()

    @command
    def add_purchase(
        self,
        project_id: str,
        amount: Decimal,
        units: Units = "usd",
        # The only type anyone has seen is "promotional".
        order_type: str = "purchase",
        created: datetime | None = None,
        expiration: datetime | None = None,
    ) -> str:
        """Add an order to a project and tell its id; money paid does not expire."""
        order_id = self._make_id("order")
        order: dict[str, object] = {
            "order_id": order_id,
            "created": _zulu(created or datetime.now(UTC)),
            "amount": amount,
            "units": units,
            "order_type": order_type,
        }
        if expiration is not None:
            order["expiration"] = _zulu(expiration)
        self._project(project_id).orders.insert(0, order)
        return order_id

    @command
    def add_cost(
        self,
        project_id: str,
        dollars: Decimal,
        day: date | None = None,
        accessor: str | None = None,
        deployment: Deployment = "hosted",
        line_item: str = "streaming::nova-3",
        tags: tuple[str, ...] = (),
    ) -> None:
        """Add to what a day cost, today by default; no balance changes."""
        day = day or today()
        accessor = accessor or self.accessor
        cost = Cost(day, dollars, accessor, deployment, line_item, tags)
        self._project(project_id).costs.append(cost)

    @command
    def give_past(
        self,
        days: int = 30,
        per_day: Decimal = Decimal("2.40"),
        seed: int = 0,
        project_id: str | None = None,
    ) -> None:
        """Replace what was before today by so many days; no balance changes."""
        project = self._project(project_id)
        project.costs = [cost for cost in project.costs if cost.day >= today()]
        for day, dollars, use in past(USES, days, per_day, seed):
            self.add_cost(
                project.id,
                dollars,
                day,
                use.accessor,
                use.deployment,
                use.line_item,
                use.tags,
            )

    def _make_id(self, kind: str) -> str:
        self._made += 1
        return make_id(self.id, kind, self._made)

    def _project(self, project_id: str | None) -> Project:
        """Find the project a command names, the first where it names none."""
        if project_id is None:
            project_id = next(iter(self._projects), None)
        if project_id is None or project_id not in self._projects:
            raise CommandError(f"no project {project_id!r}")
        return self._projects[project_id]

    def _find(self, wallet: str | None) -> tuple[Project, list[Balance]]:
        """Find the one balance a command names, or a project's dollars."""
        for project in self._projects.values():
            for balance in project.balances:
                if balance.id == wallet:
                    return project, [balance]
        project = self._project(wallet)
        dollars = [balance for balance in project.balances if balance.units == "usd"]
        if not dollars:
            raise CommandError(f"no dollars in project {project.id!r}")
        return project, dollars


def _zulu(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
