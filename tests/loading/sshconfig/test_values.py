"""What may stand after a keyword."""

import socket

import pytest

from orchestra.loading.sshconfig.syntax import parse
from orchestra.loading.sshconfig.values import (
    FLAG,
    BadValue,
    Jump,
    command,
    jump,
    jumps,
    number,
    port,
    time,
    word,
    words,
)


def line(text):
    [found] = parse(f"X {text}")
    return found


@pytest.mark.parametrize(
    ("made", "text", "value"),
    [
        (FLAG, "YES", True),
        (FLAG, "false", False),
        (number, "07", 7),
        (port, "65535", 65535),
        (time, "1h2m3", 3723),
        (time, "1W", 604800),
        (time, "none", None),
        (word, '"a b"', "a b"),
        (words, "a b", ("a", "b")),
        (command, '= nc "%h" %p # x', 'nc "%h" %p # x'),
        (jumps, "none", ()),
        (jumps, "a,b@c:2222 # why", (Jump("a"), Jump("c", "b", 2222))),
    ],
)
def test_values(made, text, value):
    assert made(line(text)) == value


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (FLAG, "maybe"),
        (number, "-1"),
        (number, "99999999999"),
        (port, "0"),
        (port, "no-such-service"),
        (time, "soon"),
        (time, "9" * 99),
        (word, "a b"),
        (word, '""'),
        (words, "a none"),
        (jumps, "a,,b"),
    ],
)
def test_what_is_no_value(made, text):
    with pytest.raises(BadValue):
        made(line(text))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("gw", Jump("gw")),
        ("gw:", Jump("gw")),
        ("a@b@gw:22", Jump("gw", "a@b", 22)),
        ("[::1]:22", Jump("::1", None, 22)),
        ("ssh://ann%40x@gw:2022", Jump("gw", "ann@x", 2022)),
        ("ssh://gw/", Jump("gw")),
    ],
)
def test_jumps(text, found):
    assert jump(text) == found


@pytest.mark.parametrize("text", ["", "@gw", "gw:x", "[::1", "a/b", "ssh://gw/path", "ssh://-x", ":22"])
def test_what_is_no_jump(text):
    with pytest.raises(BadValue):
        jump(text)


def test_jumps_print_as_they_are_written():
    for text in ("gw", "ann@gw:22", "[::1]:22"):
        assert str(jump(text)) == text


def test_a_port_by_the_name_of_its_service():
    assert port(line("ssh")) == socket.getservbyname("ssh", "tcp")
