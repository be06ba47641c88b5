"""Keys of a lab: one for whoever logs in, one per SSH server; none of them outlives the lab.

Ed25519 keys in OpenSSH's own format (PROTOCOL.key of OpenSSH), made anew for every lab, in files that only this user
can read. :func:`with_credentials` puts them in the place of what the file says about users, keys and host keys.
"""

from __future__ import annotations

import getpass
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import asyncssh

from orchestra.model.frozen import dataclass
from orchestra.model.topology import Host, Server, SshSettings, Topology


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Where the keys are. Everything lies in ``directory``, which the lab makes (0700) and removes."""

    directory: Path
    user: str
    identity: Path
    """The private key of whoever logs in."""
    authorized_keys: Path
    host_keys: Mapping[str, Path]
    """Server to its private host key; servers that are one machine share one key."""
    host_key_lines: Mapping[str, str]
    """Server to its public host key, as ``ssh-ed25519 AAAA…``."""


def make_credentials(topology: Topology, directory: Path, *, user: str | None = None) -> Credentials:
    """Makes all keys of a topology in an existing private directory; ``user`` is by default who runs this.

    Raises OSError when the directory cannot be written.
    """
    identity = directory / "id_ed25519"
    authorized_keys = directory / "authorized_keys"
    _write_private(authorized_keys, _make_key(identity) + "\n")
    host_keys: dict[str, Path] = {}
    lines: dict[str, str] = {}
    for number, accounts in enumerate(machines(topology)):
        path = directory / f"host_key_{number}"
        line = _make_key(path)
        for server in accounts:
            host_keys[server], lines[server] = path, line
    return Credentials(
        directory=directory,
        user=user or current_user(),
        identity=identity,
        authorized_keys=authorized_keys,
        host_keys=MappingProxyType(host_keys),
        host_key_lines=MappingProxyType(lines),
    )


def with_credentials(topology: Topology, credentials: Credentials) -> Topology:
    """The same topology, whose servers are logged in to with the lab's user and key, their host keys pinned.

    What is dialed and how long it may take stays as it was: host, port, keepalive, connect_timeout.
    """
    hosts = {
        name: replace(host, server=_with_settings(host.server, name, credentials)) if host.server else host
        for name, host in topology.hosts.items()
    }
    return replace(topology, hosts=MappingProxyType(hosts))


def machines(topology: Topology) -> tuple[tuple[str, ...], ...]:
    """The servers, sorted, grouped by machine: entries that share an address on a network are accounts of one."""
    groups: dict[str, list[str]] = {}
    first: dict[object, str] = {}
    for name, host in sorted(topology.hosts.items()):
        if host.server is None:
            continue
        marks = tuple(_identities(host))
        owner = next((first[mark] for mark in marks if mark in first), name)
        first.update((mark, owner) for mark in marks if mark not in first)
        groups.setdefault(owner, []).append(name)
    return tuple(tuple(group) for group in groups.values())


def _identities(host: Host) -> Iterable[object]:
    for attachment in host.attachments:
        yield from ((attachment.network, address) for address in attachment.addresses)
    if not host.attachments and host.server and (text := host.server.ssh.host):
        yield (host.behind, text.lower())


def _with_settings(server: Server, name: str, credentials: Credentials) -> Server:
    asked = server.ssh
    settings = SshSettings(
        host=asked.host,
        port=asked.port,
        user=credentials.user,
        ssh_config="none",
        identity=(str(credentials.identity),),
        agent="none",
        host_key=(credentials.host_key_lines[name],),
        host_key_policy="strict",
        keepalive=asked.keepalive,
        connect_timeout=asked.connect_timeout,
        place=asked.place,
    )
    return replace(server, ssh=settings)


def current_user() -> str:
    """Whom the lab's servers let in when nobody else is named: whoever runs this."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without an account, as in some containers
        return "lab"


def _make_key(path: Path) -> str:
    """Writes a new private key; returns its public half as one line."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    _write_private(path, key.export_private_key().decode("ascii"))
    return key.export_public_key().decode("ascii").strip()


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(text, encoding="ascii")
