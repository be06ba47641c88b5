"""Where there is neither python3 nor perl, and the file allows it: a socat or nc for each flow, each over a channel.

Neither frames: what is written together may arrive as one datagram, and a large one cut. They only send; they do not
listen.
"""

from __future__ import annotations

import asyncio
import shlex

from orchestra.diagnostics import Code
from orchestra.errors import RuntimeFailure
from orchestra.session import Process, Session, Stream, Unsupported

from .station import Flow, Listening, Party, Treatment, Visited

EARLY = 16
"""Datagrams that are kept while a channel opens."""
SCRIPT = """\
if command -v socat >/dev/null 2>&1; then exec socat -b 65536 - UDP:$2:$1; fi
if command -v nc >/dev/null 2>&1; then exec nc -u $0 $1; fi
exit 97"""


class Degraded:
    """A :class:`~.station.Station` at a server."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._flows: set[ProgramFlow] = set()

    @property
    def about(self) -> str:
        return f"socat or nc at {self._session.host}"

    def flow(self, party: Party, host: str, port: int, treatment: Treatment) -> Flow:  # noqa: ARG002 - as programs do
        flow = ProgramFlow(party, self._flows)
        flow.start(self._session, host, port)
        return flow

    async def listen(self, visited: Visited, host: str, port: int, treatment: Treatment) -> Listening:  # noqa: ARG002
        message = f"{self._session.host} has neither python3 nor perl, and socat and nc do not listen for us"
        raise Unsupported(Code.TRANSPORT_CANNOT, message, host=self._session.host)

    def close(self) -> None:
        for flow in list(self._flows):
            flow.close()


class ProgramFlow:
    """One program; towards the session its receiver."""

    def __init__(self, party: Party, among: set[ProgramFlow]) -> None:
        self._party, self._among = party, among
        self.address: str | None = None
        self._early: list[bytes] = []
        self._process: Process | None = None
        self._opening: asyncio.Task[None] | None = None
        self._full = self._over = False
        among.add(self)

    def start(self, session: Session, host: str, port: int) -> None:
        """Runs it."""
        self._opening = asyncio.get_running_loop().create_task(self._open(session, host, port))

    async def _open(self, session: Session, host: str, port: int) -> None:
        bracketed = f"[{host}]" if ":" in host else host
        command = f"exec /bin/sh -c {shlex.quote(SCRIPT)} {shlex.quote(host)} {port} {shlex.quote(bracketed)}"
        try:
            self._process, _ = await session.create_process(lambda: self, command)
        except RuntimeFailure as error:
            self._end(error.message)
            return
        self._opening = None
        early, self._early = self._early, []
        for data in early:
            self.send(data)

    def send(self, data: bytes, /) -> None:
        if self._over:
            self._party.noted("closed", 1)
        elif self._process is not None and not self._full and data:
            self._process.write(data)
        elif self._process is None and len(self._early) < EARLY:
            self._early.append(data)
        else:
            self._party.noted("queue" if data else "size", 1)

    def close(self) -> None:
        self._over = True
        self._among.discard(self)
        if self._opening is not None:
            self._opening.cancel()
        if self._early:
            self._party.noted("closed", len(self._early))
            self._early = []
        if self._process is not None:
            self._process.close()
            self._process = None

    def _end(self, why: str) -> None:
        if not self._over:
            self._opening = None
            self.close()
            self._party.ended(why)

    # The receiver of its process.

    def connection_made(self, stream: Stream, /) -> None:
        """Nothing is sent before there is a process."""

    def data_received(self, data: bytes, /) -> None:
        self._party.received(bytes(data))

    def eof_received(self) -> bool | None:
        return None

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False

    def connection_lost(self, exc: Exception | None, /) -> None:
        self._end(str(exc) if exc is not None else "the program that sends there has ended")
