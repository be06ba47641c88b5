"""Listeners at a server, and the receive windows of what they accept."""

from __future__ import annotations

import asyncssh

from orchestra.engine.ssh import internals
from orchestra.session.windows import WindowBudget


class Inbound:
    """The receive windows of what a listener accepts: asyncssh fixes each before it asks who receives."""

    def __init__(self, windows: WindowBudget) -> None:
        self._windows = windows
        self._closed = False
        self.window = windows.take()
        self.listener: asyncssh.SSHListener | None = None

    def next(self) -> int:
        """The window of the channel that is being opened; the next one gets another."""
        if self._closed:
            return self._windows.take()
        used, self.window = self.window, self._windows.take()
        if self.listener is not None:
            internals.set_window(self.listener, self.window)
        return used

    def close(self) -> None:
        """Nothing more will be accepted."""
        if not self._closed:
            self._closed = True
            self._windows.give(self.window)


class SshListener:
    """A listener at the server. ``widened``: its own word that it listens on more than was asked for."""

    def __init__(self, listener: asyncssh.SSHListener, inbound: Inbound, widened: str | None) -> None:
        self._listener, self._inbound = listener, inbound
        self.widened = widened
        self._closing = False

    @property
    def port(self) -> int:
        return self._listener.get_port()

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._inbound.close()
            self._listener.close()

    async def wait_closed(self) -> None:
        await self._listener.wait_closed()
        self._inbound.close()
