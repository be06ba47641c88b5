"""Resets, and what is left of a stream after one."""

import asyncio
import socket
import struct

import pytest

from orchestra.session.here import Here
from orchestra.session.sockets import HIGH_WATER, LATELY, READ_SIZE, SHARED_SIZE, ReadingSpace, SocketStream
from orchestra.testing.collect import Accepting, Collector


def test_a_refused_connection_is_reset():
    async def main():
        async with asyncio.timeout(5):
            here = Here("laptop")
            listener = await here.create_server(Accepting(refuse=True), "127.0.0.1", 0)
            _, dialed = await here.create_connection(Collector, "127.0.0.1", listener.port)
            await dialed.ended.wait()
            assert isinstance(dialed.error, ConnectionResetError)
            here.abort()
            await here.wait_closed()

    asyncio.run(main())


def test_a_stream_that_was_reset_may_still_be_ended_and_tells_by_what_it_reads():
    async def main():
        async with asyncio.timeout(5):
            here = Here("laptop")
            with socket.create_server(("127.0.0.1", 0)) as listening:
                stream, dialed = await here.create_connection(Collector, *listening.getsockname())
                accepted, _ = listening.accept()
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            accepted.close()  # on loopback the reset is there when this returns, and the loop has not read it yet
            stream.write_eof()
            await dialed.ended.wait()
            assert isinstance(dialed.error, ConnectionResetError)
            here.close()
            await here.wait_closed()

    asyncio.run(main())


def test_a_stream_that_ended_writing_sends_what_came_before_and_nothing_after():
    async def main():
        async with asyncio.timeout(5):
            here, accept = Here("laptop"), Accepting()
            listener = await here.create_server(accept, "127.0.0.1", 0)
            stream, _ = await here.create_connection(Collector, "127.0.0.1", listener.port)
            stream.write(b"before")
            stream.write_eof()
            stream.write(b"after")
            stream.write_eof()
            accepted = await accept.collectors.get()
            await accepted.eof.wait()
            assert bytes(accepted.data) == b"before"
            here.abort()
            await here.wait_closed()

    asyncio.run(main())


def _stream(receiver, space=None):
    """A stream, and the other end of its socket."""
    near, far = socket.socketpair()
    near.setblocking(False)
    far.setblocking(False)
    stream = SocketStream(near, receiver, space=space)
    stream.start()
    return stream, far


def test_what_waits_is_bounded_by_telling_the_writer_and_goes_out_in_order():
    async def main():
        async with asyncio.timeout(5):
            told, loop = [], asyncio.get_running_loop()
            collector = Collector()
            collector.pause_writing = lambda: told.append("pause")
            collector.resume_writing = lambda: told.append("resume")
            stream, far = _stream(collector)
            with far:
                data = bytes(range(256)) * 8192
                stream.write(data)
                assert told == ["pause"]
                assert HIGH_WATER < stream.get_extra_info("unsent") < len(data)
                stream.write_eof()
                got = bytearray()
                while piece := await loop.sock_recv(far, 1 << 20):
                    got += piece
                assert bytes(got) == data
                assert told == ["pause", "resume"]
            stream.close()
            await collector.ended.wait()

    asyncio.run(main())


def test_a_paused_stream_reads_nothing_and_an_end_of_file_comes_once():
    async def main():
        async with asyncio.timeout(5):
            collector = Collector()
            stream, far = _stream(collector)
            stream.pause_reading()
            far.send(b"later")
            far.shutdown(socket.SHUT_WR)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert not collector.data
            stream.resume_reading()
            await collector.eof.wait()
            assert bytes(collector.data) == b"later"
            stream.pause_reading()
            stream.resume_reading()
            assert not stream._watched  # nothing more comes from there
            stream.abort()
            await collector.ended.wait()
            far.close()

    asyncio.run(main())


def test_what_a_receiver_raises_ends_its_stream_and_is_told():
    async def main():
        async with asyncio.timeout(5):
            told = []
            asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["exception"]))
            collector, fault = Collector(), ValueError("its own")

            def fail(_data):
                raise fault

            collector.data_received = fail
            _, far = _stream(collector)
            with far:
                far.send(b"x")
                await collector.ended.wait()
            assert told == [fault]
            assert collector.error is fault

    asyncio.run(main())


def test_what_was_written_before_a_close_is_sent():
    async def main():
        async with asyncio.timeout(5):
            collector, loop = Collector(), asyncio.get_running_loop()
            stream, far = _stream(collector)
            with far:
                stream.write(bytes(1 << 20))
                stream.close()
                stream.close()
                left = 1 << 20
                while piece := await loop.sock_recv(far, 1 << 20):
                    left -= len(piece)
                assert left == 0
                await collector.ended.wait()
                assert stream.get_extra_info("peername", "gone") == "gone"

    asyncio.run(main())


def test_beside_one_that_says_little_others_read_less_at_a_time_for_a_while():
    now = 100.0
    space = ReadingSpace(lambda: now)
    assert len(space.room(7)) == READ_SIZE
    space.took(7, READ_SIZE)
    assert len(space.room(8)) == READ_SIZE
    space.took(8, 1)
    assert [len(space.room(number)) for number in (7, 8)] == [SHARED_SIZE, READ_SIZE]
    now += LATELY
    assert len(space.room(7)) == READ_SIZE


class Pieces(Collector):
    """Keeps the size of each piece."""

    def __init__(self):
        super().__init__()
        self.sizes = []

    def data_received(self, data, /):
        self.sizes.append(len(data))
        super().data_received(data)


class Carrying(Pieces):
    carries = True


@pytest.mark.parametrize(
    ("bulk", "other", "shared"), [(Pieces, Pieces, True), (Carrying, Pieces, False), (Pieces, Carrying, False)]
)
def test_what_carries_others_neither_reads_less_nor_has_others_read_less(bulk, other, shared):
    async def main():
        async with asyncio.timeout(5):
            space, size = ReadingSpace(lambda: 0.0), 2 * SHARED_SIZE
            (little, few), (much, many) = _stream(other(), space), _stream(bulk(), space)
            few.send(b"x")
            await little._receiver.receive(1)
            assert many.send(bytes(size)) == size
            await much._receiver.receive(size)
            assert much._receiver.sizes == ([SHARED_SIZE] * 2 if shared else [size])
            for stream in (little, much):
                stream.abort()
            few.close()
            many.close()

    asyncio.run(main())


def test_what_has_come_may_be_read_before_the_loop_s_next_turn():
    async def main():
        receiver = Collector()
        stream, far = _stream(receiver)
        for ready in (True, False):
            if not ready:
                stream.pause_reading()
            far.send(b"x")
            stream.hasten()
            assert bytes(receiver.data) == b"x"
        stream.abort()
        far.close()

    asyncio.run(main())


def test_what_is_read_ahead_of_its_turn_leaves_alone_what_another_is_just_told():
    async def main():
        async with asyncio.timeout(5):
            space = ReadingSpace()
            (ahead, one), (told, other) = _stream(Collector(), space), _stream(Collector(), space)

            def data_received(data):
                one.send(b"one" * 1000)
                ahead.hasten()
                assert bytes(ahead._receiver.data) == b"one" * 1000
                assert data == b"other" * 1000

            told._received = data_received
            other.send(b"other" * 1000)
            await ahead._receiver.receive(3000)
            for stream in (ahead, told):
                assert not stream.is_closing()
                stream.abort()
            one.close()
            other.close()

    asyncio.run(main())


def test_a_stream_whose_directions_have_both_ended_has_ended():
    async def main():
        async with asyncio.timeout(5):
            receiver = Collector()
            stream, far = _stream(receiver)
            far.shutdown(socket.SHUT_WR)
            await receiver.eof.wait()
            assert not stream.is_closing()
            stream.write(b"the last")
            stream.write_eof()
            await receiver.ended.wait()
            assert (receiver.error, far.recv(8), far.recv(8)) == (None, b"the last", b"")
            far.close()

    asyncio.run(main())


def test_no_stream_holds_small_packets_back():
    async def main():
        here, accept = Here("laptop"), Accepting()
        listener = await here.create_server(accept, "127.0.0.1", 0)
        dialed, _ = await here.create_connection(Collector, "127.0.0.1", listener.port)
        accepted = (await accept.collectors.get()).stream
        for stream in (dialed, accepted):
            assert stream.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        here.abort()
        await here.wait_closed()

    asyncio.run(main())
