"""The main job, shown: a topology in a lab, one dial that fails by itself, the tunnels that carry it, and the proof."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from orchestra.assembly.observers import Observers
from orchestra.assembly.readiness import as_failure
from orchestra.diagnostics import Code
from orchestra.engine import Engine
from orchestra.engine.outcome import outcome
from orchestra.errors import RuntimeFailure
from orchestra.model.frozen import dataclass
from orchestra.session.here import Here
from orchestra.testing.collect import Collector

if TYPE_CHECKING:
    from orchestra.lab.interface import Counter, Lab
    from orchestra.model.events import Event
    from orchestra.model.plan import Plan, PlannedTunnel
    from orchestra.plugin.manager import Plugins
    from orchestra.session.protocols import Session

PATIENCE = 2.0
"""Seconds for the dial that is expected to fail: a firewall that drops does not answer."""

DEADLINE = 30.0
SAMPLE = 32 << 20
"""Bytes of the download that is compared with what was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What came back through a tunnel: the page, bytes, seconds, and the digest of the sample."""

    tunnel: str
    user: str
    """The host from which it was used."""
    address: str
    text: str
    received: int
    seconds: float
    digest: str


async def without(tunnel: PlannedTunnel, plan: Plan, lab: Lab) -> str | None:
    """What happens when its user dials the target's address by itself, as a sentence; None when it has none."""
    dial = tunnel.dial
    if dial is None or dial.host is None or dial.port is None:
        return None
    entered_here = tunnel.listen is None or tunnel.listen.session is None
    user = lab.place(plan.client) if entered_here else user_of(tunnel, lab)
    said = f"{user.host} dials {dial}"
    try:
        async with asyncio.timeout(PATIENCE):
            stream, _ = await user.create_connection(Collector, dial.host, dial.port)
    except TimeoutError:
        return f"{said}: no answer"
    except RuntimeFailure as failure:
        return failure.message
    stream.abort()
    return f"{said}: connected"


async def carry(plan: Plan, lab: Lab, plugins: Plugins, observe: Callable[[Event], None]) -> list[Page]:
    """Opens the plan, fetches a page and a large download through every tunnel, and closes it.

    Raises RuntimeFailure when it does not become ready.
    """
    changed = asyncio.Event()
    watch = Observers(observe, lambda _: changed.set())
    engine = Engine(plan, lab.topology, here=lab.here, plugins=plugins, observe=watch)
    running = asyncio.create_task(engine.run())
    try:
        try:
            async with asyncio.timeout(DEADLINE):
                while not (found := outcome(engine.snapshot())).ready and not found.fatal:
                    changed.clear()
                    await changed.wait()
        except TimeoutError:
            raise _late(engine) from None
        if found.fatal:
            raise as_failure(found.fatal)
        listening = {tunnel.name: tunnel.listen for tunnel in engine.snapshot().tunnels}
        return [
            await _visit(tunnel, user_of(tunnel, lab), listening[tunnel.name][0])
            for tunnel in plan.tunnels
            if tunnel.verdict == "reachable"
        ]
    finally:
        engine.stop()
        await running


def _late(engine: Engine) -> RuntimeFailure:
    """What is said of the first tunnel that did not become ready in time."""
    waiting = next(tunnel for tunnel in engine.snapshot().tunnels if tunnel.state != "ready")
    if waiting.error is not None:
        return as_failure(waiting.error)
    return RuntimeFailure(Code.CONNECT_TIMEOUT, f"tunnel {waiting.name} was not ready within {DEADLINE:g} s")


def user_of(tunnel: PlannedTunnel, lab: Lab) -> Session:
    """Where somebody stands who uses the tunnel: this machine outside the lab, the listening server, or a guest of
    the network that it is for."""
    if tunnel.listen is None or tunnel.listen.session is None:
        return Here("this machine")
    network = tunnel.spec.from_
    if tunnel.listen.exposed and network is not None and network in lab.topology.networks:
        return lab.guest(network)
    return lab.place(tunnel.listen.at)


async def _visit(tunnel: PlannedTunnel, user: Session, address: str) -> Page:
    """Two requests by somebody who uses the tunnel: for the page, and for the sample."""
    host, _, port = address.rpartition(":")
    page = await _get(user, host.strip("[]"), int(port), "/")
    start = time.perf_counter()
    sample = await _get(user, host.strip("[]"), int(port), f"/bytes/{SAMPLE}")
    return Page(
        tunnel=tunnel.name,
        user=user.host,
        address=address,
        text=page.decode("utf-8", "replace").strip(),
        received=len(sample),
        seconds=time.perf_counter() - start,
        digest=hashlib.sha256(sample).hexdigest(),
    )


async def _get(place: Session, host: str, port: int, path: str) -> bytes:
    """The body of one HTTP answer."""
    stream, reader = await place.create_connection(Collector, host, port)
    try:
        stream.write(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        async with asyncio.timeout(DEADLINE):
            await reader.eof.wait()
    finally:
        stream.close()
    return bytes(reader.data).partition(b"\r\n\r\n")[2]


def sample_digest() -> str:
    """The digest of what the stub sends for the sample, computed on this side."""
    from orchestra.lab.stub import payload

    digest = hashlib.sha256()
    for chunk in payload(SAMPLE):
        digest.update(chunk)
    return digest.hexdigest()


def what_passed(counters: tuple[Counter, ...]) -> str:
    """The firewalls' own counters, in a line."""
    passed = [f"{c.firewall}: {c.packets} to {c.protocol} port {c.port}" for c in counters if c.packets]
    return "; ".join(passed) or "nothing"
