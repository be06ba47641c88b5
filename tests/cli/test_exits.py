"""Exit codes: the table that scripts rely on."""

import pytest

from orchestra.cli.exits import Exit, exit_of_code, exit_of_error, exit_of_plan
from orchestra.diagnostics import Code, Diagnostic
from orchestra.errors import OrchestraError, RuntimeFailure, TopologyInvalid, UsageError
from orchestra.session.errors import OpenFailed
from tests.render import plans


def test_the_numbers():
    assert [int(code) for code in Exit] == [0, 1, 2, 3, 4, 5, 124, 125, 126, 127, 130, 143]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("x"), 2),
        (TopologyInvalid(()), 2),
        (OpenFailed(Code.AUTH_FAILED, "x"), 4),
        (OpenFailed(Code.HOST_KEY_UNKNOWN, "x"), 4),
        (OpenFailed(Code.HOST_KEY_CHANGED, "x"), 4),
        (OpenFailed(Code.HOST_KEY_REVOKED, "x"), 4),
        (RuntimeFailure(Code.CONNECT_REFUSED, "x"), 1),
        (OrchestraError("x"), 1),
    ],
)
def test_errors(error, code):
    assert exit_of_error(error) == code


def test_codes_that_a_newer_version_says_are_failures():
    assert exit_of_code("SOMETHING_NEW") == Exit.FAILED


def diagnostic(code, severity="error", tunnel=None):
    """A diagnostic of that code."""
    return Diagnostic(code=code, severity=severity, message="x", tunnel=tunnel)


@pytest.mark.parametrize(
    ("tunnels", "diagnostics", "code"),
    [
        ((plans.DESK, plans.ELSEWHERE), (), 0),
        ((plans.DESK,), (diagnostic(Code.LISTEN_EXPOSED, "warning"),), 0),
        ((plans.DESK, plans.BLOCKED), (plans.DENIED,), 3),
        ((plans.DESK,), (diagnostic(Code.EXPECT_FAILED),), 3),
        ((plans.DESK,), (diagnostic(Code.LISTEN_CONFLICT, tunnel="desk"),), 2),
        ((plans.BLOCKED,), (plans.DENIED, diagnostic(Code.LISTEN_CONFLICT, tunnel="desk")), 2),
    ],
)
def test_plans(tunnels, diagnostics, code):
    assert exit_of_plan(plans.plan(*tunnels, diagnostics=diagnostics)) == code
