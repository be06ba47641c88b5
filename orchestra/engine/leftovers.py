"""Unix sockets that nobody listens at any more.

sshd leaves the socket of a listener behind when that ends, however it ends, and refuses the next listener of that path
unless it has StreamLocalBindUnlink yes (sshd_config(5)). What is provably ours and dead is removed by a command there.
"""

from __future__ import annotations

import asyncio
import shlex
from typing import TYPE_CHECKING

from orchestra.diagnostics import Code
from orchestra.session.errors import BindRefused, DialRefused, SessionError
from orchestra.session.null import NullReceiver

if TYPE_CHECKING:
    from orchestra.session.protocols import Accept, Listener, Process, Session

DEADLINE = 5.0
"""Seconds that a command may take, or a dial on the server's own machine."""

_REMOVE = """\
[ -S "$0" ] && [ -O "$0" ] || exit 1
[ ! -r /proc/net/unix ] || ! grep -qF " $0" /proc/net/unix || exit 1
rm -f -- "$0"\
"""
"""It is a socket, the account's own, and no process has it bound, as far as the system tells (proc(5))."""


async def listen_unix(session: Session, accept: Accept, path: str, *, removable: bool) -> Listener:
    """Listens on a Unix socket; at a server, after what an earlier listener left there, if that may be removed.

    Raises as :meth:`Session.create_unix_server`, and BindRefused with LISTEN_IN_USE when somebody answers there.
    """
    try:
        return await session.create_unix_server(accept, path)
    except BindRefused:
        if session.is_here:
            raise
        if await _answers(session, path):
            message = f"{session.host} cannot listen on unix:{path}: another program listens on it there"
            raise BindRefused(Code.LISTEN_IN_USE, message, host=session.host) from None
        if not (removable and await remove(session, path)):
            raise
    return await session.create_unix_server(accept, path)


async def remove(session: Session, path: str) -> bool:
    """Removes the socket at a server if it is a leftover of ours; whether it did."""
    command = f"sh -c {shlex.quote(_REMOVE)} {shlex.quote(path)}"
    process: Process | None = None
    try:
        async with asyncio.timeout(DEADLINE):
            process, receiver = await session.create_process(_Ended, command)
            await receiver.event.wait()
    except (TimeoutError, SessionError):
        return False
    finally:
        if process is not None:
            process.abort()
    return process.exit_status == 0


async def _answers(session: Session, path: str) -> bool:
    try:
        async with asyncio.timeout(DEADLINE):
            stream, _ = await session.create_unix_connection(_Ended, path)
    except (TimeoutError, DialRefused):
        return False
    stream.abort()
    return True


class _Ended(NullReceiver):
    """``event`` is its end."""

    def __init__(self) -> None:
        self.event = asyncio.Event()

    def connection_lost(self, exc: Exception | None, /) -> None:  # noqa: ARG002
        self.event.set()
