"""The file's own tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestra.diagnostics import Code, Diagnostic
from orchestra.planning import check_expectations, check_statically
from tests.planning.example import OFFICE, VOCABULARY, loaded


def failed(tmp_path: Path, text: str) -> tuple[Diagnostic, ...]:
    return check_expectations(loaded(tmp_path, text), vocabulary=VOCABULARY)


def test_its_expectations_hold_and_nothing_is_wrong_with_it(tmp_path: Path) -> None:
    topology = loaded(tmp_path, OFFICE)
    assert check_expectations(topology, vocabulary=VOCABULARY) == ()
    assert [each for each in check_statically(topology, vocabulary=VOCABULARY) if each.severity == "error"] == []


@pytest.mark.parametrize(
    ("entry", "holds"),
    [
        ("{from: laptop, to: desk-vnc, verdict: unreachable}", False),
        ("{from: laptop, to: desk-vnc, direct: true, verdict: unreachable}", True),
        ("{from: laptop, to: gateway, direct: true, verdict: reachable}", True),
        ("{from: office, to: 'desk-vnc', direct: true, verdict: reachable}", True),
        ("{from: office, to: '10.20.0.30:5900', direct: true, verdict: reachable}", True),
        ("{from: internet, to: 'gateway:22', direct: true, verdict: reachable}", True),
        ("{from: internet, to: 'gateway:23', direct: true, verdict: reachable}", False),
        ("{from: gateway, to: desk-vnc, verdict: reachable}", True),
        ("{from: laptop, to: '10.20.0.30:5901', verdict: reachable}", True),
    ],
)
def test_expectations(tmp_path: Path, entry: str, holds: bool) -> None:
    text = OFFICE[: OFFICE.index("expect:")] + f"expect:\n  - {entry}\n"
    found = failed(tmp_path, text)
    assert (found == ()) is holds
    for each in found:
        assert each.code is Code.EXPECT_FAILED
        assert each.place is not None
        assert each.place.line == OFFICE[: OFFICE.index("expect:")].count("\n") + 2
