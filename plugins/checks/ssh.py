"""``check: ssh``: the server's identification is heard, ours is said, and then a proper goodbye (RFC 4253 sections 4.2
and 11.1).

A server that is connected to and left counts a client that would not even speak: OpenSSH logs an error for it, and
refuses an address that goes on like that (PerSourcePenalties, ``noauth``).
"""

from __future__ import annotations

from orchestra.model.text import clean
from orchestra.session import NoAnswer

from .conversing import Conversing, Dialogue
from .fields import Fields

MOST_LINES = 100
IDENTIFICATION = b"SSH-2.0-orchestra\r\n"
BY_APPLICATION = 11


def disconnect(text: bytes) -> bytes:
    """SSH_MSG_DISCONNECT as a packet without encryption (RFC 4253 sections 6 and 11.1)."""
    payload = b"\x01" + BY_APPLICATION.to_bytes(4) + len(text).to_bytes(4) + text + bytes(4)
    padding = 4 + -(5 + len(payload) + 4) % 8
    return (1 + len(payload) + padding).to_bytes(4) + bytes((padding,)) + payload + bytes(padding)


class Ssh(Dialogue[Fields]):
    """Two identifications; no keys are exchanged and nobody logs in."""

    async def hold(self) -> bytes:
        self.talk.say(IDENTIFICATION)
        for _ in range(MOST_LINES):  # others may come before it
            line = await self.talk.line("its identification")
            if line.startswith((b"SSH-2.0-", b"SSH-1.99-")):
                return disconnect(b"checked")
            if line.startswith((b"SSH-", b"HTTP/", b"RFB ", b"220 ", b"* OK")):
                break
        raise NoAnswer(f"this is no SSH server: it sent {clean(line, 200)!r}")


def ssh() -> Conversing[Fields]:
    """An SSH server."""
    return Conversing("ssh", Ssh, Fields)
