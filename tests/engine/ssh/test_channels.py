"""What a server's death and a stalled server do to the streams."""

import asyncio
import os
import signal

import pytest

from orchestra.engine.ssh.datapath import MSG_CHANNEL_WINDOW_ADJUST
from orchestra.engine.ssh.transport import SshTransport
from orchestra.session import SessionLost
from orchestra.session.windows import FIRST
from orchestra.testing.collect import CHUNK, Accepting, Collector, transfer

from .sshd import Keys, descendants, needs_sshd, opened, request

pytestmark = needs_sshd


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return Keys(tmp_path_factory.mktemp("keys"))


async def _connect(session, here):
    accept = Accepting()
    listener = await here.create_server(accept, "127.0.0.1", 0)
    _, dialed = await session.create_connection(Collector, "127.0.0.1", listener.port)
    listener.close()
    return dialed, await accept.collectors.get()


def test_a_killed_server_ends_a_download_with_an_error(keys):
    async def main():
        async with opened(keys) as (server, session, here):
            dialed, accepted = await _connect(session, here)

            async def download():
                while not accepted.ended.is_set():
                    await accepted.send(CHUNK)
                    await asyncio.sleep(0)

            sending = asyncio.create_task(download())
            await dialed.receive(8 << 20)
            server.kill_sessions()
            await dialed.ended.wait()
            assert isinstance(dialed.error, SessionLost)
            assert "eof" not in dialed.calls
            assert isinstance(await session.wait_closed(), SessionLost)
            await sending

    asyncio.run(main())


def test_who_reads_a_little_at_a_time_is_sent_no_more_than_the_window(keys):
    held, allowed = [], []

    class Slow(Collector):
        """Reads one piece in each turn of the loop."""

        def data_received(self, data, /):
            super().data_received(data)
            channel = self.stream._channel
            held.append(sum(len(piece) for piece, _ in channel._recv_buf) + channel._recv_window)
            allowed.append(self.stream._window.size)
            self.stream.pause_reading()
            asyncio.get_running_loop().call_soon(self.stream.resume_reading)

    async def main():
        async with opened(keys) as (_, session, here):
            accept = Accepting()
            listener = await here.create_server(accept, "127.0.0.1", 0)
            _, slow = await session.create_connection(Slow, "127.0.0.1", listener.port)
            listener.close()
            accepted = await accept.collectors.get()
            sending = asyncio.create_task(accepted.send(bytes(24 << 20)))
            await slow.receive(24 << 20)
            await sending
            assert max(held) <= max(allowed)

    asyncio.run(main())


def test_the_sender_is_told_seldom_of_more_room_and_only_by_what_counts_it(keys):
    async def main():
        async with opened(keys) as (_, session, here):
            told, send = [], session._connection.send_packet
            session._connection.send_packet = lambda kind, *args, **more: (
                told.append(int.from_bytes(args[-1], "big")) if kind == MSG_CHANNEL_WINDOW_ADJUST else None,
                send(kind, *args, **more),
            )
            dialed, accepted = await _connect(session, here)
            sending = asyncio.create_task(accepted.send(bytes(16 << 20)))
            await dialed.receive(16 << 20)
            await sending
            window = dialed.stream._window
            assert FIRST + sum(told) == window._granted
            assert min(told) >= FIRST // 4
            assert dialed.stream._channel._recv_window == window._open

    asyncio.run(main())


def test_many_writers_into_a_stalled_server_hold_little(keys):
    async def main():
        async with opened(keys) as (server, session, here):
            pairs = [await _connect(session, here) for _ in range(50)]
            children = descendants(server.process.pid)
            for child in children:
                os.kill(child, signal.SIGSTOP)
            taken = 0
            for _ in range(400):
                for dialed, _ in pairs:
                    if dialed.writable.is_set():
                        dialed.stream.write(CHUNK)
                        taken += len(CHUNK)
                await asyncio.sleep(0)
            assert not any(dialed.writable.is_set() for dialed, _ in pairs)
            assert taken < 8 << 20, f"{taken >> 20} MiB were taken"
            for child in children:
                os.kill(child, signal.SIGCONT)
            await asyncio.gather(*(dialed.writable.wait() for dialed, _ in pairs))
            for dialed, accepted in pairs:
                dialed.stream.abort()
                accepted.stream.abort()

    asyncio.run(main())


def test_a_bulk_stream_puts_little_in_front_of_a_byte_of_another(keys):
    async def main():
        async with opened(keys) as (server, session, here):
            (bulk, _), (other, accepted) = [await _connect(session, here) for _ in range(2)]
            children = descendants(server.process.pid)
            for child in children:
                os.kill(child, signal.SIGSTOP)
            while bulk.writable.is_set():
                bulk.stream.write(CHUNK)
                await asyncio.sleep(0)
            in_front = session._carrier._stream.get_extra_info("unsent") + session._carrier._size
            assert in_front < (256 << 10) + len(CHUNK)
            other.stream.write(b"x")
            for child in children:
                os.kill(child, signal.SIGCONT)
            assert await accepted.receive(1) == b"x"

    asyncio.run(main())


def test_a_bulk_stream_puts_no_more_than_its_window_in_front_of_a_byte_that_comes(keys):
    async def main():
        async with opened(keys) as (_, session, here):
            (bulk, sender), (other, accepted) = [await _connect(session, here) for _ in range(2)]
            await transfer(sender, bulk, 16 << 20)  # sockets learn to hold much
            session._carrier._stream.pause_reading()
            before, may_come, unsent = len(bulk.data), bulk.stream._window._open, None
            sender.stream.write(bytes(32 << 20))
            for _ in range(200):  # until the server takes no more
                await asyncio.sleep(0.02)
                if unsent == (unsent := sender.stream.get_extra_info("unsent")):
                    break
            accepted.stream.write(b"x")
            session._carrier._stream.resume_reading()
            assert await other.receive(1) == b"x"
            assert len(bulk.data) - before < may_come + (1 << 20)  # and what the server has room for meanwhile

    asyncio.run(main())


def test_a_receiver_that_fails_ends_its_channel_only(keys):
    class Failing(Collector):
        def data_received(self, _data, /):
            raise ValueError("a bug of a plugin")

    async def main():
        async with opened(keys) as (_, session, here):
            accept = Accepting()
            listener = await here.create_server(accept, "127.0.0.1", 0)
            _, failing = await session.create_connection(Failing, "127.0.0.1", listener.port)
            accepted = await accept.collectors.get()
            await accepted.send(b"x")
            await failing.ended.wait()
            dialed, echo = await _connect(session, here)
            await dialed.send(b"still there")
            assert await echo.receive(11) == b"still there"
            listener.close()
            here.abort()

    asyncio.run(main())


def test_no_address_of_the_hop_before_is_known(keys):
    async def main():
        async with opened(keys, hops=2) as (_, session, here):
            dialed, accepted = await _connect(session, here)
            assert not (dialed.stream.get_extra_info("peername") or ("",))[0]
            assert dialed.stream.get_extra_info("socket") is None
            accepted.stream.abort()

    asyncio.run(main())


def test_a_silent_server_is_noticed(keys):
    async def main():
        async with opened(keys, keepalive=0.6) as (server, session, here):
            dialed, _ = await _connect(session, here)
            stopped = descendants(server.process.pid)
            for child in stopped:
                os.kill(child, signal.SIGSTOP)
            async with asyncio.timeout(10):
                reason = await session.wait_closed()
            for child in stopped:
                os.kill(child, signal.SIGCONT)
            assert "keepalive" in str(reason)
            assert isinstance(dialed.error, SessionLost)

    asyncio.run(main())


def test_a_session_ends_with_the_one_below_it(keys):
    async def main():
        async with opened(keys) as (server, outer, _here):
            inner = await SshTransport().open(request(server.settings(), outer, depth=2, name="inner"))
            outer.close()
            assert await outer.wait_closed() is None
            reason = await inner.wait_closed()
            assert isinstance(reason, SessionLost)
            assert reason.host == "inner"
            assert "gateway" in str(reason)

    asyncio.run(main())


@pytest.mark.parametrize(
    "line",
    [
        "RekeyLimit 1M",
        "Ciphers chacha20-poly1305@openssh.com",
        "Ciphers aes256-gcm@openssh.com",
        "Ciphers aes128-ctr",
    ],
)
def test_other_ciphers_and_new_keys(keys, line):
    async def main():
        async with opened(keys, line) as (_, session, here):
            dialed, accepted = await _connect(session, here)
            for writer, reader in ((dialed, accepted), (accepted, dialed)):
                for _ in range(96):
                    await writer.send(CHUNK)
                assert await reader.receive(96 * len(CHUNK)) == CHUNK * 96
            accepted.stream.abort()

    asyncio.run(main())
