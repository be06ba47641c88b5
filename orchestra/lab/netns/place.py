"""A host of the lab as a session: its sockets are made in its namespace and used from here."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol, TypeVar

from orchestra.diagnostics import Code
from orchestra.model.address import WILDCARD, Endpoint, parse_ip
from orchestra.session.dialing import race
from orchestra.session.errors import Unsupported
from orchestra.session.here import Here
from orchestra.session.listening import BACKLOG
from orchestra.session.protocols import Accept, Listener, Process, Receiver, Stream
from orchestra.session.refusals import bind_refused

R = TypeVar("R", bound=Receiver)


class Namespace(Protocol):
    """Where sockets come from, and what its host resolves."""

    @property
    def names(self) -> Mapping[str, tuple[str, ...]]: ...

    async def make_socket(self, family: int, kind: int = socket.SOCK_STREAM) -> socket.socket:
        """An unconnected socket; it stays in the namespace in which it was made."""
        ...


async def connect(namespace: Namespace, host: str, port: int, kind: int = socket.SOCK_STREAM) -> socket.socket:
    """Dials as the namespace's host: its names, its loopback. Raises OSError, that of the first address."""
    addresses = (host,) if parse_ip(host) else namespace.names.get(host.lower().rstrip("."), ())
    if not addresses:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return await race([partial(_connect, namespace, address, port, kind) for address in addresses])


async def _connect(namespace: Namespace, address: str, port: int, kind: int) -> socket.socket:
    sock = await namespace.make_socket(_family(address), kind)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, (address, port))
    except BaseException:
        sock.close()
        raise
    return sock


def _family(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class Place(Here):
    """A host of the lab: dials from there and listens there."""

    def __init__(self, host: str, namespace: Namespace) -> None:
        super().__init__(
            host, connect=partial(connect, namespace), send=partial(connect, namespace, kind=socket.SOCK_DGRAM)
        )
        self._namespace = namespace

    async def create_server(self, accept: Accept, host: str, port: int) -> Listener:
        self._check()
        literals = ("0.0.0.0", "::") if host == WILDCARD else (host,)  # noqa: S104 - every address was asked for
        sockets: list[socket.socket] = []
        try:
            for literal in literals:
                sockets.append(await self._bind(literal, sockets[0].getsockname()[1] if sockets else port))
        except OSError as error:
            _close(sockets)
            raise bind_refused(self.host, Endpoint(host, port), error) from error
        except BaseException:
            _close(sockets)
            raise
        return self._listen(accept, sockets)

    async def _bind(self, literal: str, port: int) -> socket.socket:
        sock = await self._namespace.make_socket(_family(literal))
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if sock.family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if parse_ip(literal) is None:
                raise OSError(errno.EINVAL, "not an address")
            sock.bind((literal, port))
            sock.listen(BACKLOG)
        except BaseException:
            sock.close()
            raise
        return sock

    async def create_unix_connection(self, make: Callable[[], R], path: str) -> tuple[Stream, R]:  # noqa: ARG002 - as the protocol has it
        raise self._cannot("dial Unix sockets")

    async def create_unix_server(self, accept: Accept, path: str) -> Listener:  # noqa: ARG002 - as the protocol has it
        raise self._cannot("listen on Unix sockets")

    async def create_process(self, make: Callable[[], R], command: str) -> tuple[Process, R]:  # noqa: ARG002 - as the protocol has it
        raise self._cannot("run commands")

    def _cannot(self, what: str) -> Unsupported:
        return Unsupported(Code.TRANSPORT_CANNOT, f"{self.host} is a place in a lab: it cannot {what}", host=self.host)


def _close(sockets: list[socket.socket]) -> None:
    for sock in sockets:
        sock.close()
