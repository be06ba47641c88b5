"""An SSH server of the lab: asyncssh on the virtual network, with the manners and the limits of OpenSSH's."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import asyncssh
from asyncssh.constants import OPEN_ADMINISTRATIVELY_PROHIBITED, OPEN_CONNECT_FAILED

from orchestra.lab.credentials import Credentials
from orchestra.lab.embedded.network import ANY, Binding, VirtualNetwork
from orchestra.lab.embedded.policy import is_overridden, listen_host, may_listen, may_open
from orchestra.lab.embedded.relay import SocketEnd
from orchestra.lab.embedded.tasks import Tasks
from orchestra.model.address import LOCALHOST, LOOPBACKS, IPAddress
from orchestra.model.topology import Forwarding

SSH_PORT = 22


class SshServer:
    """The SSH server of one host; it listens on all its addresses while it runs."""

    def __init__(
        self, host: str, port: int, forwarding: Forwarding, credentials: Credentials, network: VirtualNetwork
    ) -> None:
        self.host = host
        self.forwarding = forwarding
        self.network = network
        self.user = credentials.user
        self.authorized_keys: Path = credentials.authorized_keys
        self._port = port
        self._host_key = credentials.host_keys[host]
        self._bindings: list[Binding] = []
        self._accounts: set[Account] = set()
        self._handshakes = Tasks()
        self._options: asyncssh.SSHServerConnectionOptions | None = None

    def start(self) -> None:
        """Listens; does nothing when it runs. Raises OSError."""
        if not self._bindings:
            self._bindings = [self.network.bind(self.host, address, self._port, self._accepted) for address in ANY]

    async def stop(self) -> None:
        """Ends it and its connections at once, as a crash would."""
        for binding in self._bindings:
            self.network.unbind(binding)
        self._bindings.clear()
        await self._handshakes.close()
        accounts = list(self._accounts)
        for account in accounts:
            account.abort()
        for account in accounts:
            await account.wait_closed()

    def _accepted(self, sock: socket.socket, _address: IPAddress, _port: int) -> None:
        self._handshakes.start(self._handshake(sock), sock)

    async def _handshake(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError, asyncssh.Error):  # whoever dialed is told by SSH itself, or has gone
            await asyncssh.run_server(sock, config=None, options=self._options or self._make_options())

    def _make_options(self) -> asyncssh.SSHServerConnectionOptions:
        self._options = asyncssh.SSHServerConnectionOptions(
            server_factory=self._new_account,
            server_host_keys=[str(self._host_key)],
            password_auth=False,
            kbdint_auth=False,
            gss_host=None,
            agent_forwarding=False,
            x11_forwarding=False,
            allow_pty=False,
            line_editor=False,
        )
        return self._options

    def _new_account(self) -> Account:
        account = Account(self, self._accounts.discard)
        self._accounts.add(account)
        return account


class Account(asyncssh.SSHServer):
    """One SSH connection, seen from the server."""

    def __init__(self, server: SshServer, forget: Callable[[Account], None]) -> None:
        self._server = server
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
        if self._connection is not None and username == self._server.user:
            self._connection.set_authorized_keys(str(self._server.authorized_keys))
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
        forwarding, connection = self._server.forwarding, self._connection
        if connection is None or not may_listen(forwarding, listen_host, listen_port):
            if connection is not None and not forwarding.remote:
                connection.send_debug("Server has disabled port forwarding.", always_display=True)
            return False
        if is_overridden(forwarding.gateway_ports, listen_host):
            text = f'Forwarding listen address "{listen_host}" overridden by server GatewayPorts'
            connection.send_debug(text, always_display=True)
        listener = RemoteForward(self, self._server, listen_host, listen_port)
        if listener.is_open:
            self._listeners.add(listener)
            listener.on_close = self._listeners.discard
        return listener if listener.is_open else False

    def accepted(self, sock: socket.socket, asked: tuple[str, int], origin: tuple[str, int]) -> None:
        """A connection to one of its remote forwards."""
        self._tasks.start(self._forward(sock, asked, origin), sock)

    async def _dial(self, host: str, port: int) -> asyncssh.SSHTCPSession[bytes]:
        server = self._server
        if not may_open(server.forwarding, host, port):
            raise asyncssh.ChannelOpenError(OPEN_ADMINISTRATIVELY_PROHIBITED, "open failed")
        try:
            sock = await server.network.connect(server.host, host, port)
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

    def __init__(self, account: Account, server: SshServer, asked_host: str, asked_port: int) -> None:
        super().__init__()
        self._account = account
        self._network = server.network
        self._asked = asked_host
        self._port = asked_port or server.network.free_port(server.host)
        self._bindings: list[Binding] = []
        self.on_close: Callable[[RemoteForward], Any] | None = None
        for address in self._addresses(server, listen_host(server.forwarding.gateway_ports, asked_host)):
            try:
                self._bindings.append(server.network.bind(server.host, address, self._port, self._accepted))
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

    def _addresses(self, server: SshServer, host: str) -> tuple[IPAddress, ...]:
        if host == LOCALHOST:
            return tuple(ip_address(each) for each in LOOPBACKS)
        try:
            return server.network.local_addresses(server.host, host)
        except OSError:
            return ()

    def _accepted(self, sock: socket.socket, address: IPAddress, port: int) -> None:
        self._account.accepted(sock, (self._asked, self._port), (str(address), port))
