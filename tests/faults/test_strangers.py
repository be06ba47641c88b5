"""What listens where a server was expected: row 42 of docs/faults.md. Whatever it says, and however much, there is a
deadline, a bound on what is kept of it, and a message that can be printed."""

from __future__ import annotations

import asyncio
import itertools
import tracemalloc
from collections.abc import Callable, Iterator

import pytest

from orchestra.engine.ssh.transport import SshTransport
from orchestra.errors import RuntimeFailure
from orchestra.model.topology import SshSettings
from orchestra.session.here import Here
from tests.engine.ssh.sshd import request
from tests.faults.field import becomes
from tests.faults.leaks import play

PATIENCE = 0.5
VERSION = b"SSH-2.0-OpenSSH_9.2\r\n"
HELD = 4 << 20
"""Bytes that may be in memory because of a server that nobody knows yet."""


def packet(kind: int, body: bytes) -> bytes:
    """One packet before keys are exchanged (RFC 4253 section 6)."""
    padding = 8 - (6 + len(body)) % 8 + 8
    return (2 + len(body) + padding).to_bytes(4, "big") + bytes((padding, kind)) + body + bytes(padding)


def debug(text: bytes) -> bytes:
    """SSH_MSG_DEBUG, to be displayed (RFC 4253 section 11.3)."""
    return packet(4, b"\x01" + len(text).to_bytes(4, "big") + text + bytes(4))


STRANGERS: dict[str, Callable[[], Iterator[bytes]]] = {
    "says nothing": lambda: iter(()),
    "says noise": lambda: itertools.repeat(bytes(range(256)) * 256),
    "is a web server": lambda: iter((b"HTTP/1.1 400 Bad Request\r\n\r\n<h1>\x1b]0;owned\x07</h1>\r\n",)),
    "greets for ever": lambda: itertools.repeat(b"welcome, \x1b[2Jstranger\r\n" * 100),
    "never ends its line": lambda: itertools.chain((b"SSH-2.0-",), itertools.repeat(b"A" * 65536)),
    "announces a giant packet": lambda: itertools.chain((VERSION, b"\x7f\xff\xff\xff"), itertools.repeat(bytes(65536))),
    "announces an empty packet": lambda: iter((VERSION, bytes(64))),
    "talks of itself for ever": lambda: itertools.chain(
        (VERSION,), itertools.repeat(debug(b"\x1b[2J" + b"x" * 999) * 50)
    ),
    "ignores for ever": lambda: itertools.chain((VERSION,), itertools.repeat(packet(2, bytes(4 + 1000)) * 50)),
    "says goodbye in colour": lambda: iter(
        (VERSION, packet(1, b"\x00\x00\x00\x0b" + (9).to_bytes(4, "big") + b"\x1b[31mbye!" + bytes(4)))
    ),
}


@pytest.mark.parametrize("what", STRANGERS)
def test_fault_42_who_is_no_server_is_left_in_time_and_costs_little(what: str) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            for piece in STRANGERS[what]():
                writer.write(piece)
                await writer.drain()
            await reader.read(-1)
        except ConnectionError:
            pass
        finally:
            writer.transport.abort()

    async def scene() -> None:
        here, loop, told = Here("laptop"), asyncio.get_running_loop(), []
        server = await asyncio.start_server(speak, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        settings = SshSettings(host="127.0.0.1", port=port, user="me", agent="none", connect_timeout=PATIENCE)
        for _ in range(2):  # what is loaded at the first attempt does not count
            tracemalloc.reset_peak()
            begun, before = loop.time(), tracemalloc.get_traced_memory()[0]
            with pytest.raises(RuntimeFailure) as refused:
                await SshTransport().open(request(settings, here, notice=told.append))
            took, held = loop.time() - begun, tracemalloc.get_traced_memory()[1] - before
        assert took < PATIENCE + 1.5
        assert held < HELD
        said = [*told, str(refused.value), refused.value.suggestion or ""]
        assert all(text.isprintable() and len(text) < 600 for text in said), said
        assert len(said) < 25
        assert refused.value.host in ("gateway", "laptop")
        server.close()
        here.abort()
        await here.wait_closed()
        await becomes(lambda: len(asyncio.all_tasks()) == 1)  # the stranger has ended too

    tracemalloc.start()
    try:
        play(scene())
    finally:
        tracemalloc.stop()
