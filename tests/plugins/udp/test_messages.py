"""DNS by TCP: messages behind their lengths, and answers that are too long for whoever asked by UDP."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from orchestra_plugins.udp.messages import LEAST, MessageFlow, fitting, room_of

from tests.plugins.udp.rig import Party, play

NAME = b"\2db\7example\0"
QUESTION = NAME + b"\0\1\0\1"


def head(number: int = 7, flags: int = 0x0100, counts: tuple[int, int, int, int] = (1, 0, 0, 0)) -> bytes:
    return struct.pack("!6H", number, flags, *counts)


def opt(room: int) -> bytes:
    return b"\0" + struct.pack("!HHIH", 41, room, 0, 0)


@pytest.mark.parametrize(
    ("question", "room"),
    [
        (head() + QUESTION, LEAST),
        (head(counts=(1, 0, 0, 1)) + QUESTION + opt(1232), 1232),
        (head(counts=(1, 0, 0, 1)) + QUESTION + opt(100), LEAST),
        (head(counts=(1, 1, 0, 1)) + QUESTION + b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4abcd" + opt(4096), 4096),
        (head(counts=(1, 0, 0, 1)) + QUESTION, LEAST),
        (head(counts=(65535, 65535, 65535, 65535)) + b"\xff" * 100, LEAST),
        (head(counts=(0, 0, 0, 1)) + b"\0\0", LEAST),
    ],
)
def test_the_room_of_an_answer_is_what_its_question_says(question: bytes, room: int) -> None:
    assert room_of(question) == room


def test_an_answer_that_is_too_long_says_so_and_nothing_else() -> None:
    answer = head(flags=0x8180, counts=(1, 40, 1, 1)) + QUESTION + bytes(1000)
    assert fitting(answer, 4096) == answer
    assert fitting(answer, LEAST) == head(flags=0x8380) + QUESTION
    nonsense = head(flags=0x8180, counts=(9, 0, 0, 0)) + b"\x3f" * 1000
    assert fitting(nonsense, LEAST) == head(flags=0x8380, counts=(0, 0, 0, 0))


class Stream:
    def __init__(self) -> None:
        self.written, self.closed = b"", False

    def write(self, data: bytes, /) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True


def flowing() -> tuple[MessageFlow, Party, Any]:
    party, stream = Party(), Stream()
    flow = MessageFlow(party)
    flow.connection_made(stream)  # type: ignore[arg-type]
    return flow, party, stream


def test_messages_survive_any_cut() -> None:
    async def scene() -> None:
        flow, party, stream = flowing()
        question = head(counts=(1, 0, 0, 1)) + QUESTION + opt(1232)
        flow.send(question)
        assert stream.written == len(question).to_bytes(2) + question
        short, long, unasked = (head(number, 0x8180, (1, 1, 0, 0)) + QUESTION + bytes(600) for number in (7, 7, 8))
        data = b"".join(len(each).to_bytes(2) + each for each in (short, long + bytes(700), unasked))
        for at in range(len(data)):
            flow.data_received(data[at : at + 1])
        cut = [head(number, 0x8380) + QUESTION for number in (7, 8)]
        assert party.got == [short, *cut]

    play(scene)


def test_what_cannot_be_sent_is_counted() -> None:
    async def scene() -> None:
        flow, party, stream = flowing()
        flow.send(b"no question")
        flow.pause_writing()
        flow.send(head() + QUESTION)
        flow.resume_writing()
        flow.close()
        flow.send(head() + QUESTION)
        assert party.notes == {"size": 1, "queue": 1, "closed": 1}
        assert (stream.written, stream.closed) == (b"", True)
        flow.data_received(b"\0\1x")
        flow.connection_lost(None)
        assert (party.got, party.why) == ([], [])

    play(scene)


@pytest.mark.parametrize(("error", "why"), [(None, ""), (ConnectionResetError("reset"), "reset")])
def test_a_server_that_was_idle_ends_the_conversation_and_nothing_is_wrong(error: Exception | None, why: str) -> None:
    async def scene() -> None:
        flow, party, _ = flowing()
        assert flow.eof_received() is None
        flow.connection_lost(error)
        assert party.why == [why]

    play(scene)
