"""The control socket of a running orchestra: HTTP over a Unix socket that only its user can reach.

============================  =====================================================================
``GET /v1/status``            the status
``GET /v1/variables``         the tunnels as variables
``GET /v1/events``            JSON lines: what is true now, then what happens, until it goes
``GET /v1/wait?for=ready``    answers when it is ready or cannot become so: ``{"ready", "fatal"}``
``GET /v1/wait?for=closed``   answers, or loses the connection, when it has gone
``POST /v1/stop``             begins to take it down
============================  =====================================================================
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from aiohttp import web

from orchestra.control.codec import encode_error, encode_event, encode_status
from orchestra.control.handlers import Handlers
from orchestra.control.paths import unwritable
from orchestra.control.peer import is_own_user

_GOODBYE = 0.5
"""Seconds that answers under way have when the socket closes."""


@asynccontextmanager
async def serving(handlers: Handlers, path: Path) -> AsyncIterator[None]:
    """Answers on the socket at ``path`` meanwhile. Its directory is private already; nothing is left at the path.

    Raises RuntimeFailure with STATE_UNWRITABLE.
    """
    app = web.Application(middlewares=[_only_own_user])
    app.add_routes(_routes(handlers))
    runner = web.AppRunner(
        app, access_log=None, handle_signals=False, handler_cancellation=True, shutdown_timeout=_GOODBYE
    )
    with bound(path) as listening:
        try:
            await runner.setup()
            await web.SockSite(runner, listening).start()
            yield
        finally:
            await runner.cleanup()


@contextmanager
def bound(path: Path) -> Iterator[socket.socket]:
    """A socket bound at ``path``, never open to others, not even for the instant between bind and chmod."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        before = os.umask(0o177)
        try:
            listening.bind(str(path))
        except OSError as error:
            raise unwritable(path, error) from error
        finally:
            os.umask(before)
        try:
            yield listening
        finally:
            path.unlink(missing_ok=True)


@web.middleware
async def _only_own_user(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    connected = request.transport.get_extra_info("socket") if request.transport else None
    if connected is None or not is_own_user(connected):
        raise web.HTTPForbidden(text="this orchestra belongs to another user\n")
    return await handler(request)


def _routes(handlers: Handlers) -> list[web.RouteDef]:
    async def status(_: web.Request) -> web.Response:
        return web.json_response(encode_status(handlers.status()))

    async def variables(_: web.Request) -> web.Response:
        return web.json_response(dict(handlers.variables()))

    async def stop(_: web.Request) -> web.Response:
        handlers.stop()
        return web.json_response({}, status=202)

    async def wait(request: web.Request) -> web.Response:
        if request.query.get("for", "ready") == "closed":
            await handlers.wait_closed()
            return web.json_response({})
        readiness = await handlers.wait_ready()
        return web.json_response({"ready": readiness.ready, "fatal": encode_error(readiness.fatal)})

    async def events(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/jsonl"})
        await response.prepare(request)
        async for told in handlers.events():
            await response.write(json.dumps(encode_event(told)).encode() + b"\n")
        return response

    return [
        web.get("/v1/status", status),
        web.get("/v1/variables", variables),
        web.get("/v1/events", events),
        web.get("/v1/wait", wait),
        web.post("/v1/stop", stop),
    ]
