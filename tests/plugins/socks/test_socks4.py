"""SOCKS 4 and 4a as transcripts."""

from __future__ import annotations

import pytest
from orchestra_plugins.socks.request import Cause
from orchestra_plugins.socks.socks4 import GRANTED, REJECTED

from tests.plugins.socks.talk import LOGIN, outcome, talk

ADDRESS = bytes((4, 1, 0x1F, 0x90, 10, 0, 0, 7))
NAME = bytes((4, 1, 0x1F, 0x90, 0, 0, 0, 1))


@pytest.mark.parametrize(
    ("sent", "asks"),
    [
        (ADDRESS + b"\0", ("10.0.0.7", 8080)),
        (ADDRESS + b"alice\0", ("10.0.0.7", 8080)),
        (NAME + b"\0db.internal\0", ("db.internal", 8080)),
        (NAME + b"alice\0db.internal\0", ("db.internal", 8080)),
        (bytes((4, 1, 0, 22, 0, 0, 0, 0)) + b"\0", ("0.0.0.0", 22)),  # no name follows
        (NAME + b"u" * 255 + b"\0" + b"n" * 63 + b"\0", ("n" * 63, 8080)),
    ],
)
def test_it_asks(sent: bytes, asks: tuple[str, int]) -> None:
    answer, handshake = talk(sent)
    assert (answer, outcome(handshake)) == (b"", asks)
    assert handshake.request
    assert handshake.request.granted == GRANTED == b"\0\x5a" + bytes(6)
    assert {handshake.request.refusal(cause, "why") for cause in Cause} == {b"\0\x5b" + bytes(6)}


def test_what_follows_is_kept() -> None:
    _, handshake = talk(ADDRESS + b"alice\0GET /")
    assert handshake.rest() == b"GET /"


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (bytes((4, 2)) + ADDRESS[2:] + b"\0", "command 2"),  # BIND
        (bytes((4, 9)) + ADDRESS[2:] + b"\0", "command 9"),
        (ADDRESS + b"u" * 256, "user"),
        (NAME + b"\0" + b"n" * 256, "name"),
        (NAME + b"\0\0", "empty"),
        (NAME + b"\x00127.1\0", "neither a name nor an address"),
        (bytes((4, 1, 0, 0, 10, 0, 0, 7)) + b"\0", "port 0"),
    ],
)
def test_it_is_refused(sent: bytes, why: str) -> None:
    answer, handshake = talk(sent)
    assert answer == REJECTED
    assert handshake.refused
    assert why in handshake.refused


def test_it_has_no_passwords() -> None:
    answer, handshake = talk(ADDRESS + b"alice\0", LOGIN)
    assert (answer, handshake.request) == (REJECTED, None)


@pytest.mark.parametrize("sent", [b"", b"\4", ADDRESS, ADDRESS + b"alice", NAME + b"\0db"])
def test_it_waits_for_the_rest(sent: bytes) -> None:
    answer, handshake = talk(sent)
    assert (answer, outcome(handshake)) == (b"", None)
