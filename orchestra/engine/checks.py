"""Health checks that core brings: a dial, and a page."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from orchestra.diagnostics import Code
from orchestra.errors import RuntimeFailure
from orchestra.model.text import clean
from orchestra.plugin.vocabulary import CheckSpec

if TYPE_CHECKING:
    from orchestra.plugin.interfaces import TunnelContext
    from orchestra.session.protocols import Stream

PATIENCE = 10.0
"""Seconds for an answer."""
LONGEST = 8192
"""Bytes of an answer that are read."""


class TcpCheck:
    """One dial through the whole chain, closed at once."""

    spec = CheckSpec(name="tcp")

    async def run(self, context: TunnelContext) -> None:
        stream, _ = await context.dial(FirstLine)
        stream.close()


class HttpCheck:
    """``GET /``: any answer below 500 will do, since a page that wants a login proves the way to it."""

    spec = CheckSpec(name="http")

    async def run(self, context: TunnelContext) -> None:
        dial = context.tunnel.dial
        stream, answer = await context.dial(FirstLine)
        name = (dial.host if dial else None) or "localhost"
        host = f"[{name}]" if ":" in name else name
        try:
            stream.write(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            async with asyncio.timeout(PATIENCE):
                line = await answer.line
        except TimeoutError:
            line = b""
        finally:
            stream.close()
        problem = judge_status_line(line)
        if problem is not None:
            who = f"{dial.by} asked {dial} for a page" if dial else "a page was asked for"
            raise RuntimeFailure(Code.CHECK_FAILED, f"{who}: {problem}", host=dial.by if dial else None)


def judge_status_line(line: bytes) -> str | None:
    """What is wrong with the first line of an answer (RFC 9112 section 4), or None."""
    version, _, rest = line.partition(b" ")
    status = rest[:3]
    if not line:
        return f"no answer within {PATIENCE:g} seconds, or none at all"
    if not version.startswith(b"HTTP/1.") or not status.isdigit():
        return f"this is not HTTP: {clean(line[:80])}"
    return f"it answered {clean(rest[:80])}" if int(status) >= 500 else None


class FirstLine:
    """Receives; ``line`` is the first line of it, or what there is at the end."""

    def __init__(self) -> None:
        self.line: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._data = b""

    def connection_made(self, stream: Stream, /) -> None: ...

    def data_received(self, data: bytes, /) -> None:
        if self.line.done():
            return
        self._data += bytes(data)
        if b"\n" in self._data or len(self._data) > LONGEST:
            self._settle()

    def eof_received(self) -> bool | None:
        self._settle()
        return False

    def pause_writing(self) -> None: ...

    def resume_writing(self) -> None: ...

    def connection_lost(self, exc: Exception | None, /) -> None:  # noqa: ARG002
        self._settle()

    def _settle(self) -> None:
        if not self.line.done():
            self.line.set_result(self._data.partition(b"\n")[0].rstrip(b"\r"))
