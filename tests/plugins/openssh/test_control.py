"""A conversation with a master, played by a socket of ours."""

import asyncio

import pytest
from orchestra_plugins.openssh import mux
from orchestra_plugins.openssh.channel import Channel
from orchestra_plugins.openssh.control import Control, Refused
from orchestra_plugins.openssh.wire import Malformed, Message, Packets, string, uint32

from orchestra.session.here import Here
from orchestra.session.windows import WindowBudget
from orchestra.testing import Collector


async def conversation(tmp_path, answer, work):
    """``answer`` makes what the master says to each message; ``work`` gets the control and what was lost."""
    lost, here, path = [], Here("laptop"), str(tmp_path / "m")

    async def master(reader, writer):
        packets = Packets()
        while data := await reader.read(65536):
            for packet in packets.feed(data):
                writer.write(answer(packet))
        writer.close()

    server = await asyncio.start_unix_server(master, path)
    try:
        control = await Control.dial(here, path, lost.append)
        await work(control, lost)
        control.abort()
    finally:
        here.abort()
        await here.wait_closed()
        server.close()


def honest(packet):
    kind, number = int.from_bytes(packet[:4]), packet[4:8]
    match kind:
        case mux.HELLO:
            return mux.hello()
        case mux.ALIVE_CHECK:
            return string(uint32(mux.ALIVE) + number + uint32(4711))
        case mux.PROXY:
            return string(uint32(mux.PROXIED) + number)
        case _:
            return string(uint32(mux.FAILURE) + number + string("not today"))


def test_answers_find_who_asked(tmp_path):
    async def work(control, _lost):
        answers = await asyncio.gather(*(control.ask(mux.ALIVE_CHECK) for _ in range(3)))
        assert [answer.number for answer in answers] == [4711] * 3
        with pytest.raises(Refused, match="not today"):
            await control.ask(mux.TERMINATE)

    asyncio.run(conversation(tmp_path, honest, work))


def test_a_shared_connection_speaks_packets(tmp_path):
    async def work(control, _lost):
        connection = await control.share(WindowBudget())
        answered = asyncio.get_running_loop().create_future()
        connection.open(Channel, Collector, answered.set_result, "session")
        assert (await answered).words == "no"

    def answer(packet):
        if packet[:1] == b"\0" and packet[1] == Message.OPEN:
            refusal = bytes((0, Message.OPEN_FAILURE)) + uint32(0) + uint32(1) + string("no") + string("")
            return string(refusal)
        return honest(packet)

    asyncio.run(conversation(tmp_path, answer, work))


def test_a_master_that_hangs_up_answers_everybody(tmp_path):
    async def work(control, lost):
        asked = asyncio.ensure_future(control.ask(mux.ALIVE_CHECK))
        with pytest.raises(Malformed):
            await asked
        assert isinstance(lost[0], Malformed)
        with pytest.raises(ConnectionError):
            await control.ask(mux.ALIVE_CHECK)

    def nonsense(packet):
        return honest(packet) if int.from_bytes(packet[:4]) == mux.HELLO else b"\xff" * 8

    asyncio.run(conversation(tmp_path, nonsense, work))


def test_another_version_is_not_spoken_to(tmp_path):
    async def work(_control, _lost):
        raise AssertionError("it was greeted")

    with pytest.raises(Malformed, match="version 9"):
        asyncio.run(conversation(tmp_path, lambda _: string(uint32(mux.HELLO) + uint32(9)), work))
