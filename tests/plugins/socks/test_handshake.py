"""Which protocol a client speaks, and what cannot be one."""

from __future__ import annotations

import pytest

from tests.plugins.socks.talk import outcome, talk


@pytest.mark.parametrize("first", [b"\4", b"\5", b"C", b"G", b"c"])
def test_the_first_byte_decides_and_more_is_waited_for(first: bytes) -> None:
    answer, handshake = talk(first)
    assert (answer, outcome(handshake)) == (b"", None)


@pytest.mark.parametrize("first", [b"\0", b"\1", b"\6", b"\x16\x03\x01", b" ", b"0", b"\n", b"\xc3"])
def test_other_protocols_get_no_answer(first: bytes) -> None:
    answer, handshake = talk(first)
    assert answer == b""
    assert handshake.refused == (f"the client speaks neither SOCKS nor HTTP: its first byte is 0x{first[0]:02x}")


def test_all_answers_of_one_piece_of_input_are_sent() -> None:
    answer, handshake = talk(b"\5\1\0" + b"\5\2\0\1" + bytes(6))
    assert answer == b"\5\0" + b"\5\7\0\1" + bytes(6)
    assert handshake.refused
