"""A real sshd on loopback, with keys of its own."""

from __future__ import annotations

import asyncio
import getpass
import os
import random
import shutil
import signal
import socket
import subprocess
from contextlib import ExitStack, asynccontextmanager, nullcontext, suppress
from pathlib import Path

import pytest

from orchestra.engine.ssh.transport import SshTransport
from orchestra.model.plan import Dial
from orchestra.model.topology import Host, Server, SshSettings
from orchestra.plugin.interfaces import OpenRequest
from orchestra.session.here import Here
from orchestra.testing import sessions
from orchestra.testing.sessions import Arena, OpenArena, Rule, hold

SSHD = "/usr/sbin/sshd"
needs_sshd = pytest.mark.skipif(not Path(SSHD).exists(), reason=f"{SSHD} is missing")

CONFIG = """
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
LogLevel ERROR
AllowStreamLocalForwarding yes
PermitUserEnvironment no
"""


def make_key(path: Path, kind: str = "ed25519", *options: str) -> str:
    """Makes a key pair and returns the public line's first two fields."""
    cheap = ["-a", "1", *(["-b", "2048"] if kind == "rsa" else [])]  # the usual ones take seconds
    command = ["ssh-keygen", "-q", "-t", kind, *cheap, "-N", "", "-C", "test", "-f", str(path), *options]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return " ".join(path.with_name(f"{path.name}.pub").read_text().split()[:2])


class Keys:
    """A folder with a user's key and a host key, made once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host_key = make_key(folder / "host_key")
        self.user_key = make_key(folder / "user_key")
        shutil.copy(folder / "user_key.pub", folder / "authorized_keys")


class Sshd:
    """A running server."""

    def __init__(self, keys: Keys, port: int, process: asyncio.subprocess.Process) -> None:
        self.keys, self.port, self.process = keys, port, process

    def settings(self, **changes) -> SshSettings:
        known = self.keys.folder / f"known_hosts_{self.port}"
        known.write_text(f"[127.0.0.1]:{self.port} {self.keys.host_key}\n")
        values = {
            "host": "127.0.0.1",
            "port": self.port,
            "user": getpass.getuser(),
            "identity": (str(self.keys.folder / "user_key"),),
            "known_hosts": (str(known),),
        }
        return SshSettings(**(values | changes))

    def kill_sessions(self, sig: int = signal.SIGKILL) -> None:
        """Signals the processes that serve sessions, as a crash would."""
        for child in descendants(self.process.pid):
            with suppress(ProcessLookupError):  # it went with the one above it
                os.kill(child, sig)


def descendants(pid: int) -> list[int]:
    """All processes below one, deepest last."""
    try:
        children = [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return [found for child in children for found in (child, *descendants(child))]


def name_of(pid: int) -> str:
    """What a process is called, or that it has gone."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text("utf-8").strip()
    return "gone"


def free_port() -> int:
    """One below those that connections are given (ip_local_port_range), and of a share that no other worker of pytest
    takes from, so that it stays free until it is asked for."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    share = range(10_000, 32_000)[worker % 4 :: 4]
    while True:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", random.SystemRandom().choice(share)))
            return probe.getsockname()[1]


def _configure(keys: Keys, port: int, lines: tuple[str, ...]) -> Path:
    Path("/run/sshd").mkdir(parents=True, exist_ok=True)
    config = keys.folder / f"sshd_config_{port}"
    config.write_text("\n".join(lines) + CONFIG.format(port=port, folder=keys.folder))
    return config


@asynccontextmanager
async def sshd(keys: Keys, *lines: str):
    """Runs it with those lines added to its configuration."""
    port = free_port()
    config = _configure(keys, port, lines)
    process = await asyncio.create_subprocess_exec(
        SSHD, "-D", "-e", "-f", str(config), stderr=asyncio.subprocess.DEVNULL
    )
    server = Sshd(keys, port, process)
    try:
        await _answers(port)
        yield server
    finally:
        for child in (*descendants(process.pid), process.pid):
            try:
                os.kill(child, signal.SIGKILL)
            except ProcessLookupError:
                continue
        await process.wait()


ENDING = (sessions.closing_ends_everything, sessions.closing_sends_what_is_queued, sessions.a_loss_is_no_end_of_file)
"""Rules after which their session is no more."""


class Arenas:
    """Holds rules; those that leave their session open share one, which is opened when the first of them comes."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._kept: dict[object, tuple[asyncio.Runner, Arena]] = {}

    def hold(self, rule: Rule, name: object, open_arena: OpenArena) -> None:
        """``name``: whose session is shared."""
        if rule in ENDING:
            return hold(rule, open_arena)
        if name not in self._kept:
            runner, opening = self._stack.enter_context(asyncio.Runner()), open_arena()
            self._kept[name] = runner, runner.run(opening.__aenter__())
            self._stack.callback(lambda: runner.run(opening.__aexit__(None, None, None)))
        runner, arena = self._kept[name]
        return hold(rule, lambda: nullcontext(arena), runner.run)

    def close(self) -> None:
        self._stack.close()


async def _answers(port: int) -> None:
    async with asyncio.timeout(10):
        while True:
            with socket.socket() as probe:
                probe.setblocking(False)
                try:
                    await asyncio.get_running_loop().sock_connect(probe, ("127.0.0.1", port))
                except OSError:
                    await asyncio.sleep(0.02)
                else:
                    return


async def no_secret(ref):
    raise AssertionError(f"nobody asked for {ref}")


def request(settings: SshSettings, over, *, depth: int = 1, name: str = "gateway", **changes) -> OpenRequest:
    values = {
        "server": Host(name=name, kind="server", server=Server(ssh=settings)),
        "dial": Dial(by=over.host, host="127.0.0.1", port=settings.port, means=name),
        "over": over,
        "depth": depth,
        "read_secret": no_secret,
        "notice": print,
    }
    return OpenRequest(**(values | changes))


@asynccontextmanager
async def opened(keys: Keys, *lines: str, hops: int = 1, **changes):
    """(server, session, here): a session through that many hops over one sshd."""
    transport, here = SshTransport(), Here("laptop")
    async with sshd(keys, *lines) as server:
        sessions = [here]
        try:
            for depth in range(1, hops + 1):
                session = await transport.open(request(server.settings(**changes), sessions[-1], depth=depth))
                sessions.append(session)
            yield server, sessions[-1], here
        finally:
            for session in reversed(sessions):
                session.abort()
                await session.wait_closed()


def arena_over_ssh(keys: Keys, hops: int):
    """What the rules of sessions want: a session through sshd, beside this machine."""

    @asynccontextmanager
    async def open_arena():
        async with opened(keys, hops=hops) as (server, session, here):

            async def lose():
                server.kill_sessions()

            yield Arena(session=session, neighbour=here, lose=lose)

    return open_arena
