"""One channel as RFC 4254 has it: windows in both directions, and an end that is true."""

import asyncio
import logging

import pytest
from orchestra_plugins.openssh.channel import HIGH, LOW, PIECE, CommandChannel, Refusal
from orchestra_plugins.openssh.wire import Malformed, Message, string, uint32

from .talk import Server


def scene(work):
    """Collectors wait for events, so there is a loop."""

    async def play():
        work()

    asyncio.run(play())


def test_a_channel_is_open_when_the_server_says_so_and_not_before():
    def work():
        server = Server()
        channel, collector = server.opening()
        assert (channel.state, collector.calls, server.answers) == ("opening", [], [])
        server.confirm(channel)
        assert (channel.state, collector.calls, server.answers) == ("open", ["made"], [None])

    scene(work)


def test_a_refusal_brings_the_reason_and_gives_the_window_back():
    def work():
        server = Server()
        before = server.windows.take()
        server.windows.give(before)
        channel, collector = server.opening()
        server.say(channel, Message.OPEN_FAILURE, uint32(2) + string("Connection refused") + string(""))
        assert server.answers == [Refusal(2, "Connection refused")]
        assert (collector.calls, len(server.connection), server.connection.refused) == ([], 0, 1)
        assert server.windows.take() == before

    scene(work)


def test_data_is_cut_to_what_the_server_takes_and_waits_for_its_window():
    def work():
        server = Server(window=PIECE + 10, packet=PIECE)
        channel, _ = server.open()
        server.heard()
        channel.write(bytes(PIECE) + bytes(100))
        assert [len(each) for each in server.heard_data()] == [PIECE, 10]
        channel.write_eof()
        assert server.heard() == []
        server.say(channel, Message.WINDOW_ADJUST, uint32(1000))
        assert [kind for kind, _ in server.heard()] == [Message.DATA, Message.EOF]

    scene(work)


def test_a_writer_waits_while_the_queue_is_full_and_goes_on_when_it_has_drained():
    def work():
        server = Server(window=0)
        channel, collector = server.open()
        channel.write(bytes(HIGH))
        assert "pause" not in collector.calls
        channel.write(b"x")
        assert collector.calls[-1] == "pause"
        server.say(channel, Message.WINDOW_ADJUST, uint32(HIGH - LOW))
        assert collector.calls[-1] == "pause"
        server.say(channel, Message.WINDOW_ADJUST, uint32(1))
        assert collector.calls[-1] == "resume"

    scene(work)


def test_a_full_way_to_the_master_stops_every_writer():
    def work():
        server = Server()
        (one, first), (_, second) = server.open(), server.open()
        server.heard()
        server.connection.set_congested(True)
        assert (first.calls[-1], second.calls[-1]) == ("pause", "pause")
        one.write(b"late")
        assert server.heard() == []
        server.connection.set_congested(False)
        assert server.heard_data() == [b"late"]
        assert (first.calls[-1], second.calls[-1]) == ("resume", "resume")

    scene(work)


def test_the_window_is_granted_again_when_data_was_handed_on_and_not_while_reading_is_paused():
    def work():
        server = Server()
        channel, collector = server.open()
        server.heard()
        channel.pause_reading()
        half = channel.window // 2
        for _ in range(half // PIECE):
            server.data(channel, bytes(PIECE))
        assert (server.heard(), len(collector.data)) == ([], 0)
        channel.resume_reading()
        assert server.heard() == [(Message.WINDOW_ADJUST, uint32(half))]
        assert len(collector.data) == half

    scene(work)


def test_a_server_that_sends_more_than_it_may_is_not_listened_to():
    def work():
        server = Server()
        channel, _ = server.open(paused=True)
        for _ in range(channel.window // PIECE):
            server.data(channel, bytes(PIECE))
        with pytest.raises(Malformed, match="more than it may"):
            server.data(channel, b"x")

    scene(work)


def test_an_end_of_file_and_a_close_wait_behind_data_that_nobody_has_read():
    def work():
        server = Server()
        channel, collector = server.open(paused=True)
        server.data(channel, b"last words")
        server.say(channel, Message.EOF)
        server.say(channel, Message.CLOSE)
        server.connection.lost(ConnectionResetError("later"))
        assert collector.calls == ["made"]
        channel.resume_reading()
        assert (bytes(collector.data), collector.calls, collector.error) == (
            b"last words",
            ["made", "eof", "lost"],
            None,
        )

    scene(work)


def test_a_close_without_an_end_of_file_is_no_clean_end():
    def work():
        server = Server()
        channel, collector = server.open()
        server.heard()
        server.say(channel, Message.CLOSE)
        assert isinstance(collector.error, ConnectionResetError)
        assert [kind for kind, _ in server.heard()] == [Message.CLOSE]

    scene(work)


def test_a_lost_connection_is_told_as_such_and_our_own_close_is_not():
    def work():
        server, loss = Server(), ConnectionResetError("gone")
        (_, first), (two, second), (three, third) = server.open(), server.open(), server.opening()
        two.abort()
        server.connection.lost(loss)
        assert (first.error, second.error, second.calls[-1]) == (loss, None, "lost")
        assert (third.calls, server.answers[-1], three.state) == ([], loss, "closed")

    scene(work)


def test_close_sends_what_is_queued_and_abort_does_not():
    def work():
        server = Server(window=0)
        (one, _), (two, _) = server.open(), server.open()
        server.heard()
        for channel in (one, two):
            channel.write(b"queued")
        one.close()
        two.abort()
        assert [kind for kind, _ in server.heard()] == [Message.EOF, Message.CLOSE]
        server.say(one, Message.WINDOW_ADJUST, uint32(6))
        assert [kind for kind, _ in server.heard()] == [Message.DATA, Message.EOF, Message.CLOSE]

    scene(work)


def test_what_nobody_waits_for_any_more_is_closed_as_soon_as_it_opens():
    def work():
        server = Server()
        channel, collector = server.opening()
        channel.abort()
        server.heard()
        server.confirm(channel)
        assert [kind for kind, _ in server.heard()] == [Message.CLOSE]
        server.say(channel, Message.CLOSE)
        assert (collector.calls, len(server.connection)) == ([], 0)

    scene(work)


def test_a_receiver_that_fails_ends_its_own_channel_only(caplog):
    def work():
        server = Server()
        (bad, collector), (good, healthy) = server.open(), server.open()
        server.heard()
        collector.data = None  # its data_received raises now
        with caplog.at_level(logging.CRITICAL):
            server.data(bad, b"x")
        server.data(good, b"y")
        assert server.heard()[0][0] == Message.EOF
        assert bytes(healthy.data) == b"y"

    scene(work)


def test_a_command_is_made_when_the_server_runs_it_and_its_status_is_kept():
    def work():
        server = Server()
        channel, collector = server.opening(CommandChannel, kind="session")
        channel.command = "true"
        server.heard()
        server.confirm(channel)
        assert server.heard() == [(Message.REQUEST, string("exec") + b"\1" + string("true"))]
        assert collector.calls == []
        server.say(channel, Message.SUCCESS)
        server.say(channel, Message.EXTENDED_DATA, uint32(1) + string("complaint"))
        server.say(channel, Message.REQUEST, string("exit-status") + b"\0" + uint32(7))
        assert (collector.calls, channel.exit_status, channel.stderr_tail()) == (["made"], 7, b"complaint")

    scene(work)


def test_a_command_that_was_killed_and_one_that_is_refused():
    def work():
        server = Server()
        (killed, _), (refused, collector) = (server.opening(CommandChannel, kind="session") for _ in range(2))
        for channel in (killed, refused):
            server.confirm(channel)
        server.say(killed, Message.SUCCESS)
        server.say(killed, Message.REQUEST, string("exit-signal") + b"\0" + string("KILL") + b"\0" + string("") * 2)
        assert killed.exit_status == -9
        server.say(refused, Message.FAILURE)
        assert isinstance(server.answers[-1], Refusal)
        assert collector.calls == []

    scene(work)


def test_a_request_to_a_stream_is_declined():
    def work():
        server = Server()
        channel, _ = server.open()
        server.heard()
        server.say(channel, Message.REQUEST, string("keepalive@openssh.com") + b"\1")
        assert server.heard() == [(Message.FAILURE, b"")]

    scene(work)
