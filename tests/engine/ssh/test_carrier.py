"""The stream below a session: writes are gathered, ends are passed on."""

import asyncio
import socket

import pytest

from orchestra.engine.ssh.carrier import _UNKNOWN, FLUSH_AT, Carrier, _acknowledger, _tune_socket
from orchestra.session.here import Here
from orchestra.testing import Collector, MemoryNetwork, run_virtual


class Listening:
    """Stands where asyncssh's connection stands."""

    def __init__(self):
        self.events = []

    def connection_made(self, _transport):
        self.events.append("made")

    def data_received(self, data):
        self.events.append(data)

    def eof_received(self):
        self.events.append("eof")

    def connection_lost(self, exc):
        self.events.append(exc)

    def add_channel(self, _channel):
        return 0

    def send_packet(self, *args, handler=None):
        pass


async def _dialed(congested=lambda _: None):
    network = MemoryNetwork()
    here = network.place("laptop", is_here=True)
    server = Collector()

    async def accept(_peer):
        return server

    await here.create_server(accept, "127.0.0.1", 22)
    carrier = Carrier(congested)
    await carrier.dial(here, "127.0.0.1", 22, None)
    return carrier, server, here


def test_what_is_written_in_one_turn_is_one_write():
    async def main():
        carrier, server, _ = await _dialed()
        written = []
        carrier._write = written.append
        for _ in range(10):
            carrier.write(b"packet")
        await asyncio.sleep(0)
        assert written == [b"packet" * 10]
        carrier.write(b"x" * FLUSH_AT)
        assert len(written) == 2
        assert not server.data

    run_virtual(main())


def test_what_is_written_last_in_a_turn_goes_out_at_once():
    async def main():
        carrier, _, _ = await _dialed()
        written = []
        carrier._write = written.append
        await asyncio.sleep(0.01)
        carrier.lend(memoryview(b"head"))
        assert written == [b"head"]
        asyncio.get_running_loop().call_soon(carrier.lend, memoryview(b"or one"))
        carrier.lend(memoryview(b"this "))
        assert written == [b"head"]  # there is somebody else yet
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert b"".join(written) == b"headthis or one"
        assert len(written) == 2

    run_virtual(main())


def test_a_loop_that_cannot_be_asked_gathers():
    async def main():
        carrier, _, _ = await _dialed()
        carrier._others, written = _UNKNOWN, []
        carrier._write = written.append
        carrier.lend(memoryview(b"a"))
        carrier.lend(memoryview(b"b"))
        await asyncio.sleep(0)
        assert written == [b"ab"]

    run_virtual(main())


def test_what_was_lent_is_not_kept_and_comes_behind_what_was_queued():
    async def main():
        carrier, server, _ = await _dialed()
        space = bytearray(FLUSH_AT)
        carrier.write(b"first ")
        carrier._others = _UNKNOWN
        for lent in (b"second ", b"third " * (FLUSH_AT // 6)):
            space[: len(lent)] = lent
            carrier.lend(memoryview(space)[: len(lent)])
            space[:] = bytes(FLUSH_AT)
        await asyncio.sleep(0.01)
        assert bytes(server.data) == b"first second " + b"third " * (FLUSH_AT // 6)

    run_virtual(main())


def test_what_comes_before_the_connection_is_kept():
    async def main():
        carrier, server, _ = await _dialed()
        server.stream.write(b"SSH-2.0-early")
        await asyncio.sleep(0.01)
        _, connection = await carrier.create_connection(Listening, "", 0)
        server.stream.write(b"more")
        await asyncio.sleep(0.01)
        assert connection.events == ["made", b"SSH-2.0-early", b"more"]

    run_virtual(main())


def test_a_loss_below_is_passed_on():
    async def main():
        carrier, _, here = await _dialed()
        _, connection = await carrier.create_connection(Listening, "", 0)
        here.lose()
        await asyncio.sleep(0.01)
        assert carrier.loss is connection.events[-1]
        assert carrier.is_closing()

    run_virtual(main())


class Opening(Listening):
    """Handles what it receives in a task, as asyncssh does, and is told of its end."""

    _auth_complete = False

    def data_received(self, data):
        async def handle():
            self.events.append(data)

        task = asyncio.ensure_future(handle())
        task.add_done_callback(lambda _: self.events.append("handled"))


def test_while_a_session_opens_the_end_comes_after_the_packets_before_it():
    async def main():
        carrier, server, _ = await _dialed()
        _, connection = await carrier.create_connection(Opening, "", 0)
        server.stream.write(b"no")
        server.stream.write_eof()
        await asyncio.sleep(0.01)
        assert connection.events[:4] == ["made", b"no", "handled", "eof"]

    run_virtual(main())


def test_a_full_stream_is_told_and_an_end_in_good_order_sends_what_is_queued():
    async def main():
        told = []
        carrier, server, _ = await _dialed(told.append)
        server.stream.pause_reading()
        carrier.write(b"x" * FLUSH_AT)
        assert told == [True]
        server.stream.resume_reading()
        await asyncio.sleep(0.01)
        assert told == [True, False]
        carrier.graceful = True
        carrier.write(b"goodbye")
        carrier.abort()
        await server.eof.wait()
        assert bytes(server.data).endswith(b"goodbye")

    run_virtual(main())


def test_nothing_is_read_before_there_is_a_connection_to_read_it():
    async def main():
        carrier, server, _ = await _dialed()
        server.stream.write(b"banner")
        await asyncio.sleep(0.01)
        assert carrier._early == []
        connection = Listening()
        await carrier.create_connection(lambda: connection, "", 0)
        await asyncio.sleep(0.01)
        assert connection.events == ["made", b"banner"]

    run_virtual(main())


def test_what_the_peer_has_not_taken_has_not_arrived():
    async def main():
        here, carrier, size = Here("laptop"), Carrier(lambda _: None), 16 << 20
        with socket.create_server(("127.0.0.1", 0)) as listening:
            await carrier.dial(here, *listening.getsockname(), None)
            accepted, _ = listening.accept()
        with accepted:
            accepted.setblocking(False)
            assert carrier.progress() == (0, 0)
            carrier.write(bytes(size))
            written, arrived = carrier.progress()
            assert written == size > arrived
            left = size
            while left:
                left -= len(await asyncio.get_running_loop().sock_recv(accepted, size))
            for _ in range(500):  # the last of it is acknowledged within 40 ms
                if carrier.progress() == (size, size):
                    break
                await asyncio.sleep(0.01)
            assert carrier.progress() == (size, size)
        carrier.abort()
        here.abort()
        await here.wait_closed()

    asyncio.run(main())


@pytest.mark.skipif(not hasattr(socket, "TCP_QUICKACK"), reason="TCP_QUICKACK is Linux's")
def test_what_was_read_is_acknowledged_at_once_and_a_closed_socket_is_no_error():
    with socket.socket() as sock:
        acknowledge = _acknowledger(sock)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
        acknowledge()
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK)
    acknowledge()


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="TCP_USER_TIMEOUT is Linux's")
@pytest.mark.parametrize(("silence", "first", "unacknowledged"), [(0.0, None, 0), (1.0, 15, 30), (60.0, 60, 120)])
def test_the_kernel_s_patience_follows_the_server_s_silence_and_is_never_the_shorter(silence, first, unacknowledged):
    with socket.socket() as sock:
        _tune_socket(sock, silence)
        kept_alive = sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert bool(kept_alive) == (first is not None)
        assert first is None or sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == first
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 1000 * unacknowledged
