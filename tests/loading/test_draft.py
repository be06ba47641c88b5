"""Sections, entry by entry."""

from __future__ import annotations

from tests.loading.words import topology


def test_x_keys_are_free_where_keys_are_fixed_and_names_elsewhere() -> None:
    found = topology("x-a: 1\nservers: {x-b: {x-c: [], ssh: {host: b, x-d: }}}\n")
    assert list(found.hosts) == ["x-b"]
