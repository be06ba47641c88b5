"""A whole orchestra whose servers are all this machine: for what needs real sockets and real programs, and no sshd."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

from orchestra.plugin.interfaces import OpenRequest
from orchestra.plugin.vocabulary import TransportSpec
from orchestra.session.here import Here
from orchestra.session.protocols import Process, Receiver
from orchestra.testing.workbench import Bench

R = TypeVar("R", bound=Receiver)

LOOPBACK = "127.0.0.1"
LOOK_AGAIN = 0.005
"""Seconds between two looks at what nobody tells."""


async def until(true: Callable[[], object], what: str = "it", patience: float = 20.0) -> None:
    """Waits for what nobody tells, such as the end of a process. AssertionError when it never comes."""
    try:
        async with asyncio.timeout(patience):
            while not true():  # noqa: ASYNC110 - as it says
                await asyncio.sleep(LOOK_AGAIN)
    except TimeoutError:
        raise AssertionError(f"{what} does not come true in {patience:g} seconds") from None


class Server(Here):
    """This machine as if it were another: it runs commands, and sends no datagrams but by them."""

    is_here = False
    # It is no place of datagrams (session.protocols.Datagrams), though the machine is one.
    create_datagram_connection = None  # type: ignore[assignment]

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.processes: list[Process] = []

    async def create_process(self, make: Callable[[], R], command: str) -> tuple[Process, R]:
        process, receiver = await super().create_process(make, command)
        self.processes.append(process)
        return process, receiver

    def close(self) -> None:
        for process in self.processes:
            process.close()
        super().close()

    def abort(self) -> None:
        self.kill()
        super().abort()

    def kill(self) -> None:
        """Ends what runs there, at once."""
        self._signal(signal.SIGKILL)

    @property
    def runs(self) -> bool:
        """Whether anything does."""
        return any(process.exit_status is None for process in self.processes)

    def stall(self) -> None:
        """What runs there stands still, until :meth:`go_on`."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """It runs again."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        for process in self.processes:
            popen: Any = process.get_extra_info("subprocess")
            if process.exit_status is None and popen is not None:
                with contextlib.suppress(ProcessLookupError):  # it has ended, which asyncio will tell
                    os.killpg(popen.pid, number)


class MachineTransport:
    """A transport named ``ssh`` whose servers are this machine."""

    spec = TransportSpec(name="ssh")

    def __init__(self) -> None:
        self.opened: list[Server] = []

    async def open(self, request: OpenRequest) -> Server:
        self.opened.append(Server(request.server.name))
        return self.opened[-1]


class MachineBench(Bench):
    """A topology's text over such servers; loopback is everybody's."""

    def __init__(self, text: str, *plugins: object) -> None:
        self.transport = MachineTransport()
        super().__init__(text, plugins, transport=self.transport, here=Here)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[MachineBench]:
        """The engine runs inside; outside nothing of it is left, or that is an AssertionError."""
        before, tasks = _descriptors(), asyncio.all_tasks()
        task = asyncio.create_task(self.engine.run(), name="engine")
        try:
            yield self
        finally:
            self.engine.stop()
            await task
            for server in self.transport.opened:
                server.go_on()
        await until(lambda: asyncio.all_tasks() <= {*tasks, task}, "the end of its tasks")
        await until(lambda: not any(server.runs for server in self.transport.opened), "the end of its programs")
        await until(lambda: _descriptors() <= before, "the end of its sockets")

    def server(self, name: str) -> Server:
        """The newest session to it."""
        return next(server for server in reversed(self.transport.opened) if server.host == name)


class Echo:
    """A target of datagrams: remembers who has sent what, and, as long as it ``answers``, sends it back."""

    def __init__(self, port: int = 0) -> None:
        self.heard: list[tuple[Any, bytes]] = []
        self.answers = True
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._sock.setblocking(False)
        self._sock.bind((LOOPBACK, port))
        self.port: int = self._sock.getsockname()[1]

    def __enter__(self) -> Self:
        asyncio.get_running_loop().add_reader(self._sock, self._readable)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Nobody is there any more."""
        if self._sock.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._sock)
            self._sock.close()

    def send(self, data: bytes, address: Any) -> None:
        """To one who has sent something."""
        self._sock.sendto(data, address)

    def _readable(self) -> None:
        while True:
            try:
                data, address = self._sock.recvfrom(65536)
            except OSError:
                return
            self.heard.append((address, data))
            if self.answers:
                self._sock.sendto(data, address)


def _descriptors() -> int:
    """How many this process has open."""
    return len(list(Path("/dev/fd").iterdir()))
