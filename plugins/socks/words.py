"""The kind and the check that it adds, by their names; what serves is imported for a file that has a proxy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestra.plugin.vocabulary import CheckSpec, KindSpec

if TYPE_CHECKING:
    from orchestra.plugin.interfaces import TunnelContext
    from orchestra.session.protocols import Accept

PACKAGE = "orchestra-tunnels"


def _fields() -> type[Any]:
    from .fields import Fields

    return Fields


class SocksKind:
    """SOCKS 4, 4a and 5 and HTTP CONNECT on one listener."""

    spec = KindSpec(name="socks", to="no", exit="optional", fields=_fields, package=PACKAGE)

    def serve(self, context: TunnelContext) -> Accept:
        """See :class:`orchestra.plugin.interfaces.Kind`."""
        from .serving import serve

        return serve(context)


def _dial() -> type[Any]:
    from .dialing import Dial

    return Dial


class DialCheck:
    """One dial from the exit."""

    spec = CheckSpec(name="dial", kinds=("socks",), fields=_dial, package=PACKAGE)

    async def run(self, context: TunnelContext) -> None:
        """See :class:`orchestra.plugin.interfaces.Check`."""
        from .dialing import dial

        await dial(context)
