"""Commands on this machine, as streams."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import signal
from typing import cast

from orchestra.session.protocols import Receiver

STDERR_KEPT = 64 * 1024


def shell() -> str:
    """The account's shell, as sshd would run commands with it."""
    with contextlib.suppress(KeyError):
        return pwd.getpwuid(os.getuid()).pw_shell or "/bin/sh"
    return "/bin/sh"


class LocalProcess(asyncio.SubprocessProtocol):
    """A command in a session of its own: its standard input is written to, its standard output received."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._transport: asyncio.SubprocessTransport | None = None
        self._stderr = bytearray()
        self._closing = self._eof_seen = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.SubprocessTransport", transport)

    def started(self) -> None:
        """Tells the receiver; before it returns nothing is read."""
        self._receiver.connection_made(self)

    @property
    def exit_status(self) -> int | None:
        return self._transport.get_returncode() if self._transport else None

    def stderr_tail(self) -> bytes:
        return bytes(self._stderr)

    def write(self, data: bytes, /) -> None:
        if (stdin := self._pipe(0)) is not None and not stdin.is_closing():
            cast("asyncio.WriteTransport", stdin).write(data)

    def write_eof(self) -> None:
        if (stdin := self._pipe(0)) is not None:
            stdin.close()

    def pause_reading(self) -> None:
        if (stdout := self._pipe(1)) is not None:
            cast("asyncio.ReadTransport", stdout).pause_reading()

    def resume_reading(self) -> None:
        if (stdout := self._pipe(1)) is not None:
            cast("asyncio.ReadTransport", stdout).resume_reading()

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self._closing = True
        self.write_eof()
        self._signal(signal.SIGTERM)

    def abort(self) -> None:
        self._closing = True
        self._signal(signal.SIGKILL)

    def get_extra_info(self, name: str, default: object = None, /) -> object:
        return self._transport.get_extra_info(name, default) if self._transport else default

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd == 1:
            self._receiver.data_received(data)
        else:
            self._stderr += data
            del self._stderr[:-STDERR_KEPT]

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        if fd == 1 and not self._eof_seen:
            self._eof_seen = True
            self._receiver.eof_received()

    def pause_writing(self) -> None:
        self._receiver.pause_writing()

    def resume_writing(self) -> None:
        self._receiver.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._closing = True
        if self._transport is not None:
            self._transport.close()
        self._receiver.connection_lost(exc)

    def _pipe(self, fd: int) -> asyncio.BaseTransport | None:
        return self._transport.get_pipe_transport(fd) if self._transport else None

    def _signal(self, number: signal.Signals) -> None:
        if self._transport is not None and self.exit_status is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._transport.get_pid(), number)
