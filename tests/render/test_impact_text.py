"""What would be lost, for people."""

from __future__ import annotations

import re
from dataclasses import replace

from orchestra.planning.impact import impact
from orchestra.render.impact_text import impact_text
from orchestra.render.style import Style
from tests.planning.make import allow, server, target, topology
from tests.planning.office import DB, HERE, LAN, NET, VOCABULARY, edge
from tests.planning.test_impact import TWO


def test_what_is_lost_comes_first() -> None:
    assert impact_text(impact(TWO, ["a"], vocabulary=VOCABULARY)).splitlines() == [
        "✘  picky  lost: a, which it has to pass (`via`), is gone",
        "↷  db     here → b  instead of here → a",
        "=  own    not touched",
        "",
        "without a: 1 lost, 1 has another path, 1 not touched",
    ]


def test_servers_and_accounts_of_one_machine() -> None:
    text = impact_text(impact(TWO, ["b", "a"], vocabulary=VOCABULARY))
    assert text.endswith("\n\nout of reach of here: deep\n\nwithout a, b: 3 lost")
    accounts = [server(name, {"net": "203.0.113.2"}, user=name) for name in ("ops", "root")]
    text = impact_text(impact(topology(NET, HERE, *accounts), ["ops"], vocabulary=VOCABULARY))
    assert text == "without ops (and root, the same machine): there are no tunnels to lose"


def test_the_same_hosts_by_another_way() -> None:
    way = replace(edge(allow("any", "db")), name="way")
    yon = replace(edge(allow("any", "db")), name="yon")
    things = (NET, LAN, HERE, DB, target("db", "80"))
    text = impact_text(impact(topology(*things, way, yon), ["way"], vocabulary=VOCABULARY))
    assert text.startswith("↷  db  here  as before, by other firewalls or addresses\n")


def test_colour_changes_no_letter() -> None:
    found = impact(TWO, ["a"], vocabulary=VOCABULARY)
    painted = impact_text(found, Style(colour=True))
    assert "\x1b[" in painted
    assert re.sub(r"\x1b\[[\d;]*m", "", painted) == impact_text(found)
