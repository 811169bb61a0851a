"""The commands, over HTTP, for other processes."""

from collections.abc import Callable, Mapping, Sequence
import inspect
import json

from aiohttp import web
from pydantic import ValidationError, validate_call

from .vendor import CommandError, Request, Vendor
from .wire import answer


def make_control(vendors: Sequence[Vendor]) -> web.Application:
    """Make the application that controls these vendors."""
    by_id = {vendor.id: vendor for vendor in vendors}

    def find(request: web.Request) -> Vendor:
        vendor_id = request.match_info["vendor"]
        if vendor_id not in by_id:
            raise _refusal(f"no vendor {vendor_id!r}; there are {', '.join(by_id)}")
        return by_id[vendor_id]

    async def list_vendors(request: web.Request) -> web.Response:
        return answer([_show_vendor(vendor) for vendor in vendors])

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
            web.get("/", list_vendors),
            web.get("/vendors/{vendor}/requests", list_requests),
            web.post("/vendors/{vendor}/{command}", run),
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


def _show_vendor(vendor: Vendor) -> Mapping[str, object]:
    return {
        "id": vendor.id,
        "url": vendor.url,
        "credentials": vendor.credentials,
        "commands": {
            name: str(inspect.signature(command))
            for name, command in vendor.commands.items()
        },
    }


def _show_request(request: Request) -> Mapping[str, object]:
    return {
        "method": request.method,
        "path": request.path,
        "query": {key: request.query.getall(key) for key in request.query},
        "headers": dict(request.headers),
    }
