from __future__ import annotations

from orchestra.assembly.additions import with_additions, without
from orchestra.assembly.topology import plugins
from orchestra.loading import load
from orchestra.loading.loader import Loaded

IMPLICIT = """\
servers: {bastion: ci@bastion.example.com}
targets: {db: "db.internal:5432", web: "web.internal:8080"}
"""


def read(text: str, more: str | None = None, tmp: str = "-") -> Loaded:
    return load(["-"], environ={}, vocabulary=plugins().vocabulary, stdin=text if more is None else text + more)


def added(text: str, name: str, addition: str) -> Loaded:
    return with_additions(read(text), {name: addition}, lambda more: read(text, more))


def names(loaded: Loaded) -> list[str]:
    return sorted(loaded.topology.tunnels) if loaded.topology else []


def test_a_tunnel_besides_takes_nothing_from_targets_that_have_theirs_unasked() -> None:
    found = added(IMPLICIT, "x", "tunnels: {x: {to: web}}")
    assert names(found) == ["db", "web", "x"]
    assert found.topology is not None
    assert found.topology.tunnels["x"].to == "web"
    assert not found.topology.tunnels["x"].implicit


def test_what_is_wrong_with_it_is_wrong_with_the_whole() -> None:
    found = added(IMPLICIT, "x", "tunnels: {x: {to: nowhere}}")
    assert found.topology is None
    assert [d.code for d in found.diagnostics] == ["UNKNOWN_NAME"]


def test_a_file_that_has_one_of_that_name_by_now_wins() -> None:
    text = IMPLICIT + "tunnels: {x: {to: db}}\n"
    found = with_additions(read(text), {"x": "tunnels: {x: {to: web}}"}, lambda more: read(IMPLICIT, more))
    assert found.topology is not None
    assert found.topology.tunnels["x"].to == "db"


def test_a_tunnel_less() -> None:
    assert names(without(read(IMPLICIT), "db")) == ["web"]
    broken = read("targets: [")
    assert without(broken, "db") is broken
