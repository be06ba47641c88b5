"""``orchestra impact -o json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestra.render.diagnostics_json import diagnostics_json
from orchestra.render.plan_json import dial_address_json

if TYPE_CHECKING:
    from orchestra.model.plan import PlannedTunnel
    from orchestra.planning.impact import Impact, TunnelImpact

FORMAT_VERSION = 1


def impact_json(impact: Impact) -> dict[str, Any]:
    """What becomes of every tunnel, expectation and server, as one JSON object."""
    return {
        "format_version": FORMAT_VERSION,
        "topology": impact.topology,
        "client": impact.client,
        "without": list(impact.without),
        "gone": list(impact.gone),
        "tunnels": [_tunnel(tunnel) for tunnel in impact.tunnels],
        "expectations": diagnostics_json(impact.expectations),
        "servers": list(impact.servers),
    }


def _tunnel(tunnel: TunnelImpact) -> dict[str, Any]:
    passes = tunnel.after is not None and tunnel.after.verdict == "reachable"
    return {
        "name": tunnel.name,
        "verdict": tunnel.verdict,
        "reason": tunnel.reason,
        "before": _way(tunnel.before) if tunnel.before.verdict == "reachable" else None,
        "after": _way(tunnel.after) if tunnel.after is not None and passes else None,
        "listed": tunnel.listed,
    }


def _way(tunnel: PlannedTunnel) -> dict[str, Any]:
    dial = tunnel.dial
    return {
        "path": list(tunnel.path),
        "dial": None if dial is None else {"by": dial.by, **dial_address_json(dial), "means": dial.means},
    }
