"""Names, and those that another mistake has lost."""

from __future__ import annotations

import pytest

from orchestra.loading.building.scope import Scope
from orchestra.loading.draft import read_draft
from orchestra.loading.entries import Entries
from orchestra.loading.nodes import Branch
from orchestra.loading.reader import read_yaml
from orchestra.loading.report import Report
from tests.loading.words import VOCABULARY, read, said


def test_the_name_of_a_broken_entry_is_known() -> None:
    loaded = read(
        "networks: {n: 10.0.0.1/8}\nservers: {a: [], b: {behind: a, networks: [n]}}\n"
        "targets: {t: {adress: 5}, u: {host: a, address: 1}}\ntunnels: {x: {to: t}, y: {to: u, via: a}}\n"
    )
    assert said(loaded) == ["1:15 BAD_CIDR", "2:14 BAD_TYPE", "3:15 UNKNOWN_KEY"]


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        ("sever: {a: u@a}\ntargets: {t: {host: a, address: 1}}\n", ["1:1 UNKNOWN_KEY"]),
        ("networks: [n]\nclients: {c: {networks: [n]}}\n", ["1:11 BAD_TYPE"]),
        ("include: no.yaml\ntunnels: {t: {via: [a]}, u: }\n", ["1:10 NO_SUCH_FILE"]),
    ],
)
def test_names_that_are_lost_by_another_mistake_are_not_said_to_be_unknown(text: str, errors: list[str]) -> None:
    assert said(read(text)) == errors


def scope(text: str, **environ: str) -> Scope:
    report = Report()
    root = read_yaml("/etc/orchestra/f.yaml", text, environ={}, report=report, dropped=set())
    assert isinstance(root, Branch)
    draft = read_draft(root, Entries(VOCABULARY, report, set()))
    return Scope(draft, report, environ, incomplete=False)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("~/.ssh/id", "/home/u/.ssh/id"),
        ("~", "/home/u"),
        ("/etc/key", "/etc/key"),
        ("key", "/etc/orchestra/key"),
        ("~nosuchuser/key", "/etc/orchestra/~nosuchuser/key"),
    ],
)
def test_files_are_relative_to_the_file_that_names_them(name: str, file: str) -> None:
    assert scope("servers: {s: }\n", HOME="/home/u").file(name, ("servers", "s")) == file


def test_a_target_on_a_host_is_that_machine() -> None:
    found = scope(
        "servers: {s: }\ntargets: {on: {host: s, address: 1}, own: 'x:1', lost: {host: nobody, address: 1}}\n"
    )
    assert [found.machine(name) for name in ("s", "on", "own", "lost", "nobody")] == ["s", "s", "own", None, None]


def test_localhost_is_a_host_where_connections_start_in_a_file_without_clients() -> None:
    assert scope("servers: {s: }\n").host("localhost", (), here=True)
    assert not scope("clients: {c: }\n").host("localhost", (), here=True)


def test_places_are_those_of_keys_and_of_elements_of_lists() -> None:
    found = scope("servers:\n  s: {behind: [a, b]}\n")
    assert str(found.place(("servers", "s"))) == "/etc/orchestra/f.yaml:2:3"
    assert found.place(("servers", "s", "behind", 1)).column == 19
    assert found.stands(("servers", "s", "behind"))
    assert not found.stands(("servers", "s", "cost"))
