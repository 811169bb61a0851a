"""DigitalOcean: what its recordings cannot show."""

from decimal import Decimal

import pytest

from custom_components.api_balance.providers.digital_ocean import DigitalOcean

from .recording import connected
from .simulator import Simulator
from .simulator.digital_ocean import DigitalOcean as SimulatedDigitalOcean

pytestmark = pytest.mark.usefixtures("socket_enabled")


async def test_prepayment_that_runs_dry(simulator: Simulator) -> None:
    """Nothing left of a prepayment is zero, nothing that never was is not shown."""
    simulated = simulator[SimulatedDigitalOcean]
    simulated.set_prepayment(Decimal(0), is_blocked=True)
    async with connected(
        DigitalOcean, simulated.url, simulated.credentials
    ) as provider:
        snapshot = await provider.read()
        assert [wallet.key for wallet in snapshot.wallets] == ["usd"]
        assert snapshot.is_available is None

        simulated.set_prepayment(Decimal("0.01"))
        snapshot = await provider.read()
        assert snapshot.wallets[1].balance == Decimal("0.01")
        assert snapshot.is_available is None

        simulated.set_prepayment(Decimal(0), is_blocked=True)
        snapshot = await provider.read()
        assert snapshot.wallets[1].balance == 0
        assert snapshot.is_available is False
