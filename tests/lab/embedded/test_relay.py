"""One forward of an SSH server of the lab, from channel to socket: what passes, and how it ends."""

from __future__ import annotations

import asyncio
import hashlib

from orchestra.lab.embedded import EmbeddedLab
from orchestra.lab.stub import payload
from orchestra.testing.collect import Accepting
from tests.lab.embedded.build import in_lab
from tests.lab.embedded.ssh import login, office


def test_half_close_and_bulk_both_ways() -> None:
    size = 5_000_000

    async def test(lab: EmbeddedLab) -> None:
        async with login(lab) as gateway:
            reader, writer = await gateway.open_connection("10.20.0.30", 5900)
            writer.write(f"GET /bytes/{size} HTTP/1.1\r\n\r\n".encode())
            answer = await reader.read()
            assert answer.partition(b"\r\n\r\n")[2] == b"".join(payload(size))
            reader, writer = await gateway.open_connection("10.20.0.30", 5900)
            writer.write(b"PUT / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % size)
            for chunk in payload(size):
                writer.write(chunk)
                await writer.drain()
            writer.write_eof()
            digest = hashlib.sha256(b"".join(payload(size))).hexdigest()
            assert (await reader.read()).endswith(f"\r\n\r\n{digest} {size}\n".encode())

    in_lab(office(), test)


def test_the_end_of_one_direction_leaves_the_other_open() -> None:
    async def test(lab: EmbeddedLab) -> None:
        accept = Accepting()
        listener = await lab.place("desk").create_server(accept, "10.20.0.30", 0)
        async with login(lab) as gateway:
            reader, writer = await gateway.open_connection("10.20.0.30", listener.port)
            writer.write_eof()
            reached = await accept.collectors.get()
            await reached.eof.wait()
            await reached.send(b"after the question")
            reached.stream.write_eof()
            assert await reader.read() == b"after the question"
            await writer.wait_closed()

    in_lab(office(), test)


def test_a_reset_of_the_socket_is_the_end_of_the_channel() -> None:
    async def test(lab: EmbeddedLab) -> None:
        accept = Accepting()
        listener = await lab.place("desk").create_server(accept, "10.20.0.30", 0)
        async with login(lab) as gateway:
            reader, writer = await gateway.open_connection("10.20.0.30", listener.port)
            (await accept.collectors.get()).stream.abort()
            assert await reader.read() == b""
            await writer.wait_closed()

    in_lab(office(), test)


def test_who_does_not_read_holds_up_who_writes_and_loses_nothing() -> None:
    chunk = bytes(range(256)) * 1024

    async def test(lab: EmbeddedLab) -> None:
        accept = Accepting()
        listener = await lab.place("desk").create_server(accept, "10.20.0.30", 0)
        async with login(lab) as gateway:
            reader, _ = await gateway.open_connection("10.20.0.30", listener.port)
            reached, digest, sent = await accept.collectors.get(), hashlib.sha256(), 0
            while reached.writable.is_set():  # until the window, both queues and the sockets are full
                reached.stream.write(chunk)
                digest.update(chunk)
                sent += len(chunk)
                await asyncio.sleep(0)
            assert sent < 100 << 20
            reached.stream.write_eof()
            assert hashlib.sha256(await reader.read()).digest() == digest.digest()

    in_lab(office(), test)
