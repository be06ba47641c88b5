"""(topology, plan) to a scene: what is where, and every session, use and dial of the chosen tunnels as an arrow."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import field, replace
from typing import TYPE_CHECKING

from orchestra.graph import compile_world, dialer_at, guest_of
from orchestra.model.frozen import dataclass
from orchestra.model.text import clean
from orchestra.render.layout import counted
from orchestra.render.picture.passages import passage
from orchestra.render.picture.scene import Arrow, Mark, Node, Scene, Zone
from orchestra.render.picture.sockets import sockets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from orchestra.graph import World
    from orchestra.model.plan import Dial, Plan, PlannedTunnel
    from orchestra.model.topology import Topology
    from orchestra.render.picture.scene import ArrowKind, NodeKind, Socket


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One dial of a plan, and in which step of which tunnels it happens."""

    kind: ArrowKind
    step: int
    dial: Dial
    protocol: str = "tcp"
    tunnels: tuple[str, ...] = ()
    session: str | None = None
    spare: bool = False


@dataclass(slots=True)
class _Ground:
    """What is known of every host so far."""

    marks: dict[str, dict[Mark, Mark]] = field(default_factory=lambda: defaultdict(dict))
    tunnels: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    own: dict[str, dict[str, set[int]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))
    """Host to the addresses that it dials on itself, with the steps."""


def compose(topology: Topology, plan: Plan) -> Scene:
    """The scene of a plan: everything that the topology declares, and the plan's tunnels as arrows."""
    world = compile_world(topology, plan.client)
    ground = _Ground()
    arrows = tuple(sorted(_arrows(world, plan, ground), key=lambda arrow: (arrow.step, arrow.kind, arrow.id)))
    listening = sockets(world, plan, ground.own)
    nodes = {
        host: _node(world, ground, host, listening.get(host, ()), here=host == plan.client) for host in world.hosts
    }
    guests = {str(guest_of(network)): network for network in topology.networks}
    for arrow in arrows:
        for stop in arrow.way:
            if not stop.zone and stop.name not in nodes:
                nodes[stop.name] = _stranger(stop.name, guests.get(stop.name), arrow)
    return Scene(
        title=clean(plan.topology),
        subtitle=_subtitle(plan),
        zones=tuple(
            Zone(name=name, detail=", ".join(map(str, network.cidrs)))
            for name, network in sorted(topology.networks.items())
        ),
        nodes=tuple(nodes[id_] for id_ in sorted(nodes)),
        arrows=arrows,
    )


def _subtitle(plan: Plan) -> str:
    verdicts = [tunnel.verdict for tunnel in plan.tunnels]
    sessions = {id_ for tunnel in plan.tunnels for id_ in tunnel.sessions}
    parts = [f"seen from {clean(plan.client)}"]
    if verdicts:
        over = f" over {counted(len(sessions), 'session')}" if sessions else ""
        parts.append(counted(len(verdicts), "tunnel") + over)
    parts += [f"{verdicts.count(each)} {each}" for each in ("unreachable", "elsewhere") if each in verdicts]
    return " · ".join(parts)


# -- what happens -----------------------------------------------------------------------------------------------------


def acts(plan: Plan) -> Iterator[Act]:
    """Every dial of a plan that is drawn, sessions first; a step is one more than what has to be there before it."""
    users: dict[str, list[str]] = defaultdict(list)
    spares: dict[str, set[str]] = defaultdict(set)
    for tunnel in plan.tunnels:
        for id_ in tunnel.sessions:
            users[id_].append(tunnel.name)
        for other in tunnel.alternatives:
            for id_ in other.sessions:
                spares[id_].add(tunnel.name)
    for session in plan.sessions:
        yield Act(
            kind="session",
            step=session.depth,
            dial=session.dial,
            tunnels=tuple(users.get(session.id) or sorted(spares[session.id])),
            session=session.id,
            spare=session.id not in users,
        )
    depths = {session.id: session.depth for session in plan.sessions}
    for tunnel in plan.tunnels:
        yield from _blocked(tunnel) if tunnel.blocked else _open(tunnel, depths)


def _open(tunnel: PlannedTunnel, depths: Mapping[str, int]) -> Iterator[Act]:
    def act(kind: ArrowKind, dial: Dial, after: Iterable[str], *, more: int = 1, spare: bool = False) -> Act:
        step = max((depths[id_] for id_ in after), default=0) + more
        return Act(kind=kind, step=step, dial=dial, tunnels=(tunnel.name,), protocol=tunnel.protocol, spare=spare)

    more = 1 if tunnel.user is None else 2
    if tunnel.user is not None:
        yield act("use", tunnel.user, tunnel.sessions)
    if tunnel.dial is not None:
        yield act("dial", tunnel.dial, tunnel.sessions, more=more)
    for other in tunnel.alternatives:
        if other.sessions and other.dial is not None and other.dial.by != (tunnel.dial and tunnel.dial.by):
            yield act("dial", other.dial, other.sessions, more=more, spare=True)


def _blocked(tunnel: PlannedTunnel) -> Iterator[Act]:
    """All but the last are logins; the last too when the tunnel ends at a server."""
    last = len(tunnel.blocked) if tunnel.spec.to is not None else 0
    for step, dial in enumerate(tunnel.blocked, 1):
        kind: ArrowKind = "dial" if step == last else "session"
        protocol = tunnel.protocol if step == last else "tcp"
        yield Act(kind=kind, step=step, dial=dial, tunnels=(tunnel.name,), protocol=protocol)


def merged_acts(plan: Plan) -> Iterator[Act]:
    """What several tunnels dial alike, once; a session is also what a blocked tunnel would open."""
    merged: dict[tuple[ArrowKind, str, str, str | None], Act] = {}
    twins = []
    for act in acts(plan):
        key = (act.kind, act.dial.by, str(act.dial), act.dial.means)
        if (same := merged.get(key)) is None:
            merged[key] = act
        elif act.session is not None:  # another way to the same server
            twins.append(act)
        else:
            names = tuple(sorted({*same.tunnels, *act.tunnels}))
            merged[key] = replace(same, tunnels=names, spare=same.spare and act.spare)
    yield from (*merged.values(), *twins)


def _arrows(world: World, plan: Plan, ground: _Ground) -> Iterator[Arrow]:
    guests = {str(guest_of(network)): guest_of(network) for network in world.topology.networks}
    for act in merged_acts(plan):
        dial = act.dial
        found = passage(world, guests.get(dial.by) or dialer_at(world, dial.by), dial, act.protocol)
        for at, mark in found.marks:
            _note(ground, at, mark, act)
        for stop in found.way:
            if not stop.zone:
                ground.tunnels[stop.name].update(act.tunnels)
        if len(found.way) == 1:
            ground.own[dial.by][str(dial)].add(act.step)
        else:
            yield Arrow(
                id=f"session-{act.session}" if act.session else f"{act.kind}-{dial.by}-{dial}-{dial.means}",
                kind=act.kind,
                step=act.step,
                word="ssh" if act.kind == "session" and dial.transport is None else act.protocol,
                text=clean(str(dial), 60),
                way=found.way,
                label=found.label,
                denied=found.denied,
                spare=act.spare,
                tunnels=act.tunnels,
                session=act.session,
            )


def _note(ground: _Ground, at: str, mark: Mark, act: Act) -> None:
    known = ground.marks[at].get(mark)
    steps = sorted({act.step, *(known.steps if known else ())})
    tunnels = sorted({*act.tunnels, *(known.tunnels if known else ())})
    ground.marks[at][mark] = replace(mark, steps=tuple(steps), tunnels=tuple(tunnels))


# -- what is there ----------------------------------------------------------------------------------------------------


def _node(world: World, ground: _Ground, name: str, listening: tuple[Socket, ...], *, here: bool) -> Node:
    host = world.hosts[name]
    kind: NodeKind = "server" if host.server is not None and host.kind == "target" else host.kind
    networks = world.networks_of(name) if name in world.topology.hosts else {}
    return Node(
        id=name,
        kind=kind,
        name=clean(name),
        here=here,
        attached=tuple((network, ", ".join(map(str, addresses))) for network, addresses in networks.items()),
        sockets=listening,
        marks=tuple(ground.marks[name].values()),
        tunnels=tuple(sorted(ground.tunnels[name].union(*(socket.tunnels for socket in listening)))),
    )


def _stranger(name: str, network: str | None, arrow: Arrow) -> Node:
    """Whoever is on a network, or an address that nobody declared."""
    if network is not None:
        return Node(id=name, kind="guest", name=clean(name), attached=((network, ""),), tunnels=arrow.tunnels)
    return Node(id=name, kind="unknown", name="not declared", tunnels=arrow.tunnels)
