from __future__ import annotations

import pytest

from orchestra.diagnostics import Code
from orchestra.loading.faults import Fault
from orchestra.loading.variables import expand

ENVIRON = {"USER": "ops", "EMPTY": "", "TRICKY": "${USER} $$ $"}


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("${USER}@bastion", "ops@bastion"),
        ("${EMPTY}", ""),
        ("${EMPTY:-x}", "x"),
        ("${NOPE:-a:b/c}", "a:b/c"),
        ("${NOPE:-}", ""),
        ("${USER:?needed}", "ops"),
        ("$$HOME $HOME $ 5$", "$HOME $HOME $ 5$"),
        ("$${USER}", "${USER}"),
        ("${TRICKY}", "${USER} $$ $"),
    ],
)
def test_expands(text: str, expanded: str) -> None:
    assert expand(text, ENVIRON) == expanded


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("${NOPE}", Code.UNSET_VARIABLE, "the environment variable NOPE is not set"),
        ("${NOPE:?who}", Code.UNSET_VARIABLE, "the environment variable NOPE is not set: who"),
        ("${EMPTY:?who}", Code.UNSET_VARIABLE, "the environment variable EMPTY is empty: who"),
        ("${A:-${B}}", Code.BAD_VALUE, "'${' is no variable"),
        ("${A:+x}", Code.BAD_VALUE, "'${A:+x}' is no variable"),
        ("${", Code.BAD_VALUE, "'${' is no variable"),
    ],
)
def test_says_what_is_missing(text: str, code: Code, message: str) -> None:
    with pytest.raises(Fault) as caught:
        expand(text, ENVIRON)
    assert (caught.value.code, caught.value.message) == (code, message)
