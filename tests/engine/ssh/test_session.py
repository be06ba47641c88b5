"""Sessions over a real sshd pass the suite that all sessions pass, directly and through another session."""

import asyncio

import pytest

from orchestra.diagnostics import Code
from orchestra.engine.ssh import internals
from orchestra.session.errors import DialRefused
from orchestra.testing.collect import Accepting, Collector, stream_of
from orchestra.testing.sessions import RULES

from .sshd import Arenas, Keys, arena_over_ssh, needs_sshd

pytestmark = needs_sshd


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return Keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def arenas():
    made = Arenas()
    yield made
    made.close()


@pytest.mark.parametrize("hops", [1, 2])
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_sshd(rule, hops, keys, arenas):
    arenas.hold(rule, hops, arena_over_ssh(keys, hops))


async def is_dialed_for_without_being_waited_for(arena):
    accept, dialed, told = Accepting(echo=True), Collector(), asyncio.get_running_loop().create_future()
    listener = await arena.neighbour.create_server(accept, "127.0.0.1", 0)
    arena.session.begin_connection(lambda: dialed, "127.0.0.1", listener.port, told.set_result)
    assert await told is None
    await dialed.send(b"x")
    assert await dialed.receive(1) == b"x"
    stream_of(dialed).abort()
    listener.close()


async def is_told_why_not(arena):
    accept, told = Accepting(), asyncio.get_running_loop().create_future()
    listener = await arena.neighbour.create_server(accept, "127.0.0.1", 0)
    listener.close()
    await listener.wait_closed()
    arena.session.begin_connection(Collector, "127.0.0.1", listener.port, told.set_result)
    refusal = await told
    assert isinstance(refusal, DialRefused)
    assert refusal.code == Code.CONNECT_REFUSED


async def is_told_nothing_when_it_was_given_up(arena):
    accept, made, told = Accepting(), [], []
    listener = await arena.neighbour.create_server(accept, "127.0.0.1", 0)
    arena.session.begin_connection(lambda: made.append(Collector()), "127.0.0.1", listener.port, told.append)()
    await arena.session.ping()
    await arena.session.ping()
    assert (made, told) == ([], [])
    listener.close()


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize(
    "rule", [is_dialed_for_without_being_waited_for, is_told_why_not, is_told_nothing_when_it_was_given_up]
)
def test_a_connection(rule, plain, keys, arenas, monkeypatch):
    if plain:  # as with another asyncssh
        monkeypatch.setattr(internals, "open_stream", lambda *_: False)
    arenas.hold(rule, 1, arena_over_ssh(keys, 1))
