"""The bound on pairs worth an attempt leaves nothing out."""

from __future__ import annotations

from tests.planning.make import (
    host,
    server,
    target,
)
from tests.planning.office import (
    HERE,
    LAN,
    NET,
    OPEN_GATE,
    plan,
)


def test_an_unrelated_host_changes_no_plan() -> None:
    things = (NET, LAN, HERE, OPEN_GATE, host("db", networks={"lan": "10.1.0.9"}), target("db", "5432"))
    assert (
        plan(*things, server("zzz", {"lan": "10.1.0.77"}, cost=9)).tunnel("db").dial == plan(*things).tunnel("db").dial
    )
