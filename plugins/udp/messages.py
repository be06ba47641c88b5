"""Datagrams of DNS carried by TCP, each behind its length (RFC 7766 section 8): a dial of the exit's for each peer, and
nothing that runs there.

An answer may be longer by TCP than whoever asked by UDP can take. It is then cut to its head and its question, and says
so by the TC bit (RFC 1035 section 4.1.1), upon which a resolver asks again by TCP.
"""

from __future__ import annotations

import struct
from collections import OrderedDict

from orchestra.model.text import clean
from orchestra.plugin.interfaces import TunnelContext
from orchestra.session import Stream

from .station import Flow, Party

HEADER = struct.Struct("!6H")
RECORD = struct.Struct("!HHIH")
"""Of a resource record, behind its name: type, class, time to live, length (RFC 1035 section 4.1.3)."""
OPT = 41
LEAST = 512
"""Bytes of an answer that everybody can take (RFC 1035 section 4.2.1)."""
UNANSWERED = 256
"""Questions of one peer whose room is remembered."""


class ByTcp:
    """The far sides of a tunnel's exchanges: see :class:`~.joint.Opens`."""

    def __init__(self, context: TunnelContext) -> None:
        self._context = context

    async def open(self, party: Party) -> Flow:
        _, flow = await self._context.dial(lambda: MessageFlow(party))
        return flow

    def close(self) -> None:
        """Its exchanges end by themselves."""


class MessageFlow:
    """One connection; towards the session its receiver. A server may end it whenever it is idle (RFC 7766 section
    6.2.3); whoever still asks begins another."""

    address: str | None = None

    def __init__(self, party: Party) -> None:
        self._party = party
        self._stream: Stream | None = None
        self._rooms: OrderedDict[bytes, int] = OrderedDict()
        self._rest = b""
        self._full = self._over = False

    def send(self, data: bytes, /) -> None:
        if self._over or self._stream is None:
            self._party.noted("closed", 1)
        elif self._full:
            self._party.noted("queue", 1)
        elif len(data) < HEADER.size:
            self._party.noted("size", 1)
        else:
            self._rooms[data[:2]] = room_of(data)
            if len(self._rooms) > UNANSWERED:
                self._rooms.popitem(last=False)
            self._stream.write(len(data).to_bytes(2, "big") + data)

    def close(self) -> None:
        self._over = True
        if self._stream is not None:
            self._stream.close()

    # The receiver of its connection.

    def connection_made(self, stream: Stream, /) -> None:
        self._stream = stream

    def data_received(self, data: bytes, /) -> None:
        self._rest += data
        while len(self._rest) >= 2 and len(self._rest) >= (end := 2 + int.from_bytes(self._rest[:2], "big")):
            message, self._rest = self._rest[2:end], self._rest[end:]
            if not self._over:
                self._party.received(fitting(message, self._rooms.get(message[:2], LEAST)))

    def eof_received(self) -> bool | None:
        return None

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False

    def connection_lost(self, exc: Exception | None, /) -> None:
        if not self._over:
            self._over = True
            self._party.ended(clean(str(exc)) if exc is not None else "")


def room_of(question: bytes) -> int:
    """Bytes that an answer by UDP may have: those that the OPT record of its question says (RFC 6891 section 6.2.3)."""
    _, _, questions, *others = HEADER.unpack_from(question)
    at = HEADER.size
    try:
        for _ in range(questions):
            at = _behind_name(question, at) + 4
        for _ in range(sum(others)):
            at = _behind_name(question, at)
            kind, room, _, length = RECORD.unpack_from(question, at)
            if kind == OPT:
                return max(LEAST, int(room))
            at += RECORD.size + length
    except (IndexError, struct.error):  # what is no question is not ours to judge
        pass
    return LEAST


def fitting(answer: bytes, room: int) -> bytes:
    """The answer, or its head and its question with the TC bit."""
    if len(answer) <= room:
        return answer
    number, flags, questions, *_ = HEADER.unpack_from(answer)
    at = HEADER.size
    try:
        for _ in range(questions):
            at = _behind_name(answer, at) + 4
    except IndexError:
        at = len(answer)
    if at > room:
        questions, at = 0, HEADER.size
    return HEADER.pack(number, flags | 0x0200, questions, 0, 0, 0) + answer[HEADER.size : at]


def _behind_name(message: bytes, at: int) -> int:
    """Where a name ends: by the root, or by a pointer to the rest of it (RFC 1035 section 4.1.4)."""
    while length := message[at]:
        if length >= 0xC0:
            return at + 2
        at += 1 + length
    return at + 1
