"""What every step of the planner needs: the compiled topology, the plugins' vocabulary, and who is here."""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING

from orchestra.graph import Dialer, World, compile_world, dialer_at
from orchestra.model.frozen import dataclass
from orchestra.plugin.vocabulary import KindSpec, TransportSpec

if TYPE_CHECKING:
    from orchestra.graph.prospects import PortClass
    from orchestra.model.topology import Forwarding, Host, Topology
    from orchestra.planning.dials import Attempt
    from orchestra.planning.explaining.least import Lenient
    from orchestra.planning.reach import Dialers, ServerIndex
    from orchestra.planning.services import Listening, Service
    from orchestra.planning.sessions import Chain, Tree
    from orchestra.plugin.vocabulary import Vocabulary


@dataclass(slots=True, kw_only=True)
class Answers:
    """What has been asked of one context already, question by question. Whoever answers one keeps the answer here."""

    dialers: dict[str, Dialer] = field(default_factory=dict)
    """By host."""
    ssh_services: dict[str, Service] = field(default_factory=dict)
    """By server."""
    attempts: dict[tuple[str, Service], Attempt] = field(default_factory=dict)
    """By the host that dials, and what."""
    searches: dict[tuple[tuple[Chain, ...], frozenset[str], frozenset[str] | None, frozenset[str]], Tree] = field(
        default_factory=dict
    )
    """By the chains to start from, the hosts to avoid, the servers that matter (None: all), and those barred."""
    parents: dict[tuple[str, str, frozenset[str]], tuple[str, ...]] = field(default_factory=dict)
    """By server, the place to start from, and the hosts to avoid: the nearest places that can dial it."""
    detours: dict[
        tuple[tuple[str, ...], tuple[str, ...], frozenset[str], frozenset[str], tuple[str, ...]], Chain | None
    ] = field(default_factory=dict)
    """By the places to end at, the servers to pass, those to leave out, the hosts to avoid, and the entry's chain."""
    lenient: dict[tuple[frozenset[str], frozenset[str], frozenset[str]], Lenient] = field(default_factory=dict)
    """By the networks of a service, the servers that are named, and the hosts to avoid."""
    dialers_of_port: dict[tuple[PortClass, str], Dialers] = field(default_factory=dict)
    """By the class of a port (:func:`orchestra.graph.port_class`), and protocol."""
    accounts: dict[str, frozenset[str]] = field(default_factory=dict)
    """By machine: here and the servers that are it."""
    server_index: ServerIndex | None = None
    declared: tuple[str, ...] | None = None
    """The servers of the file itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The ground that plans stand on. Immutable but for what it remembers."""

    world: World
    vocabulary: Vocabulary
    servers: tuple[str, ...]
    """Hosts with an SSH server, sorted."""
    elsewhere: dict[str, tuple[Listening, ...]] = field(default_factory=dict)
    """Target to the listeners by which other clients offer it."""
    answers: Answers = field(default_factory=Answers, compare=False, repr=False)

    @property
    def declared(self) -> tuple[str, ...]:
        """The servers of the file itself, without those that ssh_config adds."""
        if self.answers.declared is None:
            self.answers.declared = tuple(name for name in self.servers if not self.host(name).implied)
        return self.answers.declared

    @property
    def here(self) -> str:
        return self.world.here

    @property
    def topology(self) -> Topology:
        return self.world.topology

    def host(self, name: str) -> Host:
        """A host by its name."""
        return self.world.hosts[name]

    def dialer(self, host: str) -> Dialer:
        """A host as a dialer."""
        known = self.answers.dialers
        if host not in known:
            known[host] = dialer_at(self.world, host)
        return known[host]

    def transport(self, server: str) -> TransportSpec:
        """What sessions of a server can do."""
        part = self.host(server).server
        name = part.transport.type if part else "ssh"
        return self.vocabulary.transports.get(name) or TransportSpec(name=name)

    def kind(self, name: str) -> KindSpec:
        """Which parts of a tunnel a kind takes."""
        return self.vocabulary.kinds.get(name) or KindSpec(name=name)

    def forwarding(self, server: str) -> Forwarding | None:
        """What a server's sshd permits; None for a host that has none."""
        part = self.host(server).server
        return part.forwarding if part else None


def make_context(
    topology: Topology, here: str, vocabulary: Vocabulary, elsewhere: dict[str, tuple[Listening, ...]] | None = None
) -> Context:
    """Compiles a topology for planning from one client."""
    return seen_by(compile_world(topology, here), here, vocabulary, elsewhere or {})


def seen_by(world: World, here: str, vocabulary: Vocabulary, elsewhere: dict[str, tuple[Listening, ...]]) -> Context:
    """A compiled topology as another of its hosts sees it."""
    servers = tuple(name for name, host in world.hosts.items() if host.server is not None and name != here)
    return Context(world=replace(world, here=here), vocabulary=vocabulary, servers=servers, elsewhere=elsewhere)
