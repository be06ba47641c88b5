"""``orchestra status -o json``: the keys are a contract."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestra.model.status import ErrorStatus, SessionStatus, Status, TunnelStatus


def status_json(status: Status) -> dict[str, Any]:
    """The status as one JSON object; times are seconds since the epoch."""
    return {
        "format_version": 1,
        "topology": status.topology,
        "name": status.name,
        "pid": status.pid,
        "version": status.version,
        "file": status.file,
        "state": status.state,
        "http": status.http,
        "sessions": [_session(session) for session in status.sessions],
        "tunnels": [_tunnel(tunnel) for tunnel in status.tunnels],
    }


def _session(session: SessionStatus) -> dict[str, Any]:
    return {
        "id": session.id,
        "server": session.server,
        "state": session.state,
        "error": _error(session.error),
        "opened": session.opened,
    }


def _tunnel(tunnel: TunnelStatus) -> dict[str, Any]:
    return {
        "name": tunnel.name,
        "state": tunnel.state,
        "proven": tunnel.proven,
        "listen": list(tunnel.listen),
        "at": tunnel.at,
        "path": list(tunnel.path),
        "failed_over": tunnel.failed_over,
        "error": _error(tunnel.error),
        "connections": tunnel.connections,
        "bytes_in": tunnel.bytes_in,
        "bytes_out": tunnel.bytes_out,
        "accepted": tunnel.accepted,
        "refused": tunnel.refused,
        "counters": dict(tunnel.counters),
        "optional": tunnel.optional,
        "notes": list(tunnel.notes),
    }


def _error(error: ErrorStatus | None) -> dict[str, Any] | None:
    return asdict(error) if error is not None else None
