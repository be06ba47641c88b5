"""A host of the lab as a session; here the namespace is this machine's own, and only its loopback is used."""

import asyncio
import socket
from contextlib import asynccontextmanager

import pytest

from orchestra.diagnostics import Code
from orchestra.lab.netns.place import Place, connect
from orchestra.session import BindRefused, DialRefused, Unsupported
from orchestra.testing.collect import Accepting, Collector
from orchestra.testing.sessions import RULES, Arena, hold


class OwnNamespace:
    """Sockets of this machine, and names."""

    def __init__(self, **names):
        self.names = {"localhost": ("127.0.0.1", "::1"), **names}
        self.made = []

    async def make_socket(self, family, kind=socket.SOCK_STREAM):
        self.made.append(socket.socket(family, kind))
        return self.made[-1]


@asynccontextmanager
async def arena():
    session, neighbour = Place("gateway", OwnNamespace()), Place("gateway", OwnNamespace())
    yield Arena(session=session, neighbour=neighbour)
    session.abort()
    neighbour.abort()
    await asyncio.gather(session.wait_closed(), neighbour.wait_closed())


UNIX = ("unix_sockets_carry_both_ways",)  # what has a file system is a process


@pytest.mark.parametrize("rule", [each for each in RULES if each.__name__ not in UNIX], ids=lambda rule: rule.__name__)
def test_places_are_sessions(rule):
    hold(rule, arena)


def test_every_address_of_a_name_is_tried_and_losers_are_closed():
    namespace = OwnNamespace(desk=("::1", "127.0.0.1"))

    async def main():
        with socket.create_server(("127.0.0.1", 0)) as listening:
            (await connect(namespace, "DESK.", listening.getsockname()[1])).close()
            with pytest.raises(ConnectionRefusedError):
                await connect(namespace, "::1", listening.getsockname()[1])
        with pytest.raises(socket.gaierror):
            await connect(namespace, "nobody", 1)

    asyncio.run(main())
    assert all(sock.fileno() < 0 for sock in namespace.made)


def test_a_wildcard_that_is_taken_in_one_family_is_taken():
    namespace = OwnNamespace()

    async def main():
        place = Place("gateway", namespace)
        with socket.create_server(("127.0.0.1", 0)) as held:
            with pytest.raises(BindRefused) as refused:
                await place.create_server(Accepting(), "*", held.getsockname()[1])
            assert refused.value.code == Code.LISTEN_IN_USE
        with pytest.raises(BindRefused):
            await place.create_server(Accepting(), "desk", 0)
        with pytest.raises(DialRefused, match="gateway dials nobody:80"):
            await place.create_connection(Collector, "nobody", 80)

    asyncio.run(main())
    assert all(sock.fileno() < 0 for sock in namespace.made)


def test_what_a_place_cannot_do_is_said():
    async def main():
        place = Place("gateway", OwnNamespace())
        for attempt in (
            place.create_unix_connection(Collector, "/run/x"),
            place.create_unix_server(Accepting(), "/run/x"),
            place.create_process(Collector, "true"),
        ):
            with pytest.raises(Unsupported, match="gateway is a place in a lab: it cannot"):
                await attempt

    asyncio.run(main())
