"""Rules that never decide."""

from __future__ import annotations

from orchestra.diagnostics import Code
from orchestra.planning import check_statically
from orchestra.plugin.vocabulary import Vocabulary
from tests.planning.make import (
    allow,
    deny,
    firewall,
    topology,
)
from tests.planning.office import (
    LAN,
    NET,
)


def test_a_shadowed_rule_with_another_action_is_a_warning() -> None:
    wall = firewall(
        "w", {"net": "203.0.113.9", "lan": "10.1.0.1"}, allow("any", "@lan"), deny("any", "10.1.0.0/25", 22)
    )
    [found] = check_statically(topology(NET, LAN, wall), vocabulary=Vocabulary())
    assert (found.code, found.severity) == (Code.RULE_SHADOWED, "warning")
    assert found.place is not None
    assert found.place.line == 11
