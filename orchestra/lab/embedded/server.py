"""An SSH server of the lab: asyncssh on the virtual network, with the manners and the limits of OpenSSH's."""

from __future__ import annotations

import contextlib
import socket

import asyncssh

from orchestra.lab.credentials import Credentials
from orchestra.lab.embedded.account import Account, Site
from orchestra.lab.embedded.network import ANY, Binding, VirtualNetwork
from orchestra.lab.embedded.tasks import Tasks
from orchestra.model.address import IPAddress
from orchestra.model.topology import Forwarding


class SshServer:
    """The SSH server of one host; it listens on all its addresses while it runs."""

    def __init__(
        self, host: str, port: int, forwarding: Forwarding, credentials: Credentials, network: VirtualNetwork
    ) -> None:
        self._site = Site(
            host=host,
            user=credentials.user,
            authorized_keys=credentials.authorized_keys,
            forwarding=forwarding,
            network=network,
        )
        self._port = port
        self._host_key = credentials.host_keys[host]
        self._bindings: list[Binding] = []
        self._accounts: set[Account] = set()
        self._handshakes = Tasks()
        self._options: asyncssh.SSHServerConnectionOptions | None = None

    def start(self) -> None:
        """Listens; does nothing when it runs. Raises OSError."""
        if not self._bindings:
            bind, host = self._site.network.bind, self._site.host
            self._bindings = [bind(host, address, self._port, self._accepted) for address in ANY]

    async def stop(self) -> None:
        """Ends it and its connections at once, as a crash would."""
        for binding in self._bindings:
            self._site.network.unbind(binding)
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
        account = Account(self._site, self._accounts.discard)
        self._accounts.add(account)
        return account
