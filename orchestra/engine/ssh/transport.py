"""The ``ssh`` transport. asyncssh is imported when it is first used, since that takes longer than all the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.engine.ssh.spaces import Spaces
from orchestra.plugin.vocabulary import TransportSpec
from orchestra.session.windows import WindowBudget

if TYPE_CHECKING:
    from orchestra.plugin.interfaces import Identity, OpenRequest
    from orchestra.session.protocols import Session


class SshTransport:
    """Opens sessions to SSH servers, each through the session before it."""

    def __init__(self) -> None:
        self.spec = TransportSpec(name="ssh")
        self._windows = WindowBudget()
        self._spaces = Spaces()

    async def open(self, request: OpenRequest) -> Session:
        """See :class:`orchestra.plugin.interfaces.Transport`."""
        from orchestra.engine.ssh.connecting import connect  # loads asyncssh

        return await connect(request, self._windows, self._spaces)

    async def identify(self, request: OpenRequest) -> Identity:
        """See :class:`orchestra.plugin.interfaces.Identifying`."""
        from orchestra.engine.ssh.connecting import identify

        return await identify(request)

    async def trust(self, request: OpenRequest, identity: Identity) -> str:
        """See :class:`orchestra.plugin.interfaces.Identifying`."""
        from orchestra.engine.ssh.connecting import trust

        return await trust(request, identity)
