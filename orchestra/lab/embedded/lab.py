"""The embedded lab: every host of a topology in this process, with nothing to install and no privileges."""

from __future__ import annotations

import asyncio
import errno
import socket
from functools import partial

from orchestra.errors import UsageError
from orchestra.lab.credentials import Credentials, make_credentials, with_credentials
from orchestra.lab.embedded.directory import PrivateDirectory
from orchestra.lab.embedded.network import Binding, VirtualNetwork
from orchestra.lab.embedded.place import Place
from orchestra.lab.embedded.server import SshServer
from orchestra.lab.embedded.settle import guest_name, settle
from orchestra.lab.embedded.tasks import Tasks
from orchestra.lab.interface import Counter
from orchestra.lab.stub import identity, serve_socket
from orchestra.model.address import SSH_PORT, WILDCARD, Endpoint, IPAddress
from orchestra.model.topology import Target, Topology
from orchestra.session.here import Here

_NOT_OURS = frozenset({errno.EADDRINUSE, errno.EADDRNOTAVAIL})
"""Two targets may be one service, or the host's SSH server; and a file may write an address that its host lacks."""


async def open_embedded_lab(topology: Topology, client: str) -> EmbeddedLab:
    """Runs all servers and targets of a topology, seen from ``client``.

    Names of targets over UDP, and those on Unix sockets, are known but nothing answers there. Raises OSError when
    there is no room for keys or sockets.
    """
    making = asyncio.create_task(asyncio.to_thread(_make_keys, topology))
    try:
        directory, credentials = await asyncio.shield(making)
    except asyncio.CancelledError:  # a thread goes on: only what it has made can be removed
        (await making)[0].remove()
        raise
    try:
        lab = EmbeddedLab(with_credentials(topology, credentials), client, credentials, directory)
    except BaseException:
        directory.remove()
        raise
    try:
        lab.start()
    except BaseException:
        await lab.close()
        raise
    return lab


def _make_keys(topology: Topology) -> tuple[PrivateDirectory, Credentials]:
    directory = PrivateDirectory()
    try:
        return directory, make_credentials(topology, directory.path)
    except BaseException:
        directory.remove()
        raise


class EmbeddedLab:
    """See :class:`orchestra.lab.interface.Lab`."""

    name = "embedded"

    def __init__(self, topology: Topology, client: str, credentials: Credentials, directory: PrivateDirectory) -> None:
        self.topology = topology
        self._credentials = credentials
        self._directory = directory
        self._network = VirtualNetwork(settle(topology, client))
        self.here = Here(client, connect=partial(self._network.connect, client))
        self._places: list[Place] = []
        self._servers = self._make_servers()
        self._stubs: dict[str, list[Binding]] = {name: [] for name in sorted(topology.targets)}
        self._conversations = {name: Tasks() for name in self._stubs}

    def start(self) -> None:
        """Starts every server and every stub."""
        for server in self._servers.values():
            server.start()
        for name in self._stubs:
            self._listen(self.topology.targets[name])

    def place(self, host: str) -> Place:
        """Any host of the lab. Raises UsageError when there is no such host."""
        if host not in self._network.world.hosts:
            raise UsageError(f"there is no host {host!r} in this lab")
        place = Place(host, self._network)
        self._places.append(place)
        return place

    def guest(self, network: str) -> Place:
        """An unnamed host of a network."""
        return self.place(guest_name(network))

    async def counters(self) -> tuple[Counter, ...]:
        passed = self._network.passed.items()
        return tuple(
            Counter(firewall=each.firewall, protocol="tcp", port=each.port, packets=packets)
            for each, packets in sorted(passed, key=lambda item: (item[0].firewall, item[0].port))
        )

    async def stop_server(self, host: str) -> None:
        await self._server(host).stop()

    async def start_server(self, host: str) -> None:
        self._server(host).start()

    async def stop_target(self, target: str) -> None:
        if target not in self._stubs:
            raise UsageError(f"there is no target {target!r} in this lab")
        for binding in self._stubs[target]:
            self._network.unbind(binding)
        self._stubs[target].clear()
        await self._conversations[target].close()

    async def start_target(self, target: str) -> None:
        await self.stop_target(target)
        self._listen(self.topology.targets[target])

    async def close(self) -> None:
        for session in (self.here, *self._places):
            session.abort()
        for server in self._servers.values():
            await server.stop()
        for name in self._stubs:
            await self.stop_target(name)
        for session in (self.here, *self._places):
            await session.wait_closed()
        self._network.close()
        await asyncio.to_thread(self._directory.remove)

    def _make_servers(self) -> dict[str, SshServer]:
        """One per machine; several accounts of one machine share the first one's."""
        servers: dict[str, SshServer] = {}
        for name, host in sorted(self.topology.hosts.items()):
            if host.server and self._network.world.machine(name) not in map(self._network.world.machine, servers):
                port = host.server.ssh.port or SSH_PORT
                servers[name] = SshServer(name, port, host.server.forwarding, self._credentials, self._network)
        return servers

    def _server(self, host: str) -> SshServer:
        machine = self._network.world.machine
        for name, server in self._servers.items():
            if host in self.topology.hosts and machine(name) == machine(host):
                return server
        raise UsageError(f"there is no SSH server {host!r} in this lab")

    def _listen(self, target: Target) -> None:
        address = target.address
        if target.protocol != "tcp" or not isinstance(address, Endpoint) or not address.port:
            return
        try:
            for where in self._network.local_addresses(target.host, address.host or WILDCARD):
                accepted = partial(self._accepted, target)
                self._stubs[target.name].append(self._network.bind(target.host, where, address.port, accepted))
        except OSError as error:
            if error.errno not in _NOT_OURS:
                raise

    def _accepted(self, target: Target, sock: socket.socket, _address: IPAddress, _port: int) -> None:
        name = identity(target.name, target.host)
        self._conversations[target.name].start(serve_socket(sock, name), sock)
