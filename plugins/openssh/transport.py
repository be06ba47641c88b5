"""The ``openssh`` transport. What it needs is imported when it is first used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestra.plugin.vocabulary import TransportSpec
from orchestra.session.windows import WindowBudget

if TYPE_CHECKING:
    from orchestra.plugin.interfaces import OpenRequest
    from orchestra.session.protocols import Session


def _fields() -> type[Any]:
    from .fields import Fields

    return Fields


class OpenSshTransport:
    """Opens sessions by the system's ssh, each through the session before it."""

    def __init__(self) -> None:
        self.spec = TransportSpec(name="openssh", fields=_fields, package="orchestra-tunnels")
        self._windows = WindowBudget()

    async def open(self, request: OpenRequest) -> Session:
        """See :class:`orchestra.plugin.interfaces.Transport`."""
        from .opening import connect

        return await connect(request, self._windows)
