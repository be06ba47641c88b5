"""The value itself: what it says of itself in short."""

from __future__ import annotations

import pytest

from orchestra.planning import explain
from orchestra.planning.explaining.explanation import in_short
from orchestra.plugin.vocabulary import Vocabulary
from tests.planning.make import host, target, topology
from tests.planning.office import DB, GATE, HERE, LAN, NET, edge

WEB = target("web", "80", "db")
NO_RULE = "edge has no rule that allows here to db (10.1.0.9) port 80/tcp"


@pytest.mark.parametrize(
    ("things", "from_", "said"),
    [
        ((GATE, DB), "here", "by way of here → gate, which dials 10.1.0.9:80"),
        ((DB,), "db", "db dials 127.0.0.1:80"),
        ((edge(), DB), "here", f"here cannot dial 10.1.0.9:80 (db): {NO_RULE}"),
        ((DB,), "here", "here cannot dial db:80 (db): here is on net; no network and no firewall joins it to lan"),
    ],
)
def test_the_verdict_in_one_sentence(things: tuple[object, ...], from_: str, said: str) -> None:
    source = topology(NET, LAN, HERE, *things, WEB)  # type: ignore[arg-type]
    assert in_short(explain(source, from_, "web", vocabulary=Vocabulary())) == said


def test_what_leaves_the_machine_without_a_session_is_unprotected() -> None:
    source = topology(NET, LAN, HERE, GATE, DB, WEB, host("near", networks={"net": "203.0.113.7"}))
    protected, bare, own = (
        explain(source, "here", to, vocabulary=Vocabulary()).unprotected for to in ("web", "near:80", "here:80")
    )
    assert (protected, bare, own) == (False, True, False)
