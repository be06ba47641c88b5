"""The socket that ssh gets, and the way from there to the server."""

import asyncio
import os
import socket

import pytest
from orchestra_plugins.openssh.carrying import carry

from orchestra.model.plan import Dial
from orchestra.model.topology import SshSettings
from orchestra.session.errors import DialRefused
from orchestra.session.here import Here
from orchestra.testing import MemoryNetwork, MemorySession
from orchestra.testing.collect import Accepting
from tests.engine.ssh.sshd import free_port, request


def wanted(over, port):
    dial = Dial(by=over.host, host="127.0.0.1", port=port, means="gateway")
    return request(SshSettings(port=port), over, dial=dial)


def test_a_socket_of_this_machine_is_handed_over_itself_with_nothing_lost():
    async def scene():
        here, accept = Here("laptop"), Accepting()
        listener = await here.create_server(accept, "127.0.0.1", 0)
        carrier = await carry(wanted(here, listener.port), "127.0.0.1", listener.port)
        accepted = await accept.collectors.get()
        await accepted.send(b"SSH-2.0-x\r\n")
        with socket.socket(fileno=os.dup(carrier.descriptor)) as ours:
            carrier.handed_over()
            assert (ours.family, ours.getblocking()) == (socket.AF_INET, True)
            assert await asyncio.to_thread(ours.recv, 100) == b"SSH-2.0-x\r\n"
            ours.sendall(b"back")
            assert await accepted.receive(4) == b"back"
        await accepted.eof.wait()
        assert (carrier.loss, carrier.descriptor) == (None, -1)
        listener.close()
        here.abort()

    asyncio.run(scene())


def over_memory():
    network = MemoryNetwork()
    return MemorySession(network, "gateway"), MemorySession(network, "gateway")


def test_a_channel_is_carried_both_ways_with_its_ends():
    async def scene():
        below, there = over_memory()
        accept = Accepting()
        listener = await there.create_server(accept, "127.0.0.1", 0)
        carrier = await carry(wanted(below, listener.port), "127.0.0.1", listener.port)
        accepted = await accept.collectors.get()
        ours, protocol = await asyncio.get_running_loop().create_connection(
            Ours, sock=socket.socket(fileno=os.dup(carrier.descriptor))
        )
        carrier.handed_over()
        for size in (1, 1 << 20):
            await accepted.send(bytes(size))
            ours.write(bytes(size))
        assert len(await accepted.receive(1 + (1 << 20))) == 1 + (1 << 20)
        async with asyncio.timeout(10):
            while len(protocol.data) < 1 + (1 << 20):
                protocol.came.clear()
                await protocol.came.wait()
        accepted.stream.write_eof()
        await protocol.eof.wait()
        ours.close()
        await accepted.eof.wait()
        carrier.abort()
        listener.close()

    asyncio.run(scene())


class Ours(asyncio.Protocol):
    def __init__(self):
        self.data, self.came, self.eof = bytearray(), asyncio.Event(), asyncio.Event()

    def data_received(self, data):
        self.data += data
        self.came.set()

    def eof_received(self):
        self.eof.set()
        return True


def test_a_lost_way_ends_ssh_and_is_remembered():
    async def scene():
        below, there = over_memory()
        accept = Accepting()
        listener = await there.create_server(accept, "127.0.0.1", 0)
        carrier = await carry(wanted(below, listener.port), "127.0.0.1", listener.port)
        (await accept.collectors.get()).stream.abort()
        with socket.socket(fileno=os.dup(carrier.descriptor)) as ours:
            carrier.handed_over()
            ours.settimeout(10)
            assert await asyncio.to_thread(ours.recv, 1) == b""
        assert isinstance(carrier.loss, Exception)
        carrier.abort()
        listener.close()

    asyncio.run(scene())


def test_nobody_there():
    async def scene():
        here, port = Here("laptop"), free_port()
        with pytest.raises(DialRefused):
            await carry(wanted(here, port), "127.0.0.1", port)

    asyncio.run(scene())
