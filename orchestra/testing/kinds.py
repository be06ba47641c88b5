"""What every kind of tunnel that carries streams has to do, as rules that any implementation is run through, by a whole
engine over sessions in memory and in virtual time::

    @pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
    def test_mine(rule):
        hold(rule, Subject(my_plugin, "kind: guarded, guarded: {allow: [127.0.0.0/8]}"))

A kind whose clients say something before they are connected (a proxy) gives ``enter``, which says it.
"""

# ruff: noqa: S101 - rules are assertions

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from orchestra.diagnostics import Code
from orchestra.model.events import ConnectionFailed
from orchestra.model.frozen import dataclass
from orchestra.session.errors import DialRefused
from orchestra.testing.clock import run_virtual
from orchestra.testing.collect import CHUNK, Collector, stream_of, transfer
from orchestra.testing.workbench import Workbench

HOST, PORT = "service.example", 80
"""What every tunnel leads to, as its exit dials it."""
TEXT = """
servers: {{gateway: gateway.example}}
targets: {{service: "service.example:80"}}
tunnels:
  service: {{listen: "127.0.0.1:8000", hold: 2s, dial_timeout: 3s, {tunnel}}}
"""
BOUND = 8 * 1024 * 1024
"""Bytes; no kind may take more from a writer whose reader has stopped."""
DEADLINE = 300.0
"""Virtual seconds that a rule may take."""

Enter: TypeAlias = Callable[[Collector], Awaitable[None]]


async def at_once(_client: Collector) -> None:
    """Clients of a plain kind say nothing of their own."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A kind: the plugin that adds it, and the keys of a tunnel of that kind.

    ``enter`` says what a client has to say until it is connected to :data:`HOST`, :data:`PORT`, and raises
    ConnectionError when it is told that it is not. What it was answered is taken off ``client.data``.
    """

    plugin: object
    tunnel: str
    enter: Enter = at_once

    async def client(self, bench: Workbench) -> Collector:
        """A client that is connected through the tunnel. Raises DialRefused or ConnectionError."""
        client = await bench.connect("service")
        await self.enter(client)
        return client

    async def pair(self, bench: Workbench) -> tuple[Collector, Collector]:
        """A client, and the end of its connection at the target."""
        client = await self.client(bench)
        return client, await bench.reached("service")


Rule: TypeAlias = Callable[[Subject, Workbench], Awaitable[None]]


def hold(rule: Rule, subject: Subject) -> None:
    """Runs one rule in virtual time; what is left when the engine has stopped is a failure too."""

    async def main() -> None:
        bench = Workbench(TEXT.format(tunnel=subject.tunnel), subject.plugin)
        async with bench.running(), asyncio.timeout(DEADLINE):
            await rule(subject, bench)

    run_virtual(main())


async def carries_both_ways(subject: Subject, bench: Workbench) -> None:
    client, target = await subject.pair(bench)
    await asyncio.gather(transfer(client, target), transfer(target, client))


async def a_target_may_speak_first(subject: Subject, bench: Workbench) -> None:
    client, target = await subject.pair(bench)
    await target.send(b"220 ready\r\n")
    assert await client.receive(11) == b"220 ready\r\n"


async def a_clients_end_of_file_leaves_the_other_direction_open(subject: Subject, bench: Workbench) -> None:
    client, target = await subject.pair(bench)
    await client.send(b"question")
    stream_of(client).write_eof()
    await target.eof.wait()
    assert bytes(target.data) == b"question"
    await transfer(target, client)
    stream_of(target).write_eof()
    await client.eof.wait()


async def a_targets_end_of_file_leaves_the_other_direction_open(subject: Subject, bench: Workbench) -> None:
    client, target = await subject.pair(bench)
    await target.send(b"answer")
    stream_of(target).write_eof()
    await client.eof.wait()
    assert bytes(client.data) == b"answer"
    await transfer(client, target)


async def a_refused_dial_is_a_refusal(subject: Subject, bench: Workbench) -> None:
    """And told as what it is; a kind that answers its clients itself tells them, and nobody else."""
    await bench.until("service", "ready")
    why = DialRefused(Code.CONNECT_REFUSED, "nobody is there")
    bench.network.refused_dials["service", PORT] = why
    await _refused(subject, bench)
    told = [event.code for event in bench.events if isinstance(event, ConnectionFailed)]
    assert told in ([Code.CONNECT_REFUSED], []), told
    assert bench.status("service").state == "ready"


async def a_dial_without_an_answer_is_given_up(subject: Subject, bench: Workbench) -> None:
    await bench.until("service", "ready")
    bench.network.black_holes.add(("service", PORT))
    began = asyncio.get_running_loop().time()
    await _refused(subject, bench)
    assert asyncio.get_running_loop().time() - began < 15


async def _refused(subject: Subject, bench: Workbench) -> None:
    try:
        client = await subject.client(bench)
    except (DialRefused, ConnectionError):
        return
    await client.ended.wait()
    raise AssertionError("a client believes that it is connected to nobody")


async def a_targets_reset_is_no_end_of_file(subject: Subject, bench: Workbench) -> None:
    client, target = await subject.pair(bench)
    await transfer(target, client)
    stream_of(target).abort()
    await client.ended.wait()
    assert client.error is not None, "a cut download looks complete"
    assert not client.eof.is_set()


async def a_lost_session_is_no_end_of_file(subject: Subject, bench: Workbench) -> None:
    client, target = await subject.pair(bench)
    await transfer(target, client)
    bench.session("gateway").lose()
    await client.ended.wait()
    assert client.error is not None, "a cut download looks complete"
    assert not client.eof.is_set()


async def a_clients_reset_reaches_the_target(subject: Subject, bench: Workbench) -> None:
    client, target = await subject.pair(bench)
    await transfer(client, target)
    stream_of(client).abort()
    await target.ended.wait()
    assert not target.eof.is_set(), "a cut upload looks complete"


async def a_path_that_returns_is_taken_again(subject: Subject, bench: Workbench) -> None:
    await subject.pair(bench)
    bench.session("gateway").lose()
    await bench.until_true(lambda: bench.status("service").state != "ready")
    client, target = await subject.pair(bench)
    await transfer(client, target)


async def a_slow_client_stops_its_target_and_nobody_else(subject: Subject, bench: Workbench) -> None:
    slow, writer = await subject.pair(bench)
    client, target = await subject.pair(bench)
    await _bounded(writer, slow)
    await transfer(target, client)


async def a_slow_target_stops_its_client_and_nobody_else(subject: Subject, bench: Workbench) -> None:
    writer, slow = await subject.pair(bench)
    client, target = await subject.pair(bench)
    await _bounded(writer, slow)
    await transfer(client, target)


async def _bounded(writer: Collector, reader: Collector) -> None:
    """The writer is stopped, and when the reader goes on everything arrives."""
    stream_of(reader).pause_reading()
    already, written = len(reader.data), 0
    while writer.writable.is_set():
        assert written < BOUND, "a writer whose reader has stopped is never told to pause"
        stream_of(writer).write(CHUNK)
        written += len(CHUNK)
        await asyncio.sleep(0.001)
    stream_of(reader).resume_reading()
    assert len(await reader.receive(already + written)) == already + written


async def many_are_carried_at_once(subject: Subject, bench: Workbench) -> None:
    pairs = [await subject.pair(bench) for _ in range(50)]
    await asyncio.gather(*(transfer(client, target, len(CHUNK)) for client, target in pairs))
    await bench.until("service", "ready")
    assert bench.status("service").connections == 50


async def what_is_carried_is_counted(subject: Subject, bench: Workbench) -> None:
    client, target = await subject.pair(bench)
    await transfer(client, target, 2 * len(CHUNK))
    await transfer(target, client, len(CHUNK))
    status = bench.status("service")
    assert status.bytes_out >= 2 * len(CHUNK)
    assert status.bytes_in >= len(CHUNK)


async def what_has_ended_is_forgotten(subject: Subject, bench: Workbench) -> None:
    client, target = await subject.pair(bench)
    for end in (client, target):
        stream_of(end).close()
    await asyncio.gather(client.ended.wait(), target.ended.wait())
    await asyncio.sleep(0.1)
    assert bench.status("service").connections == 0
    assert not bench.session("gateway").streams, "a stream is left at the exit"


async def stopping_ends_what_is_carried(subject: Subject, bench: Workbench) -> None:
    client, target = await subject.pair(bench)
    silent = await bench.connect("service")
    bench.engine.stop()
    await asyncio.gather(client.ended.wait(), target.ended.wait(), silent.ended.wait())
    assert client.error is not None, "a cut download looks complete"


RULES: tuple[Rule, ...] = (
    carries_both_ways,
    a_target_may_speak_first,
    a_clients_end_of_file_leaves_the_other_direction_open,
    a_targets_end_of_file_leaves_the_other_direction_open,
    a_refused_dial_is_a_refusal,
    a_dial_without_an_answer_is_given_up,
    a_targets_reset_is_no_end_of_file,
    a_lost_session_is_no_end_of_file,
    a_clients_reset_reaches_the_target,
    a_path_that_returns_is_taken_again,
    a_slow_client_stops_its_target_and_nobody_else,
    a_slow_target_stops_its_client_and_nobody_else,
    many_are_carried_at_once,
    what_is_carried_is_counted,
    what_has_ended_is_forgotten,
    stopping_ends_what_is_carried,
)
