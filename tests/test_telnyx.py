"""Telnyx: what its recordings cannot show."""

from datetime import timedelta

from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.api_balance.providers.telnyx import Telnyx

from .recording import RecordedProvider, connected, full_recording, served

PREFERENCES = "GET /v2/payment/auto_recharge_prefs"
BALANCE = "GET /v2/balance"
A_DAY = timedelta(days=1)

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.mark.parametrize(
    ("status", "until_tomorrow", "asks_again"),
    [(503, True, True), (429, True, True), (403, None, False), (404, None, False)],
)
async def test_preferences_are_asked_for_once_a_day(
    freezer: FrozenDateTimeFactory,
    status: int,
    until_tomorrow: bool | None,
    asks_again: bool,
) -> None:
    """A fault that passes keeps what is known; what is refused is unknown for a day."""
    simulated = RecordedProvider(full_recording(Telnyx))
    known = simulated.answers[PREFERENCES]

    async def polled() -> tuple[bool | None, bool]:
        """Return what is known after a poll, and whether it was asked for."""
        simulated.requests.clear()
        snapshot = await provider.read()
        assert snapshot.wallets
        assert simulated.requests[0] == BALANCE
        return snapshot.has_auto_top_up, PREFERENCES in simulated.requests

    async with (
        served(simulated.handle) as address,
        connected(Telnyx, address) as provider,
    ):
        assert await polled() == (True, True)
        freezer.tick(A_DAY - timedelta(minutes=1))
        assert await polled() == (True, False)
        freezer.tick(timedelta(minutes=1))
        simulated.answers[PREFERENCES] = {**known, "status": status, "json": {}}
        assert await polled() == (until_tomorrow, True)
        assert await polled() == (until_tomorrow, asks_again)
        freezer.tick(A_DAY)
        simulated.answers[PREFERENCES] = known
        assert await polled() == (True, True)
        assert await polled() == (True, False)
