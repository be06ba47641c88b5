"""Relays over real sockets of this machine: an entry at *here*, an exit at *here* or in memory."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from orchestra.engine import Engine
from orchestra.model.events import Event
from orchestra.model.plan import Dial, PlannedListen, PlannedTunnel
from orchestra.model.topology import CheckRef
from orchestra.session.here import Here
from tests.engine import plans

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@asynccontextmanager
async def target(handler: Handler) -> AsyncIterator[int]:
    """A service on 127.0.0.1; its port."""
    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def direct(port: int, entry: PlannedListen | None = None, **spec: Any) -> PlannedTunnel:
    dial = Dial(by="laptop", host="127.0.0.1", port=port, means="web")
    check = spec.pop("check", CheckRef(type="none"))
    return plans.tunnel("web", entry=entry or plans.listen("127.0.0.1", port=0), dial=dial, check=check, **spec)


class Running:
    """An engine with *here*, in real time."""

    def __init__(self, tunnel: PlannedTunnel, **parts: Any) -> None:
        self.here = Here("laptop")
        self.events: list[Event] = []
        self.changed = asyncio.Event()
        self.engine = Engine(
            plans.plan(parts.pop("sessions", ()), tunnel),
            plans.topology(*parts.pop("servers", ())),
            here=self.here,
            plugins=parts.pop("plugins", None) or plans.plugins(),
            observe=self._observe,
        )

    def _observe(self, event: Event) -> None:
        self.events.append(event)
        self.changed.set()

    @property
    def status(self) -> Any:
        return self.engine.snapshot().tunnels[0]

    @property
    def port(self) -> int:
        return int(self.status.listen[0].rpartition(":")[2])

    async def until(self, reached: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not reached():
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def engine(tunnel: PlannedTunnel, *, state: str = "ready", **parts: Any) -> AsyncIterator[Running]:
    """Runs it until it is in that state; afterwards no task and no descriptor is left."""
    running = Running(tunnel, **parts)
    tasks = asyncio.all_tasks()
    run = asyncio.create_task(running.engine.run())
    try:
        await running.until(lambda: running.status.state == state)
        yield running
    finally:
        running.engine.stop()
        await run
        running.here.abort()
        await running.here.wait_closed()
    assert running.engine.snapshot().tunnels[0].connections == 0
    await settled(lambda: asyncio.all_tasks() <= tasks)


async def settled(reached: Callable[[], bool], seconds: float = 10.0) -> None:
    """Lets the loop turn until it holds."""
    async with asyncio.timeout(seconds):
        while not reached():  # noqa: ASYNC110 - what is looked at has no event
            await asyncio.sleep(0.001)


async def connect(port: int, **options: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", port, **options)


async def close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


def small_socket(port: int) -> socket.socket:
    """A client with a small receive buffer that reads nothing unless it is told to."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(("127.0.0.1", port))
    return sock
