"""What changes nothing, on the socket and over TCP alike: status, events, probes, metrics, the page, its picture."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from aiohttp import web

from orchestra import __version__
from orchestra.control.codec import encode_event, encode_status
from orchestra.control.health import readiness, tunnel_readiness
from orchestra.control.versions import HEADER

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.control.handlers import Handlers

HEADERS = {
    HEADER: __version__,
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Every answer has them; nothing is ever shared with other origins."""
_GOODBYE = 0.5
"""Seconds that answers under way have when the socket closes."""


def runner_of(app: web.Application) -> web.AppRunner:
    """What runs it; every answer has the headers above."""
    app.on_response_prepare.append(sign)
    return web.AppRunner(
        app, access_log=None, handle_signals=False, handler_cancellation=True, shutdown_timeout=_GOODBYE
    )


async def sign(_: web.Request, response: web.StreamResponse) -> None:
    """Signal ``on_response_prepare``: the headers above, where the answer does not say otherwise."""
    response.headers["Server"] = "orchestra"
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)


def looking(handlers: Handlers, *, knows: Callable[[web.Request], bool] = lambda _: True) -> list[web.RouteDef]:
    """The routes. ``knows``: whether who asks a probe may read why, too."""

    async def status(_: web.Request) -> web.Response:
        return web.json_response(encode_status(handlers.status()))

    async def events(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/jsonl"})
        await response.prepare(request)
        async for told in handlers.events():
            await response.write(json.dumps(encode_event(told)).encode() + b"\n")
        return response

    async def picture(_: web.Request) -> web.Response:
        drawn = await handlers.picture()
        if drawn is None:
            return web.Response(status=404, text="no picture: install orchestra-tunnels[pictures]\n")
        return web.Response(text=drawn, content_type="image/svg+xml")

    async def readyz(request: web.Request) -> web.Response:
        verbose, now, name = knows(request), handlers.status(), request.match_info.get("tunnel")
        health = tunnel_readiness(now, name, verbose=verbose) if name else readiness(now, verbose=verbose)
        if health is None:
            return web.Response(status=404, text="no such tunnel\n")
        return web.Response(status=200 if health.ok else 503, text=health.text)

    async def metrics(request: web.Request) -> web.Response:
        from orchestra.control.metrics import exposition

        accepted = ",".join(request.headers.getall("Accept", ()))
        body, content_type = await asyncio.to_thread(exposition, handlers.status(), accepted)
        return web.Response(body=body, headers={"Content-Type": content_type})

    return [
        web.get("/", _page),
        web.get("/livez", _livez),
        web.get("/readyz", readyz),
        web.get("/readyz/{tunnel}", readyz),
        web.get("/metrics", metrics),
        web.get("/v1/status", status),
        web.get("/v1/events", events),
        web.get("/v1/picture", picture),
    ]


async def _page(_: web.Request) -> web.Response:
    from orchestra.render.picture.live import POLICY, live_page

    return web.Response(text=live_page(), content_type="text/html", headers={"Content-Security-Policy": POLICY})


async def _livez(_: web.Request) -> web.Response:
    return web.Response(text="ok\n")
