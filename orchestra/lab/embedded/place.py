"""A host of the lab as a session: it dials and listens inside the lab."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from orchestra.diagnostics import Code
from orchestra.lab.embedded.network import Binding, VirtualNetwork
from orchestra.model.address import Endpoint, IPAddress
from orchestra.session.errors import BindRefused, Unsupported
from orchestra.session.here import Here
from orchestra.session.protocols import Accept, Listener, Process, Receiver, Stream

R = TypeVar("R", bound=Receiver)


class Place(Here):
    """As *here*, with the lab in the place of this machine. Unix sockets and commands are outside of the lab."""

    is_here = False

    def __init__(self, host: str, network: VirtualNetwork) -> None:
        super().__init__(host, connect=partial(network.connect, host))
        self._network = network
        self._bound: set[PlaceListener] = set()

    async def create_server(self, accept: Accept, host: str, port: int) -> Listener:
        self._check()

        def accepted(sock: socket.socket, _address: IPAddress, _port: int) -> None:
            task = asyncio.get_running_loop().create_task(self._serve(accept, sock, sock.getpeername()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            task.add_done_callback(lambda task: sock.close() if task.cancelled() else None)

        listener = PlaceListener(self._network, self._bound.discard)
        self._bound.add(listener)
        try:
            listener.bind(self.host, host, port, accepted)
        except OSError as error:
            listener.close()
            code = Code.LISTEN_IN_USE if error.errno == errno.EADDRINUSE else Code.LISTEN_FAILED
            what = os.strerror(error.errno or 0).lower()
            message = f"{self.host} cannot listen on {Endpoint(host, port)}: {what}"
            raise BindRefused(code, message, host=self.host) from error
        return listener

    async def create_unix_connection(self, make: Callable[[], R], path: str) -> tuple[Stream, R]:  # noqa: ARG002 - the protocol's shape
        raise self._unsupported("dial Unix sockets")

    async def create_unix_server(self, accept: Accept, path: str) -> Listener:  # noqa: ARG002 - the protocol's shape
        raise self._unsupported("listen on Unix sockets")

    async def create_process(self, make: Callable[[], R], command: str) -> tuple[Process, R]:  # noqa: ARG002 - the protocol's shape
        raise self._unsupported("run commands")

    def close(self) -> None:
        self._unlisten()
        super().close()

    def abort(self) -> None:
        self._unlisten()
        super().abort()

    async def wait_closed(self) -> Exception | None:
        why = await super().wait_closed()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        return why

    def _unlisten(self) -> None:
        for listener in list(self._bound):
            listener.close()

    def _unsupported(self, what: str) -> Unsupported:
        return Unsupported(
            Code.TRANSPORT_CANNOT, f"hosts of the embedded lab do not {what}: {self.host}", host=self.host
        )


class PlaceListener:
    """A listener inside the lab."""

    def __init__(self, network: VirtualNetwork, forget: Callable[[PlaceListener], None]) -> None:
        self._network = network
        self._forget = forget
        self._bindings: list[Binding] = []
        self._closed = asyncio.Event()

    def bind(self, host: str, text: str, port: int, accepted: Callable[[socket.socket, IPAddress, int], None]) -> None:
        """Takes every address that the text stands for, on one port. Raises OSError."""
        port = port or self._network.free_port(host)
        for address in self._network.local_addresses(host, text):
            self._bindings.append(self._network.bind(host, address, port, accepted))

    @property
    def port(self) -> int:
        return self._bindings[0].port if self._bindings else 0

    def close(self) -> None:
        for binding in self._bindings:
            self._network.unbind(binding)
        self._closed.set()
        self._forget(self)

    async def wait_closed(self) -> None:
        await self._closed.wait()
