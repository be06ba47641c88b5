"""The steps of the demonstration, in a lab of this process."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from orchestra.assembly import demo
from orchestra.assembly.launch import open_lab
from orchestra.assembly.topology import load_topology, plugins
from orchestra.errors import RuntimeFailure
from orchestra.lab.interface import Counter, Lab
from orchestra.lab.kind import LabKind
from orchestra.model.events import Event, TunnelChanged
from orchestra.model.plan import Plan
from orchestra.planning import make_plan

OFFICE = """\
networks: {internet: , office: 10.20.0.0/24}
clients: {laptop: {networks: [internet]}}
firewalls:
  edge:
    networks: {internet: 198.51.100.1, office: 10.20.0.1}
    rules: [{allow: {from: internet, to: gateway, ports: [22]}}]
servers: {gateway: {networks: {office: 10.20.0.2}}}
targets: {desk: {networks: {office: 10.20.0.30}, address: 5900}}
tunnels: {desk: {listen: auto}}
"""


@pytest.fixture
def in_lab(tmp_path: Path) -> Callable[[Callable[[Plan, Lab], Awaitable[None]]], None]:
    """Plays a scene in the office's lab."""
    (tmp_path / "office.yaml").write_text(OFFICE)
    loaded = load_topology([str(tmp_path / "office.yaml")], plugins(), {})
    assert loaded.topology is not None
    topology, plan = loaded.topology, make_plan(loaded.topology, vocabulary=plugins().vocabulary)

    def play(scene: Callable[[Plan, Lab], Awaitable[None]]) -> None:
        async def main() -> None:
            async with open_lab(LabKind.EMBEDDED, topology, plan.client) as lab:
                await scene(plan, lab)

        asyncio.run(main())

    return play


def test_what_its_user_gets_without_it_is_said_in_a_sentence(in_lab: Callable[..., None]) -> None:
    async def scene(plan: Plan, lab: Lab) -> None:
        (tunnel,) = plan.tunnels
        said = await demo.without(tunnel, plan, lab)
        assert said is not None
        assert said.startswith("laptop dials 10.20.0.30:5900")
        assert "connected" not in said
        assert await demo.without(tunnel, replace(plan, client="gateway"), lab) == (
            "gateway dials 10.20.0.30:5900: connected"
        )
        assert await demo.without(replace(tunnel, dial=None), plan, lab) is None

    in_lab(scene)


def test_what_comes_through_is_bit_for_bit_what_was_sent(
    in_lab: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "SAMPLE", 100_000)
    told: list[Event] = []

    async def scene(plan: Plan, lab: Lab) -> None:
        (page,) = await demo.carry(plan, lab, plugins(), told.append)
        assert (page.tunnel, page.text, page.received) == ("desk", "desk on desk", 100_000)
        assert page.digest == demo.sample_digest() != hashlib.sha256(bytes(100_000)).hexdigest()
        assert demo.what_passed(await lab.counters()) == "edge: 1 to tcp port 22"

    in_lab(scene)
    assert any(isinstance(event, TunnelChanged) and event.state == "ready" for event in told)


def test_firewalls_that_let_nothing_pass_say_so() -> None:
    assert demo.what_passed(()) == "nothing"
    assert demo.what_passed((Counter(firewall="edge", protocol="tcp", port=22, packets=0),)) == "nothing"


def test_a_tunnel_that_does_not_become_ready_is_named(
    in_lab: Callable[[Callable[[Plan, Lab], Awaitable[None]]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene(plan: Plan, lab: Lab) -> None:
        with pytest.raises(RuntimeFailure, match="tunnel desk was not ready within 0 s"):
            await demo.carry(plan, lab, plugins(), lambda _: None)

    monkeypatch.setattr(demo, "DEADLINE", 0.0)
    in_lab(scene)
