"""What servers have to permit, as one JSON object: ``orchestra authorize -o json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestra.render.authorize_text import Limits, authorized_keys, listens, match_block, opens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestra.model.plan import Plan
    from orchestra.planning.authorize import Needs

FORMAT_VERSION = 1


def authorize_json(plan: Plan, servers: Sequence[tuple[Needs, str | None, Limits]]) -> dict[str, Any]:
    """``servers``: each with its public key, where that is known, and what narrows it further."""
    return {
        "format_version": FORMAT_VERSION,
        "topology": plan.topology,
        "client": plan.client,
        "servers": [_server(*each) for each in servers],
    }


def _server(needs: Needs, key: str | None, limits: Limits) -> dict[str, Any]:
    return {
        "server": needs.server,
        "user": needs.user,
        "permit_open": list(opens(needs)),
        "permit_listen": list(listens(needs)),
        "gateway_ports": "clientspecified" if needs.beyond_loopback else "no",
        "unix": {"open": list(needs.reasons("open unix")), "listen": list(needs.reasons("listen unix"))},
        "exec": list(needs.reasons("run")),
        "unproven": list(needs.reasons("listen unproven")),
        "reasons": [{"act": use.act, "at": str(use.at) if use.at else None, "for": use.why} for use in needs.uses],
        "public_key": key,
        "authorized_keys": authorized_keys(needs, key, limits),
        "sshd_config": match_block(needs, limits),
    }
