"""What runs on the machines of a lab: an sshd per server machine, a stub per target. Pure."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import orchestra
from orchestra.lab.credentials import Credentials
from orchestra.lab.netns.layout import Layout, dialers
from orchestra.lab.netns.plumbing import DIRECTORY, Identities
from orchestra.model.address import SSH_PORT, Endpoint, UnixPath, is_loopback, parse_ip
from orchestra.model.frozen import dataclass
from orchestra.model.topology import Forwarding, Target

Version: TypeAlias = tuple[int, int]
"""OpenSSH 9.8 is (9, 8)."""

_STUB = "import sys; sys.path.insert(0, {root!r}); from orchestra.lab.stub import main; sys.exit(main())"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A program on a machine. It is up when something listens on each of ``ports`` by ``protocol``."""

    kind: str
    """``server`` or ``target``"""
    names: tuple[str, ...]
    """The machine of a server, the targets of a stub: what it is started and stopped by."""
    machine: str
    argv: tuple[str, ...]
    log: str
    binds: tuple[tuple[str, str], ...]
    """(what to see, in the place of what)"""
    protocol: str = "tcp"
    ports: tuple[int, ...] = ()
    file: tuple[str, str] | None = None
    """A configuration to write first: its name in the lab's directory, its text."""
    as_user: bool = False


def sshd_services(layout: Layout, credentials: Credentials, sshd: str, version: Version) -> Iterator[Service]:
    """One per machine; entries that are accounts of one machine share it."""
    ids = Identities(layout)
    for name, machine in sorted(layout.machines.items()):
        servers = [host for host in machine.hosts if layout.topology.hosts[host].server]
        if not servers:
            continue
        parts = [server for host in servers if (server := layout.topology.hosts[host].server)]
        ports = sorted({part.ssh.port or SSH_PORT for part in parts})
        config = f"sshd_config.{ids.machine(name)}"
        yield Service(
            kind="server",
            names=(name,),
            machine=name,
            argv=(sshd, "-D", "-e", "-f", f"{DIRECTORY}/{config}"),
            log=f"{DIRECTORY}/sshd.{ids.machine(name)}.log",
            binds=_binds(layout, name),
            ports=tuple(ports),
            file=(config, sshd_config(parts[0].forwarding, ports, credentials, servers[0], version)),
            as_user=True,
        )


def sshd_config(
    forwarding: Forwarding, ports: Sequence[int], credentials: Credentials, server: str, version: Version
) -> str:
    """As sshd_config(5): what the topology says that it permits, with the lab's keys, and no other way to log in."""
    tcp = {(True, True): "yes", (True, False): "local", (False, True): "remote", (False, False): "no"}
    settings = {
        "HostKey": f"{DIRECTORY}/{credentials.host_keys[server].name}",
        "AuthorizedKeysFile": f"{DIRECTORY}/{credentials.authorized_keys.name}",
        "AuthenticationMethods": "publickey",
        "PermitRootLogin": "prohibit-password",
        "StrictModes": "no",
        "UsePAM": "no",
        "UseDNS": "no",
        "PidFile": "none",
        "PrintMotd": "no",
        "LogLevel": "VERBOSE",
        "MaxStartups": "100",
        "AllowTcpForwarding": tcp[forwarding.local, forwarding.remote],
        "AllowStreamLocalForwarding": "yes" if forwarding.unix else "no",
        "GatewayPorts": forwarding.gateway_ports,
        "PermitOpen": _permitted(forwarding.permit_open),
        "PermitListen": _permitted(forwarding.permit_listen),
    }
    if not forwarding.exec:
        settings["ForceCommand"] = "exit 1"
    if version >= (9, 8):
        settings["PerSourcePenalties"] = "no"
    lines = [*(f"Port {port}" for port in ports), *(f"{key} {value}" for key, value in settings.items())]
    return "".join(f"{line}\n" for line in lines)


def _permitted(texts: tuple[str, ...] | None) -> str:
    return "any" if texts is None else " ".join(texts) or "none"


def stub_services(layout: Layout) -> Iterator[Service]:
    """One per address of a machine; the first of several targets at one address gives it its name.

    A target that is its dialer's own loopback has a stub on every host that dials it.
    """
    root = str(Path(orchestra.__file__).parents[1])
    program = (sys.executable, "-I", "-S", "-c", _STUB.format(root=root))
    ids = Identities(layout)
    for (machine, listen, protocol), targets in sorted(_places(layout).items()):
        first = targets[0]
        yield Service(
            kind="target",
            names=tuple(target.name for target in targets),
            machine=machine,
            argv=(*program, first.name, first.host, listen, "--protocol", protocol),
            log=f"{DIRECTORY}/stub.{first.name}.{ids.machine(machine)}.log",
            binds=_binds(layout, machine),
            protocol=protocol,
            ports=(first.port,) if first.port else (),
        )


def _places(layout: Layout) -> dict[tuple[str, str, str], list[Target]]:
    found: dict[tuple[str, str, str], list[Target]] = defaultdict(list)
    for _, target in sorted(layout.topology.targets.items()):
        for machine in _machines(layout, target):
            found[machine, _listen(target), target.protocol].append(target)
    return found


def _machines(layout: Layout, target: Target) -> tuple[str, ...]:
    host = layout.topology.hosts[target.host]
    text = target.address.host if isinstance(target.address, Endpoint) else None
    if host.kind == "target" and not host.attachments and text and is_loopback(text):
        return tuple(sorted({layout.machine_of[name] for name in dialers(layout.topology, layout.client, host)}))
    return (layout.machine_of[target.host],)


def _listen(target: Target) -> str:
    """What the stub binds: what is written, or every address where that is a name."""
    address = target.address
    if isinstance(address, UnixPath) or address.host is None or is_loopback(address.host) or parse_ip(address.host):
        return str(address)
    return str(Endpoint(None, address.port))


def _binds(layout: Layout, machine: str) -> tuple[tuple[str, str], ...]:
    """The machine's own /etc/hosts, and a directory of its own for each that holds a Unix socket of its targets."""
    ids = Identities(layout)
    sockets = {
        str(Path(target.address.path).parent)
        for target in layout.topology.targets.values()
        if isinstance(target.address, UnixPath) and layout.machine_of[target.host] == machine
    } - {"/", "/run", "/var/run"}
    private = f"{DIRECTORY}/unix.{ids.machine(machine)}"
    own = tuple((f"{private}.{number}", path) for number, path in enumerate(sorted(sockets)))
    return ((ids.hosts(machine), "/etc/hosts"), *own)
