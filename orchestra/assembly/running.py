"""One orchestra that is up, or on its way: the engine, what it said, and the answers to whoever asks."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Self

from orchestra import __version__
from orchestra.assembly.drawing import draw
from orchestra.assembly.feed import Feed
from orchestra.assembly.journal import tail
from orchestra.assembly.observers import Observers
from orchestra.assembly.prompts import Prompts
from orchestra.assembly.reloading import Reloading, concerned, refusal
from orchestra.control.handlers import Readiness
from orchestra.engine.outcome import Outcome, outcome
from orchestra.model.events import Closed, Event, Occurrence, OverallChanged, PathChanged, SessionChanged, TunnelChanged
from orchestra.model.frozen import dataclass
from orchestra.model.status import Status, TunnelStatus
from orchestra.plugin.interfaces import nobody

if TYPE_CHECKING:
    from pathlib import Path

    from orchestra.control.gate import Web
    from orchestra.control.handlers import Document
    from orchestra.engine import Engine
    from orchestra.model.plan import Plan
    from orchestra.model.topology import Topology

ADDED = "was added while it runs, and is in no file"
"""The note of such a tunnel."""
_ORDERLY = 10.0
"""Seconds that closing in good order may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who this orchestra is."""

    name: str
    topology: str
    file: str


class Running:
    """Owns the engine from the moment it is entered, and answers the control socket (:class:`Handlers`).

    Leaving it takes everything down in good order; cancelled meanwhile, at once.
    """

    def __init__(
        self,
        identity: Identity,
        plan: Plan,
        make_engine: Callable[[Callable[[Event], None]], Engine],
        *,
        observers: Sequence[Callable[[Event], None]] = (),
        prompts: Prompts | None = None,
        topology: Topology | None = None,
        log: Path | None = None,
    ) -> None:
        self.identity = identity
        self.plan = plan
        self.topology = topology
        """What the plan was made of, to be drawn."""
        self.web: Web | None = None
        """Its page, when it has one."""
        self._log = log
        self._drawn: tuple[Plan, str | None] | None = None
        self.prompts = prompts or Prompts(nobody)
        """The questions of its engine, in whose time no deadline runs."""
        self._tell = Observers(*observers)
        self._feed = Feed()
        self._changed = asyncio.Event()
        self._closed = asyncio.Event()
        self.reloading: Reloading | None = None
        """By which its plan can be changed."""
        self.is_closing = False
        """Whether it is being taken down: what fails from then on is no failure."""
        self.engine = make_engine(self._observe)
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self.engine.run(), name="engine")
        self._task.add_done_callback(lambda _: self._ended())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        task = self._task
        if task is None:
            return
        self.stop()
        try:
            await asyncio.wait((task,), timeout=_ORDERLY)
        finally:  # also when this wait was cancelled: then everything ends at once
            if not task.done():
                task.cancel()
                await asyncio.wait((task,))
        fault = None if task.cancelled() else task.exception()
        if fault is not None and kind is None:
            raise fault

    async def until(self, decided: Callable[[Outcome], object]) -> Outcome:
        """The first outcome about which that is true, or the one that stands when everything has been taken down."""
        while True:
            found = outcome(self.engine.standing())
            if self._is_over() or decided(found):
                return found
            await self._changed.wait()

    async def wait_closed(self) -> None:
        """Returns when everything has been taken down; raises what the engine raised."""
        await self._closed.wait()
        if self._task and not self._task.cancelled():
            self._task.result()

    async def wait_ready(self) -> Readiness:
        found = await self.until(lambda outcome: outcome.ready or outcome.fatal)
        return Readiness(ready=found.ready, fatal=found.fatal)

    async def until_settled(self) -> None:
        """Returns when every tunnel is what it is to be, or there is something that keeps it from that."""
        await self.until(lambda _: self._is_settled())

    def _is_settled(self) -> bool:
        tunnels = self.engine.standing().tunnels
        return all(self.engine.coming().values()) and all(each.error or each.state != "starting" for each in tunnels)

    def status(self) -> Status:
        found = self.engine.snapshot()
        return Status(
            topology=self.identity.topology,
            name=self.identity.name,
            pid=os.getpid(),
            version=__version__,
            file=self.identity.file,
            state=found.state,
            sessions=found.sessions,
            tunnels=tuple(map(self._noted, found.tunnels)),
            http=self.web.url if self.web is not None else None,
        )

    def _noted(self, tunnel: TunnelStatus) -> TunnelStatus:
        """With a note that it is in no file, if so."""
        if self.reloading is None or tunnel.name not in self.reloading.added:
            return tunnel
        return replace(tunnel, notes=(*tunnel.notes, ADDED))

    def variables(self) -> Mapping[str, str]:
        from orchestra.render.variables import variables

        return variables(self.plan, self.engine.snapshot().tunnels)

    def log(self) -> str:
        return tail(self._log) if self._log is not None else ""

    def invitation(self) -> str | None:
        return self.web.invitation() if self.web is not None else None

    async def picture(self) -> str | None:
        plan = self.plan
        if self._drawn is None or self._drawn[0] is not plan:
            drawn = await asyncio.to_thread(draw, self.topology, plan) if self.topology is not None else None
            self._drawn = plan, drawn
        return self._drawn[1]

    def stop(self) -> None:
        self.is_closing = True
        self.engine.stop()

    def leave(self, drain: float | None) -> None:
        self.is_closing = True
        self.engine.leave(drain)

    def reconnect(self, subject: str | None) -> Document:
        sessions, tunnels = concerned(self.plan, subject)
        if not sessions and not tunnels:
            known = dict.fromkeys(each.name for each in self.plan.tunnels)
            known.update(dict.fromkeys(each.server for each in self.plan.sessions))
            refused = f"no tunnel and no server named {subject} is in the plan: there are {', '.join(known) or 'none'}"
            return {"sessions": [], "refused": refused}
        self.engine.reconnect(sessions, tunnels)
        return {"sessions": sessions, "refused": None}

    async def reload(self, request: Document) -> Document:
        if self.reloading is None or self.is_closing:
            return refusal(f"{self.identity.name} is being taken down")
        return await self.reloading.answer(request)

    def tell(self, event: Event) -> None:
        """Has everybody hear of what the engine did not say."""
        self._observe(event)

    async def events(self) -> AsyncIterator[Occurrence]:
        with self._feed.subscribed() as news:
            now = time.time()
            for event in _as_events(self.status(), self.plan):
                yield Occurrence(time=now, event=event, snapshot=True)
            async for told in news:
                yield told

    def _observe(self, event: Event) -> None:
        self._pulse()
        if self.is_closing and not isinstance(event, SessionChanged):
            return  # that nothing is ready any more is no news then
        self._feed.publish(Occurrence(time=time.time(), event=event))
        self._tell(event)

    def _ended(self) -> None:
        self._closed.set()
        self._feed.close(Occurrence(time=time.time(), event=Closed()))
        self._pulse()

    def _is_over(self) -> bool:
        if self._task is None or not self._task.done():
            return False
        if not self._task.cancelled():
            self._task.result()  # a fault of the engine is ours
        return True

    def _pulse(self) -> None:
        """Wakes everybody who waits for a change; those who wait later wait for the next."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


def _as_events(status: Status, plan: Plan) -> list[Event]:
    """What is true now, told as if it had just happened."""
    planned = {tunnel.name: tunnel.path for tunnel in plan.tunnels}
    sessions = [SessionChanged(id=s.id, server=s.server, state=s.state, error=s.error) for s in status.sessions]
    tunnels = [
        TunnelChanged(name=t.name, state=t.state, proven=t.proven, listen=t.listen, at=t.at, error=t.error)
        for t in status.tunnels
    ]
    elsewhere = [
        PathChanged(name=t.name, path=t.path, before=planned[t.name], planned=False, reason="it failed over earlier")
        for t in status.tunnels
        if t.failed_over
    ]
    return [*sessions, *tunnels, *elsewhere, OverallChanged(state=status.state)]
