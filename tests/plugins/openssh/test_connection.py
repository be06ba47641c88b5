"""The channels of one connection."""

import asyncio

import pytest
from orchestra_plugins.openssh.wire import Malformed, Message, string, uint32

from .talk import Server


def test_what_opens_a_channel_names_its_kind_and_its_window():
    server = Server()
    channel, _ = server.opening()
    ((kind, fields),) = server.heard()
    assert kind == Message.OPEN
    assert fields.startswith(string("direct-tcpip") + uint32(channel.number) + uint32(channel.window))


def test_messages_to_nobody_and_openings_towards_us_are_passed_over():
    server = Server()
    channel, _ = server.opening()
    server.heard()
    for kind in (Message.DATA, Message.OPEN):
        server.connection.receive(string(bytes((0, kind)) + uint32(4711) + b"\0" * 8))
    server.connection.receive(string(bytes((0, Message.OPEN)) + uint32(channel.number)))
    assert server.heard() == []


@pytest.mark.parametrize("packet", [b"", b"\0\x5e", b"\0\x5e\0\0\0"])
def test_packets_that_are_too_short(packet):
    with pytest.raises(Malformed):
        Server().connection.receive(string(packet))


def test_whoever_waits_for_the_last_channel_is_told():
    async def scene():
        server, told = Server(), []
        server.connection.on_idle = lambda: told.append(len(server.connection))
        (one, _), (two, _) = server.open(), server.open()
        server.connection.finish(ConnectionResetError("closing"))
        for channel in (one, two):
            assert told == []
            server.say(channel, Message.CLOSE)
        assert told == [0]

    asyncio.run(scene())
