"""One short block about what a file does besides."""

from orchestra.planning.disclosure import Disclosure
from orchestra.render.disclosure_text import disclosure_text


def test_the_block() -> None:
    found = [
        Disclosure(deed="runs", what="rm -rf /\x1b[8m", why="the password for gw"),
        Disclosure(deed="listens", what="*:80 of gw", why="the tunnel web"),
    ]
    assert disclosure_text("a.yaml", found) == (
        "besides its tunnels, a.yaml\n"
        "  runs     rm -rf /·[8m                 (the password for gw)\n"
        "  listens  *:80 of gw, beyond loopback  (the tunnel web)"
    )


def test_nothing_to_say() -> None:
    assert disclosure_text("a.yaml", []) == ""
