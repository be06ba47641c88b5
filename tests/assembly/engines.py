"""An engine that does what the test says, and a plan for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from orchestra.assembly.running import Identity, Running
from orchestra.engine.core.report import EngineStatus
from orchestra.model.events import Event, OverallChanged
from orchestra.model.plan import Plan, PlannedTunnel
from orchestra.model.status import ErrorStatus, TunnelStatus
from orchestra.model.topology import Tunnel

PLAN = Plan(
    topology="office",
    client="laptop",
    tunnels=(PlannedTunnel(name="desk", kind="tcp", verdict="reachable", spec=Tunnel(name="desk")),),
)
STARTING = EngineStatus(state="starting", tunnels=(TunnelStatus(name="desk", state="starting", proven=False),))
READY = EngineStatus(
    state="ready", tunnels=(TunnelStatus(name="desk", state="ready", proven=True, listen=("127.0.0.1:5920",)),)
)


def failing(code: str, message: str = "gateway dialed 10.0.0.1:5900: refused") -> EngineStatus:
    error = ErrorStatus(code=code, host="gateway", message=message, since=1.0, suggestion="look there")
    tunnel = replace(STARTING.tunnels[0], state="degraded", error=error)
    return EngineStatus(state="degraded", tunnels=(tunnel,))


class ScriptedEngine:
    """Is in the state that it is told to be in."""

    def __init__(self, observe: Callable[[Event], None]) -> None:
        self._observe = observe
        self._status = STARTING
        self._stopped = asyncio.Event()
        self.deaf = False
        self.fault: Exception | None = None
        self.ended: list[str] = []

    async def run(self) -> None:
        try:
            await self._stopped.wait()
            if self.fault:
                raise self.fault
            if self.deaf:
                await asyncio.Event().wait()
            self.ended.append("in order")
        except asyncio.CancelledError:
            self.ended.append("at once")
            raise

    def stop(self) -> None:
        self._stopped.set()

    def snapshot(self) -> EngineStatus:
        return self._status

    standing = snapshot

    def become(self, status: EngineStatus) -> None:
        self._status = status
        self._observe(OverallChanged(state=status.state))

    def fail(self, fault: Exception) -> None:
        self.fault = fault
        self._stopped.set()


def make_running(*observers: Callable[[Event], None]) -> tuple[Running, ScriptedEngine]:
    """What runs, and the engine in it."""
    engines: list[ScriptedEngine] = []

    def make(observe: Callable[[Event], None]) -> ScriptedEngine:
        engines.append(ScriptedEngine(observe))
        return engines[-1]

    identity = Identity(name="office", topology="office", file="/x/office.yaml")
    running = Running(identity, PLAN, make, observers=observers)  # type: ignore[arg-type]
    return running, engines[0]
