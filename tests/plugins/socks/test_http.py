"""HTTP CONNECT as transcripts."""

from __future__ import annotations

from base64 import b64encode

import pytest
from orchestra_plugins.socks.http import LONGEST
from orchestra_plugins.socks.request import Cause

from tests.plugins.socks.talk import LOGIN, outcome, talk

HEAD = b"CONNECT db.internal:5432 HTTP/1.1\r\nHost: db.internal:5432\r\n"


def status(reply: bytes) -> str:
    """The status line's end; the rest has to be as it should."""
    head, _, body = reply.partition(b"\r\n\r\n")
    line, *fields = head.decode().split("\r\n")
    assert f"Content-Length: {len(body)}" in fields
    assert "Connection: close" in fields
    assert body.decode().rstrip("\n").isprintable()
    return line.removeprefix("HTTP/1.1 ")


@pytest.mark.parametrize(
    ("target", "asks"),
    [
        (b"db.internal:5432", ("db.internal", 5432)),
        (b"10.0.0.7:22", ("10.0.0.7", 22)),
        (b"[fd00::7]:22", ("fd00::7", 22)),
        (b"[::ffff:10.0.0.7]:22", ("10.0.0.7", 22)),
    ],
)
def test_it_asks(target: bytes, asks: tuple[str, int]) -> None:
    answer, handshake = talk(b"CONNECT " + target + b" HTTP/1.1\r\nUser-Agent: x\r\n\r\n\x16\x03")
    assert (answer, outcome(handshake), handshake.rest()) == (b"", asks, b"\x16\x03")
    assert handshake.request
    assert handshake.request.granted == b"HTTP/1.1 200 Connection established\r\n\r\n"
    codes = {cause: status(handshake.request.refusal(cause, "because"))[:3] for cause in Cause}
    assert codes == {
        Cause.MALFORMED: "400",
        Cause.FAILED: "502",
        Cause.NOT_ALLOWED: "403",
        Cause.NETWORK_UNREACHABLE: "502",
        Cause.HOST_UNREACHABLE: "502",
        Cause.REFUSED: "502",
        Cause.TIMED_OUT: "504",
        Cause.UNSUPPORTED: "501",
    }
    assert handshake.request.refusal(Cause.FAILED, "because").endswith(b"\r\n\r\nbecause\n")


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        (b"GET http://a/ HTTP/1.1\r\n\r\n", "405 Method Not Allowed"),
        (b"connect a:1 HTTP/1.1\r\n\r\n", "405 Method Not Allowed"),
        (b"CONNECT a:1\r\n\r\n", "400 Bad Request"),
        (b"CONNECT  a:1 HTTP/1.1\r\n\r\n", "400 Bad Request"),
        (b"CONNECT a:1 SPDY/3\r\n\r\n", "400 Bad Request"),
        (b"CONNECT a HTTP/1.1\r\n\r\n", "400 Bad Request"),
        (b"CONNECT 443 HTTP/1.1\r\n\r\n", "400 Bad Request"),
        (b"CONNECT a:b HTTP/1.1\r\n\r\n", "400 Bad Request"),
        (b"CONNECT a:70000 HTTP/1.1\r\n\r\n", "400 Bad Request"),
        (b"CONNECT a:0 HTTP/1.1\r\n\r\n", "400 Bad Request"),
        (b"CONNECT unix:/x HTTP/1.1\r\n\r\n", "400 Bad Request"),
        (b"CONNECT 127.1:80 HTTP/1.1\r\n\r\n", "400 Bad Request"),
        (b"CONNECT \xff\x1b:80 HTTP/1.1\r\n\r\n", "400 Bad Request"),
        (b"CONNECT a:1 HTTP/1.1\r\n" + b"x" * LONGEST, "431 Request Header Fields Too Large"),
    ],
)
def test_it_is_refused(sent: bytes, answered: str) -> None:
    answer, handshake = talk(sent)
    assert (status(answer), handshake.request) == (answered, None)
    assert handshake.refused
    assert handshake.refused.isprintable()


def test_a_plain_request_is_told_what_to_do() -> None:
    answer, handshake = talk(b"GET http://a/ HTTP/1.1\r\n\r\n")
    assert b"\r\nAllow: CONNECT\r\n" in answer
    assert b"curl --proxytunnel" in answer
    assert "GET is not served" in str(handshake.refused)


@pytest.mark.parametrize(
    ("field", "right"),
    [
        (b"Proxy-Authorization: Basic " + b64encode(b"alice:s3cret"), True),
        (b"proxy-authorization:  basic  " + b64encode(b"alice:s3cret"), True),
        (b"Proxy-Authorization: Basic " + b64encode(b"alice:wrong"), False),
        (b"Proxy-Authorization: Basic " + b64encode(b"alice"), False),
        (b"Proxy-Authorization: Basic ???", False),
        (b"Proxy-Authorization: Bearer " + b64encode(b"alice:s3cret"), False),
        (b"Authorization: Basic " + b64encode(b"alice:s3cret"), False),
        (b"X: y", False),
    ],
)
def test_a_login(field: bytes, right: bool) -> None:
    answer, handshake = talk(HEAD + field + b"\r\n\r\n", LOGIN)
    if right:
        assert (answer, outcome(handshake)) == (b"", ("db.internal", 5432))
    else:
        assert status(answer) == "407 Proxy Authentication Required"
        assert b"\r\nProxy-Authenticate: Basic " in answer


@pytest.mark.parametrize("sent", [b"C", HEAD, HEAD + b"\r", HEAD.replace(b"\r", b"") + b"\n\n"])
def test_it_waits_for_the_rest(sent: bytes) -> None:
    assert outcome(talk(sent)[1]) is None
