"""Listeners that stand in each other's way, or in the way of a declared service."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from orchestra.diagnostics import Code, Diagnostic
from orchestra.model.address import LOCALHOST, LOOPBACKS, WILDCARD, Endpoint
from orchestra.planning.listen import overlap

Key: TypeAlias = tuple[str, str, int | str]
"""A machine, a protocol, a port or a path."""

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra.model.plan import PlannedListen
    from orchestra.model.topology import Target, Tunnel
    from orchestra.planning.context import Context


def listen_conflicts(context: Context, listeners: Iterable[tuple[Tunnel, PlannedListen]]) -> tuple[Diagnostic, ...]:
    """Two tunnels on one address and port of one host, or a tunnel where a target listens already."""
    known: dict[Key, list[tuple[str, str]]] = {}
    for target in context.topology.targets.values():
        for key, host in _of_target(context, target):
            known.setdefault(key, []).append((f"target {target.name}", host))
    found: list[Diagnostic] = []
    for tunnel, listen in sorted(listeners, key=lambda each: each[0].name):
        others: dict[str, str] = {}
        for key, host in _keys(context, tunnel, listen):
            for owner, other in known.get(key, ()):
                if overlap(host, other):
                    others.setdefault(owner, _address(host, key[2]))
        found += [_conflict(tunnel, listen, owner, address) for owner, address in sorted(others.items())]
        for key, host in _keys(context, tunnel, listen):
            known.setdefault(key, []).append((f"tunnel {tunnel.name}", host))
    return tuple(found)


def _keys(context: Context, tunnel: Tunnel, listen: PlannedListen) -> list[tuple[Key, str]]:
    kind, machine = context.kind(tunnel.kind), context.world.machine(listen.at)
    by_tcp = not kind.datagrams or kind.by_tcp(tunnel.options) != "no"
    protocols = ("udp",) * kind.datagrams + ("tcp",) * by_tcp
    if listen.unix is not None:
        return [((machine, "unix", listen.unix.path), WILDCARD)]
    return [((machine, each, bind.port), bind.host) for bind in listen.binds if bind.port for each in protocols]


def _of_target(context: Context, target: Target) -> list[tuple[Key, str]]:
    """Where a target listens, when it is on a host where tunnels may listen too."""
    address = target.address
    able = target.host == context.here or context.host(target.host).server is not None
    if not able or not isinstance(address, Endpoint) or not address.port:
        return []
    hosts = LOOPBACKS if (address.host or "").lower() == LOCALHOST else (address.host or WILDCARD,)
    return [((context.world.machine(target.host), target.protocol, address.port), host) for host in hosts]


def _address(host: str, port: int | str) -> str:
    if isinstance(port, str):
        return f"unix:{port}"
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _conflict(tunnel: Tunnel, listen: PlannedListen, owner: str, address: str) -> Diagnostic:
    return Diagnostic(
        code=Code.LISTEN_CONFLICT,
        severity="error",
        message=f"tunnel {tunnel.name} listens on {address} of {listen.at}, which {owner} has already",
        place=tunnel.place,
        path=f"tunnels.{tunnel.name}.listen",
        suggestion="write `listen: auto` for any free port, or another one",
        tunnel=tunnel.name,
    )
