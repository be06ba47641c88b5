"""Sessions by the system's ssh pass the suite that all sessions pass, alone and mixed with the other transport; and
what is particular to them."""

import asyncio
import os
import signal
import stat

import pytest

from orchestra.diagnostics import Code
from orchestra.session.errors import BindRefused, DialRefused, SessionLost
from orchestra.testing.collect import Accepting, Collector
from orchestra.testing.sessions import (
    RULES,
    a_cancelled_dial_leaves_nothing,
    a_loss_is_no_end_of_file,
    a_slow_reader_stops_its_writer_and_nobody_else,
    closing_ends_everything,
    closing_sends_what_was_written,
    hold,
    listening_carries_both_ways,
    much_data_arrives_whole,
)
from tests.engine.ssh.sshd import Arenas, Keys, free_port, needs_sshd

from .arena import arena, opened

pytestmark = needs_sshd
PATHS = [("openssh",), ("ssh", "openssh")]
BELOW = [
    much_data_arrives_whole,
    closing_sends_what_was_written,
    a_slow_reader_stops_its_writer_and_nobody_else,
    a_cancelled_dial_leaves_nothing,
    closing_ends_everything,
    a_loss_is_no_end_of_file,
]
"""What a session may do wrong to another that is opened over it."""
TWICE = ("openssh", "openssh")


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return Keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def arenas():
    made = Arenas()
    yield made
    made.close()


@pytest.mark.parametrize("path", PATHS, ids="-".join)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_sessions(rule, path, keys, arenas):
    arenas.hold(rule, path, arena(keys, path))


@pytest.mark.parametrize("rule", BELOW, ids=lambda rule: rule.__name__)
def test_sessions_of_the_other_transport_over_it(rule, keys, arenas):
    arenas.hold(rule, ("openssh", "ssh"), arena(keys, ("openssh", "ssh")))


@pytest.mark.parametrize("rule", [much_data_arrives_whole, listening_carries_both_ways, a_loss_is_no_end_of_file])
def test_one_over_the_other(rule, keys, arenas):
    arenas.hold(rule, TWICE, arena(keys, TWICE))


@pytest.mark.parametrize("path", [("openssh",), TWICE], ids="-".join)
def test_a_killed_master_is_no_end_of_file(path, keys):
    hold(a_loss_is_no_end_of_file, arena(keys, path, by_master=True))


def play(keys, work, *lines, path=("openssh",)):
    async def scene():
        async with opened(keys, *lines, path=path) as (server, sessions):
            await work(server, sessions)

    asyncio.run(scene())


@pytest.mark.parametrize("lose", ["master", "server"])
def test_what_a_listener_accepted_is_cut_when_the_session_is_lost(lose, keys):
    """The master's sockets end as an end of file ends them, whoever killed it."""

    async def work(server, sessions):
        accept = Accepting()
        listener = await sessions[-1].create_server(accept, "127.0.0.1", 0)
        _, dialed = await sessions[0].create_connection(Collector, "127.0.0.1", listener.port)
        accepted = await accept.collectors.get()
        await dialed.send(bytes(1 << 20))
        await accepted.receive(1 << 20)
        if lose == "master":
            os.kill(sessions[-1]._master.pid, signal.SIGKILL)
        else:
            server.kill_sessions()
        await accepted.ended.wait()
        assert isinstance(accepted.error, SessionLost), accepted.error
        assert "eof" not in accepted.calls
        assert ("killed by signal 9" in str(accepted.error)) == (lose == "master")
        await listener.wait_closed()
        dialed.stream.abort()

    play(keys, work)


def test_listeners_at_ports_that_the_server_chose_are_closed_one_by_one(keys):
    async def work(_server, sessions):
        session = sessions[-1]
        first, second = [await session.create_server(Accepting(), "127.0.0.1", 0) for _ in range(2)]
        assert len({first.port, second.port, 0}) == 3
        first.close()
        await first.wait_closed()
        with pytest.raises(DialRefused):
            await session.create_connection(Collector, "127.0.0.1", first.port)
        stream, _ = await session.create_connection(Collector, "127.0.0.1", second.port)
        stream.abort()
        again = await session.create_server(Accepting(), "127.0.0.1", first.port)
        assert again.port == first.port

    play(keys, work)


@pytest.mark.parametrize("line", ["PermitListen none", "AllowTcpForwarding local"])
def test_a_listener_that_policy_forbids_is_refused_with_the_servers_words(line, keys):
    async def work(_server, sessions):
        with pytest.raises(BindRefused, match="forwarding") as refused:
            await sessions[-1].create_server(Accepting(), "127.0.0.1", free_port())
        assert refused.value.code == Code.FORWARD_REFUSED
        await sessions[-1].ping()

    play(keys, work, line)


def test_a_server_that_widens_a_listener_says_so(keys):
    async def work(_server, sessions):
        listener = await sessions[-1].create_server(Accepting(), "127.0.0.1", 0)
        assert "overridden by server GatewayPorts" in listener.widened

    play(keys, work, "GatewayPorts yes")


@pytest.mark.parametrize(("host", "reached"), [("*", True), ("localhost", False)])
def test_every_address_or_loopback_only(host, reached, keys):
    async def work(_server, sessions):
        listener = await sessions[-1].create_server(Accepting(), host, 0)
        assert listener.widened is None
        try:
            stream, _ = await sessions[0].create_connection(Collector, "127.0.0.2", listener.port)
        except DialRefused:
            assert not reached
        else:
            assert reached
            stream.abort()

    play(keys, work, "GatewayPorts clientspecified")


def test_who_connected_is_told_by_the_master(keys):
    async def work(_server, sessions):
        accept = Accepting()
        listener = await sessions[-1].create_server(accept, "127.0.0.1", 0)
        user, ports = sessions[0], []
        for _ in range(5):
            stream, _ = await user.create_connection(Collector, "127.0.0.1", listener.port)
            ports.append(stream.get_extra_info("sockname")[1])
        peers = [await accept.peers.get() for _ in ports]
        assert [(peer.host, peer.port) for peer in peers] == [("127.0.0.1", port) for port in ports]

    play(keys, work)


@pytest.mark.parametrize(
    ("line", "code"), [("AllowTcpForwarding no", Code.FORWARD_REFUSED), ("PermitOpen none", Code.FORWARD_REFUSED)]
)
def test_a_dial_that_policy_forbids_leaves_the_session_alone(line, code, keys):
    async def work(_server, sessions):
        with pytest.raises(DialRefused) as refused:
            await sessions[-1].create_connection(Collector, "127.0.0.1", 1)
        assert refused.value.code == code
        await sessions[-1].ping()

    play(keys, work, line)


def test_a_server_that_has_no_commands_still_answers_a_ping(keys):
    async def work(_server, sessions):
        await sessions[-1].ping()
        with pytest.raises(DialRefused, match="does not run commands"):
            await sessions[-1].create_process(Collector, "true")

    play(keys, work, "MaxSessions 0")


def test_an_ssh_that_has_borne_enough_refusals_is_given_up_when_nothing_uses_it(keys, monkeypatch):
    monkeypatch.setattr("orchestra_plugins.openssh.session.MOST_REFUSED", 3)

    async def work(_server, sessions):
        session, accept, here = sessions[-1], Accepting(), sessions[0]
        listener = await here.create_server(accept, "127.0.0.1", 0)
        stream, busy = await session.create_connection(Collector, "127.0.0.1", listener.port)
        await refused(session, 4)
        assert session.state == "open"
        stream.abort()
        await busy.ended.wait()
        await refused(session, 1)
        reason = await session.wait_closed()
        assert "refused dials are all that one ssh can bear" in str(reason)

    async def refused(session, times):
        closed = free_port()
        for _ in range(times):
            with pytest.raises(DialRefused):
                await session.create_connection(Collector, "127.0.0.1", closed)

    play(keys, work)


def test_the_way_below_is_named_when_it_is_what_was_lost(keys):
    async def work(_server, sessions):
        os.kill(sessions[1]._master.pid, signal.SIGKILL)
        reason = await sessions[2].wait_closed()
        assert isinstance(reason, SessionLost)
        assert "killed by signal 9" in str(reason)

    play(keys, work, path=TWICE)


def test_its_directory_is_private_and_goes_with_it(keys):
    async def work(_server, sessions):
        session = sessions[-1]
        mode = session._directory.stat().st_mode
        assert stat.S_IMODE(mode) == 0o700
        session.close()
        assert await session.wait_closed() is None
        assert not session._directory.exists()

    play(keys, work)


def test_a_server_that_no_longer_answers_is_noticed_by_keepalives(keys):
    async def scene():
        async with opened(keys, keepalive=1.0) as (server, sessions):
            server.kill_sessions(signal.SIGSTOP)
            reason = await sessions[-1].wait_closed()
            assert "no longer answers (keepalive)" in str(reason)
            assert "ssh.keepalive" in reason.suggestion

    asyncio.run(scene())


def test_a_master_that_hangs_is_closed_all_the_same(keys):
    async def work(_server, sessions):
        os.kill(sessions[-1]._master.pid, signal.SIGSTOP)
        sessions[-1].close()
        async with asyncio.timeout(10):
            assert await sessions[-1].wait_closed() is None

    play(keys, work)
