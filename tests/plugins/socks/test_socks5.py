"""SOCKS 5 as transcripts, with the codes of RFC 1928."""

from __future__ import annotations

from ipaddress import IPv6Address

import pytest
from orchestra_plugins.socks.request import Cause, DatagramRequest, Request

from tests.plugins.socks.talk import LOGIN, outcome, talk

HELLO, WELCOME = b"\5\1\0", b"\5\0"
PORT = (8080).to_bytes(2)
TO_IPV4 = b"\5\1\0\1" + bytes((10, 0, 0, 7)) + PORT
TO_IPV6 = b"\5\1\0\4" + IPv6Address("fd00::7").packed + PORT
MAPPED = b"\5\1\0\4" + IPv6Address("::ffff:10.0.0.7").packed + PORT
TO_NAME = b"\5\1\0\3\x0bdb.internal" + PORT
LOGIN_RIGHT = b"\1\5alice\6s3cret"


def reply(code: int) -> bytes:
    return bytes((5, code, 0, 1, 0, 0, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("sent", "asks"),
    [
        (TO_IPV4, ("10.0.0.7", 8080)),
        (TO_IPV6, ("fd00::7", 8080)),
        (MAPPED, ("10.0.0.7", 8080)),
        (TO_NAME, ("db.internal", 8080)),
        (b"\5\1\xff\1" + TO_IPV4[4:], ("10.0.0.7", 8080)),  # the reserved byte is passed over, as ssh does
    ],
)
def test_it_asks(sent: bytes, asks: tuple[str, int]) -> None:
    answer, handshake = talk(HELLO + sent + b"early")
    assert (answer, outcome(handshake), handshake.rest()) == (WELCOME, asks, b"early")
    assert isinstance(handshake.request, Request)
    assert handshake.request.granted == reply(0)
    codes = {cause: handshake.request.refusal(cause, "why") for cause in Cause}
    assert codes == {
        Cause.MALFORMED: reply(1),
        Cause.FAILED: reply(1),
        Cause.NOT_ALLOWED: reply(2),
        Cause.NETWORK_UNREACHABLE: reply(3),
        Cause.HOST_UNREACHABLE: reply(4),
        Cause.REFUSED: reply(5),
        Cause.TIMED_OUT: reply(6),
        Cause.UNSUPPORTED: reply(7),
    }


@pytest.mark.parametrize(
    ("sent", "port"),
    [
        (b"\5\3\0\1" + bytes(6), 0),  # it does not know yet
        (b"\5\3\0\1" + bytes(4) + PORT, 8080),
        (b"\5\3\0\1" + bytes((192, 168, 0, 7)) + PORT, 8080),  # as it sees itself, behind a NAT
        (b"\5\3\0\3\0\0\0", 0),
        (b"\5\3\0\4" + bytes(18), 0),
    ],
)
def test_datagrams_are_asked_for(sent: bytes, port: int) -> None:
    answer, handshake = talk(HELLO + sent)
    assert (answer, outcome(handshake)) == (WELCOME, ("", port))
    request = handshake.request
    assert isinstance(request, DatagramRequest)
    assert request.granted("127.0.0.1", 4000) == bytes((5, 0, 0, 1, 127, 0, 0, 1)) + (4000).to_bytes(2)
    assert request.granted("::1", 4000) == bytes((5, 0, 0, 4)) + IPv6Address("::1").packed + (4000).to_bytes(2)
    assert request.refusal(Cause.FAILED, "why") == reply(1)


def test_the_method_is_one_that_the_client_offers() -> None:
    assert talk(b"\5\3\1\2\0")[0] == WELCOME
    assert talk(b"\5\2\0\2", LOGIN)[0] == b"\5\2"


def test_a_login_lets_in() -> None:
    answer, handshake = talk(b"\5\2\0\2" + LOGIN_RIGHT + TO_NAME, LOGIN)
    assert (answer, outcome(handshake)) == (b"\5\2\1\0", ("db.internal", 8080))
    assert outcome(talk(b"\5\1\2" + LOGIN_RIGHT + b"\5\3\0\1" + bytes(6), LOGIN)[1]) == ("", 0)


@pytest.mark.parametrize(
    ("sent", "answered", "why"),
    [
        (b"\5\0", b"\5\xff", "offer"),  # no methods
        (b"\5\1\2", b"\5\xff", "offer"),  # only a password, which nobody wants
        (b"\5\2\1\x80", b"\5\xff", "offer"),
        (HELLO + b"\4" + TO_IPV4[1:], WELCOME + reply(1), "version 4"),
        (HELLO + b"\5\2" + TO_IPV4[2:], WELCOME + reply(7), "command 2"),  # BIND
        (HELLO + b"\5\0" + TO_IPV4[2:], WELCOME + reply(7), "command 0"),
        (HELLO + b"\5\1\0\2", WELCOME + reply(8), "type 2"),
        (HELLO + b"\5\1\0\0", WELCOME + reply(8), "type 0"),
        (HELLO + b"\5\1\0\3\0" + PORT, WELCOME + reply(1), "empty"),
        (HELLO + b"\5\1\0\3\x05127.1" + PORT, WELCOME + reply(1), "neither"),
        (HELLO + b"\5\1\0\3\3a\0b" + PORT, WELCOME + reply(1), "not a host name"),
        (HELLO + TO_IPV4[:-2] + b"\0\0", WELCOME + reply(1), "port 0"),
    ],
)
def test_it_is_refused(sent: bytes, answered: bytes, why: str) -> None:
    answer, handshake = talk(sent)
    assert answer == answered
    assert handshake.refused
    assert why in handshake.refused


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        (HELLO, b"\5\xff"),  # without a password
        (b"\5\1\2\1\5alice\5wrong", b"\5\2\1\1"),
        (b"\5\1\2\1\3bob\6s3cret", b"\5\2\1\1"),
        (b"\5\1\2\1\0\0", b"\5\2\1\1"),
        (b"\5\1\2\5\5alice\6s3cret", b"\5\2\1\1"),  # not the version of RFC 1929
    ],
)
def test_a_wrong_login_is_refused(sent: bytes, answered: bytes) -> None:
    answer, handshake = talk(sent, LOGIN)
    assert (answer, handshake.request) == (answered, None)
    assert handshake.refused
    assert "s3cret" not in handshake.refused


@pytest.mark.parametrize("sent", [b"\5", b"\5\1", HELLO, HELLO + TO_IPV4[:-1], HELLO + b"\5\1\0\3\xffab"])
def test_it_waits_for_the_rest(sent: bytes) -> None:
    assert outcome(talk(sent)[1]) is None
