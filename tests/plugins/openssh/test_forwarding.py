"""Listeners at the server: an end of file is passed on when the master still lives after it, and not otherwise."""

import asyncio
import socket

from orchestra_plugins.openssh.forwarding import ORIGINS_KEPT, Origins, RemoteListener, Vouched

from orchestra.session.errors import SessionLost
from orchestra.session.here import Here
from orchestra.testing import Collector


class Session:
    """Vouches when it is told what for."""

    def __init__(self):
        self.word = asyncio.get_running_loop().create_future()
        self.attached, self.tasks, self.asked = set(), set(), asyncio.Event()

    async def vouch(self):
        self.asked.set()
        return await self.word

    def attach(self, stream):
        self.attached.add(stream)

    def detach(self, stream):
        self.attached.discard(stream)

    def spawn(self, work):
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


def play(work, **options):
    """``work`` gets the session, the collector, the stream that stands between, and the master's end of the socket."""

    async def scene():
        session, collector, here = Session(), Collector(**options), Here("laptop")
        near, far = socket.socketpair()
        vouched = Vouched(collector, session)
        far.setblocking(False)
        here._adopt(vouched, near)
        with far:
            await work(session, collector, vouched, far)
        here.abort()
        await here.wait_closed()
        assert session.attached == set()

    asyncio.run(scene())


def test_an_end_of_file_waits_for_the_masters_word():
    async def work(session, collector, _vouched, far):
        far.send(b"all of it")
        far.shutdown(socket.SHUT_WR)
        assert await collector.receive(9) == b"all of it"
        await session.asked.wait()
        assert "eof" not in collector.calls
        session.word.set_result(None)
        await collector.eof.wait()
        await collector.send(b"half-closed")
        assert await asyncio.get_running_loop().sock_recv(far, 100) == b"half-closed"
        collector.stream.close()
        await collector.ended.wait()
        assert collector.error is None

    play(work)


def test_who_does_not_keep_his_direction_is_closed():
    async def work(session, collector, _vouched, far):
        session.word.set_result(None)
        far.shutdown(socket.SHUT_WR)
        await collector.ended.wait()
        assert (collector.calls, collector.error) == (["made", "eof", "lost"], None)

    play(work, keep_open=False)


def test_without_it_the_stream_was_cut():
    async def work(session, collector, _vouched, far):
        loss = SessionLost("SESSION_LOST", "killed")
        session.word.set_result(loss)
        far.shutdown(socket.SHUT_WR)
        await collector.ended.wait()
        assert (collector.calls, collector.error) == (["made", "lost"], loss)

    play(work)


def test_a_lost_session_ends_it_once():
    async def work(_session, collector, vouched, _far):
        loss = ConnectionResetError("gone")
        vouched.lost(loss)
        vouched.lost(None)
        assert (collector.calls, collector.error) == (["made", "lost"], loss)

    play(work)


def test_who_came_is_known_in_order_and_bounded():
    async def scene():
        origins = Origins()
        for number in range(ORIGINS_KEPT + 1):
            origins.came(80, ("10.0.0.1", number))
        assert (await origins.next(80, "gw")).port == 1
        origins.forget(80)
        assert (await origins.next(80, "gw")).host is None

    asyncio.run(scene())


def test_a_listener_is_closed_when_the_server_has_heard_of_it_and_only_once():
    async def scene():
        here, cancelled = Here("laptop"), []

        async def accept(_peer):
            raise AssertionError("nobody came")

        async def cancel():
            cancelled.append(1)
            await asyncio.sleep(0)

        near = await here.create_server(accept, "127.0.0.1", 0)
        listener = RemoteListener(4001, near, cancel, None)
        listener.close()
        listener.close()
        await listener.wait_closed()
        await near.wait_closed()
        assert (cancelled, listener.port) == ([1], 4001)

    asyncio.run(scene())
