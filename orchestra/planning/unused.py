"""Settings that this version reads and does not act on: better said than silently believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.diagnostics import Code, Diagnostic

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orchestra.model.topology import Topology, Tunnel


def unused_settings(topology: Topology) -> Iterator[Diagnostic]:
    """One warning per setting, at the first tunnel that has it."""
    moving = [tunnel for _, tunnel in sorted(topology.tunnels.items()) if tunnel.failover]
    if moving:
        yield _unused("failover", moving, "other paths are listed in the plan, and not taken")


def _unused(setting: str, users: Sequence[Tunnel], instead: str) -> Diagnostic:
    others = f" and {len(users) - 1} more" if len(users) > 1 else ""
    return Diagnostic(
        code=Code.SETTING_UNUSED,
        severity="warning",
        message=f"{setting} of {users[0].name}{others} has no effect in this version: {instead}",
        place=users[0].place,
    )
