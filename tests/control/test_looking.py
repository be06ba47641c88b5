"""What both the socket and TCP answer, asked without a browser."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import replace

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from orchestra import __version__
from orchestra.control.looking import HEADERS, looking, sign
from orchestra.model.status import Status
from tests.control.small import Small
from tests.render.statuses import STATUS


class Shown(Small):
    """In the state that the test says."""

    now = replace(STATUS, pid=os.getpid())
    drawn: str | None = "<svg/>"

    def status(self) -> Status:
        return self.now

    async def picture(self) -> str | None:
        return self.drawn


def asked(*paths: str, drawn: str | None = "<svg/>", state: str = "degraded") -> list[tuple[int, dict[str, str], str]]:
    """Code, headers and text of each answer."""

    async def main() -> list[tuple[int, dict[str, str], str]]:
        handlers = Shown()
        handlers.drawn, handlers.now = drawn, replace(handlers.now, state=state)  # type: ignore[arg-type]
        app = web.Application()
        app.add_routes(looking(handlers))
        app.on_response_prepare.append(sign)
        handlers.stop()
        async with TestClient(TestServer(app)) as client:
            answers = [await client.get(path) for path in paths]
            return [(answer.status, dict(answer.headers), await answer.text()) for answer in answers]

    return asyncio.run(asyncio.wait_for(main(), 10))


def test_probes() -> None:
    codes = [code for code, *_ in asked("/livez", "/readyz", "/readyz/desk", "/readyz/vault", "/readyz/nobody")]
    assert codes == [200, 503, 200, 503, 404]
    ((code, _, text),) = asked("/readyz", state="ready")
    assert (code, text.splitlines()[0]) == (200, "ready")


def test_status_events_and_metrics() -> None:
    status, events, metrics = asked("/v1/status", "/v1/events", "/metrics")
    assert json.loads(status[2])["state"] == "degraded"
    assert [json.loads(line)["type"] for line in events[2].splitlines()] == ["state", "closed"]
    assert metrics[1]["Content-Type"].startswith("text/plain; version=0.0.4")
    assert 'orchestra_state{state="degraded"} 1.0' in metrics[2]


def test_the_picture_and_where_there_is_none() -> None:
    ((code, headers, text),) = asked("/v1/picture")
    assert (code, headers["Content-Type"], text) == (200, "image/svg+xml; charset=utf-8", "<svg/>")
    ((code, _, text),) = asked("/v1/picture", drawn=None)
    assert (code, "orchestra-tunnels[pictures]" in text) == (404, True)


def test_every_answer_has_the_version_and_is_for_nobody_else() -> None:
    for code, headers, _ in asked("/", "/livez", "/v1/status", "/v1/events", "/metrics", "/nothing"):
        assert headers["Orchestra-Version"] == __version__, code
        assert set(HEADERS) <= set(headers)
        assert headers["Server"] == "orchestra"
        assert "Access-Control-Allow-Origin" not in headers
        assert "Set-Cookie" not in headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]


def test_the_page_may_run_its_own_script() -> None:
    ((_, headers, text),) = asked("/")
    assert "script-src 'sha256-" in headers["Content-Security-Policy"]
    assert text.startswith("<!DOCTYPE html>")
