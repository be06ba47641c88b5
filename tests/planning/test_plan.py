"""From topology to plan: what is in it, under which names, whatever the order of the keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestra.diagnostics import Code
from orchestra.errors import UsageError
from orchestra.model.topology import Topology
from orchestra.planning import make_plan
from tests.planning.example import OFFICE as EXAMPLE
from tests.planning.example import VOCABULARY as WORDS
from tests.planning.example import loaded
from tests.planning.make import allow, client, server, target, topology, tunnel
from tests.planning.office import DB, HERE, LAN, NET, OFFICE, VOCABULARY, dialed, edge, gates_of, plan


def test_the_shortest_file() -> None:
    made = plan(server("bastion", ssh_host="bastion.example"), target("db", "db.internal:5432"))
    assert [str(each.dial) for each in made.sessions] == ["bastion.example:22"]
    assert dialed(made.tunnel("db")) == "bastion dials db.internal:5432 = db"
    assert made.tunnel("db").path == ("localhost", "bastion")
    assert made.tunnel("db").direction == "local"
    assert made.tunnel("db").listen.addresses == ("127.0.0.1:5432", "[::1]:5432")  # type: ignore[union-attr]
    assert {each.code for each in made.diagnostics} == {Code.ASSUMED_NAME_RESOLVES}


def test_one_server_may_need_two_sessions() -> None:
    targets = (target("db", "80"), target("x", "127.0.0.1:81", "a"))
    tunnels = (tunnel("db", via=("b", "a")), tunnel("x"))
    made = plan(NET, LAN, HERE, *gates_of("ab"), DB, *targets, *tunnels)
    assert {each.id: (each.server, each.via) for each in made.sessions} == {
        "a": ("a", None),
        "b": ("b", None),
        "a~2": ("a", "b"),
    }
    assert made.tunnel("db").exit == "a~2"


def test_names_and_profiles_select() -> None:
    things = (*OFFICE, target("db", "5432"), tunnel("x", "db", "auto"), tunnel("y", "db", "auto", profiles=("g",)))
    assert [each.name for each in plan(*things).tunnels] == ["x"]
    assert [each.name for each in plan(*things, profiles=["g"]).tunnels] == ["x", "y"]
    assert [each.name for each in plan(*things, tunnels=["y"]).tunnels] == ["y"]
    assert [each.name for each in plan(*things, tunnels=["x"], profiles=["g"]).tunnels] == ["x", "y"]
    with pytest.raises(UsageError, match="no tunnel 'z'"):
        plan(*things, tunnels=["z"])
    with pytest.raises(UsageError, match="no profile 'h'"):
        plan(*things, profiles=["h"])


def shuffled(source: Topology, random: Random) -> Topology:
    def mix(mapping: Mapping[str, Any]) -> dict[str, Any]:
        items = list(mapping.items())
        random.shuffle(items)
        return dict(items)

    return replace(
        source,
        networks=mix(source.networks),
        hosts=mix(source.hosts),
        targets=mix(source.targets),
        tunnels=mix(source.tunnels),
    )


@settings(max_examples=30, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_keys_carries_no_meaning(random: Random) -> None:
    targets = (target("db", "5432"), target("x", "22", "b"))
    tunnels = (
        tunnel("db", failover=True, by="here"),
        tunnel("t", "db", "auto", via=("c",)),
        tunnel("u", "x", "auto", at="a", by="here"),
    )
    other, passing = client("other", {"net": None}), edge(allow("any", "any"))
    things = topology(NET, LAN, HERE, other, *gates_of("abcd"), DB, passing, *targets, *tunnels)
    first = make_plan(things, client="here", vocabulary=VOCABULARY)
    assert make_plan(shuffled(things, random), client="here", vocabulary=VOCABULARY) == first


def test_every_address_of_the_example(tmp_path: Path) -> None:
    made = make_plan(loaded(tmp_path, EXAMPLE), vocabulary=WORDS)
    [session] = made.sessions
    assert (session.id, session.via, session.dial.by, str(session.dial), session.dial.means) == (
        "gateway",
        None,
        "laptop",
        "198.51.100.1:2222",
        "gateway",
    )
    dials = {
        each.name: (each.direction, each.path, f"{each.dial.by} → {each.dial} = {each.dial.means}")
        for each in made.tunnels
        if each.dial
    }
    out = ("laptop", "gateway")
    assert dials == {
        "desk": ("local", out, "gateway → 10.20.0.30:5900 = desk-vnc"),
        "screen": ("local", out, "gateway → 127.0.0.1:5930 = gateway"),
        "files": ("local", out, "gateway → files.office.example:445 = files"),
        "callback": ("remote", ("gateway", "laptop"), "laptop → 127.0.0.1:3000 = laptop"),
        "names": ("local", out, "gateway → 10.20.0.53:53 = dns"),
    }
    listen = {each.name: each.listen.addresses for each in made.tunnels if each.listen}
    assert listen == {
        "desk": ("127.0.0.1:5920", "[::1]:5920"),
        "screen": ("127.0.0.1:5930", "[::1]:5930"),
        "files": ("127.0.0.1:auto", "[::1]:auto"),
        "callback": ("10.20.0.2:8080",),
        "names": ("127.0.0.1:5353", "[::1]:5353"),
    }
    assert {(each.code, each.tunnel) for each in made.diagnostics} == {
        (Code.LISTEN_EXPOSED, "callback"),
        (Code.LISTEN_ANY_PORT, "files"),
        (Code.ASSUMED_NAME_RESOLVES, "files"),
        (Code.NO_OTHER_PATH, "desk"),
    }
