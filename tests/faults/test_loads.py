"""What those who connect do: rows 25 to 28 of docs/faults.md."""

from __future__ import annotations

import asyncio
import resource
import socket
import struct
from pathlib import Path

import pytest

from orchestra.session.windows import TOTAL
from tests.faults.field import Field, becomes, field, long, take
from tests.faults.leaks import play
from tests.lab.netns.labs import needs_namespaces

pytestmark = needs_namespaces

MEGABYTE = 1 << 20
RESET = struct.pack("ii", 1, 0)


def memory() -> int:
    """Bytes that this process has in memory (proc(5))."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * resource.getpagesize()


@long
def test_fault_25_fifty_readers_that_read_nothing_cost_their_windows_and_delay_nobody() -> None:
    async def scene() -> None:
        async with field() as up:
            await up.until_ready()
            assert await up.get(MEGABYTE) == take(MEGABYTE)
            before, idle = memory(), []
            for _ in range(50):
                reader, writer = await asyncio.open_connection(*up.entrance("desk"), limit=1024)
                writer.write(f"GET /bytes/{64 * MEGABYTE} HTTP/1.0\r\n\r\n".encode())
                idle.append((reader, writer))
            assert await up.get(8 * MEGABYTE) == take(8 * MEGABYTE)
            assert memory() - before < TOTAL + 32 * MEGABYTE
            for _, writer in idle:
                writer.transport.abort()
            await becomes(lambda: up.tunnel("desk").connections == 0)

    play(scene())


def test_fault_26_who_sends_before_the_far_end_is_reached_is_not_read() -> None:
    async def scene() -> None:
        async with field() as up:
            await up.until_ready()
            await up.drop("inner", "out", "tcp dport 8080")
            before = memory()
            _, writer = await up.connect()
            writer.write(bytes(64 * MEGABYTE))
            held = writer.transport.get_write_buffer_size()
            await asyncio.sleep(1)
            assert writer.transport.get_write_buffer_size() == held  # what the kernel took at once, and no more
            assert memory() - before < 80 * MEGABYTE
            assert up.tunnel("desk").bytes_out == 0
            await up.is_refused()  # dial_timeout
            writer.transport.abort()
            await up.mend("inner")

    play(scene())


@pytest.mark.parametrize("number", [500, pytest.param(10_000, marks=long)])
def test_fault_28_many_who_come_and_go_before_they_are_let_in_leave_nothing(number: int) -> None:
    async def scene() -> None:
        async with field() as up:
            await up.until_ready()
            assert await up.get(1000) == take(1000)
            inner = up.engine._places.get("inner")
            assert inner
            channels = inner._connection._channels  # type: ignore[attr-defined]
            at_rest = await still(up, channels)
            for start in range(0, number, 50):
                await asyncio.gather(*(come_and_go(up, wait=n % 3 == 0) for n in range(start, start + 50)))
            assert await up.get(1000) == take(1000)
            await becomes(lambda: up.tunnel("desk").connections == 0 and len(channels) == at_rest[0])
            assert await still(up, channels) == at_rest
            assert up.states("inner") == ["connecting", "open"]

    play(scene())


async def still(up: Field, channels: dict[int, object]) -> tuple[int, int]:
    """Channels of ours and descriptors of the last sshd, when nobody is connected."""
    await becomes(lambda: up.tunnel("desk").connections == 0)
    serving = up.sshd("inner")[-1]

    def descriptors() -> int:
        return sum(1 for _ in Path(f"/proc/{serving}/fd").iterdir())

    seen = [descriptors()]

    def settled() -> bool:
        seen.append(descriptors())
        return len(seen) > 20 and len(set(seen[-20:])) == 1

    await becomes(settled)
    return len(channels), seen[-1]


async def come_and_go(up: Field, *, wait: bool) -> None:
    """A client that connects and is gone: at once, or in the middle of being served."""
    with socket.socket() as sock:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, up.entrance("desk"))
        if wait:
            await asyncio.sleep(0)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
