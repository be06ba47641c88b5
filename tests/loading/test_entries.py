"""Entries over their defaults."""

from __future__ import annotations

from typing import Any

from orchestra.loading.entries import Entries
from orchestra.loading.reader import read_yaml
from orchestra.loading.report import Report
from orchestra.loading.shapes.hosts import Server, Target
from orchestra.model.topology import CheckRef
from tests.loading.words import VOCABULARY, topology


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


def entry(text: str, shape: type[Any] = Server, *, defaults: bool = False) -> tuple[Any, list[str]]:
    report = Report()
    node = read_yaml("f", text, environ={}, report=report, dropped=set())
    assert node is not None
    found = Entries(VOCABULARY, report, set()).read(shape, node, node.spot, ("servers", "s"), defaults=defaults)
    return found, [f"{each.path} {each.code}" for each in report.diagnostics]


def test_what_is_broken_is_left_out_and_the_rest_is_read() -> None:
    found, errors = entry("{cost: -1, behind: gate, ssh: {port: 0, user: me}, forwarding: {locl: no}}")
    assert sorted(errors) == [
        "servers.s.cost BAD_VALUE",
        "servers.s.forwarding.locl UNKNOWN_KEY",
        "servers.s.ssh.port BAD_VALUE",
    ]
    assert (found.behind, found.ssh.user, found.ssh.port, found.cost) == (("gate",), "me", None, None)


def test_a_fault_that_hides_another_hides_it_once_only() -> None:
    assert entry("{address: 'x:80', display: 70000, prt: 5}", Target)[1] == [
        "servers.s.prt UNKNOWN_KEY",
        "servers.s.display BAD_VALUE",
    ]


def test_what_is_missing_is_no_fault_of_defaults() -> None:
    assert entry("{protocol: udp}", Target)[1] == ["servers.s MISSING_KEY"]
    assert entry("{protocol: udp}", Target, defaults=True)[1] == []


def test_what_is_missing_because_it_was_broken_is_said_once() -> None:
    assert entry("{address: 'x:99999'}", Target)[1] == ["servers.s.address BAD_ADDRESS"]


def test_a_number_stands_for_text_as_it_is_written() -> None:
    found, errors = entry("{ssh: {user: 0777}}")
    assert (found.ssh.user, errors) == ("0777", [])


def test_nothing_of_what_is_no_entry_at_all() -> None:
    assert entry("[1]") == (None, ["servers.s BAD_TYPE"])
