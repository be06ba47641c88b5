"""One handshake from beginning to end: whole, and byte by byte, which must come to the same."""

from __future__ import annotations

from orchestra_plugins.socks.handshake import Handshake
from orchestra_plugins.socks.request import DatagramRequest, Login

LOGIN = Login(b"alice", b"s3cret")


def talk(sent: bytes, login: Login | None = None) -> tuple[bytes, Handshake]:
    """What was answered, and how it ended."""
    whole = Handshake(login)
    answer = whole.feed(sent)
    piecewise = Handshake(login)
    parts = b""
    for index in range(len(sent)):
        parts += piecewise.feed(sent[index : index + 1])
        if piecewise.request or piecewise.refused:
            break
    assert (parts, outcome(piecewise)) == (answer, outcome(whole))
    return answer, whole


def outcome(handshake: Handshake) -> tuple[str, int] | str | None:
    """``(host, port)`` that is asked for (no host: datagrams), why it is refused, or None: more has to come."""
    request = handshake.request
    if isinstance(request, DatagramRequest):
        return "", request.port
    return (request.host, request.port) if request else handshake.refused
