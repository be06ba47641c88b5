"""Tunnels with their names resolved, and those that stand for targets."""

from __future__ import annotations

from orchestra.model.topology import CheckRef, Tunnel
from tests.loading.words import read, said, topology


def test_tunnels_that_stand_for_targets() -> None:
    found = topology("defaults: {tunnels: {failover: yes}}\ntargets: {t: 'x:80', d: {address: 53, protocol: udp}}\n")
    assert found.tunnels == {
        "t": Tunnel(name="t", to="t", failover=True, implicit=True),
        "d": Tunnel(name="d", kind="udp", to="d", failover=True, check=CheckRef(type="none"), implicit=True),
    }
    assert topology("targets: {t: 'x:80'}\ntunnels: {}\n").tunnels == {}


def test_without_clients_this_machine_is_a_host() -> None:
    text = "servers: {s: }\ntargets: {t: 'x:80'}\ntunnels: {t: {from: localhost, by: localhost}}\n"
    assert topology(text).tunnels["t"].from_ == "localhost"
    assert said(read("clients: {c: }\n" + text)) == ["4:21 UNKNOWN_NAME", "4:36 UNKNOWN_NAME"]
