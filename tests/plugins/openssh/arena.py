"""Sessions by the system's ssh over a real sshd."""

from __future__ import annotations

import os
import signal
from contextlib import asynccontextmanager

from orchestra_plugins.openssh.transport import OpenSshTransport

from orchestra.engine.ssh.transport import SshTransport
from orchestra.session.here import Here
from orchestra.testing.sessions import Arena
from tests.engine.ssh.sshd import Keys, request, sshd

TRANSPORTS = {"ssh": SshTransport, "openssh": OpenSshTransport}


def settings(server, **changes):
    return server.settings(**({"ssh_config": "none"} | changes))


@asynccontextmanager
async def opened(keys: Keys, *lines: str, path: tuple[str, ...] = ("openssh",), **changes):
    """(server, sessions): each opened by its transport over the one before it, all to one sshd; here is the first."""
    async with sshd(keys, *lines) as server:
        sessions = [Here("laptop")]
        try:
            for depth, name in enumerate(path, 1):
                wanted = request(settings(server, **changes), sessions[-1], depth=depth)
                sessions.append(await TRANSPORTS[name]().open(wanted))
            yield server, sessions
        finally:
            for session in reversed(sessions[1:]):
                session.abort()
                await session.wait_closed()
            sessions[0].abort()
            await sessions[0].wait_closed()


def arena(keys: Keys, path: tuple[str, ...], *, by_master: bool = False):
    """What the rules of sessions want. It is lost by the server, or by a master that is killed."""

    @asynccontextmanager
    async def open_arena():
        async with opened(keys, path=path) as (server, sessions):

            async def lose():
                if by_master:
                    os.kill(sessions[-1]._master.pid, signal.SIGKILL)
                else:
                    server.kill_sessions()

            yield Arena(session=sessions[-1], neighbour=sessions[0], lose=lose)

    return open_arena
