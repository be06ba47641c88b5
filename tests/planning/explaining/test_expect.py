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


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("{from: laptop, to: desk-vnc, verdict: unreachable}", "by way of laptop → gateway, which dials 10.20.0.30"),
        ("{from: laptop, to: '10.20.0.30:22', direct: true, verdict: reachable}", "by nat only"),
        ("{from: office, to: laptop, verdict: reachable, via: [gateway]}", "laptop"),
        ("{from: internet, to: files, direct: true, verdict: reachable}", "behind gateway"),
    ],
)
def test_what_was_found_instead_is_said(tmp_path: Path, entry: str, why: str) -> None:
    [said] = failed(tmp_path, OFFICE[: OFFICE.index("expect:")] + f"expect:\n  - {entry}\n")
    assert why in said.message


def test_a_service_does_not_reach_itself_by_its_published_address(tmp_path: Path) -> None:
    rules = OFFICE.replace("    nat:\n", '    nat:\n      - {network: office, port: 2222, to: "gateway:22"}\n')
    rules = rules.replace("    rules:\n", "    rules:\n      - {allow: {from: office, to: gateway, ports: [22]}}\n")
    text = rules[: rules.index("expect:")] + (
        "expect:\n"
        "  - {from: gateway, to: '10.20.0.1:2222', direct: true, verdict: reachable}\n"
        "  - {from: office, to: '10.20.0.1:2222', direct: true, verdict: reachable}\n"
    )
    [said] = failed(tmp_path, text)
    assert "edge sends it back to gateway" in said.message
    hidden = text.replace("    nat:\n", "    nat:\n      - {network: office, masquerade: true}\n")
    assert failed(tmp_path, hidden) == ()
