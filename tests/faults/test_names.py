"""Names that do not resolve: row 21 of docs/faults.md. Who was asked to resolve it is who is named."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

import orchestra
from orchestra.session.errors import DialRefused
from orchestra.testing.collect import Collector
from tests.faults.field import Field, field, long
from tests.faults.leaks import play
from tests.lab.netns.labs import needs_namespaces

pytestmark = needs_namespaces

NXDOMAIN, SERVFAIL, SILENCE = 3, 2, None
"""Response codes (RFC 1035 section 4.1.1)."""
DIAL = """
import asyncio, sys
sys.path.insert(0, {root!r})
from orchestra.session.here import Here
from orchestra.testing.collect import Collector
from orchestra.session.errors import DialRefused
try:
    asyncio.run(Here("laptop").create_connection(Collector, "db.internal.example", 80))
except DialRefused as refused:
    print(refused.code, refused)
"""


class Resolver(asyncio.DatagramProtocol):
    """Gives every question the same answer, or none."""

    def __init__(self, code: int | None) -> None:
        self.code = code

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self.code is not None:
            self.transport.sendto(data[:2] + bytes((0x81, 0x80 | self.code)) + data[4:6] + bytes(6) + data[12:], addr)


@asynccontextmanager
async def resolving(up: Field, machine: str, code: int | None) -> AsyncIterator[None]:
    """The machines of the lab ask a server of names, at their own loopback; one of them has one."""
    for file in up.file("").glob("etc*"):
        if file.read_text().startswith("passwd:"):
            file.write_text(file.read_text().replace("hosts: files", "hosts: files dns"))
        elif not file.read_text():
            file.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    made = await up.lab.socket_in(up.lab.layout.of(machine), socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 53))
    made.setblocking(False)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: Resolver(code), sock=made)
    try:
        yield
    finally:
        transport.close()


@pytest.mark.parametrize(
    ("code", "hint"),
    [(NXDOMAIN, "check the name there"), (SERVFAIL, "resolver"), pytest.param(SILENCE, "resolver", marks=long)],
)
def test_fault_21_a_name_that_a_hop_cannot_resolve_is_told_by_that_hop(code: int | None, hint: str) -> None:
    async def scene() -> None:
        async with field() as up:
            await up.until_ready()
            inner = up.engine._places.get("inner")
            assert inner
            async with resolving(up, "inner", code):
                with pytest.raises(DialRefused) as refused:
                    await inner.create_connection(Collector, "db.internal.example", 80)
            assert (refused.value.code, refused.value.host) == ("NAME_UNRESOLVED", "inner")
            assert "inner dials db.internal.example:80" in str(refused.value)
            assert hint in (refused.value.suggestion or "")
            assert up.states("inner") == ["connecting", "open"]

    play(scene())


@long
@pytest.mark.parametrize(("code", "why"), [(NXDOMAIN, "Name or service not known"), (SERVFAIL, "Temporary failure")])
def test_fault_21_a_name_that_this_machine_cannot_resolve_is_told_with_what_the_resolver_said(
    code: int | None, why: str
) -> None:
    async def scene() -> None:
        async with field() as up:
            await up.until_ready()
            root = str(Path(orchestra.__file__).parents[1])
            async with resolving(up, "laptop", code):
                said = await up.run("laptop", sys.executable, "-c", DIAL.format(root=root))
            assert said.startswith("NAME_UNRESOLVED laptop dials db.internal.example:80")
            assert why in said

    play(scene())
