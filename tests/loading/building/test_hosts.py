"""Hosts and targets."""

from __future__ import annotations

from tests.loading.words import host, read, said, topology


def test_a_target_on_another_host_may_bear_its_name() -> None:
    found = topology("servers: {db: }\ntargets: {db: {host: db, address: 5432}}\n")
    assert list(found.hosts) == ["db"]


def test_of_two_with_one_name_the_first_stays() -> None:
    loaded = read("networks: {n: }\nclients: {a: , n: }\nservers: {a: u@a}\ntargets: {a: 'x:80'}\n")
    assert [(str(each.code), each.path) for each in loaded.diagnostics] == [
        ("DUPLICATE_NAME", "clients.n"),
        ("DUPLICATE_NAME", "servers.a"),
        ("DUPLICATE_NAME", "targets.a"),
    ]
    assert loaded.partial.hosts["a"].kind == "client"
    assert "write `host: a` when the target runs on that host" in str(loaded.diagnostics[2].suggestion)


def test_a_route_is_by_a_firewall_to_a_network() -> None:
    head = "networks: {n: , m: }\nfirewalls: {f: }\nservers: {s: }\n"
    assert host(head + "clients: {c: {route: {n: f}}}\n", "c").route == {"n": "f"}
    loaded = read(head + "clients: {c: {route: {n: s, x: f, m: f}}}\n")
    assert [each.path for each in loaded.diagnostics] == ["clients.c.route.n", "clients.c.route.x"]
    assert loaded.partial.hosts["c"].route == {"m": "f"}


def test_a_firewall_routes_by_another_than_itself() -> None:
    loaded = read("networks: {n: 10.0.0.0/24}\nfirewalls: {f: {networks: {n: 10.0.0.1}, route: {n: f}}}\n")
    assert said(loaded) == ["2:53 BAD_VALUE"]
    assert loaded.diagnostics[0].message == "f is to send what is for 'n' to itself"


def test_what_a_target_is_behind() -> None:
    found = topology(
        "servers: {s: , t: }\ntargets: {own: {address: 'x:1', behind: [s, t]}, on: {host: s, address: 1, behind: t}}\n"
    )
    assert (found.hosts["own"].behind, found.targets["own"].behind) == (("s", "t"), ("s", "t"))
    assert (found.hosts["s"].behind, found.targets["on"].behind) == ((), ("t",))
    loaded = read("servers: {s: }\ntargets: {own: {address: 'x:1', behind: [s, nobody]}}\n")
    assert said(loaded) == ["2:45 UNKNOWN_NAME"]
    assert loaded.partial.targets["own"].behind == ("s",)


def test_a_target_on_an_unknown_host_is_left_out() -> None:
    loaded = read("targets: {t: {host: nobody, address: 80}, u: 'x:80'}\n")
    assert said(loaded) == ["1:21 UNKNOWN_NAME"]
    assert list(loaded.partial.targets) == ["u"]


def test_a_target_may_be_on_this_machine_in_a_file_without_clients() -> None:
    found = topology("servers: {s: }\ntargets: {web: {host: localhost, address: '127.0.0.1:3000'}}\n")
    assert found.targets["web"].host == "localhost"
    assert list(found.tunnels) == ["web"]
    assert said(read("clients: {c: }\ntargets: {web: {host: localhost, address: 80}}\n")) == ["2:23 UNKNOWN_NAME"]
