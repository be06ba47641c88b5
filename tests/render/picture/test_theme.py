"""Colours: enough contrast in light and in dark."""

import re

import pytest

from orchestra.render.picture.theme import COLOURS, DARK, ICONS, STYLE


def luminance(colour):
    """Relative luminance of an sRGB colour (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [COLOURS, DARK], ids=["light", "dark"])
def test_contrast(theme):
    colours = dict(re.findall(r"--(\w+):(#[0-9a-f]{6})", theme))
    grounds = [colours[name] for name in ("paper", "zone", "box", "wall", "here", "service")]
    for ground in grounds:
        for text in ("ink", "quiet", "good", "bad"):
            assert contrast(colours[text], ground) >= 4.5, (text, ground)
    for ground in (colours["paper"], colours["zone"]):
        for line in ("session", "use", "dial", "bad", "spare", "frame", "brick"):
            assert contrast(colours[line], ground) >= 3, (line, ground)
    for badge in ("ink", "session", "use", "dial", "bad", "spare"):
        assert contrast(colours["paper"], colours[badge]) >= 4.5, badge


def test_both_themes_have_the_same_colours_and_every_kind_an_icon():
    assert re.findall(r"--(\w+):", COLOURS) == re.findall(r"--(\w+):", DARK)
    assert set(ICONS) == {"client", "server", "firewall", "target", "guest", "unknown", "fold"}
    assert len({*ICONS.values()}) == len(ICONS)


def test_no_rule_needs_variables_and_the_dark_paper_has_its_own():
    assert not re.findall(r"var\(|--\w+:", STYLE)
    light, dark = STYLE.split("@media (prefers-color-scheme:dark)")
    for theme, style in ((COLOURS, light), (DARK, dark)):
        assert set(re.findall(r"#\w{6}", theme)) == set(re.findall(r"#\w{6}", style))
