"""What ssh_config may ask of this machine, and of the user who runs us."""

from __future__ import annotations

import glob
import os
import pwd
import socket
import struct
import subprocess
from collections.abc import Mapping
from functools import cache
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from orchestra.loading.sshconfig.choosing import Context, Source
from orchestra.model.address import IPAddress

SYSTEM_FILE = "/etc/ssh/ssh_config"
_SIOCGIFADDR = 0x8915


def this_machine(environ: Mapping[str, str], *, allow_exec: bool = False) -> Context:
    """This machine as it is. ``allow_exec``: what ``Match exec`` says is run."""
    account = _account()
    return Context(
        home=environ.get("HOME") or (account.pw_dir if account else "/nonexistent"),
        user=account.pw_name if account else environ.get("USER") or str(os.getuid()),
        uid=os.getuid(),
        hostname=socket.gethostname(),
        environ=environ,
        glob=cache(lambda pattern: sorted(glob.glob(pattern))),  # noqa: PTH207 - patterns are absolute
        addresses=local_addresses,
        execute=(lambda command: run(command, environ)) if allow_exec else None,
    )


def standard(home: str) -> tuple[Source, ...]:
    """The user's file, then the system's."""
    return (
        Source(path=f"{home}/.ssh/config", checked=True),
        Source(path=SYSTEM_FILE, users=False),
    )


def run(command: str, environ: Mapping[str, str]) -> bool:
    """Whether a command of ``Match exec`` succeeds, in the user's shell as ssh runs it."""
    shell = environ.get("SHELL") or "/bin/sh"
    null = subprocess.DEVNULL
    try:
        done = subprocess.run([shell, "-c", command], check=False, stdin=null, stdout=null, env=dict(environ))
    except OSError:
        return False
    return done.returncode == 0


def local_addresses() -> tuple[IPAddress, ...]:
    """The addresses of the interfaces of this machine, as far as the kernel tells (Linux)."""
    return (*_ipv4(), *_ipv6())


def _ipv4() -> tuple[IPv4Address, ...]:
    import fcntl

    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _, name in socket.if_nameindex():
            request = struct.pack("256s", name.encode()[:15])
            try:
                answer = fcntl.ioctl(asking.fileno(), _SIOCGIFADDR, request)
            except OSError:
                continue
            found.append(IPv4Address(answer[20:24]))
    return tuple(found)


def _ipv6() -> tuple[IPv6Address, ...]:
    try:
        text = Path("/proc/net/if_inet6").read_text("ascii")
    except OSError:
        return ()
    return tuple(IPv6Address(int(line.split()[0], 16)) for line in text.splitlines() if line)


def _account() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwuid(os.getuid())
    except KeyError:
        return None
