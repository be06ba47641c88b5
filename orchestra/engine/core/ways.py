"""The ways of a tunnel: its planned path and, where it has ``failover``, the others that the plan keeps for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.model.frozen import dataclass

if TYPE_CHECKING:
    from orchestra.model.plan import Dial, PlannedTunnel


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """From the listener, which never moves, to the target. ``sessions``: every one that it needs, parents first."""

    path: tuple[str, ...]
    sessions: tuple[str, ...]
    exit: str | None
    """The session that dials; None: here."""
    dial: Dial | None


def ways_of(tunnel: PlannedTunnel) -> tuple[Way, ...]:
    """The planned path first; the order is that of preference."""
    planned = Way(path=tunnel.path, sessions=tunnel.sessions, exit=tunnel.exit, dial=tunnel.dial)
    others = tunnel.alternatives if tunnel.spec.failover else ()
    return (
        planned,
        *(Way(path=each.path, sessions=each.sessions, exit=each.exit, dial=each.dial) for each in others),
    )
