"""The relay over real loopback sockets."""

from __future__ import annotations

import asyncio
import hashlib
import os
import struct
from collections.abc import Awaitable, Callable
from socket import SO_LINGER, SOL_SOCKET
from typing import Any

import pytest

from orchestra.engine.relay import Relay
from orchestra.model.events import ConnectionFailed
from orchestra.model.plan import PlannedTunnel
from orchestra.testing import Collector, MemoryNetwork, MemoryTransport, run_virtual
from tests.engine import plans
from tests.engine.sockets import Running, close, connect, descriptors, direct, engine, settled, small_socket, target

MEGABYTE = 1 << 20


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    await close(writer)


def test_every_byte_arrives_in_both_directions() -> None:
    async def main() -> None:
        payload = os.urandom(8 * MEGABYTE)
        async with target(echo) as port, engine(direct(port)) as running:
            reader, writer = await connect(running.port)

            async def send() -> None:
                writer.write(payload)
                await writer.drain()
                writer.write_eof()

            _, back = await asyncio.gather(send(), reader.read(-1))
            assert hashlib.sha256(back).digest() == hashlib.sha256(payload).digest()
            await close(writer)
            await settled(lambda: running.status.connections == 0)
            assert running.status.bytes_in == running.status.bytes_out == len(payload)

    asyncio.run(main())


@pytest.mark.parametrize("first", ["client", "target"])
def test_each_direction_ends_by_itself(first: str) -> None:
    """Whoever ends first can still read all that the other says afterwards."""
    asked: list[bytes] = []

    async def answer_at_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if first == "target":
            writer.write(b"go")
            writer.write_eof()
        asked.append(await reader.read(-1))
        if first == "client":
            writer.write(b"sum of " + asked[0])
        await close(writer)

    async def main() -> None:
        async with target(answer_at_the_end) as port, engine(direct(port)) as running:
            reader, writer = await connect(running.port)
            if first == "target":
                assert await reader.read(-1) == b"go"
            writer.write(b"1 2 3")
            writer.write_eof()
            answer = await reader.read(-1)
            assert answer == (b"sum of 1 2 3" if first == "client" else b"")
            await close(writer)
            await settled(lambda: asked == [b"1 2 3"])

    asyncio.run(main())


def test_a_reset_of_the_target_is_a_reset_of_the_client() -> None:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"half of")
        await reader.readexactly(1)
        writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async def main() -> None:
        async with target(reset) as port, engine(direct(port)) as running:
            reader, writer = await connect(running.port)
            assert await reader.readexactly(7) == b"half of"
            writer.write(b"x")
            with pytest.raises(ConnectionResetError):
                await reader.read(-1)
            await close(writer)

    asyncio.run(main())


def over_memory() -> tuple[MemoryNetwork, MemoryTransport, PlannedTunnel]:
    network = MemoryNetwork({"10.20.0.30": "desk-vnc"})
    transport = MemoryTransport(network)
    planned = plans.tunnel(
        "desk", "gateway", entry=plans.listen("127.0.0.1", port=0), exit_="gateway", check=plans.CheckRef(type="none")
    )
    return network, transport, planned


Scene = Callable[[Running, MemoryTransport, Collector, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def through_a_session(scene: Scene) -> None:
    """One client, connected by a socket, whose target is reached by a session in memory."""

    async def main() -> None:
        network, transport, planned = over_memory()
        served: list[Collector] = []

        async def accept(_: object) -> Collector:
            served.append(Collector())
            return served[-1]

        await network.place("desk-vnc").create_server(accept, "*", 5900)
        parts = {"plugins": plans.plugins(transport), "sessions": plans.chain("gateway"), "servers": ("gateway",)}
        async with engine(planned, **parts) as running:
            reader, writer = await connect(running.port)
            await settled(lambda: bool(served) and served[0].stream is not None)
            await scene(running, transport, served[0], reader, writer)
            await close(writer)
            await settled(lambda: running.status.connections == 0)

    asyncio.run(main())


def said(collector: Collector, data: bytes, *, eof: bool = False) -> None:
    assert collector.stream is not None
    collector.stream.write(data)
    if eof:
        collector.stream.write_eof()


def test_a_lost_session_resets_its_connections() -> None:
    """A truncated download must not look complete; the listener stays."""

    async def scene(running: Running, transport: Any, target: Collector, reader: Any, writer: Any) -> None:
        said(target, b"half of")
        assert await reader.readexactly(7) == b"half of"
        transport.opened[-1].lose()
        with pytest.raises(ConnectionResetError):
            await reader.read(-1)
        await running.until(lambda: running.status.state == "degraded")
        assert running.status.listen

    through_a_session(scene)


def test_who_has_said_all_and_waits_for_the_answer_is_reset_too() -> None:
    async def scene(running: Running, transport: Any, target: Collector, reader: Any, writer: Any) -> None:
        writer.write(b"question")
        writer.write_eof()
        await target.eof.wait()
        transport.opened[-1].lose()
        with pytest.raises(ConnectionResetError):
            await reader.read(-1)

    through_a_session(scene)


def test_a_download_that_was_complete_stays_complete() -> None:
    async def scene(running: Running, transport: Any, target: Collector, reader: Any, writer: Any) -> None:
        said(target, b"all of it", eof=True)
        (relay,) = running.engine._tunnels["desk"]._relays
        await settled(lambda: relay.exit.eof)
        transport.opened[-1].lose()
        assert await reader.read(-1) == b"all of it"

    through_a_session(scene)


def test_a_dial_that_fails_resets_the_client_and_is_told() -> None:
    async def main() -> None:
        async with target(echo) as port:
            pass
        async with engine(direct(port)) as running:
            reader, writer = await connect(running.port)
            with pytest.raises(ConnectionResetError):
                await reader.read(-1)
            await close(writer)
            told = [event for event in running.events if isinstance(event, ConnectionFailed)]
            assert [(event.code, event.message) for event in told] == [
                ("CONNECT_REFUSED", f"laptop dialed 127.0.0.1:{port} (web): connection refused")
            ]
            assert running.status.state == "ready"

    asyncio.run(main())


def test_a_slow_reader_stops_its_own_writer_and_nobody_else() -> None:
    sent = 0

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        if await reader.readexactly(1) == b"e":
            writer.write(b"e")
            await close(writer)
            return
        try:
            while sent < 64 * MEGABYTE:
                writer.write(bytes(65536))
                await writer.drain()
                sent += 65536
        except OSError:
            await close(writer)

    async def main() -> None:
        async with target(flood) as port, engine(direct(port)) as running:
            slow = small_socket(running.port)
            slow.send(b"f")
            before = -1
            while before != sent or not sent:  # until it stands still
                before = sent
                await asyncio.sleep(0.1)
            assert sent < 32 * MEGABYTE, "the kernel's buffers and ours, not the whole"
            (relay,) = running.engine._tunnels["web"]._relays
            assert relay.entry.stream.get_extra_info("unsent") < MEGABYTE  # type: ignore[union-attr]
            reader, writer = await connect(running.port)
            writer.write(b"e")
            assert await reader.read(-1) == b"e"
            await close(writer)
            slow.close()

    asyncio.run(main())


def test_a_thousand_quick_connects_leave_nothing() -> None:
    """Half of the clients abort at once, often before the target was dialed."""

    async def main() -> None:
        async with target(echo) as port, engine(direct(port)) as running:
            before = descriptors()

            async def visit(number: int) -> None:
                reader, writer = await connect(running.port)
                if number % 2:
                    sock = writer.get_extra_info("socket")
                    sock.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
                    writer.transport.abort()
                    return
                writer.write(b"ping")
                assert await reader.readexactly(4) == b"ping"
                await close(writer)

            for start in range(0, 1000, 100):
                await asyncio.gather(*(visit(start + n) for n in range(100)))
            await settled(lambda: running.status.connections == 0 and descriptors() <= before)
            assert running.status.state == "ready"

    asyncio.run(main())


def test_stopping_resets_what_is_still_carried() -> None:
    async def main() -> None:
        async with target(echo) as port:
            async with engine(direct(port)) as running:
                reader, writer = await connect(running.port)
                writer.write(b"x")
                assert await reader.readexactly(1) == b"x"
            with pytest.raises(ConnectionResetError):
                await reader.read(-1)
            await close(writer)

    asyncio.run(main())


def test_what_is_told_after_the_end_changes_nothing() -> None:
    async def main() -> None:
        network, ended = MemoryNetwork({"10.20.0.30": "desk"}), list[Relay]()
        here, desk, relay = network.place("laptop", is_here=True), network.place("desk"), Relay(ended.append)

        async def accept(_: object) -> Collector:
            return Collector()

        await desk.create_server(accept, "*", 1)
        for end in (relay.exit, relay.entry):
            await here.create_connection(lambda end=end: end, "10.20.0.30", 1)  # type: ignore[misc]
        relay.abort()
        await asyncio.sleep(1)
        assert ended == [relay]
        for end in (relay.exit, relay.entry):
            end.pause_writing()
            end.resume_writing()
            end.data_received(b"late")
            assert end.eof_received()
            end.connection_lost(None)
        assert ended == [relay]

    run_virtual(main())
