"""Entries over their defaults."""

from __future__ import annotations

from orchestra.model.topology import CheckRef
from tests.loading.words import topology


def test_defaults_merge_with_short_forms_and_are_overridden() -> None:
    found = topology(
        "defaults:\n"
        "  servers: {ssh: {user: ops, keepalive: 5, identity: [a]}, cost: 3}\n"
        "  tunnels: {failover: true, check: {type: http, every: 60}}\n"
        "servers: {one: ci@one, two: {ssh: two, cost: 1}, three: {ssh: {user: x, identity: [/b]}}, four: }\n"
        "targets: {t: 'x:80', u: 'x:81'}\n"
        "tunnels: {t: {check: none}, u: {check: {path: /up}}}\n"
    )
    servers = {name: host.server for name, host in found.hosts.items() if host.server}
    ssh = {name: (part.ssh.host, part.ssh.user, part.ssh.keepalive, part.cost) for name, part in servers.items()}
    assert ssh == {
        "one": ("one", "ci", 5.0, 3),
        "two": ("two", "ops", 5.0, 1),
        "three": (None, "x", 5.0, 3),
        "four": (None, "ops", 5.0, 3),
    }
    assert servers["three"].ssh.identity == ("/b",)
    assert found.tunnels["t"].failover
    assert found.tunnels["t"].check == CheckRef(type="none", every=60.0)
    assert found.tunnels["u"].check.options == {"status": 200, "path": "/up", "method": "GET"}
