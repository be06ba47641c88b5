"""One conversation with the master, over its control socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count
from typing import Any

from orchestra.session.here import Here
from orchestra.session.protocols import Stream
from orchestra.session.windows import WindowBudget

from . import mux
from .connection import Connection
from .wire import Malformed, Packets


class Refused(Exception):
    """The master, or the server behind it, does not want to."""


class Control:
    """Asks, and waits for the answers; :meth:`share` turns it into the connection itself.

    ``lost`` is told when the master hangs up, with what was wrong when it wrote what cannot be read.
    """

    def __init__(self, lost: Callable[[Exception | None], None]) -> None:
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._greeted: asyncio.Future[None] = self._loop.create_future()
        self._answers: dict[int, asyncio.Future[mux.Answer]] = {}
        self._numbers = count(1)
        self._packets = Packets()
        self._take: Callable[[bytes], None] = self._take_messages
        self._stream: Stream | None = None
        self._connection: Connection | None = None
        self._fault: Exception | None = None

    @classmethod
    async def dial(cls, here: Here, path: str, lost: Callable[[Exception | None], None]) -> Control:
        """Greets the master. Raises ConnectionError, Malformed and DialRefused."""
        _, control = await here.create_unix_connection(lambda: cls(lost), path)
        try:
            await control.greet()
        except BaseException:
            control.abort()
            raise
        return control

    async def greet(self) -> None:
        """Raises ConnectionError and Malformed."""
        if self._stream is not None:
            self._stream.write(mux.hello())
        await self._greeted

    async def ask(self, kind: int, fields: bytes = b"") -> mux.Answer:
        """One request, and its answer. Raises Refused and ConnectionError; cancelled, the answer comes for nobody."""
        if self._stream is None or self._stream.is_closing():
            raise ConnectionResetError("ssh has hung up")
        number = next(self._numbers)
        answer: asyncio.Future[mux.Answer] = self._loop.create_future()
        self._answers[number] = answer
        self._stream.write(mux.request(kind, number, fields))
        found = await answer
        if found.kind in {mux.PERMISSION_DENIED, mux.FAILURE}:
            raise Refused(found.reason)
        return found

    async def share(self, windows: WindowBudget) -> Connection:
        """From now on this is the connection to the server (PROTOCOL.mux section 9). Raises as :meth:`ask`."""
        await self.ask(mux.PROXY)
        assert self._stream is not None  # noqa: S101 - it has just been asked
        self._connection = Connection(self._stream.write, windows)
        self._take = self._connection.receive
        return self._connection

    def abort(self) -> None:
        """Hangs up."""
        if self._stream is not None:
            self._stream.abort()

    # What the socket tells.

    def connection_made(self, stream: Stream, /) -> None:
        self._stream = stream

    def data_received(self, data: bytes, /) -> None:
        try:
            self._take(data)
        except Malformed as fault:
            self._fault = fault
            self.abort()

    def eof_received(self) -> bool | None:
        return False

    def pause_writing(self) -> None:
        if self._connection is not None:
            self._connection.set_congested(True)

    def resume_writing(self) -> None:
        if self._connection is not None:
            self._connection.set_congested(False)

    def connection_lost(self, exc: Exception | None, /) -> None:
        waiting: list[asyncio.Future[Any]] = [self._greeted, *self._answers.values()]
        for each in waiting:
            if not each.done():
                each.set_exception(self._fault or ConnectionResetError("ssh has hung up"))
        self._lost(self._fault or exc)

    def _take_messages(self, data: bytes) -> None:
        for packet in self._packets.feed(data):
            if not self._greeted.done():
                mux.check_hello(packet)
                self._greeted.set_result(None)
                continue
            answer = mux.parse(packet)
            waiting = self._answers.pop(answer.request, None)
            if waiting is not None and not waiting.done():
                waiting.set_result(answer)
