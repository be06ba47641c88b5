"""What every step of the planner needs: the compiled topology, the plugins' vocabulary, and who is here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from orchestra.graph import Dialer, World, compile_world, dialer_at
from orchestra.plugin.vocabulary import KindSpec, TransportSpec

if TYPE_CHECKING:
    from orchestra.model.topology import Forwarding, Host, Topology
    from orchestra.planning.services import Listening
    from orchestra.plugin.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The ground that plans stand on. Immutable but for its memo."""

    world: World
    vocabulary: Vocabulary
    servers: tuple[str, ...]
    """Hosts with an SSH server, sorted."""
    elsewhere: dict[str, tuple[Listening, ...]] = field(default_factory=dict)
    """Target to the listeners by which other clients offer it."""
    memo: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

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
        key = ("dialer", host)
        if key not in self.memo:
            self.memo[key] = dialer_at(self.world, host)
        found: Dialer = self.memo[key]
        return found

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
    world = compile_world(topology, here)
    servers = tuple(name for name, host in world.hosts.items() if host.server is not None and name != here)
    return Context(world=world, vocabulary=vocabulary, servers=servers, elsewhere=elsewhere or {})
