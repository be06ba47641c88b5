"""Colour by role, or none at all."""

from orchestra.render.style import PLAIN, Style


def test_colour_wraps_the_text_and_nothing_else():
    assert Style(True)("good", "yes") == "\x1b[32myes\x1b[0m"
    assert Style(True)("good", "") == ""
    assert PLAIN("bad", "no") == "no"
