"""One stay of ``up``: from the first session to the last, told to the terminal and to the log."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from orchestra.assembly.detach import Parent
from orchestra.assembly.journal import Complaints, Journal
from orchestra.assembly.launch import Http, Launch, launched
from orchestra.assembly.notify import Notifier
from orchestra.assembly.readiness import make_ready, until_failure
from orchestra.assembly.reading import Read
from orchestra.assembly.reloading import reload_and_say
from orchestra.assembly.running import Running
from orchestra.assembly.signals import Interrupts
from orchestra.cli.asking import asker
from orchestra.cli.complaints import LOGGERS
from orchestra.cli.console import Console
from orchestra.cli.exits import Exit
from orchestra.cli.progress import Progress
from orchestra.control.paths import Place
from orchestra.errors import OrchestraError
from orchestra.model.events import Event, OverallChanged, Reloaded, TunnelChanged
from orchestra.model.status import Status
from orchestra.model.text import clean
from orchestra.plugin.manager import Plugins
from orchestra.render.layout import counted
from orchestra.render.progress import ProgressLines

_SOON = 0.2
"""Seconds after a change until a manager of services is told of it: a thousand of them are told at once."""
_SETTLING = 30.0
"""Seconds after which a reload is over for a manager of services, whatever is still being opened."""


@dataclass(slots=True, kw_only=True)
class Stay:
    """``limit``: seconds to become ready in. ``parent``: who waits for readiness, and for nothing else; without one a
    person watches, who may mend what trying again does not."""

    console: Console
    launch: Launch
    plugins: Plugins
    place: Place
    log: Journal
    limit: float | None = None
    parent: Parent | None = None
    fail_fast: bool = False
    http: Http | None = None
    read: Read | None = None
    notifier: Notifier = field(default_factory=Notifier)
    was_ready: bool = False
    _lines: ProgressLines = field(default_factory=ProgressLines)
    _reloads: set[asyncio.Task[None]] = field(default_factory=set)
    _running: Running | None = None
    _telling: asyncio.TimerHandle | None = None
    _settling: asyncio.Task[None] | None = None

    async def run(self, interrupts: Interrupts) -> int:
        """Returns the exit code when it has been taken down after it was ready; raises what kept it from that."""
        self.log.write(f"{self.launch.name} starts, pid {os.getpid()}, {clean(self.launch.file, 1000)}")
        try:
            with self._complaints():
                await self._run(interrupts)
        except asyncio.CancelledError:
            if not self.was_ready:
                raise
        except OrchestraError as error:
            self.log.write(f"error: {clean(str(error), 2000)}", "error")
            raise
        finally:
            self.log.write(f"{self.launch.name} has ended")
        if self.parent is None:
            self.console.say(f"{self.launch.name} is down")
        return Exit.DONE

    async def _run(self, interrupts: Interrupts) -> None:
        with Progress(self.console) as progress:
            ask = self.parent.ask if self.parent is not None else asker(progress)
            observers = (self._record, progress, self._notify)
            async with (
                self.notifier.alive(),
                launched(
                    self.launch,
                    self.plugins,
                    observers=observers,
                    place=self.place,
                    ask=ask,
                    http=self.http,
                    log=self.log.path,
                    read=self.read,
                ) as self._running,
            ):
                interrupts.reload_by(self._reload)
                self._say_where(self._running)
                progress.watch(self._running.status)
                try:
                    await self._stay(self._running, progress)
                finally:
                    if self._telling is not None:
                        self._telling.cancel()
                    if self._settling is not None:
                        self._settling.cancel()
                    self.notifier.stopping()
                    progress.leave()

    async def _stay(self, running: Running, progress: Progress) -> None:
        await make_ready(running, timeout=self.limit, patient=self.parent is None, fail_fast=self.fail_fast)
        self.was_ready = True
        self.notifier.ready(_summary(running.status()))
        if self.parent is not None:
            progress.end()
            self.parent.ready(self.log.path)
            self.log.adopt(1, 2)
            for name in LOGGERS:  # standard error leads to the log now: once is enough
                logger = logging.getLogger(name)
                logger.handlers = [each for each in logger.handlers if isinstance(each, Complaints)]
        await (until_failure(running) if self.fail_fast else running.wait_closed())

    def _reload(self) -> None:
        """Asked for by a signal, so that the log, and who watches, hears what came of it."""
        task = asyncio.create_task(self._reload_and_tell(), name="reload")
        self._reloads.add(task)
        task.add_done_callback(self._reloads.discard)

    async def _reload_and_tell(self) -> None:
        assert self._running is not None  # noqa: S101 - the signal is taken since it runs
        if said := await reload_and_say(self._running):
            self.log.write(said, "warning")
            if self.parent is None:
                self.console.say(said)

    def _say_where(self, running: Running) -> None:
        """Where its page is. The ticket that opens it is for a person's terminal, not for a service's log."""
        if running.web is not None:
            watched = self.parent is not None or self.console.err.is_terminal
            self.console.say(f"page: {running.web.invitation() if watched else running.web.url}")

    def _record(self, event: Event) -> None:
        if line := self._lines.line(event, now=time.time()):
            self.log.event(event, line)

    def _notify(self, event: Event) -> None:
        if not self.notifier.is_wanted or self._running is None:
            return
        if isinstance(event, Reloaded):
            self.notifier.reloading()
            if self._settling is not None:
                self._settling.cancel()
            self._settling = asyncio.create_task(self._tell_settled(self._running), name="settled")
        elif isinstance(event, TunnelChanged | OverallChanged) and self._telling is None:
            self._telling = asyncio.get_running_loop().call_later(_SOON, self._tell_status, self._running)

    async def _tell_settled(self, running: Running) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_SETTLING):
                await running.until_settled()
        self.notifier.ready(_summary(running.status()))

    def _tell_status(self, running: Running) -> None:
        self._telling = None
        self.notifier.status(_summary(running.status()))

    @contextmanager
    def _complaints(self) -> Iterator[None]:
        """What our own code complains of goes to the log as well."""
        handlers = {logging.getLogger(name): Complaints(self.log, level) for name, level in LOGGERS.items()}
        for logger, handler in handlers.items():
            logger.addHandler(handler)
        try:
            yield
        finally:
            for logger, handler in handlers.items():
                logger.removeHandler(handler)


def _summary(status: Status) -> str:
    ready = sum(tunnel.state == "ready" for tunnel in status.tunnels)
    return f"{status.state}: {ready} of {counted(len(status.tunnels), 'tunnel')} ready"
