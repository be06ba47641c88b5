"""What the kernel and real sshd make of a topology, beside what the model says of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_address

from orchestra.assembly.topology import plugins
from orchestra.diagnostics import Code
from orchestra.engine import Engine
from orchestra.graph import Judgement, compile_world, dialer_at, judge
from orchestra.lab.netns import open_netns_lab
from orchestra.lab.netns.lab import NetnsLab
from orchestra.model.address import Endpoint, is_loopback
from orchestra.model.plan import Plan
from orchestra.model.topology import Target, Topology
from orchestra.planning import make_plan
from orchestra.session import DialRefused, SessionError
from orchestra.testing.collect import Collector
from tests.acceptance.generate import VOCABULARY
from tests.acceptance.world import Log, World, anywhere, ask

PORTS = (22, 80, 2222)
PATIENCE, LONGER = 0.6, 5.0
"""Seconds without an answer after which a dial counts as lost, where the model says so too and where it does not:
firewalls of the lab reject, and everything is near, but the machine may be busy."""
READY = 15.0
NOT_CLAIMED = frozenset({Code.ASSUMED_REACHABLE, Code.ASSUMED_NAME_RESOLVES, Code.AMBIGUOUS_ADDRESS})
"""The model does not claim to know where the one is, nor what the other means."""


@dataclass(frozen=True, slots=True, order=True)
class Question:
    """Whether a dial arrives; with ``target``, whether that service accepts it."""

    dialer: str
    address: str
    port: int
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Disagreement:
    """What is asked (a tunnel by its name), and both answers."""

    about: Question | str
    model: str
    kernel: str


def questions(topology: Topology) -> Iterator[Question]:
    """Every host dials every address at a few ports, and at those of the services that are there."""
    for dialer in topology.hosts:
        for host in topology.hosts.values():
            services = [target for target in topology.targets.values() if target.host == host.name]
            for address in (str(address) for each in host.attachments for address in each.addresses):
                yield from (Question(dialer, address, port) for port in PORTS)
                yield from (Question(dialer, address, each.port or 0, each.name) for each in services)


def plan_of(topology: Topology, client: str) -> Plan:
    return make_plan(topology, client=client, vocabulary=VOCABULARY)


def model_of(topology: Topology, client: str, about: Question | str) -> str:
    """What the model says, without asking anybody else."""
    if isinstance(about, str):
        plan = plan_of(topology, client)
        return next((tunnel.verdict for tunnel in plan.tunnels if tunnel.name == about), "gone")
    world = compile_world(topology, client)
    verdict = judge(world, dialer_at(world, about.dialer), about.address, about.port)
    claimed = not NOT_CLAIMED & {step.code for step in verdict.steps}
    if about.target is not None and about.target not in topology.targets:
        return "gone"
    return expected(topology, about, verdict) if claimed else "not claimed"


async def disagreements(
    topology: Topology, client: str, about: Question | str | None = None
) -> tuple[list[Disagreement], int]:
    """All of them, or those about one thing; and how many answers were compared."""
    plan = plan_of(topology, client)
    asked = list(questions(topology)) if about is None else [about] if isinstance(about, Question) else []
    lab = await open_netns_lab(topology, client, denial="reject")
    try:
        found, compared = await _dials(lab, topology, client, asked)
        if not isinstance(about, Question):
            names = [t.name for t in plan.tunnels if t.verdict == "reachable" and about in (None, t.name)]
            names = [name for name in names if not _guessed(plan, name)]
            found += [each async for each in _tunnels(lab, plan, names)]
            compared += len(names)
    finally:
        await lab.close()
    return found, compared


async def _dials(
    lab: NetnsLab, topology: Topology, client: str, asked: Iterable[Question]
) -> tuple[list[Disagreement], int]:
    world = compile_world(topology, client)
    said = [(each, judge(world, dialer_at(world, each.dialer), each.address, each.port)) for each in asked]
    claimed = [(each, verdict) for each, verdict in said if not NOT_CLAIMED & {step.code for step in verdict.steps}]
    gate = asyncio.Semaphore(200)

    async def dial(question: Question) -> str:
        async with gate:
            return await _dial(lab, question)

    answers = await asyncio.gather(*(dial(question) for question, _ in claimed))
    found = []
    for (question, verdict), answer in zip(claimed, answers, strict=True):
        model, kernel = expected(topology, question, verdict), answer
        if kernel == "lost" != model:  # perhaps it was only late
            kernel = await _dial(lab, question, LONGER)
        if model != (kernel if question.target or kernel == "lost" else "arrived"):
            found.append(Disagreement(question, model, kernel))
    return found, len(claimed)


def expected(topology: Topology, question: Question, verdict: Judgement) -> str:
    if not verdict.passes:
        return "lost"
    if question.target is None:
        return "arrived"
    target = topology.targets[question.target]
    here = verdict.means == target.host and verdict.means_port == target.port
    return "accepted" if here and _listens(target, question.address) else "refused"


def _listens(target: Target, address: str) -> bool:
    text = target.address.host if isinstance(target.address, Endpoint) else None
    return text is None or (text == str(ip_address(address)) and not is_loopback(text))


async def _dial(lab: NetnsLab, question: Question, patience: float = PATIENCE) -> str:
    try:
        async with asyncio.timeout(patience):
            stream, _ = await lab.place(question.dialer).create_connection(Collector, question.address, question.port)
    except TimeoutError:
        return "lost"
    except DialRefused as refused:
        return "refused" if refused.code is Code.CONNECT_REFUSED else "lost"
    stream.abort()
    return "accepted"


def _guessed(plan: Plan, name: str) -> bool:
    return any(each.tunnel == name and each.code in NOT_CLAIMED for each in plan.diagnostics)


async def _tunnels(lab: NetnsLab, plan: Plan, names: list[str]) -> AsyncIterator[Disagreement]:
    """Those that do not carry bytes, though the plan says that they can."""
    if not names:
        return
    async with running(lab, plan) as up:
        for name in names:
            if (kernel := await _carries(up, name)) is not None:
                yield Disagreement(name, "reachable", kernel)


@asynccontextmanager
async def running(lab: NetnsLab, plan: Plan) -> AsyncIterator[World]:
    """The plan made true in a lab."""
    log = Log()
    engine = Engine(anywhere(plan), lab.topology, here=lab.here, plugins=plugins(), observe=log.note)
    task = asyncio.create_task(engine.run())
    try:
        yield World(plan, lab, engine, log)
    finally:
        engine.stop()
        await task


async def _carries(up: World, name: str) -> str | None:
    """None when what answers at its entrance is its target; else what happened."""
    tunnel = up.plan.tunnel(name)
    try:
        await up.until(lambda: up.tunnel(name).state == "ready" or up.tunnel(name).error is not None, READY)
        if error := up.tunnel(name).error:
            return f"{error.code}: {error.message}"
        host, port = up.entrance(name)
        page = await ask(up.user_of(tunnel), "127.0.0.1" if host == "*" else host, port)
    except (AssertionError, SessionError) as error:
        return str(error)
    target = up.plan.tunnel(name).spec.to
    return None if f"{target} on ".encode() in page else f"answers {page[:200]!r}"
