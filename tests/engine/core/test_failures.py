from __future__ import annotations

import pytest

from orchestra.diagnostics import Code
from orchestra.engine.core.failures import Failure, classify
from orchestra.errors import RuntimeFailure


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (Code.CONNECT_REFUSED, "transient"),
        (Code.SERVER_BUSY, "transient"),
        (Code.SESSION_LOST, "transient"),
        (Code.NAME_UNRESOLVED, "transient"),
        (Code.DIAL_FAILED, "transient"),
        (Code.FORWARD_REFUSED, "policy"),
        (Code.LISTEN_IN_USE, "policy"),
        (Code.BIND_WIDENED, "policy"),
        (Code.AUTH_FAILED, "identity"),
        (Code.HOST_KEY_CHANGED, "identity"),
        (Code.HOST_KEY_UNKNOWN, "identity"),
    ],
)
def test_the_class_of_a_code(code: Code, kind: str) -> None:
    assert classify(code) == kind


def test_a_failure_says_what_the_error_said() -> None:
    error = RuntimeFailure(Code.AUTH_FAILED, "gateway does not take the key", host="gateway", suggestion="add it")
    assert Failure.of(error) == Failure(
        code=Code.AUTH_FAILED, message="gateway does not take the key", host="gateway", suggestion="add it"
    )
