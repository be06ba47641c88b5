"""Two hops of real sshd in namespaces, an engine over them that notices soon, and the means to break things."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestra.assembly.topology import load_topology, plugins
from orchestra.engine import Engine
from orchestra.engine.core import messages
from orchestra.lab.netns import open_netns_lab
from orchestra.lab.netns.lab import NetnsLab
from orchestra.lab.netns.plumbing import DIRECTORY
from orchestra.lab.netns.services import Service
from orchestra.lab.stub import payload
from orchestra.model.events import SessionChanged
from orchestra.model.status import ErrorStatus
from orchestra.model.topology import Topology
from orchestra.planning import make_plan
from tests.acceptance.world import Change, Log, World, same
from tests.engine.ssh.sshd import descendants
from tests.faults.leaks import lab_settled, lab_traces
from tests.faults.relay import Relay, relay_before

long = pytest.mark.skipif(not os.environ.get("ORCHESTRA_FAULTS"), reason="takes long; `make faults` runs it")

DEADLINE = 30.0
NOTICED = 1.0
"""Seconds that the first hop may be silent here; the next one may half a second more."""
TWO_HOPS = """\
networks: {internet: 198.51.100.0/24, office: 10.20.0.0/24, workshop: 10.30.0.0/24}
clients: {laptop: {networks: {internet: 198.51.100.1}}}
servers:
  gateway: {networks: {internet: 198.51.100.2, office: 10.20.0.2}, ssh: {keepalive: 1s, connect_timeout: 3s}}
  inner: {networks: {office: 10.20.0.3, workshop: 10.30.0.3}, ssh: {keepalive: 1500ms, connect_timeout: 3s}}
targets:
  desk: {networks: {workshop: 10.30.0.30}, address: "10.30.0.30:8080"}
tunnels:
  desk: {listen: auto, hold: 500ms, dial_timeout: 2s}
"""
ALIVE = ("ClientAliveInterval 1", "ClientAliveCountMax 3")
"""Servers that notice that we have gone; sshd's default is never."""


class Hasty(random.Random):
    """Waits between attempts, but not long: a tenth of what may be waited."""

    def uniform(self, a: float, b: float) -> float:
        return a + (b - a) / 10


class Eyes:
    """The engine's eyes on this machine: they see what a test tells."""

    tell: Callable[[messages.Event], None]

    @contextmanager
    def watch(self, tell: Callable[[messages.Event], None]) -> Iterator[None]:
        self.tell = tell
        yield


@dataclass(slots=True)
class Field(World):
    """A running world, and what can be done to it."""

    lab: NetnsLab
    beside: ExitStack
    """What is beside it is closed with it."""
    eyes: Eyes
    _relay: Relay | None = None

    @property
    def relay(self) -> Relay:
        """The one that stands in front of a server."""
        assert self._relay
        return self._relay

    # Faults.

    async def run(self, machine: str, *argv: str) -> str:
        """A program in a machine, to its end."""
        return str(await self.lab._link.ask("output", machine=machine, argv=list(argv)))

    async def drop(self, machine: str, way: str = "both", what: str = "meta l4proto tcp") -> None:
        """From now on packets of that kind vanish on the way ``in``, ``out`` or ``both`` of the machine."""
        rules = [
            f"add chain inet fault {hook} {{ type filter hook {hook} priority -200; }}; "
            f"add rule inet fault {hook} {side} != lo {what} drop"
            for name, hook, side in (("in", "input", "iifname"), ("out", "output", "oifname"))
            if way in (name, "both")
        ]
        await self.run(machine, "nft", "; ".join(("add table inet fault", *rules)))

    async def mend(self, machine: str) -> None:
        """No packet vanishes any more."""
        await self.run(machine, "nft", "delete table inet fault")

    async def narrow(self, machine: str, rate: str) -> None:
        """What leaves the machine by any of its wires waits in a short queue for that rate, as tc(8) writes it."""
        for wire in self.lab.layout.machines[machine].interfaces:
            shape = ("root", "tbf", "rate", rate, "burst", "4kb", "limit", "10kb")
            await self.run(machine, "tc", "qdisc", "add", "dev", wire.name, *shape)

    def sshd(self, machine: str) -> list[int]:
        """The processes of a machine's sshd, the listening one first."""
        inside = str(self.lab._running[self._service(machine)])
        for pid in descendants(self.lab._link._process.pid):
            if _pid_in_lab(pid) == inside:
                return [pid, *descendants(pid)]
        raise AssertionError(f"{machine} has no sshd")

    def signal(self, machine: str, number: signal.Signals, *, listener: bool = True) -> None:
        """To the machine's sshd; without ``listener`` only to the processes that serve sessions."""
        for pid in self.sshd(machine)[0 if listener else 1 :]:
            os.kill(pid, number)

    def file(self, name: str) -> Path:
        """A file of the lab: keys, configurations and logs of its servers."""
        return self.lab._link.files / DIRECTORY.lstrip("/") / name

    def config(self, machine: str) -> Path:
        """The sshd_config of a machine."""
        file = self._service(machine).file
        assert file
        return self.file(file[0])

    async def configure(self, machine: str, *lines: str) -> None:
        """Restarts a machine's sshd with those lines in place of what it had of them."""
        config, given = self.config(machine), {line.split()[0] for line in lines}
        kept = [line for line in config.read_text().splitlines() if line.split()[0] not in given]
        config.write_text("".join(f"{line}\n" for line in (*lines, *kept)))
        await self.lab.stop_server(machine)
        await self.lab.start_server(machine)

    # What is to be seen.

    def log_of(self, machine: str) -> str:
        """What a machine's sshd wrote."""
        return self.file(Path(self._service(machine).log).name).read_text("utf-8", "replace")

    async def until_said(self, machine: str, text: str) -> None:
        """A machine's sshd has written that."""
        await becomes(lambda: text in self.log_of(machine))

    def error(self, server: str) -> ErrorStatus:
        found = self.session(server).error
        assert found, self.engine.snapshot()
        return found

    def states(self, server: str) -> list[str]:
        """Every state of a session so far."""
        return [str(e.state) for e in self.log.events if isinstance(e, SessionChanged) and e.server == server]

    async def until_lost(self, server: str, within: float = DEADLINE) -> float:
        """Seconds until the session is no longer open."""
        begun = time.monotonic()
        await self.until(lambda: self.session(server).state != "open", within)
        return time.monotonic() - begun

    async def until_back(self, within: float = DEADLINE) -> float:
        """Seconds until traffic passes again."""
        begun = time.monotonic()
        await self.until(lambda: self.tunnel("desk").state == "ready", within)
        assert await self.get(1000) == take(1000)
        return time.monotonic() - begun

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A client of the tunnel; it is gone at the end, whatever comes."""
        reader, writer = await asyncio.open_connection(*self.entrance("desk"))
        self.beside.callback(writer.transport.abort)
        return reader, writer

    async def get(self, size: int) -> bytes:
        """What the target gives of so many bytes; raises OSError when it did not end in an end of file."""
        reader, writer = await self.ask_for(size)
        try:
            async with asyncio.timeout(DEADLINE):
                return await reader.read(-1)
        finally:
            writer.transport.abort()

    async def ask_for(self, size: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A download that has begun: everything after the headers."""
        reader, writer = await self.connect()
        writer.write(f"GET /bytes/{size} HTTP/1.0\r\n\r\n".encode())
        async with asyncio.timeout(DEADLINE):
            await reader.readuntil(b"\r\n\r\n")
        return reader, writer

    async def put(self, size: int) -> bytes:
        """What the target says of so many bytes: their digest and number."""
        reader, writer = await self.connect()
        try:
            writer.write(f"PUT /x HTTP/1.0\r\nContent-Length: {size}\r\n\r\n".encode())
            for chunk in payload(size):
                writer.write(chunk)
                await writer.drain()
            async with asyncio.timeout(DEADLINE):
                return (await reader.read(-1)).partition(b"\r\n\r\n")[2]
        finally:
            writer.transport.abort()

    async def is_refused(self) -> float:
        """Seconds until who comes now is sent away by a reset."""
        begun = time.monotonic()
        with pytest.raises(ConnectionResetError):
            await self.get(1)
        return time.monotonic() - begun

    async def stays_quiet(self, seconds: float) -> None:
        """Nothing changes for so long."""
        told = len(self.log.events)
        self.log.changed.clear()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.log.changed.wait()
        assert self.log.events[told:] == []

    def _service(self, machine: str) -> Service:
        return next(s for s in self.lab._services if s.kind == "server" and machine in s.names)


async def becomes(true: Callable[[], object]) -> None:
    """Returns when it is true of what nobody tells of."""
    deadline = time.monotonic() + DEADLINE
    while not true():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


def _pid_in_lab(pid: int) -> str:
    """The number of a process among those of the lab's first one, which sees one more below each server."""
    for line in Path(f"/proc/{pid}/status").read_text("utf-8").splitlines():
        if line.startswith("NSpid:"):
            return [*line.split(), "", ""][2]
    return ""


def two_hops(text: str = TWO_HOPS) -> Topology:
    """The topology of a field."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(text)
        file.flush()
        loaded = load_topology([file.name], plugins(), dict(os.environ))
    assert loaded.topology, loaded.diagnostics
    return loaded.topology


def servers_of(topology: Topology) -> list[str]:
    """The names of its servers."""
    return [name for name, host in topology.hosts.items() if host.server]


def take(size: int) -> bytes:
    """What ``get`` gives when all is well."""
    return b"".join(payload(size))


def told_of(size: int) -> bytes:
    """What ``put`` gives when all is well."""
    return f"{hashlib.sha256(take(size)).hexdigest()} {size}\n".encode()


@asynccontextmanager
async def field(
    text: str = TWO_HOPS,
    *,
    login: Change = same,
    sshd: tuple[str, ...] = ALIVE,
    relay: str | None = None,
    crumbs: int = 0,
    prepare: Callable[[Field], Awaitable[None]] | None = None,
    wall: Callable[[], float] = time.time,
    rng: random.Random | None = None,
) -> AsyncIterator[Field]:
    """A field whose engine runs; afterwards everything in the lab has to be as it was.

    ``login`` changes the credentials that the lab gave; ``sshd`` are lines for every server's configuration; ``relay``
    names the server that a relay stands in front of, which passes on at most ``crumbs`` bytes at a time; ``prepare``
    does something before anything is opened; ``wall`` is the clock on the wall, ``rng`` makes the waits between
    attempts.
    """
    extra, topology = plugins(), two_hops(text)
    plan = make_plan(topology, vocabulary=extra.vocabulary)
    lab = await open_netns_lab(topology, plan.client)
    try:
        log, eyes = Log(), Eyes()
        engine = Engine(
            plan,
            login(lab.topology),
            here=lab.here,
            plugins=extra,
            observe=log.note,
            rng=rng or Hasty(),
            wall=wall,
            watch=eyes.watch,
        )
        up = Field(plan, lab, engine, log, ExitStack(), eyes)
        for server in servers_of(topology) if sshd else ():
            await up.configure(server, *sshd)
        if prepare is not None:
            await prepare(up)
        there = await lab_traces(lab)
        async with AsyncExitStack() as around:
            around.enter_context(up.beside)
            if relay is not None:
                up._relay = await around.enter_async_context(relay_before(lab, relay, crumbs=crumbs))
            running = asyncio.create_task(engine.run())
            try:
                yield up
            finally:
                engine.stop()
                await asyncio.wait_for(running, DEADLINE)
        await lab_settled(lab, there)
    finally:
        await asyncio.wait_for(lab.close(), DEADLINE)
