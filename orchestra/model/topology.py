"""What is where, and what must be reachable: the topology as the loader hands it on.

Every short form is expanded, every default applied, every name resolved: a host, network or target that is named
here exists. Positions ride along (``place``) and never take part in comparisons.
"""

from __future__ import annotations

from dataclasses import field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from orchestra.model.address import Address, Endpoint, IPAddress, IPNetwork
from orchestra.model.frozen import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestra.diagnostics import Diagnostic, KeyPath, Place

HostKind: TypeAlias = Literal["client", "server", "firewall", "target"]
Protocol: TypeAlias = Literal["tcp", "udp"]
RuleProtocol: TypeAlias = Literal["tcp", "udp", "any"]
Family: TypeAlias = Literal["ipv4", "ipv6"]
GatewayPorts: TypeAlias = Literal["no", "yes", "clientspecified"]
HostKeyPolicy: TypeAlias = Literal["ask", "strict", "accept-new"]

NOWHERE: Mapping[Any, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A segment whose hosts reach one another's addresses directly.

    Without ``cidrs`` it holds every address that no other network contains.
    """

    name: str
    cidrs: tuple[IPNetwork, ...] = ()
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A host on a network; without ``addresses`` its address there is unknown (a client behind somebody's router)."""

    network: str
    addresses: tuple[IPAddress, ...] = ()
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsName:
    """A name of a host; it resolves for dialers attached to ``network``, or for every dialer when that is None."""

    text: str
    network: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """One ``from`` or ``to`` of a rule: any address, those of a network, those of a host, or a CIDR.

    ``text`` is as written; ``name`` is the network's or the machine's (for a target: its machine's) name.
    """

    kind: Literal["any", "network", "host", "cidr"]
    text: str
    name: str | None = None
    cidr: IPNetwork | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A packet-filter rule; the first that matches decides. Without ``ports`` (inclusive ranges): every port."""

    action: Literal["allow", "deny"]
    sources: tuple[Selector, ...]
    destinations: tuple[Selector, ...]
    ports: tuple[tuple[int, int], ...] = ()
    protocol: RuleProtocol = "tcp"
    name: str | None = None
    index: int = 0
    """Its position in the list, from 0."""
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PortForward:
    """Destination nat: what arrives from ``network`` for the firewall's own address at ``port`` goes to ``to``."""

    network: str
    port: int
    host: str
    """The machine it is handed to."""
    to_port: int
    protocol: Protocol = "tcp"
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Masquerade:
    """What leaves the firewall by ``network`` bears the firewall's own address there."""

    network: str
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretRef:
    """A secret by reference, never by value: ``kind`` is ``env``, ``file``, ``command`` or a plugin's.

    ``value`` is what stands behind the kind: a variable's name, an absolute path, an argument list.
    """

    kind: str
    value: Any
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRef:
    """A program among the fields of a plugin, and its arguments: run on this machine, without a shell, and only where
    the user has ``allowed`` it; a file never allows it itself."""

    argv: tuple[str, ...]
    allowed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigSettings:
    """What only ssh_config(5) can say of a server: keywords that the topology file has no word for.

    Lists of algorithms are as written there, with ``+``, ``-`` or ``^`` in front when they change the default. Files
    are absolute, tokens are expanded, except in ``known_hosts_command``, whose tokens depend on the connection.
    """

    address_family: Family | None = None
    bind_address: str | None = None
    identities_only: bool = False
    pubkey_authentication: bool = True
    password_authentication: bool = True
    kbdint_authentication: bool = True
    preferred_authentications: tuple[str, ...] = ()
    password_prompts: int = 3
    ciphers: str | None = None
    macs: str | None = None
    kex_algorithms: str | None = None
    host_key_algorithms: str | None = None
    pubkey_algorithms: str | None = None
    ca_signature_algorithms: str | None = None
    required_rsa_size: int | None = None
    """Bits; shorter RSA keys are ignored."""
    user_known_hosts: tuple[str, ...] | None = None
    """None: ssh's own default; empty: ``none``, so that nothing is known and nothing can be written."""
    global_known_hosts: tuple[str, ...] | None = None
    revoked_host_keys: str | None = None
    """A list of public keys, one a line, or a binary KRL."""
    known_hosts_command: tuple[str, ...] = ()
    allow_exec: bool = False
    """Whether the user allows that what ssh_config names is run; a file never allows it itself."""
    hash_known_hosts: bool = False
    origins: Mapping[str, str] = field(default_factory=lambda: NOWHERE, compare=False)
    """Name of a field, here or of :class:`SshSettings`, to ``file:line`` of the keyword that decided it."""
    refusals: tuple[Diagnostic, ...] = field(default=(), compare=False)
    """Why the server must not be dialed: ssh would not either, or it would go another way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SshSettings:
    """How to log in to a server. None or empty: not named in the file (ssh's own defaults then hold).

    File names are absolute; durations are seconds.
    """

    host: str | None = None
    port: int | None = None
    user: str | None = None
    config_host: str | None = None
    ssh_config: str | None = None
    """A file, or ``none``."""
    identity: tuple[str, ...] = ()
    private_key: SecretRef | None = None
    passphrase: SecretRef | None = None
    certificate: tuple[str, ...] = ()
    agent: str | None = None
    """A socket, or ``none``."""
    password: SecretRef | None = None
    host_key: tuple[str, ...] = ()
    """Lines as in a public key file, or ``@cert-authority TYPE KEY``."""
    known_hosts: tuple[str, ...] = ()
    host_key_name: str | None = None
    host_key_policy: HostKeyPolicy | None = None
    keepalive: float | None = None
    connect_timeout: float | None = None
    place: Place | None = field(default=None, compare=False)
    config: ConfigSettings | None = None
    """What ssh_config adds; None where it was not read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarding:
    """What a server's sshd permits, as in sshd_config(5). ``permit_*``: None is any, else literal ``host:port``."""

    local: bool = True
    remote: bool = True
    unix: bool = True
    exec: bool = True
    gateway_ports: GatewayPorts = "no"
    permit_open: tuple[str, ...] | None = None
    permit_listen: tuple[str, ...] | None = None
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportRef:
    """Which transport opens sessions to a server, and that transport's own fields (validated by its model)."""

    type: str = "ssh"
    options: Mapping[str, Any] = field(default_factory=lambda: NOWHERE)
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """What makes a host an SSH server."""

    ssh: SshSettings = SshSettings()
    transport: TransportRef = TransportRef()
    forwarding: Forwarding = Forwarding()
    cost: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """Any machine in the file. A client or firewall with ``ssh:`` has a ``server`` part too."""

    name: str
    kind: HostKind
    attachments: tuple[Attachment, ...] = ()
    names: tuple[DnsName, ...] = ()
    behind: tuple[str, ...] = ()
    """Only these hosts dial it, whatever the networks; empty: whoever can."""
    inbound: tuple[Rule, ...] | None = None
    """Its own packet filter; None: everything passes."""
    route: Mapping[str, str] = field(default_factory=lambda: NOWHERE)
    """Network to the firewall that leads there."""
    server: Server | None = None
    rules: tuple[Rule, ...] = ()
    nat: tuple[PortForward | Masquerade, ...] = ()
    implied: bool = False
    """Not in the file: ssh_config names it, as a server to go through."""
    place: Place | None = field(default=None, compare=False)

    @property
    def forwards(self) -> bool:
        """Whether it passes traffic between its networks; only firewalls do."""
        return self.kind == "firewall"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A service: where it listens, as its own host sees it.

    ``host`` names its machine (its own, of the same name, when it is not on one declared elsewhere). An address
    without host text means every address of that machine. For the short form ``HOST:PORT`` the machine has no
    networks and the text is a name or address that whoever dials it has to know.
    """

    name: str
    host: str
    address: Address
    protocol: Protocol = "tcp"
    behind: tuple[str, ...] = ()
    place: Place | None = field(default=None, compare=False)

    @property
    def port(self) -> int | None:
        """The TCP or UDP port; None for a Unix socket."""
        return self.address.port if isinstance(self.address, Endpoint) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRef:
    """How a tunnel is proven: ``type`` is a check's name or ``none``; ``every`` repeats it (seconds).

    ``timeout``: seconds for one run, None for the check's own. Of a repeated check ``fall`` failures in a row make a
    proven tunnel unproven, and ``rise`` successes in a row prove it again; on a path that was just opened the first
    result decides.
    """

    type: str = "tcp"
    every: float | None = None
    timeout: float | None = None
    rise: int = 2
    fall: int = 3
    options: Mapping[str, Any] = field(default_factory=lambda: NOWHERE)
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tunnel:
    """What the user asks for. None: left out, so the planner decides.

    ``implicit`` tunnels stand for targets of a file without ``tunnels:``.
    """

    name: str
    kind: str = "tcp"
    to: str | None = None
    from_: str | None = None
    at: str | None = None
    by: str | None = None
    exit: str | None = None
    listen: Address | None = None
    """``Endpoint(None, 0)`` is ``auto``; a missing host is localhost; ``*`` is every address."""
    family: Family | None = None
    via: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    failover: bool = False
    standby: Literal["cold", "warm"] = "cold"
    hold: float = 2.0
    dial_timeout: float = 10.0
    check: CheckRef = CheckRef()
    optional: bool = False
    env: Mapping[str, str] = field(default_factory=lambda: NOWHERE)
    profiles: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=lambda: NOWHERE)
    """The fields of its kind."""
    implicit: bool = False
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """A test of the topology itself. ``to`` is a target, a host, ``host:port`` or an address, as written."""

    from_: str
    to: str
    verdict: Literal["reachable", "unreachable"]
    via: tuple[str, ...] = ()
    direct: bool = False
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """The whole file, with what it includes. Mappings are keyed by name; their order carries no meaning."""

    name: str
    file: str
    networks: Mapping[str, Network] = field(default_factory=lambda: NOWHERE)
    hosts: Mapping[str, Host] = field(default_factory=lambda: NOWHERE)
    """Clients, firewalls, servers and the machines of targets that have their own."""
    targets: Mapping[str, Target] = field(default_factory=lambda: NOWHERE)
    tunnels: Mapping[str, Tunnel] = field(default_factory=lambda: NOWHERE)
    expectations: tuple[Expectation, ...] = ()
    requires: Mapping[str, str] = field(default_factory=lambda: NOWHERE)
    """``orchestra`` and plugin distributions to version specifiers."""
    places: Mapping[KeyPath, Place] = field(default_factory=lambda: NOWHERE, compare=False, repr=False)

    def place_of(self, *path: str | int) -> Place | None:
        """Where a value stands, or where the nearest enclosing one does."""
        for end in range(len(path), 0, -1):
            if place := self.places.get(path[:end]):
                return place
        return None

    @property
    def clients(self) -> tuple[str, ...]:
        """Names of the clients, sorted."""
        return tuple(sorted(name for name, host in self.hosts.items() if host.kind == "client"))
