"""The lab: what :mod:`.layout` says, made by the agent and taken down with it."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from orchestra.diagnostics import Code
from orchestra.errors import RuntimeFailure, UsageError
from orchestra.lab.credentials import current_user, make_credentials, with_credentials
from orchestra.lab.interface import Counter
from orchestra.lab.netns.available import available, find_program, sshd_version
from orchestra.lab.netns.filters import PASSED, TABLE, Denial
from orchestra.lab.netns.layout import Layout, Machine, guest_name, make_layout
from orchestra.lab.netns.link import AgentLink
from orchestra.lab.netns.names import names_seen_by
from orchestra.lab.netns.place import Place, connect
from orchestra.lab.netns.plumbing import (
    DIRECTORY,
    SWITCH_SYSCTL,
    bridge_commands,
    etc_files,
    machine_request,
    wire_commands,
)
from orchestra.lab.netns.services import Service, sshd_services, stub_services
from orchestra.model.text import clean
from orchestra.model.topology import Topology
from orchestra.session.here import Here
from orchestra.session.protocols import Session

_UP = 15.0
"""Seconds for a server or a stub to listen."""
_LOOK = 0.01


async def open_netns_lab(topology: Topology, client: str, *, denial: Denial = "drop") -> NetnsLab:
    """Makes every host of a topology a network namespace of this machine; ``client`` is who is here.

    ``denial`` is how firewalls deny: ``reject`` tells the dialer at once. Raises RuntimeFailure (LAB_UNAVAILABLE);
    what was made by then is gone.
    """
    if reason := await asyncio.to_thread(available):
        hint = "use the embedded lab, which needs nothing"
        raise RuntimeFailure(Code.LAB_UNAVAILABLE, f"no lab of namespaces here: {reason}", suggestion=hint)
    link = await AgentLink.open()
    try:
        lab = NetnsLab(link, make_layout(topology, client), denial)
        await lab._build()  # noqa: SLF001 - its own factory
    except BaseException:
        await asyncio.shield(link.close())
        raise
    return lab


class NetnsLab:
    """A running lab of namespaces (:class:`orchestra.lab.interface.Lab`)."""

    name = "netns"

    def __init__(self, link: AgentLink, layout: Layout, denial: Denial) -> None:
        self.layout = layout
        self._link, self._denial = link, denial
        self._made: set[str] = set()
        self._making = asyncio.Lock()
        self._services: tuple[Service, ...] = ()
        self._running: dict[Service, int] = {}
        self._topology = layout.topology
        self._places: dict[str, Place] = {}
        inside = partial(connect, _Namespace(self, layout.of(layout.client)))
        self._here = Here(layout.client, connect=inside, send=partial(inside, kind=socket.SOCK_DGRAM))

    @property
    def here(self) -> Session:
        return self._here

    @property
    def topology(self) -> Topology:
        return self._topology

    def place(self, host: str) -> Session:
        if host not in self.layout.machine_of:
            raise UsageError(f"the lab has no host {host!r}")
        return self._place(host, self.layout.of(host))

    def guest(self, network: str) -> Session:
        name = guest_name(network)
        if name not in self.layout.machines:
            raise UsageError(f"the lab has no network {network!r}")
        return self._place(name, self.layout.machines[name])

    async def dial(self, dialer: str, host: str, port: int) -> socket.socket:
        """A connected, non-blocking socket, dialed by a host of the lab. Raises OSError."""
        return await connect(_Namespace(self, self.layout.of(dialer)), host, port)

    def _place(self, name: str, machine: Machine) -> Place:
        if name not in self._places:
            self._places[name] = Place(name, _Namespace(self, machine))
        return self._places[name]

    async def counters(self) -> tuple[Counter, ...]:
        found: list[Counter] = []
        for machine in self.layout.machines.values():
            if machine.forwards and machine.name in self._made:
                listed = await self._link.ask(
                    "output", machine=machine.name, argv=["nft", "-j", "list", "set", "inet", TABLE, PASSED]
                )
                found += [
                    Counter(firewall=machine.name, protocol=protocol, port=port, packets=packets)
                    for protocol, port, packets in _counted(json.loads(listed))
                ]
        return tuple(sorted(found, key=lambda c: (c.firewall, c.protocol, c.port)))

    async def stop_server(self, host: str) -> None:
        await self._stop(self._find("server", self.layout.machine_of.get(host, host)))

    async def start_server(self, host: str) -> None:
        await self._start(self._find("server", self.layout.machine_of.get(host, host)))

    async def stop_target(self, target: str) -> None:
        await self._stop(self._find("target", target))

    async def start_target(self, target: str) -> None:
        await self._start(self._find("target", target))

    async def close(self) -> None:
        for place in (self._here, *self._places.values()):
            place.abort()
        await self._link.close()

    async def _build(self) -> None:
        files = etc_files(user := current_user(), os.getuid(), os.getgid())
        await self._link.ask("prepare", files=files, directory=DIRECTORY)
        directory = self._link.files / DIRECTORY.lstrip("/")
        credentials = make_credentials(self.layout.topology, directory, user=user)
        self._topology = with_credentials(self.layout.topology, credentials)
        await self._link.ask("sysctl", values=SWITCH_SYSCTL)
        await self._make([m for m in self.layout.machines.values() if m.hosts], bridge_commands(self.layout))
        sshd = find_program("sshd") or "sshd"
        servers = sshd_services(self.layout, credentials, sshd, await asyncio.to_thread(sshd_version, sshd))
        self._services = (*servers, *stub_services(self.layout))
        for service in self._services:
            if service.file is not None:
                (directory / service.file[0]).write_text(service.file[1], encoding="utf-8")
        await self._start(self._services)

    async def _make(self, machines: Sequence[Machine], bridges: str = "") -> None:
        self._made.update(machine.name for machine in machines)
        await self._link.ask(
            "machines",
            machines=[machine_request(self.layout, machine, self._denial) for machine in machines],
            switch=bridges + wire_commands(self.layout, machines),
        )

    async def ensure(self, machine: Machine) -> None:
        """Guests are made when they are first needed."""
        async with self._making:
            if machine.name not in self._made:
                await self._make([machine])

    async def socket_in(self, machine: Machine, family: int, kind: int = socket.SOCK_STREAM) -> socket.socket:
        """An unconnected socket of a machine."""
        await self.ensure(machine)
        made = await self._link.ask("socket", machine=machine.name, family=family, kind=int(kind))
        assert isinstance(made, socket.socket)  # noqa: S101 - that is what was asked for
        return made

    def _find(self, kind: str, name: str) -> tuple[Service, ...]:
        found = tuple(service for service in self._services if service.kind == kind and name in service.names)
        if not found:
            raise UsageError(f"the lab has no {kind} {name!r}")
        return found

    async def _stop(self, services: Iterable[Service]) -> None:
        for service in services:
            if pid := self._running.pop(service, None):
                await self._link.ask("stop", pid=pid)

    async def _start(self, services: Sequence[Service]) -> None:
        fresh = [service for service in services if service not in self._running]
        account = None if os.geteuid() == 0 else [os.getuid(), os.getgid()]
        for service in fresh:
            self._running[service] = await self._link.ask(
                "start",
                machine=service.machine,
                argv=service.argv,
                log=service.log,
                binds=service.binds,
                account=account if service.as_user else None,
            )
        try:
            async with asyncio.timeout(_UP):
                await self._wait(fresh)
        except TimeoutError:
            raise RuntimeFailure(Code.LAB_UNAVAILABLE, "the lab's servers did not come up in time") from None

    async def _wait(self, services: Sequence[Service]) -> None:
        """Until each listens; one that ends instead is told with what it said."""
        waiting = list(services)
        while waiting:
            wanted = [(service, port) for service in waiting for port in service.ports]
            rows = [[service.machine, service.protocol, port] for service, port in wanted]
            missing = {wanted[index][0] for index in await self._link.ask("missing", sockets=rows)}
            missing.update(s for s in waiting if not s.ports and "listening" not in self._log(s))  # a Unix socket
            waiting = [service for service in waiting if service in missing]
            exited = await self._link.ask("exited") if waiting else {}
            for service in waiting:
                if str(self._running.get(service)) in exited:
                    what = f"the {service.kind} {service.names[0]} of the lab ended: {clean(self._log(service))}"
                    raise RuntimeFailure(Code.LAB_UNAVAILABLE, what, host=service.machine)
            await asyncio.sleep(_LOOK if waiting else 0)

    def _log(self, service: Service) -> str:
        path = self._link.files / service.log.lstrip("/")
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


class _Namespace:
    def __init__(self, lab: NetnsLab, machine: Machine) -> None:
        self._lab, self._machine = lab, machine
        self.names: Mapping[str, tuple[str, ...]] = names_seen_by(lab.layout, machine)

    async def make_socket(self, family: int, kind: int = socket.SOCK_STREAM) -> socket.socket:
        return await self._lab.socket_in(self._machine, family, kind)


def _counted(listed: Any) -> Iterator[tuple[str, int, int]]:
    """(protocol, port, packets) of what ``nft -j list set`` prints."""
    for entry in listed["nftables"]:
        for element in entry.get("set", {}).get("elem", ()):
            protocol, port = element["elem"]["val"]["concat"]
            yield str(protocol), int(port), int(element["elem"]["counter"]["packets"])
