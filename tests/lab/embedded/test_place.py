"""A host of the lab is a session, with the lab in the place of this machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from orchestra.diagnostics import Code
from orchestra.lab.embedded import EmbeddedLab, open_embedded_lab
from orchestra.session import BindRefused, Peer, Receiver, SessionLost, Unsupported
from orchestra.testing.collect import Accepting, Collector
from orchestra.testing.sessions import RULES, Arena, Rule, hold
from tests.lab.embedded.branch import branch, refused, talk
from tests.lab.embedded.build import in_lab


@asynccontextmanager
async def arena() -> AsyncIterator[Arena]:
    lab = await open_embedded_lab(branch(), "laptop")
    try:
        yield Arena(session=lab.place("gateway"), neighbour=lab.place("gateway"))
    finally:
        await lab.close()


UNIX = ("unix_sockets_carry_both_ways",)  # hosts of this lab have no file system


@pytest.mark.parametrize("rule", [each for each in RULES if each.__name__ not in UNIX], ids=lambda rule: rule.__name__)
def test_places_are_sessions(rule: Rule) -> None:
    hold(rule, arena)


def test_a_place_listens_in_the_view_of_its_host() -> None:
    async def test(lab: EmbeddedLab) -> None:
        made: list[Collector] = []

        async def accept(_peer: Peer) -> Receiver:
            made.append(Collector(echo=True))
            return made[-1]

        gateway, guest = lab.place("gateway"), lab.guest("office")
        inner = await gateway.create_server(accept, "127.0.0.1", 8080)
        outer = await gateway.create_server(accept, "10.20.0.2", 0)
        assert inner.port == 8080
        assert await talk(gateway, "127.0.0.1", 8080) == b""
        assert await talk(guest, "10.20.0.2", outer.port) == b""
        assert (await refused(guest, "10.20.0.2", 8080)).code == Code.CONNECT_REFUSED
        for address, code in (
            ("127.0.0.1", Code.LISTEN_IN_USE),
            ("*", Code.LISTEN_IN_USE),
            ("10.9.9.9", Code.LISTEN_FAILED),
        ):
            with pytest.raises(BindRefused) as caught:
                await gateway.create_server(accept, address, 8080)
            assert caught.value.code == code
        inner.close()
        await inner.wait_closed()
        assert (await refused(gateway, "127.0.0.1", 8080)).code == Code.CONNECT_REFUSED

    in_lab(branch(), test)


def test_what_cannot_listen_everywhere_listens_nowhere() -> None:
    async def test(lab: EmbeddedLab) -> None:
        gateway = lab.place("gateway")
        six = await gateway.create_server(Accepting(), "::1", 8080)
        with pytest.raises(BindRefused):
            await gateway.create_server(Accepting(), "localhost", 8080)
        assert (await refused(gateway, "127.0.0.1", 8080)).code == Code.CONNECT_REFUSED
        six.close()
        both = await gateway.create_server(Accepting(echo=True), "localhost", 8080)
        assert await talk(gateway, "::1", 8080) == await talk(gateway, "127.0.0.1", 8080) == b""
        both.close()

    in_lab(branch(), test)


def test_a_place_that_ends_takes_its_listeners_along() -> None:
    async def test(lab: EmbeddedLab) -> None:
        gateway, neighbour = lab.place("gateway"), lab.place("gateway")
        listener = await gateway.create_server(Accepting(), "127.0.0.1", 8080)
        gateway.close()
        await asyncio.gather(listener.wait_closed(), gateway.wait_closed())
        assert (await refused(neighbour, "127.0.0.1", 8080)).code == Code.CONNECT_REFUSED
        with pytest.raises(SessionLost):
            await gateway.create_server(Accepting(), "127.0.0.1", 8080)

    in_lab(branch(), test)


def test_what_a_place_cannot_do_is_said() -> None:
    async def test(lab: EmbeddedLab) -> None:
        gateway = lab.place("gateway")
        for attempt in (
            gateway.create_unix_connection(Collector, "/run/x"),
            gateway.create_unix_server(Accepting(), "/run/x"),
            gateway.create_process(Collector, "true"),
        ):
            with pytest.raises(Unsupported, match=r"hosts of the embedded lab do not .*: gateway"):
                await attempt

    in_lab(branch(), test)
