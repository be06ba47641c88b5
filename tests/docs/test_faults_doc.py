"""Every row of the fault table names a test that there is, and every fault test has its row."""

from __future__ import annotations

import re

from tests.faults.table import ROOT, functions, rows


def test_every_fault_has_its_row() -> None:
    assert [row.number for row in rows()] == list(range(1, 44))


def test_every_row_is_shown_by_tests_that_there_are() -> None:
    empty = [(row.number, name) for row in rows() for name in row.named or ("nothing",) if not tuple(row._tests(name))]
    assert empty == []


def test_every_fault_test_is_in_the_row_of_its_number() -> None:
    shown = {test for row in rows() for test in row.tests}
    own = {
        f"tests/faults/{file.name}::{name}"
        for file in (ROOT / "tests" / "faults").glob("test_*.py")
        for name in functions(f"tests/faults/{file.name}")
        if re.match(r"test_fault_\d\d_", name)
    }
    assert own - shown == set()
    assert len(own) > 40
