"""The providers that are simulated by their recordings, through real sockets."""

from decimal import Decimal

from aiohttp import ClientSession
from aiohttp.test_utils import TestServer
import pytest

from custom_components.api_balance.model import Snapshot
from custom_components.api_balance.providers.base import (
    InvalidCredentials,
    MissingPermission,
    ProviderFault,
)
from custom_components.api_balance.providers.http import connect

from ..recording import RECORDED_AT
from ..simulator import SIMULATED_PROVIDERS, CommandError, Http
from ..simulator.recorded import Recorded, simulate

pytestmark = [
    pytest.mark.usefixtures("socket_enabled"),
    pytest.mark.freeze_time(RECORDED_AT),
]

each_provider = pytest.mark.parametrize(
    "simulated",
    [
        pytest.param(simulated, id=simulated.id)
        for simulated in SIMULATED_PROVIDERS
        if issubclass(simulated, Recorded)
    ],
)


def amount(snapshot: Snapshot) -> Decimal:
    """Return what is left, or less than nothing for what was used."""
    for wallet in snapshot.wallets:
        left = wallet.balance if wallet.available is None else wallet.available
        assert left is not None
        return left
    limited = [quota for quota in snapshot.quotas if not quota.is_unlimited]
    quota = (limited or list(snapshot.quotas))[0]
    if quota.remaining is not None:
        return quota.remaining
    assert quota.used is not None
    return -quota.used


@each_provider
async def test_account(simulated: type[Recorded]) -> None:
    """An account spends, is topped up, refuses wrong keys, and is another than others."""
    account, other = simulated(), simulated(simulated.other_credentials())
    async with (
        TestServer(account.make_app(), host="127.0.0.1") as server,
        TestServer(other.make_app(), host="127.0.0.1") as other_server,
        ClientSession() as session,
    ):

        async def read(word: str = "") -> Snapshot:
            credentials = account.new_key(word)
            base_url = str(server.make_url("/"))
            return await connect(
                account.provider, session, credentials, base_url=base_url
            ).read()

        before = await read()
        theirs = await connect(
            other.provider,
            session,
            other.credentials,
            base_url=str(other_server.make_url("/")),
        ).read()
        assert theirs.wallets == before.wallets
        assert not before.account_ids & theirs.account_ids

        account.spend(Decimal(2))
        assert amount(before) - amount(await read()) == 2
        if before.wallets:
            account.top_up(Decimal(2))
            assert await read() == before
        else:
            with pytest.raises(CommandError):
                account.top_up(Decimal(2))

        with pytest.raises(InvalidCredentials):
            await read("mistyped")
        account.revoke_key()
        with pytest.raises(InvalidCredentials):
            await read()
        if account.knows_permissions:
            account.weaken_key()
            with pytest.raises(MissingPermission):
                await read()
        account.restore_key()
        account.fail(Http(503), times=1)
        with pytest.raises(ProviderFault):
            await read()
        assert (await read()).account_ids == before.account_ids


async def test_another_path() -> None:
    """What is not recorded is not found, and what does not exist cannot be spent."""
    account = simulate("fish_audio")()
    async with (
        TestServer(account.make_app(), host="127.0.0.1") as server,
        ClientSession() as session,
        session.get(server.make_url("/v1/nothing")) as response,
    ):
        assert response.status == 404
    with pytest.raises(CommandError, match="no wallet 'gbp'"):
        account.spend(Decimal(1), "gbp")
    account.spend(Decimal(1), "package")
