"""A relay that stands in front of a server and does to the bytes what networks do: late, slowly, in crumbs, spoilt, or
not at all."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from orchestra.lab.netns.lab import NetnsLab
from orchestra.session.sockets import linger_zero

PORT = 2222
CHUNK = 1 << 16
HELD = 64
"""Chunks under way in one direction: beyond them the sender waits."""


@dataclass
class Relay:
    """What it does may be changed at any time. ``rng`` makes jitter and crumbs."""

    rng: random.Random
    delay: float = 0.0
    """Seconds that a byte is under way, each way."""
    jitter: float = 0.0
    """Seconds more, at most; nothing overtakes."""
    crumbs: int = 0
    """Bytes that are passed on at a time, at most; 0: as they come."""
    spoil: int = 0
    """Chunks from the server that are still to have one bit turned."""
    shut: bool = False
    """Whether who comes is sent away before a word."""
    accepted: int = 0
    _pipes: set[asyncio.StreamWriter] = field(default_factory=set)

    def reset(self) -> None:
        """Breaks every connection by a TCP reset, at both sides."""
        for writer in list(self._pipes):
            linger_zero(writer.get_extra_info("socket"))
            writer.transport.abort()

    async def join(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter, sock: socket.socket) -> None:
        """Carries one connection to its end."""
        server, to_server = await asyncio.open_connection(sock=sock)
        self._pipes |= {to_client, to_server}
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._carry(client, to_server, spoils=False))
                both.create_task(self._carry(server, to_client, spoils=True))
        finally:
            for writer in (to_client, to_server):
                self._pipes.discard(writer)
                writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, spoils: bool) -> None:
        loop = asyncio.get_running_loop()
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(HELD)

        async def read() -> None:
            due, data = 0.0, b"-"
            while data:
                try:
                    data = await reader.read(CHUNK)
                except OSError:
                    data = b""
                due = max(due, loop.time() + self.delay + self.rng.uniform(0, self.jitter))
                await under_way.put((due, data))

        async def write() -> None:
            while True:
                due, data = await under_way.get()
                await asyncio.sleep(max(0.0, due - loop.time()))
                if not data:
                    break
                await self._pass(writer, self._spoilt(data) if spoils else data)
            writer.write_eof()

        with suppress(OSError):
            async with asyncio.TaskGroup() as both:
                both.create_task(read())
                both.create_task(write())

    async def _pass(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        while data:
            size = self.rng.randint(1, self.crumbs) if self.crumbs else len(data)
            writer.write(data[:size])
            await writer.drain()
            data = data[size:]

    def _spoilt(self, data: bytes) -> bytes:
        if not self.spoil:
            return data
        self.spoil -= 1
        place = len(data) // 2
        return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


@asynccontextmanager
async def relay_before(lab: NetnsLab, machine: str, crumbs: int = 0) -> AsyncIterator[Relay]:
    """In front of a machine's sshd: who dials port 22 there from outside comes by here."""
    relay = Relay(random.Random(1), crumbs=crumbs)  # noqa: S311 - the same every time
    running: set[asyncio.Task[None]] = set()
    listening = await lab.socket_in(lab.layout.of(machine), socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("0.0.0.0", PORT))

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        relay.accepted += 1
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        task = asyncio.current_task()
        assert task
        running.add(task)
        try:
            if not relay.shut:
                with suppress(OSError, ExceptionGroup, asyncio.CancelledError):  # asyncio's callback would complain
                    await relay.join(reader, writer, await lab.dial(machine, "127.0.0.1", 22))
        finally:
            running.discard(task)
            writer.transport.abort()

    server = await asyncio.start_server(accepted, sock=listening)
    rules = f"add table inet relay; add chain inet relay to {{ type nat hook prerouting priority -100; }}; \
        add rule inet relay to iifname != lo tcp dport 22 redirect to :{PORT}"
    await lab._link.ask("output", machine=machine, argv=["nft", rules])
    try:
        yield relay
    finally:
        server.close()
        for task in list(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await server.wait_closed()
