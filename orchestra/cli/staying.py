"""One stay of ``up``: from the first session to the last, told to the terminal and to the log."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass, field

from orchestra.assembly.detach import Parent
from orchestra.assembly.journal import Journal
from orchestra.assembly.launch import Http, Launch, launched
from orchestra.assembly.readiness import make_ready, until_failure
from orchestra.assembly.running import Running
from orchestra.assembly.signals import Interrupts
from orchestra.cli.asking import asker
from orchestra.cli.console import Console
from orchestra.cli.exits import Exit
from orchestra.cli.progress import Progress
from orchestra.control.paths import Place
from orchestra.errors import OrchestraError
from orchestra.model.events import Event
from orchestra.render.progress import ProgressLines


@dataclass(slots=True, kw_only=True)
class Stay:
    """``limit``: seconds to become ready in. ``parent``: who waits for readiness, and for nothing else; without one a
    person watches, who may mend what trying again does not."""

    console: Console
    launch: Launch
    place: Place
    log: Journal
    limit: float | None = None
    parent: Parent | None = None
    fail_fast: bool = False
    http: Http | None = None
    was_ready: bool = False
    _lines: ProgressLines = field(default_factory=ProgressLines)

    async def run(self, _: Interrupts) -> int:
        """Returns the exit code when it has been taken down after it was ready; raises what kept it from that."""
        self.log.write(f"{self.launch.name} starts, pid {os.getpid()}, {self.launch.file}")
        try:
            await self._run()
        except asyncio.CancelledError:
            if not self.was_ready:
                raise
        except OrchestraError as error:
            self.log.write(f"error: {error}")
            raise
        finally:
            self.log.write(f"{self.launch.name} has ended")
        if self.parent is None:
            self.console.say(f"{self.launch.name} is down")
        return Exit.DONE

    async def _run(self) -> None:
        with Progress(self.console) as progress:
            ask = self.parent.ask if self.parent is not None else asker(progress)
            observers = (self._record, progress)
            async with launched(
                self.launch, observers=observers, place=self.place, ask=ask, http=self.http, log=self.log.path
            ) as running:
                self._say_where(running)
                progress.watch(running.status)
                try:
                    await self._stay(running, progress)
                finally:
                    progress.leave()

    async def _stay(self, running: Running, progress: Progress) -> None:
        await make_ready(running, timeout=self.limit, patient=self.parent is None, fail_fast=self.fail_fast)
        self.was_ready = True
        if self.parent is not None:
            progress.end()
            self.parent.ready(self.log.path)
        await (until_failure(running) if self.fail_fast else running.wait_closed())

    def _say_where(self, running: Running) -> None:
        """Where its page is. The ticket that opens it is for a person's terminal, not for a service's log."""
        if running.web is not None:
            watched = self.parent is not None or self.console.err.is_terminal
            self.console.say(f"page: {running.web.invitation() if watched else running.web.url}")

    def _record(self, event: Event) -> None:
        if line := self._lines.line(event, now=time.time()):
            self.log.write(line)
