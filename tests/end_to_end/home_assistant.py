"""A driver for a real Home Assistant process, through its HTTP and WebSocket APIs."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from http import HTTPMethod, HTTPStatus
import importlib.util
import itertools
import json
import os
from pathlib import Path
import random
import re
import signal
import socket
import sys
from time import monotonic
from typing import Any, Self

from aiohttp import (
    ClientError,
    ClientSession,
    ClientTimeout,
    ClientWebSocketResponse,
    WSMsgType,
)

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
LAUNCHER = Path(__file__).with_name("launch.py")

CONFIGURATION = """\
homeassistant:
  name: Home
  country: DE
  currency: EUR
  language: en
  latitude: 52.5
  longitude: 13.4
  elevation: 34
  time_zone: UTC
  unit_system: metric
logger:
  default: warning
"""

START_LIMIT = 120.0
STOP_LIMIT = 30.0
TOKEN_LIFE = 20 * 60.0
POLL = 0.05

type Json = dict[str, Any]

_LOG_LINE = re.compile(
    r"^\d{4}-\d\d-\d\d[T ]\S+ "
    r"(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL) \((?P<thread>[^)]*)\) "
    r"\[(?P<logger>[^]]*)\] ",
    re.MULTILINE,
)


class HomeAssistantError(Exception):
    """Home Assistant refused a request, or is not what it should be."""


def free_port() -> int:
    """Return a loopback port that nothing listens on."""
    while True:
        # Below those that the kernel gives to outgoing connections at any time.
        port = random.randrange(20_000, 32_000)
        if _is_free(port):
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((HOST, port))
        except OSError:
            return False
    return True


class HomeAssistant:
    """A Home Assistant process with a configuration folder of its own."""

    def __init__(
        self,
        folder: Path,
        *,
        configuration: str = CONFIGURATION,
        components: Path = ROOT / "custom_components",
        port: int | None = None,
        username: str = "demo",
        password: str = "demo",  # noqa: S107
        user: str = "Demo",
    ) -> None:
        """Remember what to start; nothing is touched before start()."""
        self.folder = folder
        self.port = port or free_port()
        self.url = f"http://{HOST}:{self.port}"
        self.states: dict[str, Json] = {}
        self.username = username
        self.password = password
        self._user = user
        self._configuration = configuration
        self._components = components
        self._process: asyncio.subprocess.Process | None = None
        self._session: ClientSession | None = None
        self._socket: ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None
        self._replies: dict[int, asyncio.Future[Any]] = {}
        self._ids = itertools.count(1)
        self._changed = asyncio.Event()
        self._access_token = ""
        self._refresh_token = ""
        self._token_since = 0.0

    async def __aenter__(self) -> Self:
        """Start Home Assistant and log in."""
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop Home Assistant."""
        await self.stop()

    # The process

    @property
    def pid(self) -> int | None:
        """Return the id of the process, None where none runs."""
        process = self._process
        return process.pid if process and process.returncode is None else None

    @property
    def console(self) -> Path:
        """Return the file that all starts write their log to."""
        return self.folder / "console.log"

    @property
    def log(self) -> str:
        """Return what all starts wrote to their log."""
        return self.console.read_text(errors="replace") if self.console.exists() else ""

    def log_records(self, *levels: str, start: int = 0) -> list[str]:
        """Return the log's records of these levels, with their tracebacks."""
        log = self.log[start:]
        found = list(_LOG_LINE.finditer(log))
        ends = [*(match.start() for match in found), len(log)][1:]
        return [
            log[match.start() : end].rstrip()
            for match, end in zip(found, ends, strict=True)
            if not levels or match["level"] in levels
        ]

    async def start(self) -> None:
        """Start the process, onboard or log in, and wait until it is running."""
        if importlib.util.find_spec("hass_frontend") is None:
            raise HomeAssistantError(
                "home-assistant-frontend is not installed beside Home Assistant"
            )
        # Else it might be somebody else who answers.
        if not _is_free(self.port):
            raise HomeAssistantError(f"port {self.port} is in use")
        self._prepare()
        with self.console.open("ab") as console:
            # A session of its own: Ctrl-C is for the one who drives. The launcher
            # watches stdin, so that no Home Assistant outlives its driver.
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", str(LAUNCHER), "--config", str(self.folder)),
                *("--skip-pip", "--log-no-color"),
                cwd=self.folder,
                env=_environment(),
                stdin=asyncio.subprocess.PIPE,
                stdout=console,
                stderr=console,
                start_new_session=True,
            )
        deadline = monotonic() + START_LIMIT
        self._session = ClientSession(timeout=ClientTimeout(total=60))
        steps = await self._wait_until_answering(deadline)
        await self._authenticate(steps)
        await self._connect()
        await self.until(self._is_ready, "Home Assistant to run", limit=START_LIMIT)

    async def stop(self) -> None:
        """End the process as a person would, and by force when it does not."""
        self._signal(signal.SIGTERM)
        await self._ended(STOP_LIMIT)

    async def kill(self) -> None:
        """End the process as a power cut would."""
        self._signal(signal.SIGKILL)
        await self._ended(STOP_LIMIT)

    async def ended(self) -> int:
        """Return the exit code of the process once it has ended."""
        assert self._process is not None
        return await self._process.wait()

    async def restart(self) -> None:
        """Stop and start again."""
        await self.stop()
        await self.start()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)

    async def _ended(self, limit: float) -> None:
        if self._process is not None:
            try:
                await asyncio.wait_for(self._process.wait(), limit)
            except TimeoutError:
                self._signal(signal.SIGKILL)
                await self._process.wait()
        if self._reader is not None:
            self._reader.cancel()
            with suppress(asyncio.CancelledError):
                await self._reader
        if self._socket is not None:
            await self._socket.close()
        if self._session is not None:
            await self._session.close()
        self._process = self._reader = self._socket = self._session = None
        self.states.clear()

    def _prepare(self) -> None:
        storage = self.folder / ".storage"
        storage.mkdir(parents=True, exist_ok=True)
        (self.folder / "configuration.yaml").write_text(self._configuration)
        link = self.folder / "custom_components"
        if not link.exists():
            link.symlink_to(self._components, target_is_directory=True)
        _store(
            storage / "http",
            {"server_host": [HOST], "server_port": self.port},
        )
        if not (storage / "onboarding").exists():
            # The step for the core configuration would set up integrations that
            # fetch the weather and radio stations from the internet.
            _store(storage / "onboarding", {"done": ["core_config"]}, version=4)

    async def _wait_until_answering(self, deadline: float) -> list[str]:
        """Return the onboarding steps to take once the HTTP server answers."""
        assert self._session is not None
        assert self._process is not None
        while monotonic() < deadline:
            if self._process.returncode is not None:
                raise HomeAssistantError(f"Home Assistant ended:\n{self.log[-4000:]}")
            with suppress(ClientError, TimeoutError):
                async with self._session.get(f"{self.url}/api/onboarding") as response:
                    if response.status == HTTPStatus.NOT_FOUND:
                        return []
                    if response.ok:
                        steps = await response.json()
                        return [step["step"] for step in steps if not step["done"]]
            await asyncio.sleep(POLL)
        raise HomeAssistantError(f"Home Assistant is silent:\n{self.log[-4000:]}")

    # Who is asking

    @property
    def _client_id(self) -> str:
        return f"{self.url}/"

    async def _authenticate(self, steps: list[str]) -> None:
        if "user" in steps:
            answer = await self._send(
                HTTPMethod.POST,
                "/api/onboarding/users",
                json={
                    "client_id": self._client_id,
                    "language": "en",
                    "name": self._user,
                    "password": self.password,
                    "username": self.username,
                },
            )
            code = answer["auth_code"]
        else:
            code = await self._log_in()
        await self._fetch_token(grant_type="authorization_code", code=code)
        if "analytics" in steps:
            await self.post("/api/onboarding/analytics")
        if "integration" in steps:
            await self.post(
                "/api/onboarding/integration",
                {"client_id": self._client_id, "redirect_uri": self._client_id},
            )

    async def _log_in(self) -> str:
        flow = await self._send(
            HTTPMethod.POST,
            "/auth/login_flow",
            json={
                "client_id": self._client_id,
                "handler": ["homeassistant", None],
                "redirect_uri": self._client_id,
            },
        )
        result = await self._send(
            HTTPMethod.POST,
            f"/auth/login_flow/{flow['flow_id']}",
            json={
                "client_id": self._client_id,
                "password": self.password,
                "username": self.username,
            },
        )
        if result["type"] != "create_entry":
            raise HomeAssistantError(f"login failed: {result.get('errors')}")
        code: str = result["result"]
        return code

    async def _fetch_token(self, **grant: str) -> None:
        answer = await self._send(
            HTTPMethod.POST, "/auth/token", data={"client_id": self._client_id, **grant}
        )
        self._access_token = answer["access_token"]
        self._refresh_token = answer.get("refresh_token", self._refresh_token)
        self._token_since = monotonic()

    # REST

    async def get(self, path: str) -> Any:
        """Return the answer of a GET request."""
        return await self._request(HTTPMethod.GET, path)

    async def post(self, path: str, data: Mapping[str, Any] | None = None) -> Any:
        """Return the answer of a POST request."""
        return await self._request(HTTPMethod.POST, path, data or {})

    async def delete(self, path: str) -> Any:
        """Return the answer of a DELETE request."""
        return await self._request(HTTPMethod.DELETE, path)

    async def _request(
        self, method: HTTPMethod, path: str, json: Mapping[str, Any] | None = None
    ) -> Any:
        if monotonic() > self._token_since + TOKEN_LIFE:
            await self._fetch_token(
                grant_type="refresh_token", refresh_token=self._refresh_token
            )
        headers = {"Authorization": f"Bearer {self._access_token}"}
        return await self._send(method, path, headers=headers, json=json)

    async def _send(self, method: HTTPMethod, path: str, **options: Any) -> Any:
        assert self._session is not None
        url = f"{self.url}{path}"
        async with self._session.request(method, url, **options) as response:
            if not response.ok:
                problem = f"{method} {path}: {response.status} {await response.text()}"
                if response.status == HTTPStatus.INTERNAL_SERVER_ERROR:
                    problem = "\n".join([problem, *self.log_records("ERROR")[-1:]])[
                        -2000:
                    ]
                raise HomeAssistantError(problem)
            return await response.json()

    # WebSocket

    async def _connect(self) -> None:
        assert self._session is not None
        self._socket = await self._session.ws_connect(
            f"{self.url}/api/websocket", max_msg_size=0
        )
        await self._socket.receive_json()
        await self._socket.send_json(
            {"type": "auth", "access_token": self._access_token}
        )
        answer = await self._socket.receive_json()
        if answer["type"] != "auth_ok":
            raise HomeAssistantError(f"websocket: {answer}")
        self._ids = itertools.count(1)
        self._reader = asyncio.create_task(self._read(self._socket))
        # Subscribed first, so that no change falls between.
        await self.call("subscribe_events")
        for state in await self.call("get_states"):
            self.states.setdefault(state["entity_id"], state)

    async def _read(self, messages: ClientWebSocketResponse) -> None:
        try:
            async for message in messages:
                if message.type is WSMsgType.TEXT:
                    self._handle(json.loads(message.data))
        finally:
            for reply in self._replies.values():
                if not reply.done():
                    reply.set_exception(HomeAssistantError("the connection ended"))
            self._replies.clear()

    def _handle(self, message: Json) -> None:
        if message["type"] == "event":
            event = message["event"]
            if event["event_type"] == "state_changed":
                entity_id = event["data"]["entity_id"]
                if state := event["data"]["new_state"]:
                    self.states[entity_id] = state
                else:
                    self.states.pop(entity_id, None)
            self._changed.set()
        elif (reply := self._replies.pop(message["id"], None)) and not reply.done():
            if message["success"]:
                reply.set_result(message["result"])
            else:
                reply.set_exception(HomeAssistantError(str(message["error"])))

    async def call(self, command: str, /, **fields: Any) -> Any:
        """Return the result of a WebSocket command."""
        if self._socket is None or self._socket.closed:
            raise HomeAssistantError("there is no connection")
        number = next(self._ids)
        reply = self._replies[number] = asyncio.get_running_loop().create_future()
        try:
            await self._socket.send_json({"id": number, "type": command, **fields})
        except ClientError as err:
            raise HomeAssistantError("the connection ended") from err
        async with asyncio.timeout(60):
            return await reply

    async def until[T](
        self,
        check: Callable[[], Awaitable[T | None]],
        what: str,
        *,
        limit: float = 30.0,
    ) -> T:
        """Return what check answers, asked again after each event, until it is true."""
        deadline = monotonic() + limit
        while True:
            self._changed.clear()
            if result := await check():
                return result
            if (left := deadline - monotonic()) <= 0:
                raise TimeoutError(f"waited {limit:.0f} s for {what}")
            # Not everything that is waited for comes with an event.
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), min(left, 1.0))

    async def until_state(
        self, entity_id: str, *wanted: str, limit: float = 30.0
    ) -> Json:
        """Return the entity's state object once its state is one of those wanted."""

        async def check() -> Json | None:
            state = self.states.get(entity_id)
            return state if state and state["state"] in wanted else None

        try:
            return await self.until(check, f"{entity_id} = {wanted}", limit=limit)
        except TimeoutError as err:
            raise TimeoutError(f"{err}; is {self.states.get(entity_id)}") from None

    async def _is_ready(self) -> bool:
        if self.pid is None:
            raise HomeAssistantError(f"Home Assistant ended:\n{self.log[-4000:]}")
        config = await self.call("get_config")
        if config["recovery_mode"]:
            raise HomeAssistantError(f"recovery mode:\n{self.log[-4000:]}")
        return bool(config["state"] == "RUNNING")

    # What a person does

    async def call_service(
        self, service: str, data: Mapping[str, Any] | None = None, **target: Any
    ) -> None:
        """Call a service such as homeassistant.update_entity and wait for its end."""
        domain, name = service.split(".")
        await self.call(
            "call_service",
            domain=domain,
            service=name,
            service_data=dict(data or {}),
            target=target,
        )

    async def ask(self, service: str, data: Mapping[str, Any]) -> Json:
        """Call a service that answers with data, and return its answer."""
        domain, name = service.split(".")
        result = await self.call(
            "call_service",
            domain=domain,
            service=name,
            service_data=dict(data),
            return_response=True,
        )
        answer: Json = result["response"]
        return answer

    async def update_entity(self, *entity_ids: str) -> None:
        """Poll now, as far as the coordinator's cool-down allows."""
        await self.call_service("homeassistant.update_entity", entity_id=entity_ids)

    async def start_flow(self, domain: str, **fields: Any) -> Json:
        """Start a config flow and return its first step."""
        result: Json = await self.post(
            "/api/config/config_entries/flow", {"handler": domain, **fields}
        )
        return result

    async def show_flow(self, flow_id: str) -> Json:
        """Return the step that a flow stands at."""
        result: Json = await self.get(f"/api/config/config_entries/flow/{flow_id}")
        return result

    async def step_flow(self, flow_id: str, data: Mapping[str, Any]) -> Json:
        """Answer a flow's step and return the next one."""
        result: Json = await self.post(
            f"/api/config/config_entries/flow/{flow_id}", data
        )
        return result

    async def abort_flow(self, flow_id: str) -> None:
        """Leave a flow."""
        await self.delete(f"/api/config/config_entries/flow/{flow_id}")

    async def flows(self, domain: str) -> list[Json]:
        """Return the integration's flows that wait for a person."""
        flows = await self.call("config_entries/flow/progress")
        return [flow for flow in flows if flow["handler"] == domain]

    async def until_flow(
        self, domain: str, source: str, entry_id: str, *, limit: float = 30.0
    ) -> Json:
        """Return the flow of an entry once it waits for a person."""

        async def check() -> Json | None:
            for flow in await self.flows(domain):
                context = flow["context"]
                if (context["source"], context.get("entry_id")) == (source, entry_id):
                    return flow
            return None

        return await self.until(check, f"a {source} flow", limit=limit)

    async def entries(self, domain: str) -> list[Json]:
        """Return the integration's config entries."""
        found: list[Json] = await self.call("config_entries/get", domain=domain)
        return found

    async def until_entry(
        self, entry_id: str, *states: str, limit: float = 30.0
    ) -> Json:
        """Return a config entry once it is in one of the states."""

        async def check() -> Json | None:
            answer = await self.call("config_entries/get_single", entry_id=entry_id)
            entry: Json = answer["config_entry"]
            return entry if entry["state"] in states else None

        return await self.until(check, f"entry {' or '.join(states)}", limit=limit)

    async def reload_entry(self, entry_id: str) -> None:
        """Reload a config entry."""
        await self.post(f"/api/config/config_entries/entry/{entry_id}/reload")

    async def remove_entry(self, entry_id: str) -> None:
        """Remove a config entry."""
        await self.delete(f"/api/config/config_entries/entry/{entry_id}")

    async def entities(self, domain: str) -> list[Json]:
        """Return the integration's entries in the entity registry."""
        entities = await self.call("config/entity_registry/list")
        return [entity for entity in entities if entity["platform"] == domain]

    async def devices(self, domain: str) -> list[Json]:
        """Return the devices that the integration registered."""
        devices = await self.call("config/device_registry/list")
        return [
            device
            for device in devices
            if any(identifier[0] == domain for identifier in device["identifiers"])
        ]

    async def issues(self, domain: str | None = None) -> list[Json]:
        """Return the repair issues, of one integration or all."""
        answer = await self.call("repairs/list_issues")
        return [
            issue
            for issue in answer["issues"]
            if domain is None or domain in {issue["domain"], issue["issue_domain"]}
        ]

    async def diagnostics(self, entry_id: str) -> Json:
        """Return the diagnostics that a person would download."""
        answer: Json = await self.get(f"/api/diagnostics/config_entry/{entry_id}")
        return answer

    def stored(self, name: str) -> Json:
        """Return what Home Assistant keeps under a storage key."""
        content: Json = json.loads((self.folder / ".storage" / name).read_text())
        return content


def _environment() -> dict[str, str]:
    """Return this process's environment without what steers this Python only."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "COV_", "PYTEST"))
        and not name.endswith("_API_KEY")
    }


def _store(path: Path, data: Json, *, version: int = 1) -> None:
    """Write a file as Home Assistant's storage would."""
    path.write_text(
        json.dumps(
            {"version": version, "minor_version": 1, "key": path.name, "data": data}
        )
    )
