"""Health checks for services that speak first: the tunnel is proven when the target's own greeting arrives.

=======  =====================  ================================
check    greeting begins with   source
=======  =====================  ================================
vnc      ``RFB ``               RFC 6143 section 7.1.1
pop3     ``+OK``                RFC 1939 section 4
smtp     ``220``                RFC 5321 section 3.1
ftp      ``220``                RFC 959 section 5.4
ssh      ``SSH-``               RFC 4253 section 4.2
=======  =====================  ================================

A service that locks out addresses which connect and leave (VNC servers do) should not be checked with ``every``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from orchestra.diagnostics import Code
from orchestra.errors import RuntimeFailure
from orchestra.model.text import clean
from orchestra.plugin import hookimpl
from orchestra.plugin.interfaces import Check, TunnelContext
from orchestra.plugin.vocabulary import CheckSpec
from orchestra.session import Stream

GREETINGS = {"vnc": b"RFB ", "pop3": b"+OK", "smtp": b"220", "ftp": b"220", "ssh": b"SSH-"}


class Greeting:
    """Waits for the first bytes of the target and compares them."""

    def __init__(self, name: str, prefix: bytes) -> None:
        self.spec = CheckSpec(name=name, package="orchestra-tunnels")
        self._prefix = prefix

    async def run(self, context: TunnelContext) -> None:
        """Dials the target, and takes at most as many bytes as the greeting needs."""
        stream, reader = await context.dial(lambda: _FirstBytes(len(self._prefix)))
        try:
            async with asyncio.timeout(context.tunnel.spec.dial_timeout):
                got = await reader.first
        except TimeoutError:
            raise self._failed(context, "the target did not greet") from None
        finally:
            stream.abort()
        if not got.startswith(self._prefix):
            raise self._failed(context, f"the target greeted with {clean(got)!r}" if got else "the target hung up")

    def _failed(self, context: TunnelContext, what: str) -> RuntimeFailure:
        dial = context.tunnel.dial
        where = f"{dial.by} dialed {dial}" if dial else context.tunnel.name
        return RuntimeFailure(
            Code.CHECK_FAILED,
            f"{where}: {what}; {self.spec.name} begins with {self._prefix.decode()!r}",
            host=dial.means if dial else None,
            suggestion="look whether another service listens there",
        )


class _FirstBytes:
    """A receiver that keeps the first ``size`` bytes, or what came before the end."""

    def __init__(self, size: int) -> None:
        self.first: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._size = size
        self._got = b""

    def connection_made(self, stream: Stream, /) -> None:
        """Nothing to say: the target speaks first."""

    def data_received(self, data: bytes, /) -> None:
        """Collects."""
        self._got += data
        if len(self._got) >= self._size:
            self._done()

    def eof_received(self) -> bool | None:
        """The target hung up early."""
        self._done()
        return None

    def pause_writing(self) -> None:
        """Nothing is written."""

    def resume_writing(self) -> None:
        """Nothing is written."""

    def connection_lost(self, _exc: Exception | None, /) -> None:
        """The end, early or late."""
        self._done()

    def _done(self) -> None:
        if not self.first.done():
            self.first.set_result(self._got)


@hookimpl
def orchestra_checks() -> Iterable[Check]:
    """One check per protocol."""
    return [Greeting(name, prefix) for name, prefix in GREETINGS.items()]
