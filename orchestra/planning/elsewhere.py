"""Which client holds a tunnel, and what other clients offer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.diagnostics import Code, Diagnostic
from orchestra.model.address import LOCALHOST, Endpoint
from orchestra.planning.services import Listening

if TYPE_CHECKING:
    from orchestra.model.topology import Topology, Tunnel


def held_by(topology: Topology, here: str, tunnel: Tunnel) -> str | None:
    """The client in `from` (by default `at`, or here), else `by`, else the only client; None when nobody can tell."""
    user = tunnel.from_ or tunnel.at
    if user is not None and user in topology.clients:
        return user
    if tunnel.by is not None:
        return tunnel.by
    if user is None or not topology.clients:
        return here
    return topology.clients[0] if len(topology.clients) == 1 else None


def no_holder(topology: Topology, tunnel: Tunnel) -> Diagnostic:
    """The problem of a tunnel that several clients could hold."""
    return Diagnostic(
        code=Code.AMBIGUOUS_CLIENT,
        severity="error",
        message=f"any of {', '.join(topology.clients)} could hold tunnel {tunnel.name}",
        place=tunnel.place,
        path=f"tunnels.{tunnel.name}",
        suggestion=f"write `by: {topology.clients[0]}`",
        tunnel=tunnel.name,
    )


def offered_elsewhere(topology: Topology, here: str) -> dict[str, tuple[Listening, ...]]:
    """Target to the listeners that other clients hold for it, in the order of the tunnels' names."""
    found: dict[str, tuple[Listening, ...]] = {}
    for name in sorted(topology.tunnels):
        tunnel = topology.tunnels[name]
        listening = None if held_by(topology, here, tunnel) in (here, None) else _listening(topology, tunnel)
        if listening is not None and tunnel.to is not None:
            found[tunnel.to] = (*found.get(tunnel.to, ()), listening)
    return found


def _listening(topology: Topology, tunnel: Tunnel) -> Listening | None:
    at = tunnel.at or tunnel.from_
    if at is None or at not in topology.hosts or not isinstance(tunnel.listen, Endpoint | None):
        return None
    target = topology.targets.get(tunnel.to or "")
    port = tunnel.listen.port if tunnel.listen and tunnel.listen.port is not None else target.port if target else None
    if not port:
        return None
    return Listening(at, (tunnel.listen.host if tunnel.listen else None) or LOCALHOST, port)
