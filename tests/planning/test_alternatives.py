"""Other paths that would do."""

from __future__ import annotations

from tests.planning.make import (
    target,
    tunnel,
)
from tests.planning.office import (
    DB,
    HERE,
    LAN,
    NET,
    gates_of,
    only,
)


def test_alternatives_are_listed_hop_disjoint_first_and_open_for_failover() -> None:
    gates = gates_of("abcde")
    made = only(NET, LAN, HERE, *gates, DB, target("db", "80"))
    assert [each.path for each in made.alternatives] == [("here", "b"), ("here", "c"), ("here", "d")]
    assert [each.sessions for each in made.alternatives] == [(), (), ()]
    made = only(NET, LAN, HERE, *gates[:2], DB, target("db", "80"), tunnel("db", failover=True))
    assert [(each.sessions, each.exit, str(each.dial)) for each in made.alternatives] == [(("b",), "b", "10.1.0.9:80")]
