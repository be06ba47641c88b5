"""Every example runs: its plan is made true over the lab, and who answers proves to be the target."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from orchestra.engine import Engine, builtin
from orchestra.engine.ssh import plugin as ssh
from orchestra.lab.embedded import EmbeddedLab, open_embedded_lab
from orchestra.loading import load
from orchestra.model.address import Endpoint, parse_address
from orchestra.planning import check_expectations, choose_client, make_plan
from orchestra.plugin.manager import load_plugins
from orchestra.session.here import Here
from orchestra.testing.collect import Collector

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from orchestra.model.plan import Plan, PlannedTunnel
    from orchestra.model.topology import Topology
    from orchestra.session import Session

ALL = sorted((Path(__file__).parents[3] / "topologies").glob("*.yaml"))
EXAMPLES = [file for file in ALL if not re.search(r" (kind|transport):", file.read_text("utf-8"))]
"""Tunnels of plain streams over plain sessions; what plugins add is tested with them."""
PLUGINS = load_plugins([ssh, builtin], entry_points=False)

WITHOUT_NETWORKS = {
    "a chain": """
        servers:
          outer: ops@outer.example.com:2200
          inner: {ssh: ops@inner.internal, behind: outer}
        targets:
          db: {address: "db.internal:5432", behind: inner}
          admin: {host: outer, address: 127.0.0.1:8080}
        """,
    "the same address at two sites": """
        servers: {a: a.example.com, b: b.example.com}
        targets:
          plc-a: {address: "10.0.0.10:502", behind: a}
          plc-b: {address: "10.0.0.10:502", behind: b}
        tunnels: {plc-a: {listen: auto}, plc-b: {listen: auto}}
        """,
    "literal addresses": """
        servers: {gate: "ops@[2001:db8::5]:22"}
        targets: {web: "192.0.2.80:80"}
        """,
    "a remote forward": """
        clients: {laptop: {}}
        servers: {gate: gate.example.com}
        targets: {dev: {host: laptop, address: 127.0.0.1:3000}}
        tunnels: {dev: {at: gate, listen: auto}}
        """,
}
"""Files without networks: who dials what follows from `behind`, or from there being one server."""

every_example = pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)


def example(file: Path) -> tuple[Topology, str]:
    loaded = load([str(file)], environ={}, vocabulary=PLUGINS.vocabulary)
    assert loaded.topology is not None, loaded.diagnostics
    return loaded.topology, choose_client(loaded.topology, None)


def plan_of(topology: Topology) -> Plan:
    return make_plan(topology, vocabulary=PLUGINS.vocabulary, free_ports=True)


async def who(place: Session, address: str, port: int) -> str:
    """Who answers there."""
    stream, collector = await place.create_connection(Collector, address, port)
    stream.write_eof()
    await collector.eof.wait()
    stream.close()
    return collector.data.decode().strip()


@asynccontextmanager
async def lab_of(topology: Topology, client: str) -> AsyncIterator[EmbeddedLab]:
    lab = await open_embedded_lab(topology, client)
    try:
        yield lab
    finally:
        await lab.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}


@every_example
def test_its_purpose_stands_first_and_its_expectations_hold(file: Path) -> None:
    assert file.read_text(encoding="utf-8").startswith("# ")
    topology, _ = example(file)
    assert check_expectations(topology, vocabulary=PLUGINS.vocabulary) == ()
    assert {tunnel.verdict for tunnel in plan_of(topology).tunnels} == {"reachable"}


@every_example
def test_each_dial_of_its_plan_arrives_where_the_plan_says(file: Path) -> None:
    topology, client = example(file)
    plan = plan_of(topology)

    async def run() -> None:
        async with lab_of(topology, client) as lab:
            for session in plan.sessions:
                dial = session.dial
                assert (await who(lab.place(dial.by), dial.host or "", dial.port or 0)).startswith("SSH-2.0-")
            for tunnel in plan.tunnels:
                assert tunnel.dial is not None
                found = await who(lab.place(tunnel.dial.by), tunnel.dial.host or "", tunnel.dial.port or 0)
                assert found == expected(topology, tunnel)

    asyncio.run(run())


@every_example
def test_it_comes_up_with_traffic(file: Path) -> None:
    comes_up(*example(file))


@pytest.mark.parametrize("text", WITHOUT_NETWORKS.values(), ids=WITHOUT_NETWORKS)
def test_files_without_networks_come_up_too(text: str, tmp_path: Path) -> None:
    file = tmp_path / "test.yaml"
    file.write_text(dedent(text), encoding="utf-8")
    comes_up(*example(file))


def comes_up(topology: Topology, client: str) -> None:
    """Opens everything, and talks through every tunnel."""

    async def run() -> None:
        async with lab_of(topology, client) as lab:
            plan = make_plan(lab.topology, vocabulary=PLUGINS.vocabulary, free_ports=True)
            plan = replace(plan, tunnels=tuple(map(on_any_port, plan.tunnels)))
            changed = asyncio.Event()
            engine = Engine(plan, lab.topology, here=lab.here, plugins=PLUGINS, observe=lambda _: changed.set())
            running = asyncio.create_task(engine.run())
            try:
                async with asyncio.timeout(20):
                    while engine.snapshot().state != "ready":
                        changed.clear()
                        await changed.wait()
                    for status in engine.snapshot().tunnels:
                        await check_tunnel(lab, topology, plan.tunnel(status.name), status.listen)
            finally:
                engine.stop()
                await running

    asyncio.run(run())


async def check_tunnel(lab: EmbeddedLab, topology: Topology, tunnel: PlannedTunnel, listen: tuple[str, ...]) -> None:
    """Everybody for whom the tunnel is meant finds the target at every address that is bound."""
    assert tunnel.listen is not None
    assert listen
    at_here = tunnel.listen.at == lab.here.host
    machine = Here(tunnel.listen.at) if at_here else lab.place(tunnel.listen.at)
    users = [machine]
    if tunnel.spec.from_ in topology.networks:
        users.append(lab.guest(tunnel.spec.from_ or ""))
    for each in listen:
        address = parse_address(each)
        assert isinstance(address, Endpoint)
        for user in users:
            assert await who(user, address.host or "", address.port or 0) == expected(topology, tunnel)


def expected(topology: Topology, tunnel: PlannedTunnel) -> str:
    target = topology.targets[tunnel.spec.to or ""]
    return f"{target.name} on {target.host}"


def on_any_port(tunnel: PlannedTunnel) -> PlannedTunnel:
    """Listeners of this machine take any free port here, so that tests do not meet what runs on it."""
    listen = tunnel.listen
    if listen is None or listen.session is not None:
        return tunnel
    binds = tuple(replace(bind, port=0) for bind in listen.binds)
    return replace(tunnel, listen=replace(listen, binds=binds, requests=binds))
