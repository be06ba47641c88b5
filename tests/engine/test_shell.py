"""The shell over sessions in memory, in virtual time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from orchestra.diagnostics import Code
from orchestra.engine.outcome import outcome
from orchestra.errors import RuntimeFailure
from orchestra.model.events import ConnectionFailed, OverallChanged, TunnelChanged
from orchestra.model.plan import Dial
from orchestra.model.topology import CheckRef
from orchestra.plugin.interfaces import OpenRequest, TunnelContext
from orchestra.plugin.vocabulary import CheckSpec, KindSpec, TransportSpec
from orchestra.session.errors import DialRefused, OpenFailed
from orchestra.session.protocols import Accept, Peer, Receiver, Session, Stream
from orchestra.testing import Collector, run_virtual
from tests.engine import plans
from tests.engine.plans import chain, listen, plan, tunnel
from tests.engine.rig import Rig, on_rig

TWO_HOPS = plan(chain("edge", "gateway"), tunnel("desk", "edge", "gateway"))


REMOTE_AT_EDGE = (tunnel("hook", "edge", entry=listen("127.0.0.1", port=0, at="edge")),)


def failures(rig: Rig) -> list[tuple[str, str]]:
    return [(e.code, e.message) for e in rig.events if isinstance(e, ConnectionFailed)]


async def say(rig: Rig, text: bytes, port: int = 5920) -> bytes:
    """One conversation with the target that echoes."""
    stream, client = await rig.here.create_connection(Collector, "127.0.0.1", port)
    stream.write(text)
    answer = await client.receive(len(text))
    stream.close()
    return bytes(answer)


def test_a_tunnel_over_two_hops_carries_both_ways() -> None:
    async def test(rig: Rig) -> None:
        status = await rig.until_state("ready")
        assert status.proven
        assert status.listen == ("127.0.0.1:5920",)
        assert rig.opened("gateway").dialed == ["10.20.0.30:5900"]
        stream, client = await rig.here.create_connection(Collector, "127.0.0.1", 5920)
        stream.write(b"hello")
        assert await client.receive(5) == b"hello"
        assert rig.tunnel().connections == 1
        stream.write_eof()
        await client.eof.wait()
        assert (rig.tunnel().bytes_in, rig.tunnel().bytes_out) == (5, 5)
        stream.close()
        await client.ended.wait()

    run_virtual(on_rig(TWO_HOPS, test)())


def test_events_come_in_order_and_the_whole_is_told_last() -> None:
    async def test(rig: Rig) -> None:
        await rig.until_state("ready")
        assert rig.states("edge") == ["connecting", "open"]
        assert rig.states("gateway") == ["connecting", "open"]
        assert [e.state for e in rig.events if isinstance(e, TunnelChanged)] == ["starting", "ready"]
        assert rig.events[-1] == OverallChanged(state="ready")

    run_virtual(on_rig(TWO_HOPS, test)())


def test_a_lost_first_hop_comes_back_with_all_that_stands_on_it() -> None:
    async def test(rig: Rig) -> None:
        await rig.until_state("ready")
        first = rig.opened("gateway")
        rig.opened("edge").lose()
        status = await rig.until_state("degraded")
        assert status.error is not None
        assert status.error.message.startswith("waits for edge: the session to edge was lost")
        assert status.listen == ("127.0.0.1:5920",)
        sessions = {s.id: s for s in rig.engine.snapshot().sessions}
        assert (sessions["edge"].state, sessions["gateway"].state) == ("retrying", "waiting")
        assert sessions["gateway"].error is None
        await rig.until_state("ready")
        assert rig.opened("gateway") is not first
        assert await say(rig, b"again") == b"again"
        assert [session.opened for session in rig.engine.snapshot().sessions] == [2, 2]
        tunnel = rig.tunnel()
        assert (tunnel.accepted, tunnel.refused, tunnel.dials.count) == (1, 0, 3)  # two of them proved it

    run_virtual(on_rig(TWO_HOPS, test)())


def test_a_server_that_is_down_is_tried_until_it_is_up() -> None:
    async def test(rig: Rig) -> None:
        rig.network.refused_opens["gateway"] = OpenFailed(Code.CONNECT_REFUSED, "edge dials …: refused", host="edge")
        status = await rig.until_state("degraded")
        assert status.error is not None
        assert status.error.code == "CONNECT_REFUSED"
        loop = asyncio.get_running_loop()
        await rig.until(lambda: loop.time() > 600, 2000)
        assert not outcome(rig.engine.snapshot()).ready
        assert outcome(rig.engine.snapshot()).fatal is None
        rig.network.refused_opens.clear()
        await rig.until_state("ready")

    run_virtual(on_rig(TWO_HOPS, test)())


def test_who_is_not_let_in_does_not_insist() -> None:
    async def test(rig: Rig) -> None:
        rig.network.refused_opens["edge"] = OpenFailed(Code.AUTH_FAILED, "edge does not let ci in", host="edge")
        await rig.until_state("failed")
        fatal = outcome(rig.engine.snapshot()).fatal
        assert fatal is not None
        assert (fatal.code, fatal.host, fatal.attempts) == ("AUTH_FAILED", "edge", 1)
        await asyncio.sleep(10_000)
        assert rig.states("edge") == ["connecting", "failed"]
        before = asyncio.get_running_loop().time()
        with pytest.raises(DialRefused):
            await rig.here.create_connection(Collector, "127.0.0.1", 5920)
        assert asyncio.get_running_loop().time() == before, "nobody waits for what will not come"
        assert "does not let ci in" in failures(rig)[0][1]

    run_virtual(on_rig(TWO_HOPS, test)())


def test_a_target_that_is_down_is_told_by_who_dialed_what() -> None:
    async def test(rig: Rig) -> None:
        rig.listener.close()
        status = await rig.until_state("degraded")
        assert status.error is not None
        assert status.error.message == "gateway dialed 10.20.0.30:5900 (desk-vnc): connection refused"
        assert (status.error.code, status.error.host) == ("CONNECT_REFUSED", "gateway")
        assert outcome(rig.engine.snapshot()).first_failure == status.error
        await rig.serve_target()
        await rig.until_state("ready")

    run_virtual(on_rig(TWO_HOPS, test)())


def test_errors_bear_the_time_of_the_wall_clock() -> None:
    async def test(rig: Rig) -> None:
        await asyncio.sleep(50)
        rig.listener.close()
        rig.opened("gateway").lose()
        await rig.until(lambda: rig.tunnel().error is not None and rig.tunnel().error.code == "CONNECT_REFUSED")
        error = rig.tunnel().error
        assert error is not None
        assert error.next_retry is not None
        assert 9000.0 <= error.since <= error.next_retry <= error.since + 1.0

    run_virtual(on_rig(TWO_HOPS, test, wall=lambda: 9000.0)())


def test_connections_wait_for_a_path_that_is_coming_back() -> None:
    async def test(rig: Rig) -> None:
        await rig.until_state("ready")
        rig.opened("gateway").lose()
        await rig.until_state("degraded")
        assert await say(rig, b"patience") == b"patience"

    run_virtual(on_rig(plan(chain("gateway"), tunnel("desk", "gateway")), test)())


def test_connections_do_not_wait_longer_than_hold() -> None:
    async def test(rig: Rig) -> None:
        rig.network.refused_opens["gateway"] = OpenFailed(Code.CONNECT_REFUSED, "laptop dials …: refused")
        await rig.until_state("degraded")
        before = asyncio.get_running_loop().time()
        with pytest.raises(DialRefused):
            await rig.here.create_connection(Collector, "127.0.0.1", 5920)
        assert asyncio.get_running_loop().time() - before == pytest.approx(3.0)
        message = "the session gateway is down and did not come back within 3 seconds: laptop dials …: refused"
        assert failures(rig) == [("SESSION_LOST", message)]

    run_virtual(on_rig(plan(chain("gateway"), tunnel("desk", "gateway", hold=3.0)), test)())


def test_a_dial_that_is_not_answered_ends_at_its_deadline_and_pending_ones_are_capped() -> None:
    spec: dict[str, Any] = {"check": CheckRef(type="none"), "dial_timeout": 7.0}

    async def test(rig: Rig) -> None:
        await rig.until_state("ready")
        rig.network.black_holes.add(("desk-vnc", 5900))
        before = asyncio.get_running_loop().time()
        visits = (rig.here.create_connection(Collector, "127.0.0.1", 5920) for _ in range(40))
        visitors = asyncio.gather(*visits, return_exceptions=True)
        await asyncio.sleep(1)
        assert len(rig.opened("gateway").dialed) == 32
        assert all(isinstance(answer, DialRefused) for answer in await visitors)
        assert asyncio.get_running_loop().time() - before == pytest.approx(7.0)
        told = ("CONNECT_TIMEOUT", "gateway dialed 10.20.0.30:5900 (desk-vnc): no answer within 7 seconds")
        assert failures(rig) == [told] * 40
        rig.network.black_holes.clear()
        assert await say(rig, b"x") == b"x"

    run_virtual(on_rig(plan(chain("gateway"), tunnel("desk", "gateway", **spec)), test)())


REMOTE = plan(
    chain("gateway"),
    tunnel(
        "desk",
        "gateway",
        entry=listen("127.0.0.1", port=0, at="gateway"),
        dial=Dial(by="laptop", host="10.20.0.30", port=5900, means="desk-vnc"),
    ),
)


def test_a_remote_listener_comes_back_at_its_port_with_its_session() -> None:
    async def test(rig: Rig) -> None:
        address = (await rig.until_state("ready")).listen
        port = int(address[0].rpartition(":")[2])
        stream, client = await rig.opened("gateway").create_connection(Collector, "127.0.0.1", port)
        stream.write(b"callback")
        assert await client.receive(8) == b"callback"
        rig.opened("gateway").lose()
        await client.ended.wait()
        assert client.error is not None
        assert (await rig.until_state("degraded")).listen == ()
        assert (await rig.until_state("ready")).listen == address

    run_virtual(on_rig(REMOTE, test)())


def test_a_bridge_joins_two_servers_here() -> None:
    sessions = (plans.session("west"), plans.session("east"))
    bridge = tunnel("desk", "east", "west", entry=listen("127.0.0.1", at="west"), exit_="east")

    async def test(rig: Rig) -> None:
        await rig.until_state("ready")
        stream, client = await rig.opened("west").create_connection(Collector, "127.0.0.1", 5920)
        stream.write(b"bridged")
        assert await client.receive(7) == b"bridged"
        assert rig.opened("east").dialed[-1] == "10.20.0.30:5900"
        stream.close()

    run_virtual(on_rig(plan(sessions, bridge), test)())


def test_unix_sockets_at_both_ends() -> None:
    dial = Dial(by="gateway", path="/run/docker.sock", means="docker")
    docker = tunnel("desk", "gateway", entry=listen(unix="/tmp/d.sock"), exit_="gateway", dial=dial)

    async def test(rig: Rig) -> None:
        status = await rig.until_state("degraded")
        assert status.listen == ("unix:/tmp/d.sock",)
        assert status.error is not None
        assert status.error.message.startswith("gateway dial")
        assert "/run/docker.sock" in status.error.message

        async def accept(peer: Peer) -> Receiver:
            return Collector(echo=True)

        listener = await rig.opened("gateway").create_unix_server(accept, "/run/docker.sock")
        await rig.until_state("ready")
        stream, client = await rig.here.create_unix_connection(Collector, "/tmp/d.sock")
        stream.write(b"GET /info")
        assert await client.receive(9) == b"GET /info"
        stream.close()
        listener.close()

    run_virtual(on_rig(plan(chain("gateway"), docker), test)())


def test_a_second_tunnel_on_a_taken_port_fails_and_the_first_lives() -> None:
    async def main() -> None:
        rig = Rig(plan((), tunnel("desk"), tunnel("twin")))
        async with rig.running():
            await rig.until(lambda: rig.tunnel("twin").state == "failed")
            await rig.until_state("ready")
            assert await say(rig, b"one") == b"one"
            error = rig.tunnel("twin").error
            assert error is not None
            assert error.code == "LISTEN_IN_USE"
            assert error.next_retry is not None

    run_virtual(main())


class Slow:
    """A transport that never comes to an end."""

    spec = TransportSpec(name="ssh")
    cancelled = False

    async def open(self, request: OpenRequest) -> Session:
        self.asked = request
        try:
            return await asyncio.get_running_loop().create_future()
        finally:
            self.cancelled = True


def test_stopping_while_connecting_leaves_nothing() -> None:
    slow = Slow()

    async def test(rig: Rig) -> None:
        await rig.until(lambda: rig.states("edge") == ["connecting"])
        await asyncio.sleep(1)

    run_virtual(on_rig(TWO_HOPS, test, plugins=plans.plugins(slow))())
    assert slow.cancelled


def test_stopping_while_a_connection_waits_for_its_dial_refuses_it() -> None:
    async def test(rig: Rig) -> None:
        await rig.until_state("ready")
        rig.network.black_holes.add(("desk-vnc", 5900))
        visit = asyncio.create_task(rig.here.create_connection(Collector, "127.0.0.1", 5920))
        await asyncio.sleep(1)
        rig.engine.stop()
        with pytest.raises(DialRefused):
            await visit

    run_virtual(on_rig(TWO_HOPS, test)())


def test_cancelling_run_closes_everything() -> None:
    async def main() -> None:
        rig = Rig(TWO_HOPS)
        await rig.serve_target()
        task = asyncio.create_task(rig.engine.run())
        await rig.until_state("ready")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert [s.state for s in rig.transport.opened] == ["closed", "closed"]
        assert set(rig.network.listeners) == {("desk-vnc", 5900)}
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run_virtual(main())


class Stubborn:
    """A session that does not close when it is asked to."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def close(self) -> None: ...


def test_stopping_takes_at_most_five_seconds() -> None:
    async def main() -> None:
        rig = Rig(TWO_HOPS)
        opened = rig.transport.open

        async def open_stubborn(request: OpenRequest) -> Any:
            return Stubborn(await opened(request))

        rig.transport.open = open_stubborn  # type: ignore[method-assign]
        async with rig.running():
            await rig.until_state("ready")
            before = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - before <= 5.0

    run_virtual(main())


def test_cancelled_while_it_closes_in_good_order_it_closes_at_once() -> None:
    async def main() -> None:
        rig = Rig(TWO_HOPS)
        opened = rig.transport.open

        async def open_stubborn(request: OpenRequest) -> Any:
            return Stubborn(await opened(request))

        rig.transport.open = open_stubborn  # type: ignore[method-assign]
        await rig.serve_target()
        task = asyncio.create_task(rig.engine.run())
        await rig.until_state("ready")
        before = asyncio.get_running_loop().time()
        rig.engine.stop()
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert asyncio.get_running_loop().time() - before < 0.2
        assert [s.state for s in rig.transport.opened] == ["closed", "closed"]

    run_virtual(main())


@pytest.mark.parametrize("turns", range(0, 40, 2))
def test_stopping_at_any_instant_leaves_nothing(turns: int) -> None:
    """The rig looks for tasks, listeners and sessions that are left."""

    async def test(rig: Rig) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)

    run_virtual(on_rig(plan(TWO_HOPS.sessions, *TWO_HOPS.tunnels, *REMOTE_AT_EDGE), test)())


def test_a_session_that_raises_something_foreign_is_lost() -> None:
    async def main() -> None:
        rig = Rig(TWO_HOPS)
        opened = rig.transport.open
        broken: list[Any] = []

        async def open_broken(request: OpenRequest) -> Any:
            session = await opened(request)
            if request.server.name == "gateway" and not broken:
                broken.append(BrokenSession(session))
                return broken[0]
            return session

        rig.transport.open = open_broken  # type: ignore[method-assign]
        async with rig.running():
            await rig.until_state("ready")
            assert "retrying" in rig.states("gateway")
            error = next(e.error for e in rig.events if getattr(e, "id", "") == "gateway" and getattr(e, "error", None))
            assert error.message == "the session to gateway was lost: 'no such thing'"
            assert broken[0].state == "closed"

    run_virtual(main())


class BrokenSession:
    """A session whose end cannot be waited for."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    async def wait_closed(self) -> None:
        raise KeyError("no such thing")


class Broken:
    """A transport, a check and a kind that do wrong."""

    def __init__(self, spec: Any) -> None:
        self.spec = spec
        self.given: object = None

    async def open(self, request: OpenRequest) -> Session:
        self.given = request
        raise KeyError("oops\x1b[2J")

    async def run(self, context: TunnelContext) -> None:
        self.given = context
        await asyncio.get_running_loop().create_future()

    def serve(self, context: TunnelContext) -> Accept:
        self.given = context

        async def accept(peer: Peer) -> Receiver:
            raise ZeroDivisionError

        return accept


def test_a_transport_that_raises_something_foreign_fails_by_name() -> None:
    async def test(rig: Rig) -> None:
        status = await rig.until_state("degraded")
        assert status.error is not None
        assert (status.error.code, status.error.host) == ("PLUGIN_FAILED", "edge")
        assert status.error.message == "waits for edge: transport ssh failed: KeyError: 'oops\\x1b[2J'"

    broken = Broken(TransportSpec(name="ssh"))
    run_virtual(on_rig(TWO_HOPS, test, plugins=plans.plugins(broken))())


def test_a_check_that_does_not_end_fails_by_name_and_alone() -> None:
    async def main() -> None:
        stuck = tunnel("stuck", check=CheckRef(type="slow"), entry=listen("127.0.0.1", port=1))
        rig = Rig(plan((), tunnel("desk"), stuck), plugins=plans.plugins(checks=(Broken(CheckSpec(name="slow")),)))
        async with rig.running():
            await rig.until(lambda: rig.tunnel("stuck").state == "degraded")
            error = rig.tunnel("stuck").error
            assert error is not None
            assert (error.code, error.message) == (
                "PLUGIN_FAILED",
                "check slow did not come to an end within 32 seconds",
            )
            assert rig.tunnel("desk").state == "ready"

    run_virtual(main())


def test_a_kind_that_raises_something_foreign_refuses_that_connection() -> None:
    async def test(rig: Rig) -> None:
        await rig.until_state("ready")
        with pytest.raises(DialRefused):
            await rig.here.create_connection(Collector, "127.0.0.1", 5920)
        assert failures(rig) == [("PLUGIN_FAILED", "kind odd failed: ZeroDivisionError")]
        assert rig.tunnel().state == "ready"

    odd = tunnel("desk", kind="odd")
    run_virtual(on_rig(plan((), odd), test, plugins=plans.plugins(kinds=(Broken(KindSpec(name="odd")),)))())


class Shout(Collector):
    """Serves a connection itself, and breaks on ``!``."""

    def __init__(self, context: TunnelContext) -> None:
        super().__init__()
        self.context = context

    def data_received(self, data: bytes, /) -> None:
        if data == b"!":
            raise ValueError("too loud")
        assert self.stream is not None
        self.stream.write(data.upper())
        self.context.count(bytes_in=len(data))


class ShoutKind:
    spec = KindSpec(name="shout", to="no")

    def serve(self, context: TunnelContext) -> Accept:
        async def accept(peer: Peer) -> Receiver:
            return Shout(context)

        return accept


def test_a_kind_may_serve_connections_itself_and_break_only_its_own() -> None:
    async def test(rig: Rig) -> None:
        await rig.until_state("ready")
        quiet, one = await rig.here.create_connection(Collector, "127.0.0.1", 5920)
        loud, two = await rig.here.create_connection(Collector, "127.0.0.1", 5920)
        quiet.write(b"hey")
        assert await one.receive(3) == b"HEY"
        assert (rig.tunnel().connections, rig.tunnel().bytes_in) == (2, 3)
        loud.write(b"!")
        await two.ended.wait()
        assert failures(rig) == [("PLUGIN_FAILED", "kind shout failed: ValueError: too loud")]
        assert rig.tunnel().connections == 1
        quiet.write(b"ho")
        assert await one.receive(5) == b"HEYHO"

    shout = tunnel("desk", kind="shout")
    run_virtual(on_rig(plan((), shout), test, plugins=plans.plugins(kinds=(ShoutKind(),)))())


def test_a_kind_or_a_check_that_is_not_loaded_is_named() -> None:
    async def test(rig: Rig) -> None:
        assert (await rig.until_state("failed")).error is not None
        assert "no kind magic is loaded" in str(rig.tunnel().error)
        await rig.until(lambda: rig.tunnel("web").state == "degraded")
        assert "no check magic is loaded" in str(rig.tunnel("web").error)

    web = tunnel("web", entry=listen("127.0.0.1", port=1), check=CheckRef(type="magic"))
    run_virtual(on_rig(plan((), tunnel("desk", kind="magic"), web), test)())


def test_a_fault_of_the_engine_itself_is_raised_after_all_is_closed() -> None:
    async def main() -> None:
        rig = Rig(TWO_HOPS)
        await rig.serve_target()
        task = asyncio.create_task(rig.engine.run())
        await rig.until_state("ready")
        rig.engine._tasks.start(
            "session", "edge", rig.engine._work.keep_session(rig.engine._state.sessions["gateway"].spec)
        )
        with pytest.raises(Exception, match="'opened' in state 'open'"):
            await task
        assert [s.state for s in rig.transport.opened][:2] == ["closed", "closed"]

    run_virtual(main())


def test_an_observer_that_raises_is_a_fault_and_all_is_closed() -> None:
    async def main() -> None:
        rig = Rig(TWO_HOPS)

        def observe(event: object) -> None:
            if rig.transport.opened:
                raise RuntimeError("observer")

        rig.engine._observe = observe
        with pytest.raises(RuntimeError, match="observer"):
            await rig.engine.run()
        assert {s.state for s in rig.transport.opened} == {"closed"}
        assert rig.network.listeners == {}

    run_virtual(main())


def test_what_is_checked_again_and_again() -> None:
    async def test(rig: Rig) -> None:
        await rig.until_state("ready")
        await asyncio.sleep(601)
        assert len(rig.here.dialed) == 11
        rig.listener.close()
        await rig.until_state("degraded")

    run_virtual(on_rig(plan((), tunnel("desk", check=CheckRef(every=60.0))), test)())


def test_nothing_is_dialed_when_there_is_nothing_to_prove() -> None:
    async def test(rig: Rig) -> None:
        assert not (await rig.until_state("ready")).proven
        assert rig.opened("gateway").dialed == []

    unproven = tunnel("desk", "gateway", check=CheckRef(type="none"))
    run_virtual(on_rig(plan(chain("gateway"), unproven), test)())


def test_what_a_relay_writes_to_a_stream_that_ended_at_once() -> None:
    """A dial that succeeds and ends before it is joined is refused, and does not stay among the connections."""

    class Fickle(Collector):
        def connection_made(self, stream: Stream, /) -> None:
            stream.abort()

    async def test(rig: Rig) -> None:
        await rig.until_state("ready")
        rig.listener.close()

        async def accept(peer: Peer) -> Receiver:
            return Fickle()

        rig.listener = await rig.desk.create_server(accept, "*", 5900)
        try:
            _, client = await rig.here.create_connection(Collector, "127.0.0.1", 5920)
            await client.ended.wait()
        except RuntimeFailure:
            pass
        await asyncio.sleep(1)
        assert rig.tunnel().connections == 0

    run_virtual(on_rig(TWO_HOPS, test)())
