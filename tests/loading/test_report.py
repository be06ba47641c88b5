"""Collected errors, and the words that were probably meant."""

from __future__ import annotations

import pytest

from orchestra.diagnostics import Code
from orchestra.loading.report import MANY, Report, did_you_mean, nearest, plugins_word, quoted
from orchestra.plugin.vocabulary import Absent

KEYS = ("networks", "servers", "targets", "tunnels", "Firewalls")


@pytest.mark.parametrize(
    ("word", "meant"),
    [("sever", "servers"), ("TARGETS", "targets"), ("firewall", "Firewalls"), ("zebra", None), ("", None)],
)
def test_the_nearest_word(word: str, meant: str | None) -> None:
    assert nearest(word, KEYS) == meant


def test_among_very_many_only_those_alike_are_compared() -> None:
    names = [f"host-{n:05}" for n in range(5 * MANY)]
    assert nearest("host-00077x", names) is not None
    assert nearest("xhost-00077", names) is None
    assert did_you_mean("zebra", names) is None


def test_without_a_near_word_a_few_known_ones_are_told() -> None:
    assert did_you_mean("zebra", {"b", "a"}) == "known here: a, b"
    assert str(did_you_mean("zebra", {f"n{n:02}" for n in range(13)})).endswith("n10, n11, …")
    assert did_you_mean("zebra", set()) is None


def test_a_text_of_the_file_stays_on_its_line() -> None:
    assert quoted("a\x1b[2J\nb") == "'a·[2J b'"
    assert len(quoted("x" * 500)) < 70


def test_an_error_knows_its_place_and_path() -> None:
    report = Report()
    report.error(Code.BAD_VALUE, "no", ("f.yaml", 3, 7), ("servers", "a", "ssh", "identity", 0), "yes")
    report.error(Code.BAD_VALUE, "nowhere", None)
    one, other = report.diagnostics
    assert (str(one.place), one.path, one.severity) == ("f.yaml:3:7", "servers.a.ssh.identity[0]", "error")
    assert (other.place, other.path) == (None, None)


ABSENT = (
    Absent(name="proxies", package="orchestra-tunnels", why="is left out by X", words=("kind socks", "check socks")),
    Absent(name="redis", package="orchestra-redis", why="cannot be used: ImportError: no \x1b[2Jredis"),
)


@pytest.mark.parametrize(
    ("thing", "word", "suggestion"),
    [
        ("kind", "tpc", "did you mean 'tcp'?"),
        ("kind", "socks", "the plugin 'proxies' of orchestra-tunnels adds it, and is left out by X"),
        (
            "kind",
            "sock",
            "did you mean 'socks'? the plugin 'proxies' of orchestra-tunnels adds it, and is left out by X",
        ),
        (
            "check",
            "redis",
            "the plugin 'redis' of orchestra-redis adds it, and cannot be used: ImportError: no ·[2Jredis",
        ),
        (
            "transport",
            "Kubectl",
            "known here: tcp; a package whose plugin adds it is called orchestra-kubectl by convention",
        ),
        ("secret", "socks", "known here: tcp; a package whose plugin adds it is called orchestra-socks by convention"),
        ("kind", "no such/thing", "known here: tcp"),
    ],
)
def test_a_word_that_a_plugin_would_add(thing: str, word: str, suggestion: str) -> None:
    assert plugins_word(thing, word, {"tcp"}, ABSENT) == suggestion
