"""What a picture shows, before anything has a place: zones, hosts in and between them, and numbered arrows.

Ids are stable: whoever redraws the same plan finds every session and every tunnel under the same id.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Literal, TypeAlias

from orchestra.model.frozen import dataclass

if TYPE_CHECKING:
    from orchestra.diagnostics import Place

NodeKind: TypeAlias = Literal["client", "server", "firewall", "target", "guest", "unknown", "fold"]
"""``guest``: whoever is on a network; ``unknown``: an address that nobody declared; ``fold``: several hosts."""
ArrowKind: TypeAlias = Literal["session", "use", "dial"]
"""A session is opened; somebody dials a listener; what a tunnel leads to is dialed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A network."""

    name: str
    detail: str = ""
    """Its CIDRs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What decides at a host: a rule, a nat entry, what an sshd does not permit."""

    text: str
    passes: bool
    steps: tuple[int, ...] = ()
    place: Place | None = None
    tunnels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Socket:
    """Something that listens at a host: a tunnel's own listener, or the service of a target."""

    name: str
    address: str
    listener: bool
    exposed: bool = False
    steps: tuple[int, ...] = ()
    """The steps in which the host dials it on itself."""
    tunnels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A host. In the zone of its only network; between the zones when it has several; outside when it has none."""

    id: str
    kind: NodeKind
    name: str
    here: bool = False
    attached: tuple[tuple[str, str], ...] = ()
    """Networks, each with the address there, or an empty text."""
    sockets: tuple[Socket, ...] = ()
    marks: tuple[Mark, ...] = ()
    tunnels: tuple[str, ...] = ()
    """Those that have to do with it."""
    says: str = ""
    """Of a fold: what it stands for."""
    holds: tuple[str, ...] = ()
    """Of a fold: the ids of its hosts."""

    @property
    def zone(self) -> str | None:
        """The zone that it stands in."""
        return self.attached[0][0] if len(self.attached) == 1 else None


@dataclass(frozen=True, slots=True)
class Stop:
    """A node or a zone that an arrow passes."""

    name: str
    zone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """One dial, on its way from host to host through the zones between them.

    ``way`` begins and ends with a node, nodes and zones taking turns where the zones are known. ``label`` is the index
    of the stop before which the dialed address is written. ``denied`` is the index of the node that stops it.
    """

    id: str
    kind: ArrowKind
    step: int
    word: str = "tcp"
    """``ssh``, or the protocol."""
    text: str
    way: tuple[Stop, ...]
    label: int
    denied: int | None = None
    spare: bool = False
    """For the case that another one is down."""
    tunnels: tuple[str, ...] = ()
    session: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The whole picture. Zones, nodes and arrows are sorted; every name in an arrow is that of a node or a zone."""

    title: str
    subtitle: str
    zones: tuple[Zone, ...] = ()
    nodes: tuple[Node, ...] = ()
    arrows: tuple[Arrow, ...] = ()

    def node(self, id_: str) -> Node:
        """The node of that id; KeyError when there is none."""
        for node in self.nodes:
            if node.id == id_:
                return node
        raise KeyError(id_)

    @property
    def empty(self) -> frozenset[str]:
        """Zones in which no host stands."""
        return frozenset(zone.name for zone in self.zones) - {node.zone for node in self.nodes}

    @property
    def wires(self) -> tuple[tuple[str, str], ...]:
        """Nodes between the zones, each with a zone that it is attached to and that no arrow shows."""
        shown = {
            (other.name, one.name) if one.zone else (one.name, other.name)
            for arrow in self.arrows
            for one, other in pairwise(arrow.way)
            if one.zone != other.zone
        }
        return tuple(
            (node.id, zone)
            for node in self.nodes
            if node.zone is None
            for zone, _ in node.attached
            if (node.id, zone) not in shown
        )


def stops(scene: Scene) -> dict[str, tuple[Stop, ...]]:
    """By the arrow's id, its stops that have a place of their own in a drawing by others: hosts, and empty zones."""
    empty = scene.empty
    return {
        arrow.id: tuple(stop for stop in arrow.way if not stop.zone or stop.name in empty) for arrow in scene.arrows
    }
