"""The kinds that come along pass the suite, and kinds that break a promise are found out."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from orchestra_plugins import socks

from orchestra.engine import builtin
from orchestra.plugin import hookimpl
from orchestra.plugin.interfaces import TunnelContext
from orchestra.plugin.vocabulary import KindSpec
from orchestra.session.protocols import Peer, Receiver, Stream
from orchestra.testing import Collector, kinds
from orchestra.testing.kinds import HOST, PORT, RULES, Rule, Subject, hold

NOTHING = types.ModuleType("nothing")
NOTHING.orchestra_kinds = hookimpl(lambda: ())  # type: ignore[attr-defined]


async def ask_socks(client: Collector) -> None:
    """SOCKS 5 without a password, by name (RFC 1928)."""
    await client.send(b"\x05\x01\x00")
    await client.receive(2)
    await client.send(b"\x05\x01\x00\x03" + bytes([len(HOST)]) + HOST.encode() + PORT.to_bytes(2, "big"))
    if (await client.receive(12))[3:4] != b"\x00":
        raise ConnectionRefusedError
    del client.data[:12]


SUBJECTS = {
    "tcp": Subject(NOTHING, "kind: tcp"),
    "socks": Subject(socks, "kind: socks, exit: gateway", ask_socks),
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("kind", SUBJECTS)
def test_kinds_that_come_along(kind: str, rule: Rule) -> None:
    hold(rule, SUBJECTS[kind])


class Bad:
    """A kind that does one thing in its own way."""

    spec = KindSpec(name="bad")

    def __init__(self, accept: Callable[[TunnelContext], Awaitable[Receiver]]) -> None:
        self._accept = accept

    def serve(self, context: TunnelContext) -> Callable[[Peer], Awaitable[Receiver]]:
        return lambda _: self._accept(context)


class Hasty:
    """Accepts, dials later, and carries by hand: no half-close, no back-pressure, no truth."""

    def __init__(self, context: TunnelContext) -> None:
        self.context, self.stream, self.far = context, None, None

    def connection_made(self, stream: Stream) -> None:
        self.stream = stream
        stream.pause_reading()
        self.task = asyncio.create_task(self._dial())

    async def _dial(self) -> None:
        try:
            self.far, _ = await self.context.dial(lambda: self.Other(self))
        except Exception:  # noqa: BLE001 - as careless ones do
            self.stream.close()
        else:
            self.stream.resume_reading()

    def data_received(self, data: bytes) -> None:
        self.far.write(data)

    def eof_received(self) -> bool:
        self.far.close()
        return False

    def connection_lost(self, _exc: Exception | None) -> None:
        if self.far is not None:
            self.far.close()

    def pause_writing(self) -> None: ...
    def resume_writing(self) -> None: ...

    class Other:
        def __init__(self, near: Any) -> None:
            self.near = near

        def connection_made(self, stream: Stream) -> None: ...
        def data_received(self, data: bytes) -> None:
            self.near.stream.write(data)

        def eof_received(self) -> bool:
            self.near.stream.close()
            return False

        def connection_lost(self, _exc: Exception | None) -> None:
            self.near.stream.close()

        def pause_writing(self) -> None: ...
        def resume_writing(self) -> None: ...


async def hasty(context: TunnelContext) -> Any:
    return Hasty(context)


async def deaf(context: TunnelContext) -> Any:
    return Collector()


@pytest.mark.parametrize(
    ("accept", "rule"),
    [
        (hasty, kinds.a_clients_end_of_file_leaves_the_other_direction_open),
        (hasty, kinds.a_targets_end_of_file_leaves_the_other_direction_open),
        (hasty, kinds.a_refused_dial_is_a_refusal),
        (hasty, kinds.a_targets_reset_is_no_end_of_file),
        (hasty, kinds.a_lost_session_is_no_end_of_file),
        (hasty, kinds.a_clients_reset_reaches_the_target),
        (hasty, kinds.a_slow_client_stops_its_target_and_nobody_else),
        (hasty, kinds.a_slow_target_stops_its_client_and_nobody_else),
        (hasty, kinds.what_is_carried_is_counted),
        (deaf, kinds.carries_both_ways),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_a_kind_that_breaks_a_promise_is_found_out(accept: Any, rule: Rule) -> None:
    plugin = types.ModuleType("bad")
    vars(plugin)["orchestra_kinds"] = hookimpl(lambda: [Bad(accept)])
    with pytest.raises((AssertionError, TimeoutError)):
        hold(rule, Subject(plugin, "kind: bad, check: none"))


def test_core_has_no_other_kind_of_streams() -> None:
    assert [kind.spec.name for kind in builtin.orchestra_kinds()] == ["tcp"]
