"""Sections, entry by entry."""

from __future__ import annotations

import pytest

from orchestra.loading.draft import read_draft
from orchestra.loading.entries import Entries
from orchestra.loading.nodes import Branch
from orchestra.loading.reader import read_yaml
from orchestra.loading.report import Report
from tests.loading.words import VOCABULARY, read, topology


def test_x_keys_are_free_where_keys_are_fixed_and_names_elsewhere() -> None:
    found = topology("x-a: 1\nservers: {x-b: {x-c: [], ssh: {host: b, x-d: }}}\n")
    assert list(found.hosts) == ["x-b"]


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        ("servers: [a]", ["servers BAD_TYPE"]),
        ("defaults: {server: {}}", ["defaults.server UNKNOWN_KEY"]),
        ("defaults: {servers: {cots: 1}}", ["defaults.servers.cots UNKNOWN_KEY"]),
        ("expect: {}", ["expect BAD_TYPE"]),
        ("name: a/b", ["name BAD_VALUE"]),
        ("clients: {-x: }", ["clients.-x BAD_VALUE"]),
        ("x-a: {}\nservers:\ntunnels:\nexpect:\n", []),
    ],
)
def test_what_is_wrong_with_sections(text: str, errors: list[str]) -> None:
    assert [f"{each.path} {each.code}" for each in read(text + "\n").diagnostics] == errors


def test_a_broken_entry_harms_no_other_and_its_name_is_kept() -> None:
    report = Report()
    root = read_yaml("f", "servers: {a: [], b: u@b}\nsever: {c: }\n", environ={}, report=report, dropped=set())
    assert isinstance(root, Branch)
    draft = read_draft(root, Entries(VOCABULARY, report, set()))
    assert (set(draft.servers), draft.names["servers"]) == ({"b"}, {"a", "b"})
    assert "c" in draft.lost
