"""Listening on this machine: the sockets, and a listener that hands over what they accept."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from orchestra.model.address import WILDCARD, Endpoint
from orchestra.session.errors import BindRefused
from orchestra.session.holders import holder_of_socket
from orchestra.session.refusals import bind_refused, unix_bind_refused
from orchestra.session.sockets import no_delay

_log = logging.getLogger(__name__)
BACKLOG = 256
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
RECOVERY = 0.5
"""Seconds for which nothing is accepted when the process has no descriptor left."""


def bind_all(host: str, port: int) -> list[socket.socket]:
    """Listening sockets for one literal, or for ``*``: one per family that the machine has, on the same port.

    Raises OSError.
    """
    if host != WILDCARD:
        return [_bind(host, port)]
    if not socket.has_ipv6 or not _has_ipv6():
        return [_bind("0.0.0.0", port)]  # noqa: S104 - every address was asked for
    for _ in range(16):
        first = _bind("0.0.0.0", port)  # noqa: S104
        try:
            return [first, _bind("::", first.getsockname()[1])]
        except OSError as error:
            first.close()
            if port or error.errno != errno.EADDRINUSE:
                raise
    raise OSError(errno.EADDRINUSE, "no port is free in both families")


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::", 0))
    except OSError:
        return False
    return True


def _bind(host: str, port: int) -> socket.socket:
    address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)[0]
    sock = socket.socket(address[0], socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        if os.name == "posix":  # elsewhere it would let two programs share the port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if address[0] == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        no_delay(sock)
        sock.bind(address[4])
        sock.listen(BACKLOG)
    except BaseException:
        sock.close()
        raise
    return sock


def listen_tcp(owner: str, host: str, port: int) -> list[socket.socket]:
    """:func:`bind_all`, with refusals for people."""
    try:
        return bind_all(host, port)
    except (OSError, UnicodeError) as error:
        failure = error if isinstance(error, OSError) else OSError(str(error))
        raise bind_refused(owner, Endpoint(host, port), failure) from error


def listen_unix(owner: str, path: str) -> socket.socket:
    """A listening Unix socket, for this user only (0600, its directory 0700 when it is made here).

    A socket file that nobody listens on is replaced; one that lives is never taken. Raises BindRefused.
    """
    file = Path(path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make_room(owner, file)
        before = os.umask(0o177)
        try:
            sock.bind(path)
        finally:
            os.umask(before)
        sock.setblocking(False)
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        in_use = error.errno == errno.EADDRINUSE
        raise unix_bind_refused(owner, path, error.strerror or str(error), in_use=in_use) from error
    except BindRefused:
        sock.close()
        raise
    return sock


def _make_room(owner: str, file: Path) -> None:
    try:
        mode = file.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise unix_bind_refused(owner, str(file), "a file that is no socket is in the way", in_use=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        holder = None
        try:
            probe.connect(str(file))
            holder = holder_of_socket(probe)
        except ConnectionRefusedError:
            file.unlink()
            return
        except BlockingIOError:  # its backlog is full: it lives
            pass
    raise unix_bind_refused(owner, str(file), f"it is held by {holder or 'another program'}", in_use=True)


class SocketListener:
    """Accepts on sockets and hands each connection to ``accepted``, with the address of who connects; pauses while the
    process has no descriptors."""

    def __init__(
        self, sockets: list[socket.socket], accepted: Callable[[socket.socket, Any], None], path: str | None = None
    ) -> None:
        self._sockets, self._accepted, self._path = sockets, accepted, path
        self.port = 0 if path is not None or not sockets else int(sockets[0].getsockname()[1])
        self._identity = _identity(path)
        self._loop = asyncio.get_running_loop()
        self._closed = asyncio.Event()
        self._recoveries: dict[socket.socket, asyncio.TimerHandle] = {}
        self._exhausted = False
        """Whether somebody has waited ever since there was no descriptor left."""
        self.on_close: Callable[[SocketListener], None] | None = None
        for sock in sockets:
            self._loop.add_reader(sock, self._accept, sock)

    def close(self) -> None:
        if self._closed.is_set():
            return
        self._closed.set()
        for timer in self._recoveries.values():
            timer.cancel()
        for sock in self._sockets:
            self._loop.remove_reader(sock)
            sock.close()
        if self._path is not None and _identity(self._path) == self._identity:
            Path(self._path).unlink(missing_ok=True)
        if self.on_close is not None:
            self.on_close(self)

    async def wait_closed(self) -> None:
        await self._closed.wait()

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(BACKLOG):
            try:
                sock, address = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                self._exhausted = False
                return
            except OSError as error:
                if error.errno not in _EXHAUSTED:
                    raise
                self._complain(error)
                self._loop.remove_reader(listening)
                self._recoveries[listening] = self._loop.call_later(RECOVERY, self._recover, listening)
                return
            sock.setblocking(False)
            self._accepted(sock, address)

    def _complain(self, error: OSError) -> None:
        """Once, until nobody waits any more."""
        if not self._exhausted:
            self._exhausted = True
            where = self._path or f"port {self.port}"
            _log.warning("who connects to %s has to wait: %s (ulimit -n)", where, os.strerror(error.errno or 0).lower())

    def _recover(self, listening: socket.socket) -> None:
        del self._recoveries[listening]
        self._loop.add_reader(listening, self._accept, listening)


def _identity(path: str | None) -> tuple[int, int] | None:
    try:
        found = os.lstat(path) if path is not None else None
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if found else None
