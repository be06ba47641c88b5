"""A topology brought up for real inside this process: plan, lab and engine, put together as ``up --lab`` does."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from orchestra.assembly.demo import user_of
from orchestra.assembly.topology import load_topology, plugins
from orchestra.engine import Engine
from orchestra.engine.outcome import outcome
from orchestra.lab.embedded import open_embedded_lab
from orchestra.lab.interface import Lab
from orchestra.lab.netns import available, open_netns_lab
from orchestra.model.events import Event
from orchestra.model.plan import Plan, PlannedTunnel
from orchestra.model.status import SessionStatus, TunnelStatus
from orchestra.model.topology import Topology
from orchestra.planning import make_plan
from orchestra.session import Session
from orchestra.testing.collect import Collector

DEADLINE = 30.0
"""Seconds that anything may take; generous, since two cores run many tests."""

needs_netns = pytest.mark.skipif(available() is not None, reason=f"network namespaces: {available()}")

LABS = [
    pytest.param("embedded", id="embedded"),
    pytest.param("netns", id="netns", marks=[pytest.mark.netns, needs_netns]),
]


@dataclass(slots=True)
class Log:
    """What has happened so far."""

    events: list[Event] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, event: Event) -> None:
        self.events.append(event)
        self.changed.set()


@dataclass(slots=True)
class World:
    """Everything that runs."""

    plan: Plan
    lab: Lab
    engine: Engine
    log: Log

    async def until(self, true: Callable[[], bool], deadline: float = DEADLINE) -> None:
        """Waits, event by event, until it is true; the state is shown when it never becomes so."""
        try:
            async with asyncio.timeout(deadline):
                while not true():
                    self.log.changed.clear()
                    await self.log.changed.wait()
        except TimeoutError:
            raise AssertionError(f"never came true; {self.engine.snapshot()}") from None

    async def until_ready(self) -> None:
        await self.until(lambda: outcome(self.engine.snapshot()).ready)

    def tunnel(self, name: str) -> TunnelStatus:
        return next(tunnel for tunnel in self.engine.snapshot().tunnels if tunnel.name == name)

    def session(self, server: str) -> SessionStatus:
        return next(session for session in self.engine.snapshot().sessions if session.server == server)

    def user_of(self, tunnel: PlannedTunnel) -> Session:
        return user_of(tunnel, self.lab)

    def entrance(self, name: str, index: int = 0) -> tuple[str, int]:
        host, _, port = self.tunnel(name).listen[index].rpartition(":")
        return host.strip("[]"), int(port)


Change: TypeAlias = Callable[[Topology], Topology]


def same(topology: Topology) -> Topology:
    return topology


def with_server(topology: Topology, name: str, **parts: Any) -> Topology:
    """The topology with a server's ``ssh``, ``forwarding`` … changed; each part is a mapping of its fields."""
    host = topology.hosts[name]
    assert host.server
    changed = {part: replace(getattr(host.server, part), **fields) for part, fields in parts.items()}
    server = replace(host.server, **changed)
    return replace(topology, hosts={**topology.hosts, name: replace(host, server=server)})


def anywhere(plan: Plan) -> Plan:
    """The plan with any free port in place of those that the file names *here*, so that tests do not meet there."""
    return replace(plan, tunnels=tuple(map(_anywhere, plan.tunnels)))


def _anywhere(tunnel: PlannedTunnel) -> PlannedTunnel:
    listen = tunnel.listen
    if listen is None or listen.session is not None:
        return tunnel
    free = {part: tuple(replace(bind, port=0) for bind in getattr(listen, part)) for part in ("binds", "requests")}
    return replace(tunnel, listen=replace(listen, **free))


@contextlib.asynccontextmanager
async def world(
    file: Path | str,
    kind: str,
    *,
    reality: Change = same,
    login: Change = same,
    prepare: Callable[[Lab, Plan], Awaitable[None]] | None = None,
    twist: Callable[[Plan], Plan] = anywhere,
    **options: Any,
) -> AsyncIterator[World]:
    """A topology that is up (not necessarily ready) in a lab, and gone afterwards.

    ``reality`` makes the lab another one than the file says; ``login`` changes the credentials that the lab gave;
    ``prepare`` does something to the lab before anything is opened; ``twist`` makes another plan of the file's.
    """
    extra = plugins()
    loaded = load_topology([str(file)], extra, {"CI_SSH_KEY": "", **os.environ})
    assert loaded.topology, loaded.diagnostics
    plan = make_plan(loaded.topology, vocabulary=extra.vocabulary, **options)
    opening = open_netns_lab if kind == "netns" else open_embedded_lab
    lab = await opening(reality(loaded.topology), plan.client)
    log = Log()
    if prepare is not None:
        await prepare(lab, plan)
    engine = Engine(twist(plan), login(lab.topology), here=lab.here, plugins=extra, observe=log.note)
    running = asyncio.create_task(engine.run())
    try:
        yield World(plan, lab, engine, log)
    finally:
        engine.stop()
        await asyncio.wait_for(running, DEADLINE)
        await asyncio.wait_for(lab.close(), DEADLINE)


async def ask(place: Session, host: str, port: int, request: bytes = b"GET / HTTP/1.0\r\n\r\n") -> bytes:
    """One HTTP exchange from a place; everything that came back."""
    stream, reader = await place.create_connection(Collector, host, port)
    try:
        await reader.send(request)
        async with asyncio.timeout(DEADLINE):
            await reader.eof.wait()
        return bytes(reader.data)
    finally:
        stream.close()


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def play(scene: Coroutine[Any, Any, None]) -> None:
    """Runs a scene; nothing may be left of it: no task, and no descriptor that was not there before."""
    before = descriptors()

    async def watched() -> None:
        await scene
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        assert not left, left

    asyncio.run(watched())
    left = {number: what for number, what in descriptors().items() if number not in before}
    assert not left, left


def descriptors() -> dict[str, str]:
    """The open descriptors of this process, and what each is."""
    folder = Path("/proc/self/fd")
    found = {}
    for entry in folder.iterdir() if folder.exists() else ():
        with contextlib.suppress(OSError):  # the one that lists the folder is gone by now
            found[entry.name] = str(entry.readlink())
    return found
