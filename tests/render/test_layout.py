"""Columns as a terminal shows them."""

import pytest

from orchestra.diagnostics import Place
from orchestra.render.layout import EMPTY, cell, columns, counted, joined, line_of, table, timestamp
from orchestra.render.style import PLAIN, Style


@pytest.mark.parametrize(("text", "width"), [("abc", 3), ("", 0), ("名前", 4), ("naïve", 5), ("e\u0301", 1), ("→", 1)])
def test_widths(text, width):
    assert columns(text) == width


def test_columns_line_up_whatever_they_hold():
    rows = [
        (cell("a"), cell("名前"), cell("x")),
        (EMPTY, cell("long name"), cell("y")),
        (cell("b"), cell("last one is free")),
    ]
    assert table(rows, PLAIN, indent="") == [
        "a  名前       x",
        "   long name  y",
        "b  last one is free",
    ]


def test_colour_takes_no_columns():
    rows = [(cell("a", "good"), cell("x")), (cell("bbb"), cell("y"))]
    assert table(rows, Style(True), indent="") == ["\x1b[32ma\x1b[0m    x", "bbb  y"]


def test_text_from_strangers_is_cleaned():
    assert cell("a\x1bb") == ((None, "a·b"),)
    assert joined(["a", "b\n"]) == "a, b"
    assert line_of(Place("x\x1b.yaml", 3, 4)) == "x·.yaml:3"
    assert line_of(None) == ""


def test_counts():
    assert [counted(number, "tunnel") for number in range(3)] == ["0 tunnels", "1 tunnel", "2 tunnels"]


def test_a_moment_is_in_utc_to_the_millisecond():
    assert timestamp(1.25) == "1970-01-01T00:00:01.250Z"
