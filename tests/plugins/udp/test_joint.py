"""Peers joined to flows of their own, on virtual time and without a socket."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from orchestra_plugins.udp.flows import FlowTable
from orchestra_plugins.udp.joint import EARLY, QUIET, TOLD, Exchange, Joint

from orchestra.diagnostics import Code
from orchestra.errors import RuntimeFailure
from orchestra.model.plan import Dial
from orchestra.session import Peer
from orchestra.testing import run_virtual


class Context:
    """What a joint needs of its tunnel."""

    tunnel: Any = SimpleNamespace(name="dns", dial=Dial(by="gateway", host="10.0.0.53", port=53, means="dns"))

    def __init__(self) -> None:
        self.counters: Counter[str] = Counter()
        self.failures: list[str] = []
        self.bytes = [0, 0]
        self.carried = 0

    def tally(self, name: str, by: int = 1) -> None:
        self.counters[name] += by

    def count(self, bytes_in: int = 0, bytes_out: int = 0) -> None:
        self.bytes = [self.bytes[0] + bytes_in, self.bytes[1] + bytes_out]

    def carry(self) -> Callable[[], None]:
        self.carried += 1

        def let_go() -> None:
            self.carried -= 1

        return let_go

    def failed(self, peer: Peer, error: Exception) -> Exception:
        self.failures.append(f"{peer.text}: {error}")
        return error


class Flow:
    """Remembers what is sent into it."""

    def __init__(self, party: Any = None) -> None:
        self.party, self.sent, self.closed = party, list[bytes](), False

    def send(self, data: bytes, /) -> None:
        self.sent.append(data)

    def close(self) -> None:
        self.closed = True


class Exits:
    """Opens flows, after a while, or does not."""

    def __init__(self) -> None:
        self.flows: list[Flow] = []
        self.delay = 0.0
        self.error: RuntimeFailure | None = None

    async def open(self, party: Any) -> Flow:
        await asyncio.sleep(self.delay)
        if self.error is not None:
            raise self.error
        self.flows.append(Flow(party))
        return self.flows[-1]


class Scene:
    """One joint."""

    def __init__(self, **table: Any) -> None:
        self.context, self.exits, self.lost = Context(), Exits(), list[None]()
        context: Any = self.context
        self.joint = Joint(context, self.exits, FlowTable[Exchange](**table), lambda: self.lost.append(None))

    def peer(self, number: int = 1, host: str = "127.0.0.1") -> tuple[Flow, Any]:
        entry = Flow()
        return entry, self.joint.arrived(entry, Peer(host=host, port=number, text=f"peer {number}"))

    @property
    def counters(self) -> dict[str, int]:
        return {name: count for name, count in self.context.counters.items() if count}


def test_a_peer_has_a_flow_and_both_directions_are_counted() -> None:
    async def main() -> None:
        scene = Scene()
        entry, party = scene.peer()
        party.received(b"early")
        await asyncio.sleep(0.1)
        party.received(b"later")
        flow = scene.exits.flows[0]
        flow.party.received(b"answer!")
        assert (flow.sent, entry.sent) == ([b"early", b"later"], [b"answer!"])
        assert scene.counters == {"flows": 1, "flows_opened": 1, "datagrams_out": 2, "datagrams_in": 1}
        assert (scene.context.bytes, scene.context.carried) == ([7, 10], 1)
        scene.joint.close()
        assert (entry.closed, flow.closed, scene.counters.get("flows"), scene.context.carried) == (True, True, None, 0)

    run_virtual(main())


def test_the_1025th_peer_takes_the_place_of_the_one_that_was_silent_longest() -> None:
    async def main() -> None:
        scene = Scene()
        peers = [scene.peer(number) for number in range(1024)]
        await asyncio.sleep(1)
        peers[0][1].received(b"still here")
        entry, _ = scene.peer(1024)
        await asyncio.sleep(1)
        assert (peers[0][0].closed, peers[1][0].closed, entry.closed) == (False, True, False)
        assert scene.exits.flows[1].closed
        assert (scene.counters["flows"], scene.counters["flows_evicted"]) == (1024, 1)
        scene.joint.close()
        assert all(flow.closed for flow in scene.exits.flows)

    run_virtual(main())


def test_new_peers_from_elsewhere_are_held_down_and_those_that_are_served_are_not() -> None:
    async def main() -> None:
        scene = Scene(most=2)
        first = [scene.peer(number, "203.0.113.9") for number in range(2)]
        entry, surplus = scene.peer(2, "203.0.113.9")
        surplus.received(b"forged")
        surplus.noted("closed", 1)
        surplus.ended("it was closed")
        assert (entry.closed, first[0][0].closed) == (True, False)
        first[0][1].received(b"served")
        assert (scene.counters["dropped_rate"], scene.counters["dropped_closed"]) == (1, 1)
        assert (scene.counters["flows_opened"], scene.counters["datagrams_out"]) == (2, 1)
        assert scene.peer(3)[0].closed is False  # at loopback they are our own
        await asyncio.sleep(0.01)
        assert scene.peer(4, "2001:db8::9")[0].closed is False
        scene.joint.close()

    run_virtual(main())


def test_flows_follow_the_tunnel_to_another_exit() -> None:
    def planned(exit_: str, host: str) -> SimpleNamespace:
        return SimpleNamespace(name="dns", exit=exit_, dial=Dial(by=exit_, host=host, port=53))

    async def main() -> None:
        scene = Scene()
        scene.context.tunnel = planned("one", "10.0.0.53")
        entry, party = scene.peer()
        await asyncio.sleep(0.1)
        party.received(b"1")
        scene.context.tunnel = planned("one", "10.0.0.53")  # planned anew, and nothing has changed for it
        party.received(b"2")
        scene.context.tunnel = planned("two", "10.0.0.53")
        party.received(b"3")
        await asyncio.sleep(0.1)
        party.received(b"4")
        before, after = scene.exits.flows
        assert (before.sent, before.closed, after.sent, after.closed) == ([b"1", b"2"], True, [b"3", b"4"], False)
        after.party.received(b"answer")
        assert (entry.sent, entry.closed) == ([b"answer"], False)
        assert (scene.counters["flows"], scene.counters["flows_opened"], scene.counters["flows_moved"]) == (1, 1, 1)
        assert scene.context.carried == 1
        scene.joint.close()

    run_virtual(main())


def test_an_end_without_a_reason_is_no_failure() -> None:
    async def main() -> None:
        scene = Scene()
        entry, _ = scene.peer()
        await asyncio.sleep(0.1)
        scene.exits.flows[0].party.ended("")
        assert (entry.closed, scene.context.failures, scene.counters.get("flows")) == (True, [], None)
        scene.joint.close()

    run_virtual(main())


def test_silence_ends_a_flow_by_a_timer_and_not_by_traffic() -> None:
    async def main() -> None:
        scene = Scene(idle=30.0)
        quiet, _ = scene.peer(1)
        await asyncio.sleep(10)
        busy, party = scene.peer(2)
        await asyncio.sleep(19.9)
        party.received(b"x")
        assert not quiet.closed
        await asyncio.sleep(0.2)
        assert (quiet.closed, busy.closed) == (True, False)
        scene.exits.flows[1].party.received(b"an answer counts too")
        await asyncio.sleep(29.8)
        assert not busy.closed
        await asyncio.sleep(0.3)
        assert busy.closed
        assert (scene.counters["flows_expired"], scene.counters.get("flows")) == (2, None)
        again, _ = scene.peer(3)
        await asyncio.sleep(30.1)
        assert again.closed
        scene.joint.close()

    run_virtual(main())


def test_what_comes_before_the_path_is_there_is_kept_as_far_as_it_goes() -> None:
    async def main() -> None:
        scene = Scene()
        scene.exits.delay = 2.0
        _, party = scene.peer()
        for number in range(EARLY + 5):
            party.received(b"%d" % number)
        await asyncio.sleep(2.1)
        assert len(scene.exits.flows[0].sent) == EARLY
        assert scene.counters["dropped_queue"] == 5
        scene.joint.close()

    run_virtual(main())


def test_a_path_that_is_down_is_told_now_and_then_and_every_datagram_is_counted() -> None:
    async def main() -> None:
        scene = Scene()
        scene.exits.error = RuntimeFailure(Code.SESSION_LOST, "the session gateway is down")
        for number in range(20):
            entry, party = scene.peer(number)
            party.received(b"anybody?")
            await asyncio.sleep(QUIET / 15)
            assert (entry.closed, scene.context.carried) == (True, 0)
        assert scene.context.failures == [f"peer {number}: the session gateway is down" for number in (0, 15)]
        assert scene.counters["dropped_unreachable"] == scene.counters["datagrams_out"] == 20
        assert "flows" not in scene.counters
        scene.joint.close()

    run_virtual(main())


def test_failures_of_many_kinds_are_told_as_far_as_anybody_reads_them() -> None:
    async def main() -> None:
        scene = Scene()
        _, party = scene.peer()
        for number in range(TOLD + 50):
            scene.joint.failed(party.peer, RuntimeFailure(Code.NAME_UNRESOLVED, f"name {number}"))
        assert len(scene.context.failures) == TOLD
        await asyncio.sleep(QUIET)
        scene.joint.failed(party.peer, RuntimeFailure(Code.NAME_UNRESOLVED, "name 0"))
        assert len(scene.context.failures) == TOLD + 1
        scene.joint.close()

    run_virtual(main())


@pytest.mark.parametrize(
    ("why", "said"), [("EUNRESOLVED", "EUNRESOLVED"), ("EUSERS", "too many names wait there to be looked up")]
)
def test_a_flow_that_ends_at_the_exit_is_told_and_the_next_datagram_begins_another(why: str, said: str) -> None:
    async def main() -> None:
        scene = Scene()
        entry, _ = scene.peer()
        await asyncio.sleep(0.1)
        scene.exits.flows[0].party.ended(why)
        scene.exits.flows[0].party.ended(why)
        assert entry.closed
        assert scene.context.failures == [f"peer 1: gateway sends to 10.0.0.53:53: {said}"]
        assert "flows" not in scene.counters
        scene.joint.close()

    run_virtual(main())


def test_what_is_waiting_when_it_closes_is_counted() -> None:
    async def main() -> None:
        scene = Scene()
        scene.exits.delay = 60.0
        _, party = scene.peer()
        party.received(b"one")
        scene.joint.close()
        party.received(b"two")
        await asyncio.sleep(0)
        assert (scene.counters["dropped_closed"], scene.counters["datagrams_out"]) == (2, 2)
        assert scene.exits.flows == []

    run_virtual(main())


def test_notes_become_counters_and_a_lost_listener_is_told() -> None:
    async def main() -> None:
        scene = Scene()
        scene.joint.noted("kernel", 7)
        scene.joint.noted("refused", 1)
        scene.joint.ended("the helper ended")
        assert scene.counters == {"dropped_kernel": 7, "refused": 1}
        assert len(scene.lost) == 1

    run_virtual(main())
