"""One place prints what is expected to go wrong, and only that."""

import pytest

from orchestra.cli.console import Console
from orchestra.cli.errors import TopologyRejected, perform
from orchestra.cli.exits import Exit
from orchestra.diagnostics import Code, Diagnostic, Place
from orchestra.errors import RuntimeFailure, UsageError


def raising(error):
    """A command that ends so."""

    def command():
        raise error

    return command


def test_an_error_is_a_message_and_a_code(capsys):
    failure = RuntimeFailure(Code.AUTH_FAILED, "gateway refused alice", host="gateway", suggestion="offer another key")
    assert perform(raising(failure), Console.standard()) == Exit.IDENTITY
    assert capsys.readouterr() == ("", "error[AUTH_FAILED] gateway refused alice\n  help: offer another key\n")
    assert perform(raising(UsageError("no tunnel x")), Console.standard(quiet=True)) == Exit.USAGE
    assert capsys.readouterr() == ("", "error: no tunnel x\n")


def test_a_rejected_topology_shows_its_lines(capsys):
    bad = Diagnostic(code=Code.BAD_VALUE, severity="error", message="no", place=Place("f.yaml", 1, 4))
    assert perform(raising(TopologyRejected((bad,), {"f.yaml": "a: b"})), Console.standard()) == Exit.USAGE
    assert "  1 | a: b\n    |    ^\n" in capsys.readouterr().err


def test_what_it_returns_is_the_code():
    assert perform(lambda: 7, Console.standard()) == 7


def test_an_interrupt(capsys):
    assert perform(raising(KeyboardInterrupt()), Console.standard()) == Exit.INTERRUPTED
    assert capsys.readouterr().err == "interrupted\n"


def test_a_bug_stays_a_bug():
    with pytest.raises(ZeroDivisionError):
        perform(lambda: 1 // 0, Console.standard())


@pytest.mark.parametrize(
    "argv", [("plna",), ("plan", "--no-such"), ("plan", "a", "b"), ("plan", "-o", "svg"), ("plan", "--color", "red")]
)
def test_a_wrong_call_ends_with_2_on_standard_error(run_cli, argv):
    ran = run_cli(*argv)
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert "Usage: orchestra" in ran.err
    assert "Error: " in ran.err
