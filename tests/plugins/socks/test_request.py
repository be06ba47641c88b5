"""What is asked for, before it is judged: texts that resolvers would read as addresses, and bytes as they come."""

from __future__ import annotations

import pytest
from orchestra_plugins.socks.request import Cause, Input, Login, Refused, asked


def refusal(cause: Cause, why: str) -> bytes:
    return f"{cause.name}: {why}".encode()


@pytest.mark.parametrize(
    ("host", "means"),
    [
        ("db.internal", "db.internal"),
        ("DB.Internal.", "DB.Internal."),
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),  # IPv4, and judged as it
        ("::ffff:a00:1", "10.0.0.1"),
        ("host7", "host7"),
        ("_srv.example", "_srv.example"),
    ],
)
def test_names_and_addresses_stay_as_they_are_written(host: str, means: str) -> None:
    request = asked(host, 80, b"yes", refusal)
    assert (request.host, request.port, request.granted) == (means, 80, b"yes")


@pytest.mark.parametrize(
    "host",
    [
        *("", "-x", "a b", "a\0b", "a;b", "*", "[::1]", "a:b", "ä.example", "x" * 256, "a/b", "a\nb", "\x1b[2J"),
        *("127.1", "010.0.0.1", "2130706433", "0x7f000001", "0x7f.1", "1.2.3", "a.b.1.", "300.1.1.1", "0x"),
    ],
)
def test_what_is_neither_is_refused(host: str) -> None:
    with pytest.raises(Refused) as refused:
        asked(host, 80, b"yes", refusal)
    assert refused.value.reply.startswith(b"MALFORMED: ")
    assert str(refused.value).isprintable()


def test_port_0_is_refused() -> None:
    with pytest.raises(Refused, match="port 0"):
        asked("db", 0, b"yes", refusal)


def test_a_login_is_both() -> None:
    login = Login(b"alice", b"s3cret")
    tries = [(b"alice", b"s3cret"), (b"alice", b""), (b"", b"s3cret"), (b"", b""), (b"alice", b"s3cret\0")]
    assert [login.admits(*each) for each in tries] == [True, False, False, False, False]


def test_input_waits_for_what_it_needs_and_keeps_the_rest() -> None:
    data = Input()
    steps = data.exactly(3)
    for more in (b"", b"a", b"b"):
        data.feed(more)
        assert next(steps) == b""
    data.feed(b"cd")
    with pytest.raises(StopIteration) as done:
        next(steps)
    assert (done.value.value, data.rest(), data.rest()) == (b"abc", b"d", b"")


@pytest.mark.parametrize(("text", "ends"), [(b"abc\0", True), (b"abcd\0", False), (b"abcd", False), (b"\0", True)])
def test_what_has_an_end_has_a_limit(text: bytes, ends: bool) -> None:
    data = Input()
    data.feed(text)
    with pytest.raises(StopIteration if ends else Refused):
        next(data.until(b"\0", 3, Refused("too long")))
