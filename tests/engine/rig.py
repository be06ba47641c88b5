"""An engine over sessions in memory: a laptop, servers, a target that answers, and everything that is observed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any

from orchestra.engine import Engine
from orchestra.model.events import Event
from orchestra.model.plan import Plan
from orchestra.model.status import TunnelStatus
from orchestra.session.protocols import Peer, Receiver
from orchestra.testing import Collector, MemoryNetwork, MemoryTransport
from tests.engine import plans


class Rig:
    """``network`` is where it happens, ``events`` what the engine said, ``engine`` the engine."""

    def __init__(self, plan: Plan, **options: Any) -> None:
        self.network = MemoryNetwork({"10.20.0.30": "desk-vnc"})
        self.here = self.network.place("laptop", is_here=True)
        self.desk = self.network.place("desk-vnc")
        self.transport = MemoryTransport(self.network)
        self.events: list[Event] = []
        self.changed = asyncio.Event()
        self.reached: list[Collector] = []
        parts = options.pop("plugins", None) or plans.plugins(self.transport)
        topology = plans.topology(*(s.server for s in plan.sessions))
        rng = Random(1)  # noqa: S311 - the same every time
        self.engine = Engine(plan, topology, here=self.here, plugins=parts, observe=self._observe, rng=rng, **options)

    def _observe(self, event: Event) -> None:
        self.events.append(event)
        self.changed.set()

    async def serve_target(self) -> None:
        async def accept(peer: Peer) -> Receiver:
            collector = Collector(echo=True)
            self.reached.append(collector)
            return collector

        self.listener = await self.desk.create_server(accept, "*", 5900)

    async def until(self, reached: Callable[[], bool], seconds: float = 300.0) -> None:
        """Waits until it holds, looking again after every event."""
        async with asyncio.timeout(seconds):
            while not reached():
                self.changed.clear()
                await self.changed.wait()

    async def until_state(self, state: str, name: str = "desk") -> TunnelStatus:
        await self.until(lambda: self.tunnel(name).state == state)
        return self.tunnel(name)

    def tunnel(self, name: str = "desk") -> TunnelStatus:
        return next(t for t in self.engine.snapshot().tunnels if t.name == name)

    def opened(self, server: str) -> Any:
        return [s for s in self.transport.opened if s.host == server][-1]

    def states(self, id_: str) -> list[str]:
        return [str(getattr(e, "state", "")) for e in self.events if getattr(e, "id", None) == id_]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Rig]:
        """The engine runs inside, and nothing of it is left outside."""
        before = asyncio.all_tasks()
        await self.serve_target()
        task = asyncio.create_task(self.engine.run())
        try:
            yield self
        finally:
            self.engine.stop()
            await task
            await asyncio.sleep(0)
        assert asyncio.all_tasks() <= before
        assert set(self.network.listeners) <= {("desk-vnc", 5900)}
        assert all(s.state == "closed" for s in self.transport.opened)


def on_rig(plan: Plan, test: Callable[[Rig], Awaitable[None]], **options: Any) -> Callable[[], Any]:
    """A coroutine function that runs ``test`` on a running rig."""

    async def main() -> None:
        rig = Rig(plan, **options)
        async with rig.running():
            await test(rig)

    return main
