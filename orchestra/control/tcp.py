"""The control surface over TCP, for browsers, probes and Prometheus: it looks, and changes nothing.

============================  =====================================================================
``GET /livez``                whether it lives; without a token where it listens on loopback
``GET /readyz[/TUNNEL]``      whether it, or one tunnel, is ready: 200 or 503, and why. Without a token as
                              ``/livez``, with codes in place of messages
``GET /``                     a page that shows nothing by itself; without a token
``POST /v1/login``            ``{"ticket"}`` to ``{"key"}``, for that page
``GET /v1/status`` …          what :mod:`.looking` has, with ``Authorization: Bearer TOKEN``
============================  =====================================================================

No other origin may read anything, and there are no cookies, which other ports of this machine would be sent too.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING

from aiohttp import web

from orchestra.control.http_address import is_literal
from orchestra.control.looking import looking, runner_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from socket import socket

    from orchestra.control.gate import Gate
    from orchestra.control.handlers import Handlers

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

MOST = 256
"""Connections at once, also of those who have no token and ask for nothing."""
_OPEN = frozenset({"/", "/v1/login"})
_LONGEST = 4096
"""Bytes of a question's body."""


@asynccontextmanager
async def serving_tcp(handlers: Handlers, listening: socket, gate: Gate, *, loopback: bool) -> AsyncIterator[None]:
    """Answers on the socket meanwhile, and closes it. ``loopback``: only this machine can connect to it."""

    def knows(request: web.Request) -> bool:
        return gate.admits(request.headers.get("Authorization"))

    def probes(request: web.Request) -> bool:
        return loopback and (request.path in ("/livez", "/readyz") or request.path.startswith("/readyz/"))

    @web.middleware
    async def admit(request: web.Request, handler: Handler) -> web.StreamResponse:
        if knows(request):
            return await handler(request)
        if not is_literal(request.host):
            raise web.HTTPMisdirectedRequest(text="ask for this machine by its address, or as localhost\n")
        if request.path in _OPEN or probes(request):
            return await handler(request)
        raise _unauthorized(given="Authorization" in request.headers)

    async def login(request: web.Request) -> web.Response:
        try:
            ticket = str((await request.json())["ticket"])
        except (ValueError, TypeError, KeyError):
            raise web.HTTPBadRequest(text='send {"ticket": "…"}\n') from None
        if (key := gate.redeem(ticket)) is None:
            raise web.HTTPForbidden(text="the ticket was used already, or is too old\n")
        return web.json_response({"key": key})

    app = web.Application(middlewares=[admit], client_max_size=_LONGEST)
    app.add_routes([*looking(handlers, knows=knows), web.post("/v1/login", login)])
    runner = runner_of(app)
    with listening:
        try:
            await runner.setup()
            assert runner.server is not None  # noqa: S101 - it has been set up
            serve = asyncio.get_running_loop().create_server
            with closing(await serve(_bounded(runner.server), sock=listening, backlog=16)):
                yield
        finally:
            await runner.cleanup()


def _unauthorized(*, given: bool) -> web.HTTPUnauthorized:
    """Without anything, or with what is no token of this one: as RFC 6750 section 3.1 tells them apart."""
    if not given:
        text, challenge = "a token is needed: Authorization: Bearer TOKEN\n", "Bearer"
    else:
        text = "this is no token, or no key, of this orchestra: it has a new one each time it begins\n"
        challenge = 'Bearer error="invalid_token"'
    return web.HTTPUnauthorized(text=text, headers={"WWW-Authenticate": challenge})


def _bounded(server: web.Server) -> Callable[[], asyncio.BaseProtocol]:
    """Who connects when all places are taken is sent away: descriptors are for tunnels first."""
    return lambda: server() if len(server.connections) < MOST else _SentAway()


class _SentAway(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101
        transport.abort()
