"""Patterns and lists of them."""

import random
import re
import time
from ipaddress import ip_address

import pytest

from orchestra.loading.sshconfig.patterns import in_list, matches, on_networks


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("*", "", True),
        ("a*", "abc", True),
        ("*c", "abc", True),
        ("a*a", "a", False),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("*.example.???", "x.example.com", True),
        ("A", "a", False),
        ("[a]", "a", False),
        ("a*b*c*", "a-b-b-c", True),
    ],
)
def test_patterns(pattern, text, found):
    assert matches(pattern, text) is found


def test_patterns_are_what_regular_expressions_say():
    chance = random.Random(3)  # noqa: S311
    for _ in range(3000):
        pattern = "".join(chance.choice("ab*?") for _ in range(chance.randint(0, 7)))
        text = "".join(chance.choice("ab") for _ in range(chance.randint(0, 7)))
        regular = pattern.replace("*", ".*").replace("?", ".")
        assert matches(pattern, text) is bool(re.fullmatch(regular, text)), (pattern, text)


def test_many_stars_take_no_time():
    started = time.process_time()
    assert not matches("*a" * 500 + "b", "a" * 20_000)
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    ("patterns", "text", "found"),
    [("a,b", "b", True), ("*,!b", "b", False), ("!a", "b", False), ("", "a", False), ("A*", "abc", True)],
)
def test_lists(patterns, text, found):
    assert in_list(patterns, text, lower=True) is found


def test_a_part_that_is_too_long_matches_nothing():
    assert not in_list("a" * 1023, "a" * 1023)


def test_networks():
    mine = [ip_address("10.1.2.3"), ip_address("fd00::1")]
    assert on_networks("192.0.2.0/24,10.0.0.0/8", mine)
    assert on_networks("fd00::/8", mine)
    assert not on_networks("10.2.0.0/16", mine)
    with pytest.raises(ValueError, match="host bits"):
        on_networks("10.1.2.3/8", mine)
