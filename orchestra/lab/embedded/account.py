"""One SSH connection, seen from its server: who may log in, what may be dialed and where may be listened."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import asyncssh
from asyncssh.constants import OPEN_ADMINISTRATIVELY_PROHIBITED, OPEN_CONNECT_FAILED

from orchestra.lab.embedded.network import Binding, VirtualNetwork
from orchestra.lab.embedded.policy import is_overridden, listen_host, may_listen, may_open
from orchestra.lab.embedded.relay import SocketEnd
from orchestra.lab.embedded.tasks import Tasks
from orchestra.model.address import LOCALHOST, LOOPBACKS, IPAddress
from orchestra.model.frozen import dataclass
from orchestra.model.topology import Forwarding


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where an SSH server stands, whom it lets in and what it permits."""

    host: str
    user: str
    authorized_keys: Path
    forwarding: Forwarding
    network: VirtualNetwork


class Account(asyncssh.SSHServer):
    """One SSH connection, seen from the server."""

    def __init__(self, site: Site, forget: Callable[[Account], None]) -> None:
        self._site = site
        self._forget = forget
        self._connection: asyncssh.SSHServerConnection | None = None
        self._sockets: set[SocketEnd] = set()
        self._tasks = Tasks()
        self._listeners: set[RemoteForward] = set()

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - why does not matter to a server
        self._connection = None
        for listener in list(self._listeners):
            listener.close()
        for end in list(self._sockets):
            end.abort()
        self._tasks.cancel()
        self._forget(self)

    def abort(self) -> None:
        """Ends the connection at once."""
        if self._connection is not None:
            self._connection.abort()

    async def wait_closed(self) -> None:
        """Waits for the end of what the connection had started."""
        await self._tasks.close()

    def begin_auth(self, username: str) -> bool:
        if self._connection is not None and username == self._site.user:
            self._connection.set_authorized_keys(str(self._site.authorized_keys))
        return True

    def connection_requested(
        self,
        dest_host: str,
        dest_port: int,
        orig_host: str,  # noqa: ARG002 - asyncssh's shape
        orig_port: int,  # noqa: ARG002
    ) -> Awaitable[asyncssh.SSHTCPSession[bytes]]:
        return self._dial(dest_host, dest_port)

    def server_requested(self, listen_host: str, listen_port: int) -> RemoteForward | bool:
        forwarding, connection = self._site.forwarding, self._connection
        if connection is None or not may_listen(forwarding, listen_host, listen_port):
            if connection is not None and not forwarding.remote:
                connection.send_debug("Server has disabled port forwarding.", always_display=True)
            return False
        if is_overridden(forwarding.gateway_ports, listen_host):
            text = f'Forwarding listen address "{listen_host}" overridden by server GatewayPorts'
            connection.send_debug(text, always_display=True)
        listener = RemoteForward(self, self._site, listen_host, listen_port)
        if listener.is_open:
            self._listeners.add(listener)
            listener.on_close = self._listeners.discard
        return listener if listener.is_open else False

    def accepted(self, sock: socket.socket, asked: tuple[str, int], origin: tuple[str, int]) -> None:
        """A connection to one of its remote forwards."""
        self._tasks.start(self._forward(sock, asked, origin), sock)

    async def _dial(self, host: str, port: int) -> asyncssh.SSHTCPSession[bytes]:
        site = self._site
        if not may_open(site.forwarding, host, port):
            raise asyncssh.ChannelOpenError(OPEN_ADMINISTRATIVELY_PROHIBITED, "open failed")
        try:
            sock = await site.network.connect(site.host, host, port)
        except OSError as error:
            raise asyncssh.ChannelOpenError(OPEN_CONNECT_FAILED, error.strerror or "open failed") from error
        end = await self._adopt(sock)
        if self._connection is None:
            end.abort()
            raise asyncssh.ChannelOpenError(OPEN_CONNECT_FAILED, "open failed")
        return end.channel

    async def _forward(self, sock: socket.socket, asked: tuple[str, int], origin: tuple[str, int]) -> None:
        end = await self._adopt(sock)
        try:
            if self._connection is None:
                raise asyncssh.ChannelOpenError(OPEN_CONNECT_FAILED, "open failed")
            await self._connection.create_connection(lambda: end.channel, *asked, *origin)
        except (OSError, asyncssh.Error):
            end.close()
        except asyncio.CancelledError:
            end.abort()
            raise

    async def _adopt(self, sock: socket.socket) -> SocketEnd:
        end = SocketEnd(self._sockets.discard)
        self._sockets.add(end)
        try:
            await asyncio.get_running_loop().connect_accepted_socket(lambda: end, sock)
        except BaseException:
            sock.close()
            self._sockets.discard(end)
            raise
        return end


class RemoteForward(asyncssh.SSHListener):
    """A remote forward: as with sshd it is open when one of its addresses could be bound."""

    def __init__(self, account: Account, site: Site, asked_host: str, asked_port: int) -> None:
        super().__init__()
        self._account = account
        self._network = site.network
        self._asked = asked_host
        self._port = asked_port or site.network.free_port(site.host)
        self._bindings: list[Binding] = []
        self.on_close: Callable[[RemoteForward], Any] | None = None
        for address in self._addresses(site, listen_host(site.forwarding.gateway_ports, asked_host)):
            try:
                self._bindings.append(site.network.bind(site.host, address, self._port, self._accepted))
            except OSError:  # sshd tries them all, and says only when none is left
                continue

    @property
    def is_open(self) -> bool:
        """Whether it listens anywhere."""
        return bool(self._bindings)

    def get_port(self) -> int:
        return self._port

    def close(self) -> None:
        for binding in self._bindings:
            self._network.unbind(binding)
        self._bindings.clear()
        if self.on_close is not None:
            self.on_close(self)

    async def wait_closed(self) -> None:
        return

    def _addresses(self, site: Site, host: str) -> tuple[IPAddress, ...]:
        if host == LOCALHOST:
            return tuple(ip_address(each) for each in LOOPBACKS)
        try:
            return site.network.local_addresses(site.host, host)
        except OSError:
            return ()

    def _accepted(self, sock: socket.socket, address: IPAddress, port: int) -> None:
        self._account.accepted(sock, (self._asked, self._port), (str(address), port))
