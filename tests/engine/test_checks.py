"""Core's checks against services on loopback."""

from __future__ import annotations

import asyncio

import pytest

from orchestra.engine.checks import judge_status_line
from orchestra.model.topology import CheckRef
from tests.engine.sockets import close, direct, engine, target


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"HTTP/1.1 200 OK", None),
        (b"HTTP/1.1 204", None),
        (b"HTTP/1.0 302 Found", None),
        (b"HTTP/1.1 401 Unauthorized", None),
        (b"HTTP/1.1 502 Bad Gateway", "it answered 502 Bad Gateway"),
        (b"SSH-2.0-OpenSSH_9.2", "this is not HTTP: SSH-2.0-OpenSSH_9.2"),
        (b"HTTP/1.1 ok\x1b[2J", "this is not HTTP: HTTP/1.1 ok·[2J"),
        (b"", "no answer within 10 seconds, or none at all"),
    ],
)
def test_a_status_line(line: bytes, problem: str | None) -> None:
    assert judge_status_line(line) == problem


def page(answer: bytes, asked: list[bytes], state: str) -> str | None:
    """The tunnel's error after a check of type http against a service that answers so."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        await close(writer)

    async def main() -> str | None:
        async with (
            target(serve) as port,
            engine(direct(port, check=CheckRef(type="http")), state=state) as running,
        ):
            error = running.status.error
            return error and f"{error.code} {error.message.replace(str(port), 'PORT')}"

    return asyncio.run(main())


def test_a_page_proves_a_tunnel() -> None:
    asked: list[bytes] = []
    assert page(b"HTTP/1.1 200 OK\r\n\r\nhello", asked, "ready") is None
    assert asked == [b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"]


def test_a_broken_page_does_not() -> None:
    error = page(b"HTTP/1.1 503 Try Later\r\n\r\n", [], "degraded")
    assert error == "CHECK_FAILED laptop asked 127.0.0.1:PORT for a page: it answered 503 Try Later"


def test_a_service_that_says_nothing_does_not() -> None:
    error = page(b"", [], "degraded")
    assert error is not None
    assert "no answer" in error
