"""Accounts of one provider know nothing of each other."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web
import pytest

from custom_components.api_balance.connection import (
    UnknownProvider,
    async_address,
    async_connect,
    async_load_provider,
)
from custom_components.api_balance.model import Snapshot
from custom_components.api_balance.providers.telnyx import Telnyx
from homeassistant.core import HomeAssistant

from .recording import served

pytestmark = pytest.mark.usefixtures("socket_enabled")

BALANCES = {"Bearer key-of-a": "1.00", "Bearer key-of-b": "2.00"}


def data(key: str, address: str) -> dict[str, Any]:
    """Return the data of an account's entry."""
    return {"provider": "telnyx", "api_key": key, "base_url": address}


def body(balance: str) -> str:
    """Return what the provider answers to a balance."""
    return f'{{"data": {{"balance": "{balance}", "currency": "USD"}}}}'


def balance_of(snapshot: Snapshot) -> str:
    """Return the one balance of an account."""
    (wallet,) = snapshot.wallets
    return str(wallet.balance)


async def test_cookies(hass: HomeAssistant) -> None:
    """A provider that trusts its cookie more than the key tells both accounts apart."""
    seen: list[str | None] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        seen.append(request.cookies.get("account"))
        account = seen[-1] or request.headers["Authorization"]
        response = web.Response(text=body(BALANCES[account]))
        response.set_cookie("account", account)
        return response

    async with served(handle) as address:
        # Only of a host with a name is a cookie stored.
        address = address.replace("127.0.0.1", "localhost")
        first = await async_connect(hass, data("key-of-a", address))
        second = await async_connect(hass, data("key-of-b", address))
        for _ in range(2):
            assert balance_of(await first.read()) == "1.00"
            assert balance_of(await second.read()) == "2.00"
    assert set(seen) == {None}


@pytest.fixture
async def stray() -> AsyncIterator[str]:
    """Serve each connection with a second answer that nobody asked for."""

    async def answer(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while request := await reader.read(65536):
            (key,) = (key for key in BALANCES if key.encode() in request)
            content = body(BALANCES[key])
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\n"
            whole = f"{head}Connection: keep-alive\r\n\r\n{content}".encode()
            writer.write(whole)
            await writer.drain()
            # Later than the client puts the connection aside.
            for _ in range(20):
                await asyncio.sleep(0)
            writer.write(whole)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1")
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_stray_answer(hass: HomeAssistant, stray: str) -> None:
    """A second answer on a connection reaches no other request."""
    first = await async_connect(hass, data("key-of-a", stray))
    second = await async_connect(hass, data("key-of-b", stray))
    for _ in range(3):
        assert balance_of(await first.read()) == "1.00"
        assert balance_of(await second.read()) == "2.00"


async def test_providers_by_their_id(hass: HomeAssistant) -> None:
    """A provider is loaded by its id, and asked at the address of its region."""
    assert await async_load_provider(hass, "telnyx") is Telnyx
    entry = {"provider": "telnyx", "api_key": "key", "region": "eu"}
    assert await async_address(hass, entry) == "https://api.telnyx.eu"
    for ask in (async_address, async_connect):
        with pytest.raises(UnknownProvider):
            await ask(hass, {"provider": "nobody"})
