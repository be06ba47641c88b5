"""Identifications, and a goodbye."""

from __future__ import annotations

import pytest
from orchestra_plugins.checks.ssh import IDENTIFICATION, disconnect

from orchestra.engine.checks import GOODBYE
from tests.plugins.checks.subjects import said


def test_a_packet_is_whole_and_the_core_says_the_same() -> None:
    packet = disconnect(b"checked")
    assert (len(packet) % 8, int.from_bytes(packet[:4])) == (0, len(packet) - 4)
    assert packet[4] >= 4
    assert IDENTIFICATION + packet == GOODBYE


@pytest.mark.parametrize(
    ("greeting", "problem"),
    [
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", None),
        (b"SSH-1.99-Cisco-1.25\n", None),
        (b"maintenance at noon\r\nSSH-2.0-x\r\n", None),
        (b"SSH-1.5-old\r\n", "this is no SSH server: it sent 'SSH-1.5-old'"),
        (b"HTTP/1.1 400 Bad Request\r\n", "this is no SSH server: it sent 'HTTP/1.1 400 Bad Request'"),
        (b"more\r\n" * 200, "this is no SSH server: it sent 'more'"),
    ],
)
def test_an_identification(greeting: bytes, problem: str | None) -> None:
    assert said("ssh", greeting) == problem


def test_ours_is_said_and_then_goodbye() -> None:
    heard: list[bytes] = []

    def listen(data: bytes) -> bytes | None:
        heard.append(data)
        return None if data != GOODBYE else b"\0"

    assert said("ssh", b"SSH-2.0-x\r\n", listen) is None
    assert heard[-1] == GOODBYE
