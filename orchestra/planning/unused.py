"""Settings that have no effect as they stand: better said than silently believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.diagnostics import Code, Diagnostic, write_key_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.model.topology import Topology, Tunnel


def unused_settings(topology: Topology) -> Iterator[Diagnostic]:
    """One warning per setting of a tunnel that means something only beside another one."""
    for name, tunnel in sorted(topology.tunnels.items()):
        for path, why, missing in _idle(tunnel):
            if place := topology.places.get(("tunnels", name, *path)):
                yield Diagnostic(
                    code=Code.SETTING_UNUSED,
                    severity="warning",
                    message=f"`{path[-1]}` {why}; that of {name} is not",
                    place=place,
                    path=write_key_path(("tunnels", name, *path)),
                    suggestion=f"write `{missing}` too",
                )


def _idle(tunnel: Tunnel) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """The setting, if it is written, what it is about, and what has to be written for that."""
    if not tunnel.failover:
        yield ("standby",), "is about the other paths of a tunnel that may take them", "failover: true"
    if tunnel.check.every is None:
        for setting in ("rise", "fall"):
            yield ("check", setting), "counts the runs of a check that is repeated", "every"
