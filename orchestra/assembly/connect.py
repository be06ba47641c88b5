"""``orchestra connect``: standard input and output, joined to whatever a plan leads to."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from orchestra.assembly.launch import launched
from orchestra.assembly.readiness import as_failure, make_ready
from orchestra.errors import OrchestraError, RuntimeFailure
from orchestra.plugin.interfaces import nobody
from orchestra.session.here import Here
from orchestra.session.listening import SocketListener
from orchestra.session.protocols import Accept, Listener, Peer, Receiver

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orchestra.assembly.launch import Launch
    from orchestra.assembly.running import Running
    from orchestra.model.events import Event
    from orchestra.plugin.interfaces import Ask
    from orchestra.plugin.manager import Plugins
    from orchestra.session.standard import StandardStreams

_NEWS = 1.0
"""Seconds within which the engine tells why a session is gone that carried something."""


class Entry(Here):
    """This machine, whose listener at STREAMS accepts one connection: from standard input, to standard output."""

    def __init__(self, host: str) -> None:
        super().__init__(host)
        self._accept: Accept | None = None

    async def create_unix_server(self, accept: Accept, path: str) -> Listener:  # noqa: ARG002 - there is one
        self._accept = accept
        return SocketListener([], lambda *_: None)

    async def enter(self) -> Receiver:
        """Who receives what is read: the target has been dialed. Raises RuntimeFailure."""
        assert self._accept is not None  # noqa: S101 - it listens
        return await self._accept(Peer(host=None, port=None, text="standard input"))


async def connect(
    launch: Launch,
    plugins: Plugins,
    streams: StandardStreams,
    *,
    timeout: float | None,
    observers: Sequence[Callable[[Event], None]] = (),
    ask: Ask = nobody,
) -> None:
    """Opens the path, dials, and joins the streams to the target of the launch's one tunnel, until both directions
    have ended.

    ``timeout``: seconds to get there. Raises GaveUp, RuntimeFailure, and OSError as :meth:`StandardStreams.join`.
    """
    entry = Entry(launch.plan.client)
    async with launched(launch, plugins, observers=observers, ask=ask, here=entry) as running:
        try:
            await make_ready(running, timeout=timeout, fail_fast=True)
        except RuntimeFailure as failure:  # a tunnel says that it waits, its session what for
            raise _of_session(running) or failure from None
        if not await streams.join(await entry.enter()):
            raise await _cut(running)


def _of_session(running: Running) -> RuntimeFailure | None:
    """What the first session in trouble says."""
    errors = (session.error for session in running.status().sessions)
    return next((as_failure(error) for error in errors if error is not None), None)


async def _cut(running: Running) -> OrchestraError:
    """Why the target's stream had no end of file."""
    if running.plan.sessions:
        with suppress(TimeoutError):
            async with asyncio.timeout(_NEWS):
                await running.until(lambda outcome: outcome.first_failure)
        if failure := _of_session(running):
            return failure
    name = running.plan.tunnels[0].name
    return OrchestraError(f"the connection to {name} was cut off: there was no end of file, so something is missing")
