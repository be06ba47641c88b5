"""The ``ssh`` transport. asyncssh is imported when it is first used, since that takes longer than all the rest."""

from __future__ import annotations

from orchestra.plugin.interfaces import Identity, OpenRequest
from orchestra.plugin.vocabulary import TransportSpec
from orchestra.session.protocols import Session

WINDOWS = 64 * 1024 * 1024
"""Bytes that all receive windows of this process may hold together."""
LARGEST_WINDOW = 2 * 1024 * 1024
SMALLEST_WINDOW = 128 * 1024


class WindowBudget:
    """Shares out receive windows: large ones while there are few channels, smaller ones when there are many."""

    def __init__(self, total: int = WINDOWS) -> None:
        self._left = total

    def take(self) -> int:
        """The window of one more channel, in bytes; give it back with :meth:`give`."""
        window = max(SMALLEST_WINDOW, min(LARGEST_WINDOW, self._left // 8))
        self._left -= window
        return window

    def give(self, window: int) -> None:
        """The channel of that window has ended."""
        self._left += window


class SshTransport:
    """Opens sessions to SSH servers, each through the session before it."""

    def __init__(self) -> None:
        self.spec = TransportSpec(name="ssh")
        self._windows = WindowBudget()

    async def open(self, request: OpenRequest) -> Session:
        """See :class:`orchestra.plugin.interfaces.Transport`."""
        from orchestra.engine.ssh.connecting import connect  # loads asyncssh

        return await connect(request, self._windows)

    async def identify(self, request: OpenRequest) -> Identity:
        """See :class:`orchestra.plugin.interfaces.Identifying`."""
        from orchestra.engine.ssh.connecting import identify

        return await identify(request)

    async def trust(self, request: OpenRequest, identity: Identity) -> str:
        """See :class:`orchestra.plugin.interfaces.Identifying`."""
        from orchestra.engine.ssh.connecting import trust

        return await trust(request, identity)
