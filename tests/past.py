"""A past that an account has when it is set up."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from custom_components.api_balance.const import DOMAIN
from custom_components.api_balance.insight.movements import Ledger
from custom_components.api_balance.insight.state import AccountState, GaugeState, encode
from custom_components.api_balance.model import ACCOUNT, Unit, Wallet
from homeassistant.util import dt as dt_util

HOUR = timedelta(hours=1)


def remember(
    storage: dict[str, Any],
    provider: str,
    *,
    an_hour: Decimal = Decimal("1.25"),
    days: int = 28,
    left: Decimal = Decimal(300),
) -> None:
    """Let an account in dollars have been spent evenly until a moment ago."""
    now, ledger = dt_util.utcnow() - timedelta(seconds=1), Ledger()
    for hour in range(days * 24, -1, -1):
        wallet = Wallet(
            key="usd", unit=Unit.money("USD"), available=left + an_hour * hour
        )
        ledger.observe(wallet.gauge, now - HOUR * hour)
    known = GaugeState(
        unit=Unit.money("USD"), scope=ACCOUNT, ledger=ledger, has_held=True
    )
    storage[f"{DOMAIN}.entry_{provider}"] = {
        "version": 2,
        "minor_version": 1,
        "key": f"{DOMAIN}.entry_{provider}",
        "data": encode(AccountState(gauges={"usd": known})),
    }
