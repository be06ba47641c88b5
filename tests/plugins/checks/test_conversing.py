"""All checks through the suite that any check has to pass."""

from __future__ import annotations

import pytest

from orchestra.testing.checks import RULES, Rule, hold
from tests.plugins.checks.certificates import Certificates
from tests.plugins.checks.subjects import CHECKS, NAMES, subjects


def test_every_check_has_a_subject(certificates: Certificates) -> None:
    assert tuple(subjects(certificates)) == NAMES
    assert {name.partition(",")[0] for name in NAMES} >= CHECKS.keys() - {"command"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("name", NAMES)
def test_every_check_holds_every_rule(name: str, rule: Rule, certificates: Certificates) -> None:
    hold(rule, subjects(certificates)[name])
