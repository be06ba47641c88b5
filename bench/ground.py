"""The servers that all contenders use: an sshd for each on a port of loopback, their keys, and one target."""

from __future__ import annotations

import contextlib
import getpass
import os
import random
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench.processes import answers, started

LOOPBACK = "127.0.0.1"
SERVERS = 20
LONGEST = 5
"""Hops of the longest chain."""
CIPHER = "aes128-gcm@openssh.com"
"""What orchestra and sshd agree on."""
ENDS = Path(__file__).with_name("ends.py")

_SSHD = """
ListenAddress {address}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/user_key.pub
PidFile none
StrictModes no
UsePAM no
PermitRootLogin yes
MaxStartups 500
MaxSessions 500
LogLevel QUIET
SetEnv HOME={folder}/home
"""
"""The account has a home of its own: the login files of whoever measures, and the programs that they put first, have
no part in it."""

_HOST = """
Host {name}
  HostName {address}
  Port {port}
  {jump}
"""

_EVERY_HOST = """
Host *
  User {user}
  IdentityFile {folder}/user_key
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known_hosts
  LogLevel ERROR
"""


@dataclass(frozen=True)
class Ground:
    """Where servers and target are."""

    folder: Path
    sshd: tuple[int, ...]
    """A port for each server."""
    bulk: int
    """The target's port that takes and sends as many bytes as it is told."""
    echo: int
    address: str = LOOPBACK
    """Where the servers are dialed."""

    @property
    def environ(self) -> dict[str, str]:
        """Private places for sockets and logs."""
        return os.environ | {"XDG_RUNTIME_DIR": f"{self.folder}/run", "XDG_STATE_HOME": f"{self.folder}/state"}


@dataclass(frozen=True)
class Forward:
    """A port here, through a chain of servers, to a port of the last one's loopback."""

    port: int
    path: tuple[int, ...]
    target: int
    protocol: Literal["tcp", "udp"] = "tcp"


Way = tuple[Forward, ...]
"""What a contender is to open."""


def alias(path: tuple[int, ...]) -> str:
    """The name of a server that is reached by this chain."""
    return "-".join(f"server{number}" for number in path)


def chain(target: int, hops: int, tunnels: int = 1) -> Way:
    """Tunnels that share one chain."""
    return tuple(Forward(port, tuple(range(hops)), target) for port in free_ports(tunnels))


def fleet(target: int, servers: int, tunnels: int) -> Way:
    """Tunnels of one hop, spread evenly over the servers."""
    return tuple(Forward(port, (number % servers,), target) for number, port in enumerate(free_ports(tunnels)))


def free_ports(count: int) -> list[int]:
    """Below those that the kernel gives to clients, of which a measurement uses thousands."""
    with contextlib.ExitStack() as held:
        found: list[int] = []
        while len(found) < count:
            probe = held.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                probe.bind(("0.0.0.0", random.randrange(12_000, 32_000)))  # noqa: S104 - nobody listens
                found.append(probe.getsockname()[1])
        return found


@contextlib.asynccontextmanager
async def laid(servers: int, *, address: str = LOOPBACK, there: tuple[str, ...] = ()) -> AsyncIterator[Ground]:
    """Servers and target, running. ``there`` is put before each of their commands, to run them elsewhere."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        *sshd, bulk, echo = free_ports(servers + 2)
        ground = Ground(Path(folder), tuple(sshd), bulk, echo, address)
        _prepare(ground)
        async with contextlib.AsyncExitStack() as running:
            for port in sshd:
                command = ["/usr/sbin/sshd", "-D", "-e", "-f", f"{folder}/sshd_config", "-p", str(port)]
                await running.enter_async_context(started([*there, *command]))
            listening = [sys.executable, str(ENDS), "serve", address, str(bulk), str(echo)]
            await running.enter_async_context(started([*there, *listening]))
            for port in (*sshd, bulk, echo):
                await answers(port, address)
            yield ground


def _prepare(ground: Ground) -> None:
    """Keys, and the configuration of sshd and ssh."""
    folder = ground.folder
    Path("/run/sshd").mkdir(parents=True, exist_ok=True)
    (folder / "run").mkdir(mode=0o700)
    (folder / "home").mkdir()
    for name in ("host_key", "user_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    host_key = (folder / "host_key.pub").read_text()
    (folder / "known_hosts").write_text("".join(f"[{ground.address}]:{port} {host_key}" for port in ground.sshd))
    (folder / "sshd_config").write_text(_SSHD.format(address=ground.address, folder=folder))
    (folder / "ssh_config").write_text(ssh_config(ground))


def ssh_config(ground: Ground) -> str:
    """A host for each server, and one for each chain from the first on."""
    chains = [tuple(range(length)) for length in range(2, min(LONGEST, len(ground.sshd)) + 1)]
    hosts = [
        _HOST.format(
            name=alias(path),
            address=ground.address,
            port=ground.sshd[path[-1]],
            jump=f"ProxyJump {alias(path[:-1])}" if path[:-1] else "",
        )
        for path in [*((number,) for number in range(len(ground.sshd))), *chains]
    ]
    return "".join(hosts) + _EVERY_HOST.format(user=getpass.getuser(), folder=ground.folder)
