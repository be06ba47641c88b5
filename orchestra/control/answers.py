"""What a running orchestra answers on its control socket, and whom.

============================  =====================================================================
``GET /v1/status``            the status
``GET /v1/events``            JSON lines: what is true now, then what happens, until it goes
``GET /v1/picture``           the plan as SVG
``GET /metrics``              for Prometheus; likewise ``/livez``, ``/readyz`` and ``/readyz/TUNNEL``
``GET /v1/variables``         the tunnels as variables
``GET /v1/logs``              the end of the log
``GET /v1/wait?for=ready``    answers when it is ready or cannot become so: ``{"ready", "fatal"}``
``GET /v1/wait?for=closed``   answers, or loses the connection, when it has gone
``POST /v1/tickets``          an address that lets one browser in, with ``--http``: ``{"url"}``
``POST /v1/reload``           reads the files again and applies what differs; see :meth:`.handlers.Handlers.reload`
``POST /v1/tunnels``          the same, to ``add`` or ``remove`` one
``POST /v1/reconnect``        opens sessions anew: those of ``tunnel``, a tunnel or a server, or all
``POST /v1/stop``             begins to take it down; with ``?drain=SECONDS`` what is carried may end first
============================  =====================================================================
"""

from __future__ import annotations

import math
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp import web

from orchestra import __version__
from orchestra.control.codec import encode_error
from orchestra.control.looking import looking, runner_of
from orchestra.control.peer import is_own_user
from orchestra.control.versions import ALWAYS, HEADER, distance

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from socket import socket

    from orchestra.control.handlers import Document, Handlers

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def answering(handlers: Handlers, listening: socket) -> AsyncIterator[None]:
    """Answers who connects to the socket meanwhile."""
    app = web.Application(middlewares=[_only_own_user, _only_near_versions])
    app.add_routes([*looking(handlers), *_routes(handlers)])
    runner = runner_of(app)
    try:
        await runner.setup()
        await web.SockSite(runner, listening).start()
        yield
    finally:
        await runner.cleanup()


@web.middleware
async def _only_own_user(request: web.Request, handler: Handler) -> web.StreamResponse:
    connected = request.transport.get_extra_info("socket") if request.transport else None
    if connected is None or not is_own_user(connected):
        raise web.HTTPForbidden(text="this orchestra belongs to another user\n")
    return await handler(request)


@web.middleware
async def _only_near_versions(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A command that says its version, and might mean something else by its question, is not obeyed."""
    theirs = request.headers.get(HEADER, __version__)
    if distance(__version__, theirs) == "far" and request.path not in ALWAYS:
        raise web.HTTPConflict(text=f"it is version {__version__}\n")
    return await handler(request)


def _routes(handlers: Handlers) -> list[web.RouteDef]:
    async def variables(_: web.Request) -> web.Response:
        return web.json_response(dict(handlers.variables()))

    async def reload(request: web.Request) -> web.Response:
        return web.json_response(dict(await handlers.reload(await _document(request))))

    async def reconnect(request: web.Request) -> web.Response:
        return web.json_response(dict(handlers.reconnect((await _document(request)).get("tunnel"))))

    async def stop(request: web.Request) -> web.Response:
        if (drain := request.query.get("drain")) is None:
            handlers.stop()
        else:
            handlers.leave(_seconds(drain))
        return web.json_response({}, status=202)

    async def wait(request: web.Request) -> web.Response:
        if request.query.get("for", "ready") == "closed":
            await handlers.wait_closed()
            return web.json_response({})
        readiness = await handlers.wait_ready()
        return web.json_response({"ready": readiness.ready, "fatal": encode_error(readiness.fatal)})

    async def logs(_: web.Request) -> web.Response:
        return web.Response(text=handlers.log())

    async def tickets(_: web.Request) -> web.Response:
        return web.json_response({"url": handlers.invitation()})

    return [
        web.get("/v1/variables", variables),
        web.get("/v1/logs", logs),
        web.get("/v1/wait", wait),
        web.post("/v1/tickets", tickets),
        web.post("/v1/reload", reload),
        web.post("/v1/tunnels", reload),
        web.post("/v1/reconnect", reconnect),
        web.post("/v1/stop", stop),
    ]


async def _document(request: web.Request) -> Document:
    """The JSON object that is sent; none is an empty one."""
    if not request.can_read_body:
        return {}
    try:
        found = await request.json()
    except ValueError as error:
        raise web.HTTPBadRequest(text="this is no JSON\n") from error
    if not isinstance(found, dict):
        raise web.HTTPBadRequest(text="a JSON object is needed\n")
    return found


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError as error:
        raise web.HTTPBadRequest(text="drain is a number of seconds\n") from error
    return seconds if math.isfinite(seconds) else None
