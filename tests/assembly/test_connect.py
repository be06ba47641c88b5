"""The one connection of a launch: entered by streams, joined to what its plan dials."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from orchestra.assembly.connect import connect
from orchestra.assembly.launch import Launch
from orchestra.assembly.topology import plugins
from orchestra.diagnostics import Code
from orchestra.errors import OrchestraError, RuntimeFailure
from orchestra.model.topology import Topology
from orchestra.planning import plan_connection
from orchestra.session.standard import StandardStreams
from tests.cli.instances import closed_port
from tests.engine.sockets import Handler, target

PLUGINS = plugins()


def launch(port: int) -> Launch:
    topology = Topology(name="t", file="t.yaml")
    plan = plan_connection(topology, f"127.0.0.1:{port}", vocabulary=PLUGINS.vocabulary)
    return Launch(name="t", plan=plan, topology=topology)


@asynccontextmanager
async def streams(data: bytes) -> AsyncIterator[tuple[StandardStreams, int]]:
    """Standard input with that, and where standard output can be read."""
    source, to_source = os.pipe()
    from_sink, sink = os.pipe()
    os.write(to_source, data)
    os.close(to_source)
    try:
        yield StandardStreams(source, sink), from_sink
    finally:
        os.close(source)
        os.close(from_sink)


async def use(handler: Handler, data: bytes) -> bytes:
    async with target(handler) as port, streams(data) as (both, out):
        await connect(launch(port), PLUGINS, both, timeout=20.0)
        return os.read(out, 100)


def test_it_is_joined_until_both_directions_have_ended() -> None:
    async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.read()).upper())
        writer.close()

    assert asyncio.run(use(shout, b"hello")) == b"HELLO"


def test_a_connection_that_is_cut_is_an_error() -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.transport.get_extra_info("socket").setsockopt(1, 13, bytes([1, 0, 0, 0, 0, 0, 0, 0]))  # SO_LINGER
        writer.transport.abort()

    with pytest.raises(OrchestraError, match="was cut off"):
        asyncio.run(use(cut, b"hello"))


def test_a_dial_that_fails_is_the_dialers_to_say() -> None:
    async def main() -> None:
        with closed_port() as port:
            async with streams(b"") as (both, _):
                await connect(launch(port), PLUGINS, both, timeout=20.0)

    with pytest.raises(RuntimeFailure, match="connection refused") as caught:
        asyncio.run(main())
    assert caught.value.code == Code.CONNECT_REFUSED
