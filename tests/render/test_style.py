"""Colour by role, or none at all."""

from orchestra.render.style import PLAIN, Style, encodable


def test_colour_wraps_the_text_and_nothing_else():
    assert Style(True)("good", "yes") == "\x1b[32myes\x1b[0m"
    assert Style(True)("good", "") == ""
    assert PLAIN("bad", "no") == "no"


def test_symbols_have_an_ascii_form_for_streams_that_lack_them():
    assert encodable("✔ a → b · ✘ é", "utf-8") == "✔ a → b · ✘ é"
    assert encodable("✔ a → b · ✘ é", "ascii") == "+ a -> b - x ?"
    assert encodable("plain", "ascii") == "plain"
