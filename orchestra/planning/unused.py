"""Settings that have no effect, in this version or as they stand: better said than silently believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.diagnostics import Code, Diagnostic, write_key_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orchestra.model.topology import Topology, Tunnel


def unused_settings(topology: Topology) -> Iterator[Diagnostic]:
    """One warning per setting, at the first tunnel that has it."""
    moving = [tunnel for _, tunnel in sorted(topology.tunnels.items()) if tunnel.failover]
    if moving:
        yield _unused("failover", moving, "other paths are listed in the plan, and not taken")
    yield from _of_checks(topology)


def _of_checks(topology: Topology) -> Iterator[Diagnostic]:
    """How often a check has to fail in a row means something where it is repeated."""
    for name, tunnel in sorted(topology.tunnels.items()):
        path = ("tunnels", name, "check")
        for setting in ("rise", "fall") if tunnel.check.every is None else ():
            if place := topology.places.get((*path, setting)):
                yield Diagnostic(
                    code=Code.SETTING_UNUSED,
                    severity="warning",
                    message=f"`{setting}` counts the runs of a check that is repeated; that of {name} is not",
                    place=place,
                    path=write_key_path((*path, setting)),
                    suggestion="write `every` too",
                )


def _unused(setting: str, users: Sequence[Tunnel], instead: str) -> Diagnostic:
    others = f" and {len(users) - 1} more" if len(users) > 1 else ""
    return Diagnostic(
        code=Code.SETTING_UNUSED,
        severity="warning",
        message=f"{setting} of {users[0].name}{others} has no effect in this version: {instead}",
        place=users[0].place,
    )
