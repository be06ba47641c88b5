"""(topology, plan) to a scene: what is where, and every session, use and dial of the chosen tunnels as an arrow."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from orchestra.graph import compile_world, guest_of
from orchestra.model.address import LOOPBACKS, Endpoint
from orchestra.model.text import clean
from orchestra.render.layout import counted
from orchestra.render.picture.passages import passage
from orchestra.render.picture.scene import Arrow, Mark, Node, Scene, Socket, Zone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.graph import World
    from orchestra.model.plan import Dial, Plan, PlannedListen, PlannedTunnel
    from orchestra.model.topology import Target, Topology
    from orchestra.render.picture.scene import ArrowKind, NodeKind


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
    nodes = {host: _node(world, plan, ground, host) for host in world.hosts}
    for arrow in arrows:
        for stop in arrow.way:
            if not stop.zone and stop.name not in nodes:
                nodes[stop.name] = _stranger(topology, arrow, stop.name)
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
    """Every dial of a plan that is drawn; a step is one more than what has to be there before it."""
    users: dict[str, list[str]] = defaultdict(list)
    for tunnel in plan.tunnels:
        for id_ in tunnel.sessions:
            users[id_].append(tunnel.name)
        yield from _blocked(tunnel) if tunnel.blocked else _open(plan, tunnel)
    for session in plan.sessions:
        named = users.get(session.id) or [
            tunnel.name for tunnel in plan.tunnels if any(session.id in a.sessions for a in tunnel.alternatives)
        ]
        yield Act(
            kind="session",
            step=session.depth,
            dial=session.dial,
            tunnels=tuple(named),
            session=session.id,
            spare=session.id not in users,
        )


def _open(plan: Plan, tunnel: PlannedTunnel) -> Iterator[Act]:
    step = max((plan.session(id_).depth for id_ in tunnel.sessions), default=0) + 1
    names = (tunnel.name,)
    if tunnel.user is not None:
        yield Act(kind="use", step=step, dial=tunnel.user, tunnels=names, protocol=tunnel.protocol)
        step += 1
    if tunnel.dial is not None:
        yield Act(kind="dial", step=step, dial=tunnel.dial, tunnels=names, protocol=tunnel.protocol)
    for other in tunnel.alternatives:
        if other.sessions and other.dial is not None and other.dial.by != (tunnel.dial and tunnel.dial.by):
            yield Act(kind="dial", step=step, dial=other.dial, tunnels=names, protocol=tunnel.protocol, spare=True)


def _blocked(tunnel: PlannedTunnel) -> Iterator[Act]:
    """All but the last are logins; the last too when the tunnel ends at a server."""
    last = len(tunnel.blocked) if tunnel.spec.to is not None else 0
    for step, dial in enumerate(tunnel.blocked, 1):
        kind: ArrowKind = "dial" if step == last else "session"
        protocol = tunnel.protocol if step == last else "tcp"
        yield Act(kind=kind, step=step, dial=dial, tunnels=(tunnel.name,), protocol=protocol)


def _arrows(world: World, plan: Plan, ground: _Ground) -> Iterator[Arrow]:
    """One for every dial; what several tunnels dial alike is one arrow."""
    merged: dict[tuple[ArrowKind, str, str, str | None, bool], Act] = {}
    for act in acts(plan):
        key = (act.kind, act.dial.by, str(act.dial), act.dial.means, act.spare)
        same = merged.get(key)
        names = tuple(sorted({*act.tunnels, *(same.tunnels if same else ())}))
        session = act.session or (same.session if same else None)
        merged[key] = replace(act if act.session or same is None else same, tunnels=names, session=session)
    for act in merged.values():
        found = passage(world, act.dial, act.protocol)
        for at, mark in found.marks:
            _note(ground, at, mark, act)
        for stop in found.way:
            if not stop.zone:
                ground.tunnels[stop.name].update(act.tunnels)
        if len(found.way) == 1:
            ground.own[act.dial.by][str(act.dial)].add(act.step)
        else:
            yield Arrow(
                id=f"session-{act.session}" if act.session else f"{act.kind}-{act.dial.by}-{act.dial}-{act.dial.means}",
                kind=act.kind,
                step=act.step,
                text=clean(str(act.dial), 60),
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


def _node(world: World, plan: Plan, ground: _Ground, name: str) -> Node:
    host = world.hosts[name]
    kind: NodeKind = "server" if host.server is not None and host.kind == "target" else host.kind
    sockets = (*_listeners(plan, name), *_services(world, ground, plan, name))
    named = ground.tunnels[name].union(*(socket.tunnels for socket in sockets))
    return Node(
        id=name,
        kind=kind,
        name=clean(name),
        here=name == plan.client,
        attached=tuple(
            (network, ", ".join(map(str, addresses))) for network, addresses in world.networks_of(name).items()
        )
        if name in world.topology.hosts
        else (),
        sockets=sockets,
        marks=tuple(ground.marks[name].values()),
        tunnels=tuple(sorted(named)),
    )


def _stranger(topology: Topology, arrow: Arrow, name: str) -> Node:
    """Whoever is on a network, or an address that nobody declared."""
    network = next((each for each in topology.networks if str(guest_of(each)) == name), None)
    if network is not None:
        return Node(id=name, kind="guest", name=clean(name), attached=((network, ""),), tunnels=arrow.tunnels)
    return Node(id=name, kind="unknown", name="not declared", tunnels=arrow.tunnels)


def _listeners(plan: Plan, host: str) -> Iterator[Socket]:
    for tunnel in plan.tunnels:
        if tunnel.listen is not None and tunnel.listen.at == host:
            yield Socket(
                name=clean(tunnel.name),
                address=_listening(tunnel.listen),
                listener=True,
                exposed=tunnel.listen.exposed,
                tunnels=(tunnel.name,),
            )


def _listening(listen: PlannedListen) -> str:
    ports = {bind.port for bind in listen.binds}
    if {bind.host for bind in listen.binds} == set(LOOPBACKS) and len(ports) == 1:
        return f"localhost:{next(iter(ports)) or 'auto'}"
    return clean(", ".join(listen.addresses), 60)


def _services(world: World, ground: _Ground, plan: Plan, host: str) -> Iterator[Socket]:
    """The targets on a host, each with the steps in which the host dials it, and what else it dials on itself."""
    own = dict(ground.own[host])
    for name, target in sorted(world.topology.targets.items()):
        if target.host != host:
            continue
        dialed = [text for text in own if text == str(target.address) or text.endswith(f":{target.port}")]
        yield Socket(
            name=clean(name),
            address=_served(world, target),
            listener=False,
            steps=tuple(sorted({step for text in dialed for step in own.pop(text)})),
            tunnels=tuple(tunnel.name for tunnel in plan.tunnels if tunnel.spec.to == name),
        )
    for text, steps in sorted(own.items()):
        yield Socket(name="itself", address=clean(text, 60), listener=False, steps=tuple(sorted(steps)))


def _served(world: World, target: Target) -> str:
    """Where a target listens; a port on all addresses of a machine of its own stands with each of them."""
    port = target.port
    suffix = "" if target.protocol == "tcp" else f"/{target.protocol}"
    known = [address for each in world.networks_of(target.host).values() for address in each]
    if isinstance(target.address, Endpoint) and target.address.host is None:
        if target.name != target.host or not known:
            return f":{port}{suffix}"
        return ", ".join(str(Endpoint(str(address), port)) for address in known) + suffix
    return clean(f"{target.address}{suffix}", 60)
