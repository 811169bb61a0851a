"""Deepgram: the balances of each project that the key sees.

From https://developers.deepgram.com/reference/manage/billing/list and its neighbors
(balance, breakdown, fields, purchases); errors from
https://developers.deepgram.com/docs/errors. The key needs the scope `billing:read`,
which the roles owner and admin have and member has not; see
https://developers.deepgram.com/docs/working-with-roles. A project has any number of
balances in `usd` or `hour`; their sum by unit is what it can spend, a positive amount is
the customer's, and the list is the whole truth of the project. The figures may lag some
minutes behind. A poll costs one request per project; the projects and their purchases,
which alone hold when credit expires, once a day. That a balance names its
purchase by `purchase_order_id` is plausible, not documented: where nothing matches,
nothing is said. The spend report is of one project, in USD; it can be filtered and
grouped by the key (accessor), the deployment, the tags and the line item. Deepgram filters
by the deployments hosted, beta and self-hosted alone, and may report others. Whether the
report needs `billing:read` or `usage:read` is not documented.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
import re
from typing import Any, ClassVar, override
from urllib.parse import quote

import voluptuous as vol

from ..model import (
    UNKNOWN_CURRENCY,
    Lot,
    Purchase,
    Scope,
    Snapshot,
    Spend,
    Unit,
    Wallet,
)
from .base import (
    Client,
    Deferred,
    InvalidCredentials,
    MissingPermission,
    NotFound,
    PaymentRequired,
    Provider,
    ProviderError,
    RateLimited,
    Refusal,
    SpendQuery,
    Unreachable,
    WrongCredentialKind,
    ask_each,
)
from .fields import amount, identifier, label, maybe, moment

_LIST_PROJECTS_EVERY = timedelta(days=1)
_USD = Unit.money("USD")
_FILTERS = ("accessor", "deployment", "tag", "line_item")
# A filter is called a tag; a group, and what stands in it, tags.
_GROUPS = {
    "accessor": "accessor",
    "deployment": "deployment",
    "tag": "tags",
    "line_item": "line_item",
}

# The fields may name others, such as dedicated; a filter by these is refused.
_FILTERED_DEPLOYMENTS = frozenset({"hosted", "beta", "self-hosted"})

type _Balances = Sequence[Mapping[str, Any]]

_text = maybe(str)
_PROJECTS = {
    vol.Required("projects"): [
        {vol.Required("project_id"): identifier, "name": maybe(label)}
    ]
}
_BALANCE = {
    "balance_id": _text,
    "amount": maybe(amount),
    "units": maybe(label),
    "purchase_order_id": _text,
}
_BALANCES = {vol.Required("balances"): [_BALANCE]}
_PURCHASES = {
    vol.Required("orders"): [
        {
            vol.Required("order_id"): str,
            "expiration": maybe(moment),
            "created": maybe(moment),
            "amount": maybe(amount),
            "units": maybe(label),
            "order_type": _text,
        }
    ]
}
_BREAKDOWN = {
    vol.Required("results"): [
        {
            vol.Required("dollars"): amount,
            vol.Required("grouping"): {
                vol.Required("start"): moment,
                vol.Required("end"): moment,
                "accessor": _text,
                "deployment": _text,
                "line_item": _text,
                "tags": maybe([str]),
            },
        }
    ]
}
_FIELDS = {
    "accessors": [str],
    "deployments": [str],
    "tags": [str],
    "line_items": {vol.Extra: str},
}

_MISSING_PERMISSION = re.compile(
    "insufficient_permissions|(in)?sufficient permissions|required scope",
    re.IGNORECASE,
)
_PERMISSION = re.compile(r"'([a-z_]+:[a-z_]+)'")


class Deepgram(Provider):
    """A Deepgram account: the projects that its key sees."""

    id = "deepgram"
    name = "Deepgram"
    # The regional hosts serve speech only; billing is here for all of them.
    hosts = {"com": "https://api.deepgram.com"}
    key_kind = "API key with the role Owner or Admin"
    key_url = "https://console.deepgram.com"
    top_up_url = "https://console.deepgram.com"
    status_url = "https://status.deepgram.com"
    payment_required_statuses = (402,)
    permission = "billing:read"
    spend_filters: ClassVar[tuple[str, ...]] = _FILTERS
    spend_groups: ClassVar[tuple[str, ...]] = tuple(_GROUPS)

    @override
    @classmethod
    def headers(cls, credentials: Mapping[str, str]) -> Mapping[str, str]:
        """Return the headers that show the credentials."""
        api_key = credentials["api_key"]
        # Short-lived tokens are JSON web tokens, and are refused by billing.
        if api_key.startswith("eyJ") and api_key.count(".") == 2:
            raise WrongCredentialKind
        return {"Authorization": f"Token {api_key}"}

    @override
    @classmethod
    def explain(cls, refusal: Refusal) -> ProviderError | None:
        """Return a bad key or a missing permission: both come as 401 and as 403."""
        if refusal.status not in (401, 403):
            return None
        text = str(refusal.body)
        if not _MISSING_PERMISSION.search(text):
            return InvalidCredentials()
        permission = _PERMISSION.search(text)
        return MissingPermission(permission[1] if permission else cls.permission)

    def __init__(
        self, client: Client, credentials: Mapping[str, str], region: str
    ) -> None:
        """Start without knowing the projects."""
        super().__init__(client, credentials, region)
        self._listed_at: datetime | None = None
        self._projects: dict[str, str | None] = {}
        # By the id of the project, and by the id of the purchase.
        self._purchases: dict[str, dict[str, Purchase]] = {}
        self._with_purchases: set[str] = set()

    @override
    async def fetch(self) -> Snapshot:
        """Return the wallets of every project, one per unit.

        Raises the ProviderError of a project where no project answered.
        """
        now = datetime.now(UTC)
        is_due = (
            self._listed_at is None or now - self._listed_at >= _LIST_PROJECTS_EVERY
        )
        if is_due and await self._list_projects():
            self._listed_at = now
            self._with_purchases.clear()
        answers = await ask_each(self._projects, self._balances)
        found = {error.__class__ for error in answers.values()}
        if NotFound in found and RateLimited not in found and not is_due:
            answers = await self._ask_anew(answers)
        failures = [
            answer
            for answer in answers.values()
            if isinstance(answer, ProviderError)
            and not isinstance(answer, PaymentRequired)
        ]
        # The pause is the key's, whatever else is wrong.
        retry_after = max(map(_wait, failures), default=None) or None
        if len(failures) == len(answers):
            raise max(failures, key=_wait, default=MissingPermission(self.permission))
        if not retry_after:
            await self._read_purchases()
        is_refused = all(
            isinstance(answer, PaymentRequired) for answer in answers.values()
        )
        return Snapshot(
            account_ids=frozenset(answers),
            is_available=False if is_refused else None,
            scopes=tuple(self._scope(id_, answer) for id_, answer in answers.items()),
            wallets=tuple(
                wallet
                for id_, answer in answers.items()
                if not isinstance(answer, ProviderError)
                for wallet in self._wallets(id_, answer)
            ),
            retry_after=retry_after,
        )

    async def fetch_balance(self, scope: str, balance_id: str) -> Lot:
        """Return one balance of a project, in the unit of its wallet."""
        answer = await self._client.get(_path(scope, "balances", balance_id), _BALANCE)
        return self._lot(scope, answer)

    async def fetch_purchases(self, scope: str) -> tuple[Purchase, ...]:
        """Return what was bought for a project or granted to it."""
        answer = await self._client.get(
            _path(scope, "purchases"), _PURCHASES, [("limit", "1000")]
        )
        return tuple(
            Purchase(
                id=order["order_id"],
                unit=_unit(order.get("units")),
                scope=scope,
                amount=order.get("amount"),
                kind=order.get("order_type"),
                purchased_at=order.get("created"),
                expires_at=order.get("expiration"),
            )
            for order in answer["orders"]
        )

    async def fetch_spend(self, scope: str, query: SpendQuery) -> tuple[Spend, ...]:
        """Return the spend of a project in USD, a row for each day and group.

        From https://developers.deepgram.com/reference/manage/billing/breakdown. The
        dates include both ends. That the days are those of UTC is not documented. A
        row of several days, which Deepgram's form of the answer allows, stays whole.
        """
        answer = await self._client.get(
            _path(scope, "billing", "breakdown"), _BREAKDOWN, _params(query)
        )
        return tuple(
            Spend(
                unit=_USD,
                amount=row["dollars"],
                start=row["grouping"]["start"],
                end=row["grouping"]["end"] + timedelta(days=1),
                scope=scope,
                labels={
                    name: tuple(value) if isinstance(value, list) else value
                    for name, own in _GROUPS.items()
                    if (value := row["grouping"].get(own)) is not None
                },
            )
            for row in answer["results"]
            if query.covers(
                row["grouping"]["start"].date(), row["grouping"]["end"].date()
            )
        )

    async def fetch_spend_fields(
        self, scope: str, query: SpendQuery
    ) -> Mapping[str, Mapping[str, str]]:
        """Return the values of each filter, with what the provider calls them."""
        answer = await self._client.get(
            _path(scope, "billing", "fields"), _FIELDS, _params(query)
        )
        return {
            "accessor": {value: value for value in answer.get("accessors", ())},
            "deployment": {
                value: value
                for value in answer.get("deployments", ())
                if value in _FILTERED_DEPLOYMENTS
            },
            "tag": {value: value for value in answer.get("tags", ())},
            "line_item": answer.get("line_items", {}),
        }

    async def _list_projects(self) -> bool:
        """List the projects and return True; on failure the known ones stay."""
        try:
            answer = await self._client.get("/v1/projects", _PROJECTS)
        except ProviderError:
            if not self._projects:
                raise
            return False
        self._projects = {
            project["project_id"]: project.get("name") for project in answer["projects"]
        }
        for gone in self._purchases.keys() - self._projects.keys():
            del self._purchases[gone]
        return True

    async def _ask_anew(
        self, answers: dict[str, _Balances | ProviderError]
    ) -> dict[str, _Balances | ProviderError]:
        """List the projects again, and ask those that were not found or not known."""
        if not await self._list_projects():
            return answers
        answers |= await ask_each(
            [
                id_
                for id_ in self._projects
                if id_ not in answers or isinstance(answers[id_], NotFound)
            ],
            self._balances,
        )
        return {id_: answers[id_] for id_ in self._projects}

    async def _read_purchases(self) -> None:
        """Read the purchases of the projects that have none from today.

        They only add details to the balances, which report what is wrong.
        """
        pending = [id_ for id_ in self._projects if id_ not in self._with_purchases]
        answers = await ask_each(pending, self.fetch_purchases)
        for id_, answer in answers.items():
            # What passes is tried again with the next poll.
            if isinstance(answer, (Deferred, Unreachable)):
                continue
            purchases = () if isinstance(answer, ProviderError) else answer
            self._with_purchases.add(id_)
            self._purchases[id_] = {purchase.id: purchase for purchase in purchases}

    async def _balances(self, project_id: str) -> _Balances:
        """Return the balances of a project. Raises ProviderError."""
        answer = await self._client.get(_path(project_id, "balances"), _BALANCES)
        balances: _Balances = answer["balances"]
        return balances

    def _wallets(self, project_id: str, balances: _Balances) -> tuple[Wallet, ...]:
        """Return a wallet for each unit that a project has balances in."""
        lots: defaultdict[Unit, list[Lot]] = defaultdict(list)
        for balance in balances:
            unit = _unit(balance.get("units"))
            lots[unit].append(self._lot(project_id, balance))
        return tuple(
            Wallet(
                key=f"{project_id}_{unit.key}",
                unit=unit,
                scope=project_id,
                label=None if unit == _USD else unit.code,
                balance=_sum(lot.amount for lot in lots[unit]),
                lots=tuple(lots[unit]),
            )
            for unit in sorted(lots, key=lambda unit: unit.key)
        )

    def _lot(self, project_id: str, balance: Mapping[str, Any]) -> Lot:
        """Return a balance, joined with the purchase that it came from."""
        purchases = self._purchases.get(project_id, {})
        purchase = purchases.get(balance.get("purchase_order_id") or "")
        return Lot(
            id=balance.get("balance_id") or "",
            amount=balance.get("amount"),
            kind=purchase.kind if purchase else None,
            expires_at=purchase.expires_at if purchase else None,
        )

    def _scope(self, project_id: str, answer: _Balances | ProviderError) -> Scope:
        """Return the project, and whether it answered."""
        scope = Scope(key=project_id, label=self._projects[project_id])
        match answer:
            case PaymentRequired():
                return replace(scope, is_available=False)
            case ProviderError():
                return replace(scope, problem=answer.problem)
            case _:
                return replace(scope, is_whole=True)


def _wait(error: ProviderError) -> timedelta:
    """Return the pause that the provider asks for with an error."""
    return (isinstance(error, Deferred) and error.retry_after) or timedelta()


def _path(project_id: str, *rest: str) -> str:
    """Return the path of something that belongs to a project."""
    steps = "/".join(quote(step, safe="") for step in (project_id, *rest))
    return f"/v1/projects/{steps}"


def _unit(units: str | None) -> Unit:
    """Return the unit that the provider means."""
    match (units or "").lower():
        case "hour":
            return Unit.named("hours")
        case code if len(code) == 3 and code.isascii() and code.isalpha():
            return Unit.money(code)
        case "":
            return UNKNOWN_CURRENCY
        case other:
            return Unit.named(other)


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """Return the sum, unknown when a part of it is."""
    total = Decimal()
    for part in amounts:
        if part is None:
            return None
        total += part
    return total


def _params(query: SpendQuery) -> list[tuple[str, str]]:
    """Return the query as the provider wants it, a parameter for each group."""
    return [
        ("start", str(query.first)),
        ("end", str(query.last)),
        *query.filters.items(),
        *(("grouping", _GROUPS[name]) for name in query.group_by),
    ]
