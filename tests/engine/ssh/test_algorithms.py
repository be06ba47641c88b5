"""Lists of algorithms; tests/loading/sshconfig/test_against_ssh.py asks the system's ssh for the same."""

import pytest

from orchestra.engine.ssh.algorithms import assemble

DEFAULT, KNOWN = ("b", "c"), ("a1", "a2", "b", "c")


@pytest.mark.parametrize(
    ("spec", "names"),
    [
        (None, ("b", "c")),
        ("c,b", ("c", "b")),
        ("a*", ("a1", "a2")),
        ("+a*,b", ("b", "c", "a1", "a2")),
        ("^c,a2", ("c", "a2", "b")),
        ("-c,x", ("b",)),
        ("-*", ()),
        ("x", ()),
    ],
)
def test_lists(spec, names):
    assert assemble(spec, DEFAULT, KNOWN) == names
