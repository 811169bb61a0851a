"""The commands, over HTTP, for other processes."""

from collections.abc import Callable, Mapping, Sequence
import inspect
import json

from aiohttp import web
from pydantic import ValidationError, validate_call

from .simulated_provider import CommandError, Request, SimulatedProvider
from .wire import answer


def make_control(providers: Sequence[SimulatedProvider]) -> web.Application:
    """Make the application that controls these providers."""
    by_id = {provider.id: provider for provider in providers}

    def find(request: web.Request) -> SimulatedProvider:
        provider_id = request.match_info["provider"]
        if provider_id not in by_id:
            raise _refusal(f"no provider {provider_id!r}; there are {', '.join(by_id)}")
        return by_id[provider_id]

    async def list_providers(request: web.Request) -> web.Response:
        return answer([_show_provider(provider) for provider in providers])

    async def list_requests(request: web.Request) -> web.Response:
        return answer([_show_request(logged) for logged in find(request).requests])

    async def run(request: web.Request) -> web.Response:
        commands = find(request).commands
        name = request.match_info["command"]
        if name not in commands:
            raise _refusal(f"no command {name!r}; there are {', '.join(commands)}")
        return answer({"result": _call(commands[name], await request.text())})

    app = web.Application()
    app.add_routes(
        [
            web.get("/", list_providers),
            web.get("/providers/{provider}/requests", list_requests),
            web.post("/providers/{provider}/{command}", run),
        ]
    )
    return app


def _call(command: Callable[..., object], text: str) -> object:
    """Call a command with arguments out of JSON, made into the types it asks for."""
    try:
        arguments = json.loads(text or "{}", parse_float=str)
    except ValueError as error:
        raise _refusal(f"not JSON: {error}") from None
    if not isinstance(arguments, dict):
        raise _refusal("the arguments are no JSON object")
    try:
        return validate_call(command)(**arguments)
    except ValidationError as error:
        problems = (
            f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
            for problem in error.errors()
        )
        raise _refusal("; ".join(problems)) from None
    except CommandError as error:
        raise _refusal(str(error)) from None


def _refusal(text: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(text=f"{text}\n")


def _show_provider(provider: SimulatedProvider) -> Mapping[str, object]:
    return {
        "id": provider.id,
        "url": provider.url,
        "credentials": provider.credentials,
        "commands": {
            name: str(inspect.signature(command))
            for name, command in provider.commands.items()
        },
    }


def _show_request(request: Request) -> Mapping[str, object]:
    return {
        "method": request.method,
        "path": request.path,
        "query": {key: request.query.getall(key) for key in request.query},
        "headers": dict(request.headers),
    }
