"""Hosts and targets."""

from __future__ import annotations

from tests.loading.words import topology


def test_a_target_on_another_host_may_bear_its_name() -> None:
    found = topology("servers: {db: }\ntargets: {db: {host: db, address: 5432}}\n")
    assert list(found.hosts) == ["db"]
