"""The plan document: ``orchestra plan -o json``. Its keys are a contract, see ``docs/plan-document.md``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestra.render.diagnostics_json import diagnostics_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra.diagnostics import Diagnostic
    from orchestra.model.plan import Alternative, Dial, Missing, Plan, PlannedListen, PlannedSession, PlannedTunnel

FORMAT_VERSION = 1


def plan_json(plan: Plan) -> dict[str, Any]:
    """The whole plan as one JSON object."""
    return {
        "format_version": FORMAT_VERSION,
        "topology": plan.topology,
        "client": plan.client,
        "sessions": [_session(session) for session in plan.sessions],
        "tunnels": [_tunnel(tunnel) for tunnel in plan.tunnels],
        "diagnostics": diagnostics_json(plan.diagnostics),
    }


def rejection_json(diagnostics: Iterable[Diagnostic]) -> dict[str, Any]:
    """What stands in place of the plan of a file that cannot be used: the same keys, nothing planned."""
    return {
        "format_version": FORMAT_VERSION,
        "topology": None,
        "client": None,
        "sessions": [],
        "tunnels": [],
        "diagnostics": diagnostics_json(diagnostics),
    }


def _session(session: PlannedSession) -> dict[str, Any]:
    return {
        "id": session.id,
        "server": session.server,
        "via": session.via,
        "depth": session.depth,
        "dial": _dial(session.dial),
        "origins": [{"setting": each.setting, "value": each.value, "from": each.where} for each in session.origins],
    }


def _tunnel(tunnel: PlannedTunnel) -> dict[str, Any]:
    return {
        "name": tunnel.name,
        "kind": tunnel.kind,
        "to": tunnel.spec.to,
        "protocol": tunnel.protocol,
        "verdict": tunnel.verdict,
        "held_by": tunnel.held_by,
        "listen": None if tunnel.listen is None else _listen(tunnel.listen),
        "direction": tunnel.direction,
        "path": list(tunnel.path),
        "sessions": list(tunnel.sessions),
        "entry": tunnel.entry,
        "exit": tunnel.exit,
        "dial": None if tunnel.dial is None else _dial(tunnel.dial),
        "user": None if tunnel.user is None else _dial(tunnel.user),
        "optional": tunnel.spec.optional,
        "alternatives": [_alternative(alternative) for alternative in tunnel.alternatives],
        "blocked": [_dial(dial) for dial in tunnel.blocked],
        "missing": [missing_json(missing) for missing in tunnel.missing],
        "instead": list(tunnel.instead),
    }


def _listen(listen: PlannedListen) -> dict[str, Any]:
    return {
        "at": listen.at,
        "addresses": list(listen.addresses),
        "exposed": listen.exposed,
        "chosen": listen.chosen,
    }


def _dial(dial: Dial) -> dict[str, Any]:
    return {
        "by": dial.by,
        **dial_address_json(dial),
        "means": dial.means,
        "passes": all(reason.passes for reason in dial.reasons),
        "reasons": [
            {
                "text": reason.text,
                "passes": reason.passes,
                "file": reason.place.file if reason.place else None,
                "line": reason.place.line if reason.place else None,
                "column": reason.place.column if reason.place else None,
            }
            for reason in dial.reasons
        ],
    }


def dial_address_json(dial: Dial) -> dict[str, Any]:
    """What is dialed: ``host`` and ``port``, or what takes their place."""
    if dial.transport is not None:
        return {"transport": dial.transport, "text": dial.text}
    if dial.path is not None:
        return {"path": dial.path}
    return {"host": dial.host, "port": dial.port}


def _alternative(alternative: Alternative) -> dict[str, Any]:
    return {
        "path": list(alternative.path),
        "cost": alternative.cost,
        "sessions": list(alternative.sessions),
        "exit": alternative.exit,
        "dial": None if alternative.dial is None else _dial(alternative.dial),
    }


def missing_json(missing: Missing) -> dict[str, Any]:
    """One permission that would have to exist."""
    return {
        "kind": missing.kind,
        "at": missing.at,
        "from": missing.from_,
        "to": missing.to,
        "address": missing.address,
        "port": missing.port,
        "protocol": missing.protocol,
        "setting": missing.setting,
    }
