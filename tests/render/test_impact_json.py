"""What would be lost, as JSON."""

from __future__ import annotations

import json

from orchestra.planning.impact import impact
from orchestra.render.impact_json import impact_json
from tests.planning.office import VOCABULARY
from tests.planning.test_impact import TWO


def test_the_document() -> None:
    document = impact_json(impact(TWO, ["a"], vocabulary=VOCABULARY))
    assert json.loads(json.dumps(document)) == document
    assert [document[key] for key in ("format_version", "topology", "client", "without", "gone")] == [
        1,
        "t",
        "here",
        ["a"],
        ["a"],
    ]
    db, own, picky = document["tunnels"]
    dial = {"host": "10.1.0.9", "port": 80, "means": "db"}
    assert db == {
        "name": "db",
        "verdict": "rerouted",
        "reason": None,
        "before": {"path": ["here", "a"], "dial": {"by": "a", **dial}},
        "after": {"path": ["here", "b"], "dial": {"by": "b", **dial}},
        "listed": True,
    }
    assert own["verdict"] == "untouched"
    assert (picky["verdict"], picky["after"]) == ("lost", None)
    assert (document["expectations"], document["servers"]) == ([], [])
