"""Tunnels with their names resolved, and those that stand for targets."""

from __future__ import annotations

import pytest

from orchestra.loading.building.tunnels import variable_prefix
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


@pytest.mark.parametrize(
    ("name", "prefix"), [("db", "ORCHESTRA_DB_"), ("my-db.x", "ORCHESTRA_MY_DB_X_"), ("dé", "ORCHESTRA_D__")]
)
def test_the_prefix_of_a_tunnels_variables(name: str, prefix: str) -> None:
    assert variable_prefix(name) == prefix


TARGETS = "clients: {here: }\nservers: {s: }\ntargets: {t: 'x:80', d: {address: 'x:53', protocol: udp}}\n"


@pytest.mark.parametrize(
    ("tunnels", "errors"),
    [
        ("{a-b: {to: t}, a.b: {to: t}}", ["tunnels.a.b DUPLICATE_VARIABLE"]),
        ("{a: {to: t, env: {X: x}}, b: {to: t, env: {X: y}}}", ["tunnels.b.env.X DUPLICATE_VARIABLE"]),
        ("{a: {to: t, env: {ORCHESTRA_B_PORT: x}}, b: {to: t}}", ["tunnels.b DUPLICATE_VARIABLE"]),
        ("{x: }", ["tunnels.x MISSING_KEY"]),
        ("{t: {by: s}}", ["tunnels.t.by BAD_VALUE"]),
        ("{t: {from: nobody}}", ["tunnels.t.from UNKNOWN_NAME"]),
        ("{t: {via: [s, nobody]}}", ["tunnels.t.via[1] UNKNOWN_NAME"]),
        ("{p: {kind: socks}}", ["tunnels.p MISSING_KEY"]),
        ("{d: {check: http}}", ["tunnels.d.check KIND_CANNOT"]),
        (
            "{t: {check: {type: http, rise: 0, fall: -1}}}",
            ["tunnels.t.check.rise BAD_VALUE", "tunnels.t.check.fall BAD_VALUE"],
        ),
        (
            "{t: {check: {type: http, rise: two, timeout: soon}}}",
            ["tunnels.t.check.rise BAD_TYPE", "tunnels.t.check.timeout BAD_VALUE"],
        ),
        ("{t: {check: {type: http, every: 10s, timeout: 30s}}}", ["tunnels.t.check.timeout BAD_VALUE"]),
        ("{t: {check: {type: http, every: 10s, timeuot: 3s}}}", ["tunnels.t.check.timeuot UNKNOWN_KEY"]),
        ("{t: {check: {type: http, every: 10s, timeout: 10s, rise: 1, fall: 5}}}", []),
        ("{p: {kind: socks, exit: s}, d: , t: {from: here, by: here}}", []),
    ],
)
def test_what_tunnels_cannot_say(tunnels: str, errors: list[str]) -> None:
    assert [f"{each.path} {each.code}" for each in read(f"{TARGETS}tunnels: {tunnels}\n").diagnostics] == errors


def test_how_often_a_check_runs_and_what_it_takes_to_believe_it() -> None:
    found = topology(TARGETS + "tunnels: {t: {check: {type: tcp, every: 1m, timeout: 500ms, rise: 1, fall: 4}}, d: }\n")
    assert found.tunnels["t"].check == CheckRef(every=60.0, timeout=0.5, rise=1, fall=4)
    assert topology(TARGETS + "tunnels: {t: {check: tcp}, d: }\n").tunnels["t"].check == CheckRef()


def test_a_tunnel_without_a_kind_is_of_its_targets_protocol_and_proven_by_what_can() -> None:
    found = topology(TARGETS + "tunnels: {d: , t: , p: {kind: socks, exit: s}}\n").tunnels
    assert {name: (each.kind, each.to, each.check.type) for name, each in found.items()} == {
        "d": ("udp", "d", "none"),
        "t": ("tcp", "t", "tcp"),
        "p": ("socks", None, "none"),
    }


@pytest.mark.parametrize(
    ("to", "error"),
    [
        ("t", None),
        ("s", None),
        ("s:22", None),
        ("10.0.0.1", None),
        ("10.0.0.1:80", None),
        ("db.example:80", None),
        ("db.example", "UNKNOWN_NAME"),  # without a port it is taken for a name of the file
        ("nobody:80", "UNKNOWN_NAME"),
        ("t:70000", "BAD_ADDRESS"),
    ],
)
def test_what_an_expectation_may_lead_to(to: str, error: str | None) -> None:
    loaded = read(f"{TARGETS}expect: [{{from: here, to: '{to}', verdict: reachable}}]\n")
    assert [str(each.code) for each in loaded.diagnostics] == ([error] if error else [])
    assert len(loaded.partial.expectations) == (0 if error else 1)
