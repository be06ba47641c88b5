"""Small plans, topologies and plugins for the engine's tests."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from orchestra.engine import builtin
from orchestra.model.address import UnixPath
from orchestra.model.plan import (
    Alternative,
    Bind,
    Dial,
    ListenProbe,
    Plan,
    PlannedListen,
    PlannedSession,
    PlannedTunnel,
)
from orchestra.model.topology import CheckRef, Host, SecretRef, Server, Topology, Tunnel
from orchestra.plugin.manager import Plugins


def session(id_: str, via: str | None = None, *, server: str | None = None, depth: int = 1) -> PlannedSession:
    server = server or id_
    dial = Dial(by=via or "laptop", host=f"{server}.example", port=22, means=server)
    return PlannedSession(id=id_, server=server, via=via, dial=dial, depth=depth)


def chain(*ids: str) -> tuple[PlannedSession, ...]:
    return tuple(session(id_, ids[depth - 1] if depth else None, depth=depth + 1) for depth, id_ in enumerate(ids))


def listen(
    *hosts: str, port: int = 5920, at: str | None = None, probes: tuple[ListenProbe, ...] = (), unix: str | None = None
) -> PlannedListen:
    binds = tuple(Bind(host=host, port=port) for host in hosts)
    return PlannedListen(
        at=at or "laptop",
        session=at,
        binds=binds,
        requests=binds,
        chosen=port == 0,
        probes=probes,
        unix=UnixPath(unix) if unix else None,
    )


def tunnel(
    name: str = "desk",
    *sessions: str,
    entry: PlannedListen | None = None,
    exit_: str | None = None,
    dial: Dial | None = None,
    kind: str = "tcp",
    check: CheckRef | None = None,
    **spec: Any,
) -> PlannedTunnel:
    """A tunnel over the sessions, left at ``exit_`` (default: at the last of them)."""
    exit_ = exit_ or (sessions[-1] if sessions and entry is None else None)
    entry = entry or listen("127.0.0.1")
    return PlannedTunnel(
        name=name,
        kind=kind,
        verdict="reachable",
        spec=Tunnel(name=name, kind=kind, check=check or CheckRef(), **spec),
        listen=entry,
        direction="local",
        sessions=sessions,
        entry=entry.session,
        exit=exit_,
        dial=dial or Dial(by=exit_ or "laptop", host="10.20.0.30", port=5900, means="desk-vnc"),
    )


async def read_secret(ref: SecretRef) -> bytes:
    """As it is written."""
    return str(ref.value).encode()


def plan(sessions: tuple[PlannedSession, ...] = (), *tunnels: PlannedTunnel) -> Plan:
    return Plan(topology="office", client="laptop", sessions=sessions, tunnels=tunnels)


def topology(*servers: str) -> Topology:
    hosts = {name: Host(name=name, kind="server", server=Server()) for name in servers}
    return Topology(name="office", file="office.yaml", hosts=hosts)


def plugins(transport: object = None, *, kinds: tuple[Any, ...] = (), checks: tuple[Any, ...] = ()) -> Plugins:
    def named(parts: Any) -> dict[str, Any]:
        return {part.spec.name: part for part in parts}

    none = SimpleNamespace(spec=SimpleNamespace(name="none"))
    return Plugins(
        transports=named([transport or none]),
        kinds=named([*builtin.orchestra_kinds(), *kinds]),
        checks=named([*builtin.orchestra_checks(), *checks]),
        secrets=named(builtin.orchestra_secrets()),
    )


def with_ways(planned: PlannedTunnel, *exits: str | None) -> PlannedTunnel:
    """The tunnel with further ways, each over one session that dials the same target."""
    alternatives = tuple(
        Alternative(
            path=("laptop", *([exit_] if exit_ else [])),
            sessions=(*([planned.entry] if planned.entry else []), *([exit_] if exit_ else [])),
            exit=exit_,
            dial=Dial(by=exit_ or "laptop", host="10.20.0.30", port=5900, means="desk-vnc"),
        )
        for exit_ in exits
    )
    path = ("laptop", *planned.sessions)
    return replace(planned, path=path, spec=replace(planned.spec, failover=True), alternatives=alternatives)
