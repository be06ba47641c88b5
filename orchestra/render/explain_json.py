"""An explanation as one JSON document: ``orchestra explain -o json``, see ``docs/plan-document.md``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestra.render.diagnostics_json import diagnostics_json
from orchestra.render.plan_json import dial_address_json, missing_json

if TYPE_CHECKING:
    from orchestra.diagnostics import Place
    from orchestra.model.topology import Tunnel
    from orchestra.planning.explaining.explanation import Check, Explanation, Leg, NearRule, Offer, Rejected

FORMAT_VERSION = 1


def explain_json(explanation: Explanation) -> dict[str, Any]:
    """The whole explanation, with the same content as the text."""
    return {
        "format_version": FORMAT_VERSION,
        "topology": explanation.topology,
        "file": explanation.file,
        "from": explanation.from_,
        "to": explanation.to,
        "via": list(explanation.via),
        "direct": explanation.direct,
        "dialer": explanation.dialer,
        "host": explanation.host,
        "port": explanation.port,
        "protocol": explanation.protocol,
        "verdict": explanation.verdict,
        "direction": explanation.direction,
        "unprotected": explanation.unprotected,
        "path": list(explanation.path),
        "cost": explanation.cost,
        "legs": [_leg(leg) for leg in explanation.legs],
        "offers": [_offer(offer) for offer in explanation.offers],
        "missing": [missing_json(missing) for missing in explanation.missing],
        "rejected": [_rejected(rejected) for rejected in explanation.rejected],
        "assumed": diagnostics_json(explanation.assumed),
    }


def _leg(leg: Leg) -> dict[str, Any]:
    return {
        "kind": leg.kind,
        "dial": {"by": leg.dial.by, **dial_address_json(leg.dial), "means": leg.dial.means},
        "passes": leg.passes,
        "checks": [_check(check) for check in leg.checks],
    }


def _check(check: Check) -> dict[str, Any]:
    return {
        "kind": check.kind,
        "at": check.at,
        "passes": check.passes,
        "code": None if check.code is None else str(check.code),
        "text": check.text,
        **_place(check.place),
        "rule": check.rule,
        "near": [_near(near) for near in check.near],
        "opposite": None if check.opposite is None else _near(check.opposite),
        "missing": None if check.missing is None else missing_json(check.missing),
        "suggestion": check.suggestion,
    }


def _near(near: NearRule) -> dict[str, Any]:
    return {
        "rule": near.rule,
        **_place(near.place),
        "fields": {
            field.name: {"matches": field.matches, "rule": field.rule, "flow": field.flow} for field in near.fields
        },
    }


def _offer(offer: Offer) -> dict[str, Any]:
    return {
        "kind": offer.kind,
        "text": offer.text,
        "holder": offer.holder,
        "at": offer.at,
        "listen": offer.listen,
        "path": list(offer.path),
        "tunnel": None if offer.tunnel is None else _tunnel(offer.tunnel),
        "inner": [_leg(leg) for leg in offer.inner],
        "outer": [_leg(leg) for leg in offer.outer],
    }


def _tunnel(tunnel: Tunnel) -> dict[str, Any]:
    """As it would stand in the file."""
    return {"name": tunnel.name, "to": tunnel.to, "by": tunnel.by, "at": tunnel.at, "listen": str(tunnel.listen)}


def _rejected(rejected: Rejected) -> dict[str, Any]:
    return {"path": list(rejected.path), "cost": rejected.cost, "leg": _leg(rejected.leg)}


def _place(place: Place | None) -> dict[str, Any]:
    return {
        "file": place.file if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
    }
