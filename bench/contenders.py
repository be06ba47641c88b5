"""The contenders: each gives the commands that open a way. What is measured is what a user of it would run.

========== ===================================================================================
loopback   no tunnel: what two processes reach without one
ssh        ``ssh -L``, with ``-J`` for more hops, and its default cipher
ssh gcm    the same with the cipher that orchestra takes
autossh    one for each tunnel, as it is used
asyncssh   the library's own forwarding, over connections opened through each other
sshtunnel  the library's own forwarding, on paramiko; one hop
orchestra  ``orchestra up`` of a file
========== ===================================================================================
"""

from __future__ import annotations

import contextlib
import getpass
import importlib.util
import itertools
import json
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.ground import CIPHER, LOOPBACK, Ground, Way, alias
from bench.processes import memory, passes, started

LIBRARIES = Path(__file__).with_name("libraries.py")
ORCHESTRA = Path(sys.executable).with_name("orchestra")


@dataclass(frozen=True)
class Running:
    """A contender at work."""

    ports: tuple[int, ...]
    """Where its tunnels begin."""
    sessions: tuple[int, ...]
    """Of its processes."""

    @property
    def port(self) -> int:
        return self.ports[0]

    def memory(self) -> float:
        """KiB of all its processes (PSS)."""
        return memory(self.sessions)


def ssh(ground: Ground, way: Way, *options: str) -> list[list[str]]:
    """A process for each chain, with all its tunnels."""
    return [
        [
            *_ssh("ssh", ground, *options),
            *itertools.chain(*(_forward(each.port, each.target) for each in group)),
            alias(path),
        ]
        for path, group in itertools.groupby(sorted(way, key=lambda each: each.path), key=lambda each: each.path)
    ]


def ssh_gcm(ground: Ground, way: Way) -> list[list[str]]:
    """The jumps of ``-J`` take their cipher from the configuration only."""
    config = ground.folder / "ssh_config.gcm"
    config.write_text(f"Ciphers {CIPHER}\n" + (ground.folder / "ssh_config").read_text())
    return ssh(ground, way, "-F", str(config))


def autossh(ground: Ground, way: Way) -> list[list[str]]:
    """A process for each tunnel, and one more to watch it."""
    return [[*_ssh("autossh", ground), "-M", "0", *_forward(each.port, each.target), alias(each.path)] for each in way]


def _ssh(program: str, ground: Ground, *options: str) -> list[str]:
    config = options or ("-F", str(ground.folder / "ssh_config"))
    return [program, *config, "-N", "-o", "ExitOnForwardFailure=yes"]


def _forward(port: int, target: int) -> list[str]:
    return ["-L", f"{LOOPBACK}:{port}:{LOOPBACK}:{target}"]


def asyncssh(ground: Ground, way: Way) -> list[list[str]]:
    """One process."""
    return [_library("asyncssh", ground, way)]


def sshtunnel(ground: Ground, way: Way) -> list[list[str]]:
    """One process, with a connection for each tunnel."""
    return [_library("sshtunnel", ground, way)]


def _library(name: str, ground: Ground, way: Way) -> list[str]:
    forwards = [
        {"port": each.port, "target": each.target, "path": [ground.sshd[number] for number in each.path]}
        for each in way
    ]
    return [
        sys.executable,
        "-W",
        "ignore",
        str(LIBRARIES),
        name,
        ground.address,
        str(ground.folder),
        json.dumps(forwards),
    ]


def orchestra(ground: Ground, way: Way) -> list[list[str]]:
    """One process."""
    file = ground.folder / f"way-{way[0].port}.yaml"
    file.write_text(topology(ground, way))
    return [[str(ORCHESTRA), "up", "--quiet", str(file)]]


def topology(ground: Ground, way: Way) -> str:
    """The file that says the same to orchestra as ``-L`` and ``-J`` say to ssh."""
    server = {
        "host": ground.address,
        "user": getpass.getuser(),
        "identity": [f"{ground.folder}/user_key"],
        "known_hosts": f"{ground.folder}/known_hosts",
        "ssh_config": "none",
    }
    chains = sorted({each.path[:length] for each in way for length in range(1, len(each.path) + 1)})
    servers = {
        alias(path): {"ssh": server | {"port": ground.sshd[path[-1]]}}
        | ({"behind": alias(path[:-1])} if path[:-1] else {})
        for path in chains
    }
    named = {f"tunnel{number}": each for number, each in enumerate(way)}
    targets = {
        name: {"host": alias(each.path), "address": f"{LOOPBACK}:{each.target}", "protocol": each.protocol}
        for name, each in named.items()
    }
    tunnels = {name: {"listen": f"{LOOPBACK}:{each.port}"} for name, each in named.items()}
    return json.dumps({"servers": servers, "targets": targets, "tunnels": tunnels})  # JSON is YAML


Contender = Callable[[Ground, Way], list[list[str]]]

CONTENDERS: dict[str, Contender] = {
    "ssh": ssh,
    "ssh gcm": ssh_gcm,
    "autossh": autossh,
    "asyncssh": asyncssh,
    "sshtunnel": sshtunnel,
    "orchestra": orchestra,
}


def installed(names: Iterable[str]) -> list[str]:
    """Those of them that this machine has."""
    return [name for name in names if _is_installed(name)]


def _is_installed(name: str) -> bool:
    if name == "sshtunnel":
        return importlib.util.find_spec("sshtunnel") is not None
    return name != "autossh" or shutil.which("autossh") is not None


@contextlib.asynccontextmanager
async def opened(name: str, ground: Ground, way: Way, *, wait: bool = True) -> AsyncIterator[Running]:
    """A contender with all its tunnels."""
    if name == "loopback":
        yield Running(tuple(each.target for each in way), ())
        return
    commands = CONTENDERS[name](ground, way)
    async with contextlib.AsyncExitStack() as running:
        sessions = [await running.enter_async_context(started(each, ground.environ)) for each in commands]
        if wait:
            try:
                await ready(way)
            except TimeoutError:
                raise RuntimeError(f"nothing passes through {name}: {commands}") from None
        yield Running(tuple(each.port for each in way), tuple(sessions))


async def ready(way: Way) -> None:
    """Waits until a byte has gone through every tunnel."""
    for each in way:
        await passes(each.port, LOOPBACK)
