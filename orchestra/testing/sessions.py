"""What every session has to do, and so every transport, as rules that any implementation is run through::

    @pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
    def test_mine(rule):
        hold(rule, open_arena)

``open_arena`` is an asynchronous context manager that gives a fresh :class:`Arena`.
"""

# ruff: noqa: S101, ASYNC240 - rules are assertions, and touch a temporary folder

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from orchestra.diagnostics import Code
from orchestra.model.frozen import dataclass
from orchestra.session.errors import BindRefused, DialRefused, SessionError, SessionLost, Unsupported
from orchestra.session.protocols import Accept, Listener, Session
from orchestra.testing.collect import CHUNK, Accepting, Collector, stream_of, transfer

E = TypeVar("E", bound=SessionError)

LOOPBACK = "127.0.0.1"
DEADLINE = 20.0
"""Seconds that a rule may take."""
BOUND = 64 * 1024 * 1024
"""No implementation may take more than this from a writer whose reader has stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arena:
    """A session under test, and a neighbour to whom loopback means the same machine."""

    session: Session
    neighbour: Session
    lose: Callable[[], Awaitable[None]] | None = None
    """Breaks the session from outside."""


Rule: TypeAlias = Callable[[Arena], Awaitable[None]]
OpenArena: TypeAlias = Callable[[], AbstractAsyncContextManager[Arena]]


def hold(rule: Rule, open_arena: OpenArena, run: Callable[[Coroutine[Any, Any, None]], None] = asyncio.run) -> None:
    """Runs one rule within its deadline; tasks that it leaves behind are failures too.

    Sessions in memory need no real time: ``run=run_virtual``.
    """

    async def main() -> None:
        before = asyncio.all_tasks()
        async with asyncio.timeout(DEADLINE):
            async with open_arena() as arena:
                await rule(arena)
            for _ in range(100):
                if not (left := asyncio.all_tasks() - before):
                    return
                await asyncio.sleep(0.01)
        raise AssertionError(f"tasks are left: {left}")

    run(main())


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
            stream_of(dialed).abort()
            stream_of(accepted).abort()


async def _raised(attempt: Awaitable[object], kind: type[E]) -> E:
    try:
        await attempt
    except kind as error:
        return error
    raise AssertionError(f"it succeeded where {kind.__name__} was due")


async def dialing_carries_both_ways(arena: Arena) -> None:
    async with _pair(arena.neighbour, arena.session) as (dialed, accepted):
        await transfer(dialed, accepted, 4 * len(CHUNK))
        await transfer(accepted, dialed, 4 * len(CHUNK))


async def listening_carries_both_ways(arena: Arena) -> None:
    async with _pair(arena.session, arena.neighbour) as (dialed, accepted):
        await transfer(dialed, accepted, 4 * len(CHUNK))
        await transfer(accepted, dialed, 4 * len(CHUNK))


async def much_data_arrives_whole(arena: Arena) -> None:
    async with _pair(arena.neighbour, arena.session) as (dialed, accepted):
        await asyncio.gather(transfer(dialed, accepted, 1 << 24), transfer(accepted, dialed, 1 << 24))


async def our_end_of_file_leaves_their_direction_open(arena: Arena) -> None:
    async with _pair(arena.neighbour, arena.session) as (dialed, accepted):
        await _one_direction_ends(dialed, accepted)


async def their_end_of_file_leaves_our_direction_open(arena: Arena) -> None:
    async with _pair(arena.neighbour, arena.session) as (dialed, accepted):
        await _one_direction_ends(accepted, dialed)


async def _one_direction_ends(writer: Collector, reader: Collector) -> None:
    await writer.send(b"all of it")
    stream_of(writer).write_eof()
    await reader.eof.wait()
    assert bytes(reader.data) == b"all of it"
    await transfer(reader, writer, 1 << 20)


async def both_ends_of_file_end_cleanly(arena: Arena) -> None:
    async with _pair(arena.neighbour, arena.session) as (dialed, accepted):
        stream_of(dialed).write_eof()
        stream_of(accepted).write_eof()
        await asyncio.gather(dialed.eof.wait(), accepted.eof.wait())
        stream_of(dialed).close()
        stream_of(accepted).close()
        await asyncio.gather(dialed.ended.wait(), accepted.ended.wait())
        assert (dialed.error, accepted.error) == (None, None)
        assert dialed.calls.index("eof") < dialed.calls.index("lost")


async def closing_sends_what_was_written(arena: Arena) -> None:
    async with _pair(arena.neighbour, arena.session) as (dialed, accepted):
        stream_of(dialed).write(CHUNK * 4)
        stream_of(dialed).close()
        await accepted.eof.wait()
        assert bytes(accepted.data) == CHUNK * 4


async def _fill(writer: Collector) -> int:
    """Writes until the stream is full; returns how much it took."""
    written = 0
    while writer.writable.is_set() and written < BOUND:
        stream_of(writer).write(CHUNK)
        written += len(CHUNK)
        await asyncio.sleep(0.002)
    assert written < BOUND, "a writer is never told to pause"
    return written


async def a_slow_reader_stops_its_writer_and_nobody_else(arena: Arena) -> None:
    async with (
        _pair(arena.neighbour, arena.session) as (slow_writer, slow_reader),
        _pair(arena.neighbour, arena.session) as (dialed, accepted),
    ):
        stream_of(slow_reader).pause_reading()
        written = await _fill(slow_writer)
        await transfer(dialed, accepted, 1 << 20)
        await transfer(accepted, dialed, 1 << 20)
        stream_of(slow_reader).resume_reading()
        assert len(await slow_reader.receive(written)) == written
        await slow_writer.writable.wait()


async def a_paused_receiver_stops_the_peer(arena: Arena) -> None:
    async with _pair(arena.neighbour, arena.session) as (dialed, accepted):
        stream_of(dialed).pause_reading()
        before = len(dialed.data)
        written = await _fill(accepted)
        assert len(dialed.data) == before, "data came although reading is paused"
        stream_of(dialed).resume_reading()
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
        stream_of(accepted).abort()


async def an_end_of_file_while_paused_is_not_lost(arena: Arena) -> None:
    async with _pair(arena.neighbour, arena.session) as (dialed, accepted):
        stream_of(dialed).pause_reading()
        await accepted.send(CHUNK)
        stream_of(accepted).close()
        await accepted.ended.wait()
        await asyncio.sleep(0.05)
        assert "lost" not in dialed.calls
        stream_of(dialed).resume_reading()
        await dialed.eof.wait()
        assert len(dialed.data) == len(CHUNK)
        stream_of(dialed).close()
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
        await dialed.receive()
        assert not dialed.data
        stream_of(dialed).abort()
        await arena.session.ping()


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
        stream_of(dialed).abort()
        stream_of(accepted).abort()


async def a_closed_listener_keeps_its_connections(arena: Arena) -> None:
    accept = Accepting()
    listener = await arena.session.create_server(accept, LOOPBACK, 0)
    _, dialed = await arena.neighbour.create_connection(Collector, LOOPBACK, listener.port)
    accepted = await accept.collectors.get()
    port = listener.port
    listener.close()
    await listener.wait_closed()
    await transfer(dialed, accepted, 1 << 20)
    await _raised(arena.neighbour.create_connection(Collector, LOOPBACK, port), DialRefused)
    stream_of(dialed).abort()
    stream_of(accepted).abort()


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
            await accepted.receive()
            stream_of(accepted).abort()
    await arena.session.ping()


async def an_abort_is_noticed(arena: Arena) -> None:
    async with _pair(arena.neighbour, arena.session) as (dialed, accepted):
        await transfer(dialed, accepted, len(CHUNK))
        stream_of(dialed).abort()
        await accepted.receive()
        assert dialed.stream is None or stream_of(dialed).is_closing()
        if arena.session.is_here:
            assert isinstance(accepted.error, ConnectionResetError), "an abort on a socket is a reset"


async def closing_ends_everything(arena: Arena) -> None:
    async with _pair(arena.neighbour, arena.session) as (dialed, accepted):
        listener = await arena.session.create_server(Accepting(), LOOPBACK, 0)
        arena.session.close()
        assert await arena.session.wait_closed() is None
        assert arena.session.state == "closed"
        await asyncio.gather(listener.wait_closed(), dialed.ended.wait(), accepted.receive())
        await _raised(arena.session.create_connection(Collector, LOOPBACK, 1), SessionLost)
        await _raised(arena.session.ping(), SessionLost)


async def closing_sends_what_is_queued(arena: Arena) -> None:
    async with _pair(arena.neighbour, arena.session) as (dialed, accepted):
        stream_of(dialed).write(CHUNK * 8)
        arena.session.close()
        await arena.session.wait_closed()
        await accepted.receive()
        assert bytes(accepted.data) == CHUNK * 8


async def a_loss_is_no_end_of_file(arena: Arena) -> None:
    if arena.lose is None:
        return
    async with _pair(arena.neighbour, arena.session) as (dialed, accepted):
        listener = await arena.session.create_server(Accepting(), LOOPBACK, 0)
        await transfer(accepted, dialed, 1 << 20)
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
            stream_of(dialed).abort()
            stream_of(await accept.collectors.get()).abort()
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


RULES: tuple[Rule, ...] = (
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
