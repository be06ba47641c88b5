"""What is to be brought up, as one value, and how its parts are put together."""

from __future__ import annotations

import os
import time
from contextlib import asynccontextmanager
from dataclasses import field, replace
from typing import TYPE_CHECKING

from orchestra import __version__
from orchestra.control.claim import Info
from orchestra.lab.kind import LabKind
from orchestra.model.frozen import dataclass
from orchestra.plugin.interfaces import nobody

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

    from orchestra.assembly.reading import Read
    from orchestra.assembly.running import Running
    from orchestra.control.http_address import HttpAddress
    from orchestra.control.paths import Place
    from orchestra.lab.interface import Lab
    from orchestra.model.events import Event
    from orchestra.model.plan import Plan
    from orchestra.model.topology import Topology
    from orchestra.planning.disclosure import Disclosure
    from orchestra.plugin.interfaces import Ask
    from orchestra.plugin.manager import Plugins
    from orchestra.session.here import Here
    from orchestra.session.protocols import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """A plan that is to be made true, and by which means."""

    name: str
    plan: Plan
    topology: Topology
    lab: LabKind | None = None
    disclosures: tuple[Disclosure, ...] = ()
    """What bringing it up does besides its tunnels."""

    @property
    def file(self) -> str:
        """The topology's file as it can be named from any directory."""
        file = self.topology.file
        return file if file.startswith(("<", "-")) else os.path.abspath(file)  # noqa: PTH100 - keeps symbolic links

    def info(self) -> Info:
        """What this process says of itself to others."""
        return Info(
            name=self.name,
            topology=self.plan.topology,
            pid=os.getpid(),
            file=self.file,
            version=__version__,
            started=time.time(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Http:
    """Where it answers over TCP. ``token``: one that somebody else chose; None: a new one, in the place."""

    address: HttpAddress
    token: str | None = field(default=None, repr=False)


def reachable_part(plan: Plan) -> Plan:
    """The plan without the tunnels that are not opened here: unreachable ones, and those that another client holds."""
    tunnels = tuple(tunnel for tunnel in plan.tunnels if tunnel.verdict == "reachable")
    ways = (way for tunnel in tunnels for way in (tunnel.sessions, *(other.sessions for other in tunnel.alternatives)))
    needed = {id_ for way in ways for id_ in way}
    return replace(plan, tunnels=tunnels, sessions=tuple(s for s in plan.sessions if s.id in needed))


@asynccontextmanager
async def launched(
    launch: Launch,
    plugins: Plugins,
    *,
    observers: Sequence[Callable[[Event], None]] = (),
    place: Place | None = None,
    ask: Ask = nobody,
    here: Here | None = None,
    http: Http | None = None,
    log: Path | None = None,
    read: Read | None = None,
) -> AsyncIterator[Running]:
    """Brings it up, and takes it down at the end, whatever the end is: tunnels, then control socket, then lab.

    ``place`` is where the control socket goes, claimed already; without one nobody can talk to it, ``http`` needs one
    too. ``log`` is where who asks for its log finds it. ``read`` reads the files again, when that is asked for. ``ask``
    puts questions to a person. ``here`` stands for this machine, outside of a lab. Inside, the running orchestra is
    still on its way to being ready.
    """
    from orchestra.assembly.prompts import Prompts
    from orchestra.assembly.reloading import Reloading
    from orchestra.assembly.running import Identity, Running
    from orchestra.engine import Engine
    from orchestra.engine.surroundings import watched

    prompts = Prompts(ask)
    async with _world(launch, here) as (here_, topology):
        running = Running(
            Identity(name=launch.name, topology=launch.plan.topology, file=launch.file),
            launch.plan,
            lambda observe: Engine(
                launch.plan, topology, here=here_, plugins=plugins, observe=observe, ask=prompts, watch=watched
            ),
            observers=(*observers, *plugins.observers),
            prompts=prompts,
            topology=launch.topology,
            log=log,
        )
        if read is not None:
            lab = None if launch.lab is None else topology
            running.reloading = Reloading(running, running.engine, launch, read, lab)
        async with _answering(running, place, http), running:
            yield running


@asynccontextmanager
async def _answering(running: Running, place: Place | None, http: Http | None) -> AsyncIterator[None]:
    if place is None:
        yield
        return
    from orchestra.control.server import serving

    async with serving(running, place.socket), _showing(running, place, http):
        yield


@asynccontextmanager
async def _showing(running: Running, place: Place, http: Http | None) -> AsyncIterator[None]:
    """The page, the probes and the metrics, where they are asked for."""
    if http is None:
        yield
        return
    from orchestra.control.gate import Gate, Web, new_token
    from orchestra.control.tcp import serving_tcp

    gate, listening = Gate(http.token or new_token(place.token), time.monotonic), http.address.bind()
    running.web = Web(http.address.url(listening.getsockname()[1]), gate)
    async with serving_tcp(running, listening, gate, loopback=http.address.is_loopback):
        yield


@asynccontextmanager
async def _world(launch: Launch, here: Here | None) -> AsyncIterator[tuple[Session, Topology]]:
    """Where the client stands: this machine, or the client's place in a lab, whose topology has its own credentials."""
    if launch.lab is None:
        from orchestra.session.here import Here

        here = here or Here(launch.plan.client)
        try:
            yield here, launch.topology
        finally:
            here.close()
            await here.wait_closed()
        return
    async with open_lab(launch.lab, launch.topology, launch.plan.client) as lab:
        yield lab.here, lab.topology


@asynccontextmanager
async def open_lab(kind: LabKind, topology: Topology, client: str) -> AsyncIterator[Lab]:
    """A lab of the topology, with ``client`` as *here*; it is taken down at the end."""
    lab = await _open_lab(kind, topology, client)
    try:
        yield lab
    finally:
        await lab.close()


async def _open_lab(kind: LabKind, topology: Topology, client: str) -> Lab:
    if kind is LabKind.NETNS:
        from orchestra.lab.netns import open_netns_lab

        return await open_netns_lab(topology, client)
    from orchestra.lab.embedded import open_embedded_lab

    return await open_embedded_lab(topology, client)
