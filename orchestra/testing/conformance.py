"""What every Session has to do, as checks that any implementation is run through::

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
    def test_mine(check):
        asyncio.run(run_check(check, open_arena))

``open_arena`` is an asynchronous context manager that gives a fresh :class:`Arena`.
"""

# ruff: noqa: S101, ASYNC240 - checks are assertions, and touch a temporary folder

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, TypeVar

from orchestra.diagnostics import Code
from orchestra.session.errors import BindRefused, DialRefused, SessionError, SessionLost, Unsupported
from orchestra.session.protocols import Accept, Listener, Peer, Receiver, Session, Stream
from orchestra.testing.collect import Collector

E = TypeVar("E", bound=SessionError)

LOOPBACK = "127.0.0.1"
DEADLINE = 20.0
"""Seconds that a check may take."""
BOUND = 64 * 1024 * 1024
"""No implementation may take more than this from a writer whose reader has stopped."""
CHUNK = bytes(range(256)) * 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Arena:
    """A session under test, and a neighbour to whom loopback means the same machine."""

    session: Session
    neighbour: Session
    lose: Callable[[], Awaitable[None]] | None = None
    """Breaks the session from outside."""


Check: TypeAlias = Callable[[Arena], Awaitable[None]]
OpenArena: TypeAlias = Callable[[], AbstractAsyncContextManager[Arena]]


async def run_check(check: Check, open_arena: OpenArena) -> None:
    """Runs one check within its deadline; tasks that it leaves behind are failures too."""
    before = asyncio.all_tasks()
    async with asyncio.timeout(DEADLINE):
        async with open_arena() as arena:
            await check(arena)
        for _ in range(100):
            if not (left := asyncio.all_tasks() - before):
                return
            await asyncio.sleep(0.01)
    raise AssertionError(f"tasks are left: {left}")


class Accepting:
    """An accept that makes collectors and keeps them once connected; ``gate`` holds each back until it is set."""

    def __init__(self, *, gate: asyncio.Event | None = None, refuse: bool = False, **options: bool) -> None:
        self.collectors: asyncio.Queue[Collector] = asyncio.Queue()
        self.peers: asyncio.Queue[Peer] = asyncio.Queue()
        self._gate, self._refuse, self._options = gate, refuse, options

    async def __call__(self, peer: Peer) -> Receiver:
        self.peers.put_nowait(peer)
        if self._gate is not None:
            await self._gate.wait()
        if self._refuse:
            raise ConnectionAbortedError("not today")
        return Collector(**self._options, made=self.collectors.put_nowait)


@asynccontextmanager
async def _listening(at: Session, accept: Accept, port: int = 0) -> AsyncIterator[Listener]:
    listener = await at.create_server(accept, LOOPBACK, port)
    try:
        yield listener
    finally:
        listener.close()


@asynccontextmanager
async def _pair(entry: Session, exit_: Session) -> AsyncIterator[tuple[Collector, Collector]]:
    """A connection that ``exit_`` dialed to ``entry``'s listener: (dialed end, accepted end)."""
    accept = Accepting()
    async with _listening(entry, accept) as listener:
        _, dialed = await exit_.create_connection(Collector, LOOPBACK, listener.port)
        accepted = await accept.collectors.get()
        try:
            yield dialed, accepted
        finally:
            _stream(dialed).abort()
            _stream(accepted).abort()


def _stream(collector: Collector) -> Stream:
    assert collector.stream is not None
    return collector.stream


async def _raised(attempt: Awaitable[object], kind: type[E]) -> E:
    try:
        await attempt
    except kind as error:
        return error
    raise AssertionError(f"it succeeded where {kind.__name__} was due")


async def _transfer(writer: Collector, reader: Collector, size: int) -> None:
    already = len(reader.data)
    for _ in range(size // len(CHUNK)):
        await writer.send(CHUNK)
    received = await reader.receive(already + size)
    assert len(received) == already + size, f"{len(received) - already} of {size} bytes arrived"
    assert received[already:] == CHUNK * (size // len(CHUNK))


async def dialing_carries_both_ways(arena: Arena) -> None:
    async with _pair(arena.neighbour, arena.session) as (dialed, accepted):
        await _transfer(dialed, accepted, 4 * len(CHUNK))
        await _transfer(accepted, dialed, 4 * len(CHUNK))


async def listening_carries_both_ways(arena: Arena) -> None:
    async with _pair(arena.session, arena.neighbour) as (dialed, accepted):
        await _transfer(dialed, accepted, 4 * len(CHUNK))
        await _transfer(accepted, dialed, 4 * len(CHUNK))


async def much_data_arrives_whole(arena: Arena) -> None:
    async with _pair(arena.neighbour, arena.session) as (dialed, accepted):
        await asyncio.gather(_transfer(dialed, accepted, 1 << 24), _transfer(accepted, dialed, 1 << 24))


async def our_end_of_file_leaves_their_direction_open(arena: Arena) -> None:
    async with _pair(arena.neighbour, arena.session) as (dialed, accepted):
        await dialed.send(b"question")
        _stream(dialed).write_eof()
        await accepted.eof.wait()
        assert bytes(accepted.data) == b"question"
        await _transfer(accepted, dialed, 1 << 20)


async def their_end_of_file_leaves_our_direction_open(arena: Arena) -> None:
    async with _pair(arena.neighbour, arena.session) as (dialed, accepted):
        await accepted.send(b"answer")
        _stream(accepted).write_eof()
        await dialed.eof.wait()
        assert bytes(dialed.data) == b"answer"
        await _transfer(dialed, accepted, 1 << 20)


async def both_ends_of_file_end_cleanly(arena: Arena) -> None:
    async with _pair(arena.neighbour, arena.session) as (dialed, accepted):
        _stream(dialed).write_eof()
        _stream(accepted).write_eof()
        await asyncio.gather(dialed.eof.wait(), accepted.eof.wait())
        _stream(dialed).close()
        _stream(accepted).close()
        await asyncio.gather(dialed.ended.wait(), accepted.ended.wait())
        assert (dialed.error, accepted.error) == (None, None)
        assert dialed.calls.index("eof") < dialed.calls.index("lost")


async def closing_sends_what_was_written(arena: Arena) -> None:
    async with _pair(arena.neighbour, arena.session) as (dialed, accepted):
        _stream(dialed).write(CHUNK * 4)
        _stream(dialed).close()
        await accepted.eof.wait()
        assert bytes(accepted.data) == CHUNK * 4


async def _fill(writer: Collector) -> int:
    """Writes until the stream is full; returns how much it took."""
    written = 0
    while writer.writable.is_set() and written < BOUND:
        _stream(writer).write(CHUNK)
        written += len(CHUNK)
        await asyncio.sleep(0.002)
    assert written < BOUND, "a writer is never told to pause"
    return written


async def a_slow_reader_stops_its_writer_and_nobody_else(arena: Arena) -> None:
    async with (
        _pair(arena.neighbour, arena.session) as (slow_writer, slow_reader),
        _pair(arena.neighbour, arena.session) as (dialed, accepted),
    ):
        _stream(slow_reader).pause_reading()
        written = await _fill(slow_writer)
        await _transfer(dialed, accepted, 1 << 20)
        await _transfer(accepted, dialed, 1 << 20)
        _stream(slow_reader).resume_reading()
        assert len(await slow_reader.receive(written)) == written
        await slow_writer.writable.wait()


async def a_paused_receiver_stops_the_peer(arena: Arena) -> None:
    async with _pair(arena.neighbour, arena.session) as (dialed, accepted):
        _stream(dialed).pause_reading()
        before = len(dialed.data)
        written = await _fill(accepted)
        assert len(dialed.data) == before, "data came although reading is paused"
        _stream(dialed).resume_reading()
        assert len(await dialed.receive(written)) == written


async def reading_may_be_paused_from_the_beginning(arena: Arena) -> None:
    accept = Accepting()
    async with _listening(arena.neighbour, accept) as listener:
        stream, dialed = await arena.session.create_connection(lambda: Collector(paused=True), LOOPBACK, listener.port)
        accepted = await accept.collectors.get()
        await accepted.send(b"early")
        await asyncio.sleep(0.05)
        assert not dialed.data
        stream.resume_reading()
        assert await dialed.receive(5) == b"early"
        stream.abort()
        _stream(accepted).abort()


async def an_end_of_file_while_paused_is_not_lost(arena: Arena) -> None:
    async with _pair(arena.neighbour, arena.session) as (dialed, accepted):
        _stream(dialed).pause_reading()
        await accepted.send(CHUNK)
        _stream(accepted).close()
        await accepted.ended.wait()
        await asyncio.sleep(0.05)
        assert "lost" not in dialed.calls
        _stream(dialed).resume_reading()
        await dialed.eof.wait()
        assert len(dialed.data) == len(CHUNK)
        _stream(dialed).close()
        await dialed.ended.wait()
        assert dialed.error is None


async def a_dial_to_nobody_is_refused(arena: Arena) -> None:
    async with _listening(arena.neighbour, Accepting()) as listener:
        port = listener.port
    refusal = await _raised(arena.session.create_connection(Collector, LOOPBACK, port), DialRefused)
    assert refusal.code == Code.CONNECT_REFUSED, refusal.code
    assert str(port) in str(refusal)


async def accept_may_refuse(arena: Arena) -> None:
    accept = Accepting(refuse=True)
    async with _listening(arena.session, accept) as listener:
        try:
            _, dialed = await arena.neighbour.create_connection(Collector, LOOPBACK, listener.port)
        except DialRefused:
            return
        await _either(dialed.ended, dialed.eof)
        assert not dialed.data
        _stream(dialed).abort()
        await arena.session.ping()


async def _either(*events: asyncio.Event) -> None:
    waiters = [asyncio.ensure_future(event.wait()) for event in events]
    await asyncio.wait(waiters, return_when=asyncio.FIRST_COMPLETED)
    for waiter in waiters:
        waiter.cancel()
    await asyncio.gather(*waiters, return_exceptions=True)


async def accept_is_awaited_before_anything_is_read(arena: Arena) -> None:
    gate = asyncio.Event()
    accept = Accepting(gate=gate)
    async with _listening(arena.session, accept) as listener:
        dialing = asyncio.create_task(arena.neighbour.create_connection(Collector, LOOPBACK, listener.port))
        assert (await accept.peers.get()).text
        gate.set()
        _, dialed = await dialing
        await dialed.send(b"hello")
        accepted = await accept.collectors.get()
        assert await accepted.receive(5) == b"hello"
        _stream(dialed).abort()
        _stream(accepted).abort()


async def a_closed_listener_keeps_its_connections(arena: Arena) -> None:
    accept = Accepting()
    listener = await arena.session.create_server(accept, LOOPBACK, 0)
    _, dialed = await arena.neighbour.create_connection(Collector, LOOPBACK, listener.port)
    accepted = await accept.collectors.get()
    port = listener.port
    listener.close()
    await listener.wait_closed()
    await _transfer(dialed, accepted, 1 << 20)
    await _raised(arena.neighbour.create_connection(Collector, LOOPBACK, port), DialRefused)
    _stream(dialed).abort()
    _stream(accepted).abort()


async def two_listeners_cannot_share_a_port(arena: Arena) -> None:
    async with _listening(arena.session, Accepting()) as listener:
        assert listener.port > 0
        refusal = await _raised(arena.session.create_server(Accepting(), LOOPBACK, listener.port), BindRefused)
        assert str(listener.port) in str(refusal)
    await arena.session.ping()


async def a_cancelled_dial_leaves_nothing(arena: Arena) -> None:
    accept = Accepting()
    async with _listening(arena.neighbour, accept) as listener:
        for turns in range(6):
            dialing = asyncio.create_task(arena.session.create_connection(Collector, LOOPBACK, listener.port))
            for _ in range(turns):
                await asyncio.sleep(0)
            dialing.cancel()
            result = (await asyncio.gather(dialing, return_exceptions=True))[0]
            if isinstance(result, tuple):
                result[0].abort()
        await asyncio.sleep(0.1)
        while not accept.collectors.empty():
            accepted = accept.collectors.get_nowait()
            await _either(accepted.ended, accepted.eof)
            _stream(accepted).abort()
    await arena.session.ping()


async def an_abort_is_noticed(arena: Arena) -> None:
    async with _pair(arena.neighbour, arena.session) as (dialed, accepted):
        await _transfer(dialed, accepted, len(CHUNK))
        _stream(dialed).abort()
        await _either(accepted.ended, accepted.eof)
        assert dialed.stream is None or _stream(dialed).is_closing()
        if arena.session.is_here:
            assert isinstance(accepted.error, ConnectionResetError), "an abort on a socket is a reset"


async def closing_ends_everything(arena: Arena) -> None:
    async with _pair(arena.neighbour, arena.session) as (dialed, accepted):
        listener = await arena.session.create_server(Accepting(), LOOPBACK, 0)
        arena.session.close()
        assert await arena.session.wait_closed() is None
        assert arena.session.state == "closed"
        await asyncio.gather(listener.wait_closed(), dialed.ended.wait(), _either(accepted.ended, accepted.eof))
        await _raised(arena.session.create_connection(Collector, LOOPBACK, 1), SessionLost)
        await _raised(arena.session.ping(), SessionLost)


async def closing_sends_what_is_queued(arena: Arena) -> None:
    async with _pair(arena.neighbour, arena.session) as (dialed, accepted):
        _stream(dialed).write(CHUNK * 8)
        arena.session.close()
        await arena.session.wait_closed()
        await _either(accepted.ended, accepted.eof)
        assert bytes(accepted.data) == CHUNK * 8


async def a_loss_is_no_end_of_file(arena: Arena) -> None:
    if arena.lose is None:
        return
    async with _pair(arena.neighbour, arena.session) as (dialed, accepted):
        listener = await arena.session.create_server(Accepting(), LOOPBACK, 0)
        await _transfer(accepted, dialed, 1 << 20)
        await arena.lose()
        await dialed.ended.wait()
        assert dialed.error is not None, "a lost session looked like a clean end"
        assert "eof" not in dialed.calls
        await listener.wait_closed()
        reason = await arena.session.wait_closed()
        assert isinstance(reason, SessionLost), reason
        assert arena.session.state == "closed"


async def unix_sockets_carry_both_ways(arena: Arena) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "s")
        for entry, exit_ in ((arena.session, arena.neighbour), (arena.neighbour, arena.session)):
            accept = Accepting(echo=True)
            listener = await entry.create_unix_server(accept, path)
            _, dialed = await exit_.create_unix_connection(Collector, path)
            await dialed.send(b"over a path")
            assert await dialed.receive(11) == b"over a path"
            listener.close()
            await listener.wait_closed()
            _stream(dialed).abort()
            _stream(await accept.collectors.get()).abort()
            Path(path).unlink(missing_ok=True)


async def a_command_runs(arena: Arena) -> None:
    try:
        process, output = await arena.session.create_process(Collector, "cat; echo complaint >&2; exit 7")
    except Unsupported:
        return
    process.write(CHUNK)
    process.write_eof()
    await output.ended.wait()
    assert bytes(output.data) == CHUNK
    assert (process.exit_status, process.stderr_tail()) == (7, b"complaint\n")


CHECKS: tuple[Check, ...] = (
    dialing_carries_both_ways,
    listening_carries_both_ways,
    much_data_arrives_whole,
    our_end_of_file_leaves_their_direction_open,
    their_end_of_file_leaves_our_direction_open,
    both_ends_of_file_end_cleanly,
    closing_sends_what_was_written,
    a_slow_reader_stops_its_writer_and_nobody_else,
    a_paused_receiver_stops_the_peer,
    reading_may_be_paused_from_the_beginning,
    an_end_of_file_while_paused_is_not_lost,
    a_dial_to_nobody_is_refused,
    accept_may_refuse,
    accept_is_awaited_before_anything_is_read,
    a_closed_listener_keeps_its_connections,
    two_listeners_cannot_share_a_port,
    a_cancelled_dial_leaves_nothing,
    an_abort_is_noticed,
    closing_ends_everything,
    closing_sends_what_is_queued,
    a_loss_is_no_end_of_file,
    unix_sockets_carry_both_ways,
    a_command_runs,
)
