"""What bringing a plan up does besides, in the user's name: a topology may be a stranger's."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from orchestra.model.frozen import dataclass
from orchestra.model.topology import CommandRef, SecretRef

if TYPE_CHECKING:
    from orchestra.model.plan import Plan, PlannedTunnel
    from orchestra.model.topology import Host, Server, Topology

Deed: TypeAlias = Literal["runs", "reads", "sets", "trusts", "listens"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """One such thing: ``what`` is run, read, set, believed or opened; ``why`` says for whom. Nothing is cleaned yet."""

    deed: Deed
    what: str
    why: str


def disclosures(
    plan: Plan, topology: Topology, *, environment: bool = False, in_lab: bool = False
) -> tuple[Disclosure, ...]:
    """Commands that are run, secrets that are read and what they are for, host keys that are believed unseen, and
    listeners beyond loopback; nothing about sessions and tunnels that the plan leaves out.

    ``environment``: a command is run with the variables of the tunnels, so these are told as well. ``in_lab``: its
    servers are played, with credentials of the lab's own.
    """
    found: list[Disclosure] = []
    for name in dict.fromkeys(session.server for session in plan.sessions) if not in_lab else ():
        found += _of_server(topology.hosts[name])
    for tunnel in plan.tunnels:
        options = (tunnel.spec.options, tunnel.spec.check.options)
        found += (_of_secret(ref, f"the tunnel {tunnel.name}") for ref in _secrets(options))
        commands = commands_of(tunnel)
        found += (
            Disclosure(deed="runs", what=shlex.join(each.argv), why=f"the tunnel {tunnel.name}") for each in commands
        )
        for name, value in tunnel.spec.env.items() if environment or commands else ():
            found.append(Disclosure(deed="sets", what=f"{name}={value}", why=f"the tunnel {tunnel.name}"))
        if tunnel.listen is not None and tunnel.listen.exposed:
            where = ", ".join(tunnel.listen.addresses)
            what = f"{where} of {tunnel.listen.at}"
            found.append(Disclosure(deed="listens", what=what, why=f"the tunnel {tunnel.name}"))
    return tuple(sorted(dict.fromkeys(found), key=lambda each: _ORDER.index(each.deed)))


def commands_of(tunnel: PlannedTunnel) -> tuple[CommandRef, ...]:
    """The programs that its kind and its check run on this machine, where the user allows it."""
    options = (*tunnel.spec.options.values(), *tunnel.spec.check.options.values())
    return tuple(value for value in options if isinstance(value, CommandRef))


_ORDER: tuple[Deed, ...] = ("runs", "reads", "sets", "trusts", "listens")


def _of_server(host: Host) -> Iterator[Disclosure]:
    server: Server | None = host.server
    if server is None:
        return
    ssh = server.ssh
    for what, ref in (("password", ssh.password), ("passphrase", ssh.passphrase), ("private key", ssh.private_key)):
        if ref is not None:
            yield _of_secret(ref, f"the {what} for {host.name}")
    for ref in _secrets(server.transport.options):
        yield _of_secret(ref, f"the transport to {host.name}")
    if ssh.config is not None and ssh.config.known_hosts_command and ssh.config.allow_exec:
        command = shlex.join(ssh.config.known_hosts_command)
        yield Disclosure(deed="runs", what=command, why=f"KnownHostsCommand for {host.name}")
    by_user = ssh.config is not None and "host_key_policy" in ssh.config.origins
    if ssh.host_key_policy == "accept-new" and not ssh.host_key and not by_user:
        yield Disclosure(deed="trusts", what="the first host key that it shows, unseen", why=host.name)


def _of_secret(ref: SecretRef, why: str) -> Disclosure:
    match ref.kind, ref.value:
        case "command", (*words,):
            return Disclosure(deed="runs", what=shlex.join(str(word) for word in words), why=why)
        case "env", name:
            return Disclosure(deed="reads", what=f"${name}", why=why)
        case kind, Mapping() as fields:
            return Disclosure(deed="reads", what=f"{kind} {'/'.join(map(str, fields.values()))}", why=why)
        case kind, value:
            return Disclosure(deed="reads", what=str(value) if kind == "file" else f"{kind} {value}", why=why)


def _secrets(value: Any) -> Iterator[SecretRef]:
    """Those in the fields of a plugin."""
    if isinstance(value, SecretRef):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _secrets(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _secrets(item)
