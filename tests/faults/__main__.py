"""Runs the fault table, all of it or the rows that are named, and prints it: ``python -m tests.faults [ROW…]``."""

from __future__ import annotations

import os
import sys
from collections import defaultdict

import pytest

from tests.faults.table import ROOT, rows


class Outcomes:
    """What came of every test, by its name without parameters."""

    def __init__(self) -> None:
        self.of: dict[str, list[str]] = defaultdict(list)
        self.seconds: dict[str, float] = defaultdict(float)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        test = report.nodeid.partition("[")[0]
        self.seconds[test] += report.duration
        if report.when == "call" or report.outcome != "passed":
            self.of[test].append(report.outcome)


def main(wanted: set[int]) -> int:
    os.environ["ORCHESTRA_FAULTS"] = "all"
    os.chdir(ROOT)
    chosen = [row for row in rows() if not wanted or row.number in wanted]
    if len(chosen) < len(wanted):
        raise SystemExit(f"the table has rows 1 to {len(rows())}")
    outcomes = Outcomes()
    tests = dict.fromkeys(test for row in chosen for test in row.tests)
    code = pytest.main(["-n", "2", "-o", "timeout=300", *tests], plugins=[outcomes])
    print(f"\n{'row':>3}  {'came of it':<12} {'tests':>5} {'seconds':>8}  fault")
    for row in chosen:
        found = [outcome for test in row.tests for outcome in outcomes.of[test]]
        worst = next((each for each in ("failed", "skipped", "passed") if each in found), "not run")
        seconds = sum(outcomes.seconds[test] for test in row.tests)
        print(f"{row.number:>3}  {worst:<12} {len(found):>5} {seconds:>8.1f}  {row.fault}")
    return int(code)


if __name__ == "__main__":
    sys.exit(main({int(argument) for argument in sys.argv[1:]}))
