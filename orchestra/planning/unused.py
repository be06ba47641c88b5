"""Settings that this version reads and does not act on: better said than silently believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.diagnostics import Code, Diagnostic

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orchestra.model.topology import SshSettings, Topology, Tunnel


def unused_settings(topology: Topology) -> Iterator[Diagnostic]:
    """One warning per setting, at the first server or tunnel that has it."""
    servers = {name: host.server.ssh for name, host in sorted(topology.hosts.items()) if host.server}
    config = {name: ssh for name, ssh in servers.items() if ssh.config_host or ssh.ssh_config not in (None, "none")}
    asking = {name: ssh for name, ssh in servers.items() if ssh.host_key_policy == "ask"}
    moving = {name: tunnel for name, tunnel in sorted(topology.tunnels.items()) if tunnel.failover}
    if config:
        yield _unused("ssh_config", list(config.items()), "ssh_config files are not read")
    if asking:
        yield _unused("host_key_policy: ask", list(asking.items()), "unknown keys are refused, as with strict")
    if moving:
        yield _unused("failover", list(moving.items()), "other paths are listed in the plan, and not taken")


def _unused(setting: str, users: Sequence[tuple[str, SshSettings | Tunnel]], instead: str) -> Diagnostic:
    name, first = users[0]
    others = f" and {len(users) - 1} more" if len(users) > 1 else ""
    return Diagnostic(
        code=Code.SETTING_UNUSED,
        severity="warning",
        message=f"{setting} of {name}{others} has no effect in this version: {instead}",
        place=first.place,
    )
