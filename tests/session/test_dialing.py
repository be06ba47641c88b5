"""The order in which addresses of a name are tried."""

import socket

from orchestra.session.dialing import interleave


def test_families_take_turns():
    def info(family, address):
        return (family, socket.SOCK_STREAM, 6, "", (address, 1))

    six, four = socket.AF_INET6, socket.AF_INET
    infos = [info(six, "a"), info(six, "b"), info(four, "c"), info(six, "d")]
    assert [row[4][0] for row in interleave(infos)] == ["a", "c", "b", "d"]
