"""Problems for people: place, code, excerpt, caret, key path, help, and how many there are."""

from textwrap import dedent

import pytest

from orchestra.diagnostics import Code, Diagnostic, Place
from orchestra.render.diagnostics_text import diagnostics_text, excerpt, headline
from orchestra.render.style import Style

SOURCE = "clients:\n  laptop:\n    sever: {}\n"
UNKNOWN = Diagnostic(
    code=Code.UNKNOWN_KEY,
    severity="error",
    message="a client has no key 'sever'",
    place=Place("office.yaml", 3, 5),
    path="clients.laptop.sever",
    suggestion="did you mean 'server'?",
)


def test_the_whole_of_one():
    assert (
        diagnostics_text([UNKNOWN], {"office.yaml": SOURCE})
        == dedent(
            """
            office.yaml:3:5: error[UNKNOWN_KEY] a client has no key 'sever'
              3 |     sever: {}
                |     ^^^^^
                = in clients.laptop.sever
                = help: did you mean 'server'?

            1 error
            """
        ).strip()
    )


def test_without_source_or_place_the_rest_is_said():
    bare = Diagnostic(code=Code.NO_SUCH_FILE, severity="error", message="there is no file x.yaml")
    assert diagnostics_text([bare], {}) == "error[NO_SUCH_FILE] there is no file x.yaml\n\n1 error"
    assert " | " not in diagnostics_text([UNKNOWN], {})


def test_the_same_problem_of_several_tunnels_is_said_once():
    text = diagnostics_text([UNKNOWN.about("a"), UNKNOWN.about("b"), UNKNOWN.about("a")], {})
    assert text.count("UNKNOWN_KEY") == 1
    assert "= for tunnel a, b\n" in text
    assert text.endswith("\n\n1 error")


def test_severities_are_counted_apart():
    assumed = Diagnostic(code=Code.ASSUMED_REACHABLE, severity="info", message="db is assumed reachable")
    exposed = Diagnostic(code=Code.LISTEN_EXPOSED, severity="warning", message="x is exposed")
    other = Diagnostic(code=Code.LISTEN_EXPOSED, severity="warning", message="y is exposed")
    assert diagnostics_text([assumed, exposed, other], {}).endswith("\n\n2 warnings, 1 note")
    assert diagnostics_text([], {}) == ""


@pytest.mark.parametrize(
    ("line", "column", "marked"),
    [
        ("  port: 70000", 9, "70000"),
        ("  {host: a b, port: 1}", 10, "a b"),
        ('  name: "x, y" # why', 9, '"x, y"'),
        ("  name: plain text # why", 9, "plain text"),
        ("  to: [a, b]", 7, "["),
        ("  address: fd00::1", 12, "fd00::1"),
        ("  key:", 3, "key"),
        ("\tport: 1", 2, "port"),
        ("  naïve: ü", 10, "ü"),
        ("  x: y", 7, ""),
    ],
)
def test_the_caret_stands_under_what_is_meant(line, column, marked):
    shown, caret = excerpt(line + "\n", Place("f", 1, column))
    assert len(shown) == len(line.rstrip())
    assert shown[caret.index("^") :][: caret.count("^")] == marked
    assert caret.index("^") == column - 1


def test_the_caret_counts_wide_characters_twice():
    _, caret = excerpt("  名前: x\n", Place("f", 1, 7))
    assert caret == " " * 8 + "^"


def test_a_long_line_is_cut_around_the_place():
    line = "a: [" + ", ".join(f"host{number}" for number in range(100)) + "]"
    column = line.index("host50") + 1
    shown, caret = excerpt(line, Place("f", 1, column))
    assert len(shown) <= 112
    assert shown[0] == shown[-1] == "…"
    assert shown[caret.index("^") :].startswith("host50")
    assert caret.count("^") == len("host50")


@pytest.mark.parametrize("place", [Place("f", 9, 1), Place("f", 0, 1), Place("f", 2, 1), Place("f", 1, 50)])
def test_places_that_no_line_has_give_no_excerpt(place):
    assert excerpt("a: b\n\n", place) is None


def test_what_the_file_holds_cannot_move_the_cursor():
    source = "clients:\n  laptop:\n    \x1b[31msever: \u202e{}\n"
    text = diagnostics_text([UNKNOWN], {"office.yaml": source})
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\x1b" not in headline("error", "bad \x1b]0;x\x07 text")


def test_colour_changes_no_letter():
    import re

    plain = diagnostics_text([UNKNOWN], {"office.yaml": SOURCE})
    coloured = diagnostics_text([UNKNOWN], {"office.yaml": SOURCE}, Style(True))
    assert coloured != plain
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain
