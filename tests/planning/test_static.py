"""Checks that need no path, also of what is left of a broken file."""

from __future__ import annotations

from pathlib import Path

from orchestra.diagnostics import Code
from orchestra.model.topology import Rule, Selector
from orchestra.planning import check_statically
from orchestra.plugin.vocabulary import Vocabulary
from tests.planning.example import loaded
from tests.planning.make import client, firewall, host, publish, target, topology, tunnel
from tests.planning.office import HERE, LAN, NET, OPEN_GATE, VOCABULARY


def test_static_checks_tolerate_what_is_missing() -> None:
    lost = Rule(action="allow", sources=(Selector(kind="network", text="gone", name="gone"),), destinations=())
    wall = firewall(
        "wall", {"gone": "10.9.0.1"}, lost, nat=(publish("gone", 1, "nobody", 2),), route={"gone": "nobody"}
    )
    partial = topology(wall, client("a"), client("b"), tunnel("x", "nothing", "localhost:1", at="nobody"))
    assert check_statically(partial, vocabulary=Vocabulary(), whole=False) == ()


def test_profiles_that_are_never_open_together_do_not_conflict() -> None:
    things = (NET, LAN, HERE, OPEN_GATE, host("db", networks={"lan": "10.1.0.9"}), target("db", "5432"))
    apart = (tunnel("x", "db", "localhost:1", profiles=("p",)), tunnel("y", "db", "localhost:1", profiles=("q",)))
    assert check_statically(topology(*things, *apart), vocabulary=Vocabulary()) == ()
    always = (tunnel("x", "db", "localhost:1"), tunnel("y", "db", "localhost:1", profiles=("q",)))
    found = check_statically(topology(*things, *always), vocabulary=Vocabulary())
    assert {each.code for each in found} == {Code.LISTEN_CONFLICT}


def test_static_checks(tmp_path: Path) -> None:
    text = """\
servers: {bastion: ci@bastion.example.com}
targets:
  db: {address: "127.0.0.1:5432", networks: {}}
  web: web.internal:8080
  api: api.internal:8080
firewalls:
  f:
    networks: {n: 10.0.0.1, m: 10.1.0.1}
    rules: [{allow: {from: any, to: any}}, {deny: {from: n, to: any, ports: [22]}}]
networks: {n: 10.0.0.0/24, m: 10.1.0.0/24}
"""
    found = check_statically(loaded(tmp_path, text), vocabulary=VOCABULARY)
    assert {each.code for each in found} == {Code.LOOPBACK_ELSEWHERE, Code.LISTEN_CONFLICT, Code.RULE_SHADOWED}
    assert all(each.place for each in found)


def test_a_loopback_behind_a_server_is_probably_that_of_the_server(tmp_path: Path) -> None:
    text = 'servers: {bastion: ci@bastion.example.com}\ntargets: {db: {address: "localhost:5432", behind: bastion}}\n'
    (found,) = check_statically(loaded(tmp_path, text), vocabulary=VOCABULARY)
    assert found.code is Code.LOOPBACK_ELSEWHERE
    assert "write `host: bastion` in place of `behind`" in (found.suggestion or "")
