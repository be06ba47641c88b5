"""A whole orchestra in memory: a topology file's text, planned, and an engine that makes the plan true.

What a plugin adds can be tried as its users will use it, in virtual time::

    async def main():
        bench = Workbench(TEXT, my_plugin)
        async with bench.running():
            await bench.until("db", "ready")
            client = await bench.connect("db")
            await client.send(b"hello")
            target = await bench.reached("db")
            assert await target.receive(5) == b"hello"

    run_virtual(main())
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import TYPE_CHECKING, Any

from orchestra.engine import Engine, builtin
from orchestra.loading import load
from orchestra.model.address import Endpoint, UnixPath
from orchestra.model.plan import Plan
from orchestra.model.topology import Target, Topology
from orchestra.planning import make_plan
from orchestra.planning.changes import Standing, align
from orchestra.plugin import hookimpl
from orchestra.plugin.interfaces import Transport
from orchestra.plugin.manager import Plugins, load_plugins
from orchestra.session.protocols import Peer, Receiver, Session
from orchestra.testing.collect import Collector
from orchestra.testing.memory import MemoryNetwork, MemorySession, MemoryTransport

if TYPE_CHECKING:
    from orchestra.model.events import Event
    from orchestra.model.status import TunnelStatus

PATIENCE = 600.0
"""Seconds, virtual ones as a rule, that a test waits for anything."""


class Bench:
    """``text`` is a topology, which an engine makes true over sessions of ``transport``; ``here`` gives this machine by
    its name.

    ``plugins`` are loaded beside core's; one that cannot be used is an error. Raises ValueError with all that is wrong
    in the text.
    """

    def __init__(
        self,
        text: str,
        plugins: tuple[object, ...],
        *,
        transport: Transport,
        here: Callable[[str], Session],
        environ: dict[str, str] | None = None,
    ) -> None:
        self.plugins = _loaded(transport, plugins)
        self._environ = environ or {}
        self.topology, self.plan = _planned(text, self.plugins, self._environ)
        self.events: list[Event] = []
        self._heard = asyncio.Event()
        self.engine = Engine(
            self.plan,
            self.topology,
            here=here(self.plan.client),
            plugins=self.plugins,
            observe=self._observe,
            rng=Random(1),  # noqa: S311 - the same every time
        )

    def change(self, text: str) -> None:
        """Another topology from now on; what its plan has no more may end by itself."""
        hosts = self.topology.hosts
        known = {each.id: Standing(each, hosts[each.server]) for each in self.plan.sessions}
        self.topology, plan = _planned(text, self.plugins, self._environ)
        self.plan = align(plan, self.topology.hosts, known)
        self.engine.change(self.plan, self.topology, drain=None)

    def status(self, tunnel: str) -> TunnelStatus:
        """What is true of it now."""
        return next(found for found in self.engine.snapshot().tunnels if found.name == tunnel)

    async def until(self, tunnel: str, state: str) -> TunnelStatus:
        """Waits until the tunnel is in that state; AssertionError, with what it is, when it never is."""
        try:
            await self.until_true(lambda: self.status(tunnel).state == state)
        except TimeoutError:
            raise AssertionError(f"it is not {state}: {self.status(tunnel)}") from None
        return self.status(tunnel)

    async def until_true(self, reached: Callable[[], bool]) -> None:
        """Waits until it holds, looking again after every event."""
        async with asyncio.timeout(PATIENCE):
            while not reached():
                self._heard.clear()
                await self._heard.wait()

    def _observe(self, event: Event) -> None:
        self.events.append(event)
        self._heard.set()


class Workbench(Bench):
    """Each host is a place of ``network``, and each target accepts; the transport ``ssh`` opens sessions in memory."""

    def __init__(self, text: str, *plugins: object, environ: dict[str, str] | None = None) -> None:
        self.network = MemoryNetwork()
        self.transport = MemoryTransport(self.network)
        super().__init__(text, plugins, transport=self.transport, here=self._place_here, environ=environ)
        self.targets: dict[str, MemorySession] = {}
        self._reached: dict[str, asyncio.Queue[Collector]] = {name: asyncio.Queue() for name in self.topology.targets}
        self.network.aliases.update(_aliases(self.topology))

    def _place_here(self, name: str) -> Session:
        self.here = self.network.place(name, is_here=True)
        return self.here

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Workbench]:
        """The engine runs inside; outside nothing of it is left, or that is an AssertionError."""
        before = asyncio.all_tasks()
        for name, target in self.topology.targets.items():
            await self.serve(name, target)
        listening = set(self.network.listeners)
        task = asyncio.create_task(self.engine.run(), name="engine")
        try:
            yield self
        finally:
            self.engine.stop()
            await task
        await _settled(before)
        left = set(self.network.listeners) - listening
        assert not left, f"listeners are left: {left}"  # noqa: S101 - a promise that tests hold
        opened = [session.host for session in self.transport.opened if session.state != "closed"]
        assert not opened, f"sessions are left: {opened}"  # noqa: S101 - as above

    async def serve(self, name: str, target: Target) -> None:
        """The target accepts from now on."""
        place = self.targets.setdefault(name, self.network.place(target.host))

        async def accept(_: Peer) -> Receiver:
            return Collector(made=self._reached[name].put_nowait)

        if isinstance(target.address, UnixPath):
            await place.create_unix_server(accept, target.address.path)
        elif target.address.port is not None and target.protocol == "tcp":
            await place.create_server(accept, "*", target.address.port)

    async def connect(self, tunnel: str) -> Collector:
        """A client that dialed the tunnel's listener, where it stands. Raises DialRefused."""
        status = await self.until(tunnel, "ready")
        listen = self.plan.tunnel(tunnel).listen
        assert listen is not None  # noqa: S101 - it is ready
        place = self.here if listen.session is None else self.session(listen.at)
        host, _, port = status.listen[0].removeprefix("unix:").rpartition(":")
        if listen.unix is not None:
            _, client = await place.create_unix_connection(Collector, listen.unix.path)
        else:
            _, client = await place.create_connection(Collector, host.strip("[]").replace("*", "127.0.0.1"), int(port))
        return client

    async def reached(self, target: str) -> Collector:
        """The next connection that the target accepted, without those that ended and said nothing: they proved."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = await self._reached[target].get()
                for _ in range(3):  # turns in which the end of one that proved something arrives
                    await asyncio.sleep(0)
                if found.data or not (found.eof.is_set() or found.ended.is_set()):
                    return found

    def session(self, server: str) -> MemorySession:
        """The newest session to a server."""
        return next(session for session in reversed(self.transport.opened) if session.host == server)


class _Ssh:
    """What opens sessions in the place of core's transport."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @hookimpl
    def orchestra_transports(self) -> list[Transport]:
        return [self._transport]


def _loaded(transport: Transport, plugins: tuple[object, ...]) -> Plugins:
    found = load_plugins([builtin, _Ssh(transport)], extra=plugins, entry_points=False)
    faults = [f"{info.name}: {info.error}" for info in found.loaded if info.error is not None]
    if faults:
        raise ValueError("; ".join(faults))
    return found


def _planned(text: str, plugins: Plugins, environ: dict[str, str]) -> tuple[Topology, Plan]:
    loaded = load(["-"], environ=environ, vocabulary=plugins.vocabulary, stdin=text)
    plan = make_plan(loaded.partial, vocabulary=plugins.vocabulary)
    said = loaded.diagnostics if loaded.topology is None else plan.diagnostics
    if wrong := [f"{found.place}: {found.code}: {found.message}" for found in said if found.severity == "error"]:
        raise ValueError("\n".join(wrong))
    return loaded.partial, plan


def _aliases(topology: Topology) -> dict[str, str]:
    """What its hosts and its targets are called."""
    found: dict[str, str] = {}
    for host in topology.hosts.values():
        texts: list[Any] = [name.text for name in host.names]
        texts += [str(address) for each in host.attachments for address in each.addresses]
        texts += [host.server.ssh.host] if host.server else []
        found.update(dict.fromkeys(filter(None, texts), host.name))
    for target in topology.targets.values():
        if isinstance(target.address, Endpoint) and target.address.host is not None:
            found.setdefault(target.address.host, target.host)
    return found


async def _settled(before: set[asyncio.Task[Any]]) -> None:
    """What was cancelled is gone; AssertionError when something goes on."""
    for _ in range(100):
        if not (left := asyncio.all_tasks() - before):
            return
        await asyncio.sleep(0)
    raise AssertionError(f"tasks are left: {left}")
