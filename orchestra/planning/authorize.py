"""What the sshd of each server has to permit for a plan: the literal text that will be sent to it, and what for.

sshd compares text: ``db.internal`` is not its address, and ``localhost`` is neither 127.0.0.1 nor ::1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from orchestra.model.address import WILDCARD, Endpoint, is_loopback
from orchestra.model.frozen import dataclass
from orchestra.plugin.vocabulary import KindSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchestra.model.plan import Dial, Plan, PlannedListen, PlannedSession, PlannedTunnel
    from orchestra.model.topology import Topology
    from orchestra.plugin.vocabulary import Vocabulary

Act: TypeAlias = Literal["open", "open any", "open unix", "listen", "listen unix", "listen unproven", "run"]
"""What a server is asked to do. ``open any``: for a tunnel whose targets are known only when it is used. ``listen
unproven``: any free port, so that the proof of it would need permission to dial every port."""
SSH = "ssh"
"""The transport at whose other end an sshd is."""


@dataclass(frozen=True, slots=True)
class Use:
    """One thing that a server is asked to do, for what, and with which text where sshd compares it.

    A host of ``""`` is every address, port 0 is any free one.
    """

    server: str
    act: Act
    why: str
    at: Endpoint | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What one account of one server has to permit."""

    server: str
    user: str | None
    """None: as who runs orchestra, or as ssh_config says."""
    uses: tuple[Use, ...]
    dialed_by: frozenset[str]
    """The hosts that its sessions come from."""

    def texts(self, act: Literal["open", "listen"]) -> dict[Endpoint, tuple[str, ...]]:
        """What is sent to it, with what each is for; in the order of the plan."""
        found: dict[Endpoint, tuple[str, ...]] = {}
        for use in self.uses:
            if use.act == act and use.at is not None:
                found[use.at] = tuple(dict.fromkeys((*found.get(use.at, ()), use.why)))
        return found

    def reasons(self, act: Act) -> tuple[str, ...]:
        """What it is asked to do this for; empty when it is not."""
        return tuple(dict.fromkeys(use.why for use in self.uses if use.act == act))

    @property
    def beyond_loopback(self) -> bool:
        """Whether it listens where others can dial it."""
        return not all(is_loopback(each.host or "") for each in self.texts("listen"))


def needs_of(plan: Plan, topology: Topology, vocabulary: Vocabulary) -> tuple[Needs, ...]:
    """One for every server that the plan's sessions lead to by ssh, sorted by name.

    Paths of failover are in it, since they may be taken; tunnels that are unreachable are not.
    """
    sessions = {session.id: session for session in plan.sessions}
    uses = [*_of_sessions(plan)]
    for tunnel in plan.tunnels:
        if tunnel.verdict == "reachable":
            kind = vocabulary.kinds.get(tunnel.kind) or KindSpec(name=tunnel.kind)
            uses += _of_listener(sessions, tunnel, kind)
            uses += _of_exits(sessions, tunnel, kind)
    parts = {name: topology.hosts[name].server for name in sorted({session.server for session in plan.sessions})}
    return tuple(
        Needs(
            server=name,
            user=part.ssh.user,
            uses=tuple(use for use in uses if use.server == name),
            dialed_by=frozenset(session.dial.by for session in plan.sessions if session.server == name),
        )
        for name, part in parts.items()
        if part is not None and part.transport.type == SSH
    )


def _of_sessions(plan: Plan) -> Iterator[Use]:
    """Every session that is opened through another is a dial of the server before it."""
    for session in plan.sessions:
        if session.via is not None and session.dial.transport is None:
            yield _dial(session.dial, f"session to {session.server}")


def _of_listener(sessions: Mapping[str, PlannedSession], tunnel: PlannedTunnel, kind: KindSpec) -> Iterator[Use]:
    """The requests as they are sent, and the dials by which a listener is proven from its own server."""
    listen = tunnel.listen
    if listen is None or listen.session is None:
        return
    server, what = sessions[listen.session].server, f"tunnel {tunnel.name}"
    if kind.datagrams:
        yield Use(server, "run", what)
        return
    if listen.unix is not None:
        yield Use(server, "listen unix", what)
    for bind in listen.requests:
        yield Use(server, "listen", what, Endpoint("" if bind.host == WILDCARD else bind.host, bind.port))
    yield from _of_proof(server, listen, tunnel.name)


def _of_proof(server: str, listen: PlannedListen, name: str) -> Iterator[Use]:
    port = next((bind.port for bind in listen.binds), 0)
    if listen.probes and not port:
        yield Use(server, "listen unproven", f"tunnel {name}")
        return
    for probe in listen.probes:
        yield Use(server, "open", f"proof of {name}", Endpoint(probe.host, port))


def _of_exits(sessions: Mapping[str, PlannedSession], tunnel: PlannedTunnel, kind: KindSpec) -> Iterator[Use]:
    """What is dialed at its exit, and at those that failover may take."""
    further = ((each.exit, each.dial) for each in tunnel.alternatives if each.sessions)
    what = f"tunnel {tunnel.name}"
    for exit_, dial in ((tunnel.exit, tunnel.dial), *further):
        if exit_ is None:
            continue
        server = sessions[exit_].server
        by_tcp = kind.by_tcp(tunnel.spec.options)
        if kind.exec and by_tcp != "only":
            yield Use(server, "run", what)
        if dial is None:
            yield Use(server, "open any", what)
        elif tunnel.protocol == "tcp" or by_tcp == "too":
            yield _dial(dial, what)


def _dial(dial: Dial, why: str) -> Use:
    if dial.path is not None:
        return Use(dial.by, "open unix", why)
    return Use(dial.by, "open", why, Endpoint(dial.host, dial.port))
