"""Who on this machine listens on a port or a Unix socket, where the system tells: Linux's proc(5) and unix(7)."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

from orchestra.model.text import clean
from orchestra.model.topology import Protocol

_PROC = Path("/proc")
_UCRED = struct.Struct("3i")
"""pid, uid, gid: unix(7)."""
_TAKING = {"tcp": "0A", "udp": "07"}
"""TCP_LISTEN and TCP_CLOSE of the kernel's include/net/tcp_states.h, as /proc/net/tcp and udp print them."""


def holder_of(port: int, protocol: Protocol = "tcp") -> str | None:
    """``nginx (pid 812)`` for the process that listens on that port, or None when it cannot be told."""
    inodes = set(_listening_inodes(port, protocol))
    for process in _PROC.glob("[0-9]*") if inodes else ():
        with contextlib.suppress(OSError):  # processes of others are closed to us, and processes end
            if any(str(fd.readlink()) in inodes for fd in (process / "fd").iterdir()):
                return _named(process)
    return None


def holder_of_socket(connected: socket.socket) -> str | None:
    """The same for the process that listens where a Unix socket is connected to."""
    with contextlib.suppress(AttributeError, OSError):  # there is no SO_PEERCRED elsewhere, or no such process any more
        credentials = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
        return _named(_PROC / str(_UCRED.unpack(credentials)[0]))
    return None


def _named(process: Path) -> str:
    return f"{clean(_program(process), 100)} (pid {process.name})"


def _program(process: Path) -> str:
    """Its name; for Python the module or script that it runs, without the arguments, which may be private. For one of
    us, what it does and with which topology."""
    name = (process / "comm").read_text().strip()
    words = (process / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    if not Path(words[0]).name.startswith("python") or len(words) < 3:
        return name
    program, arguments = (words[2], words[3:]) if words[1] == "-m" else (words[1], words[2:])
    if program.startswith("-"):
        return name
    program = Path(program).name
    return " ".join((program, *_deed(arguments))).strip() if program == "orchestra" else program


def _deed(arguments: list[str]) -> Iterator[str]:
    """``run office.yaml``: the command and the names of its files; not what stands after ``--``, which may be another
    program's."""
    command, *rest = arguments
    yield command
    own = rest[: rest.index("--")] if command == "run" and "--" in rest else rest
    yield from (word.rpartition("=")[2] for word in own if word.endswith((".yaml", ".yml")))


def _listening_inodes(port: int, protocol: Protocol) -> Iterator[str]:
    for table in (f"net/{protocol}", f"net/{protocol}6"):
        with contextlib.suppress(OSError):
            for line in (_PROC / table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _TAKING[protocol] and int(fields[1].rpartition(":")[2], 16) == port:
                    yield f"socket:[{fields[9]}]"
