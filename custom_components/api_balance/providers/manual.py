"""Manual account: a balance that a person keeps, such as that of a prepaid SIM card.

Nothing is asked of anybody. The balance is what was entered, with what was added and
without what was recorded as spent. A usual amount of a day or a month is taken off day by
day until the balance is entered again.
"""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import ClassVar, override

from ..model import Snapshot, Unit
from .base import Credential, Provider

_DAYS_A_MONTH = Decimal("30.4375")


class Manual(Provider):
    """An account without an API."""

    id = "manual"
    name = "Manual account"
    is_manual = True
    # Nobody is asked: this name leads nowhere.
    hosts: ClassVar = {"none": "https://manual.invalid"}
    key_kind = ""
    key_url = "https://github.com/api-balance/ha-api-balance#manual-account"
    top_up_url = key_url
    status_url = key_url
    credentials = (
        Credential(key="name", is_secret=False),
        Credential(key="currency", is_secret=False),
        Credential(key="usual_amount", is_secret=False, is_required=False),
        Credential(key="usual_period", is_secret=False, options=("day", "month")),
    )
    poll_interval = timedelta(hours=1)

    @override
    @classmethod
    def title(cls, credentials: Mapping[str, str]) -> str:
        """Return the name that was entered."""
        return credentials["name"]

    @override
    @classmethod
    def headers(cls, credentials: Mapping[str, str]) -> Mapping[str, str]:
        """Return no headers: there is no key."""
        return {}

    @property
    @override
    def usual_spend(self) -> Decimal:
        """Return what a day usually costs, in the account's currency."""
        amount = Decimal(self._credentials.get("usual_amount") or 0)
        is_monthly = self._credentials["usual_period"] == "month"
        return amount / _DAYS_A_MONTH if is_monthly else amount

    @override
    def units_to_enter(self, snapshot: Snapshot) -> tuple[Unit, ...]:
        """Return the currency of the account."""
        return (Unit.money(self._credentials["currency"]),)

    @override
    async def fetch(self) -> Snapshot:
        """Return nothing: all there is was entered."""
        return Snapshot()
