"""The kind and the check that it adds, by their names; what carries is imported for a file that has such a tunnel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestra.plugin.vocabulary import CheckSpec, KindSpec

if TYPE_CHECKING:
    from orchestra.plugin.interfaces import Entrance, TunnelContext
    from orchestra.session.protocols import Session


def _fields() -> type[Any]:
    from .fields import Fields

    return Fields


UDP = KindSpec(
    name="udp",
    exit="optional",
    protocols=("udp",),
    exec=True,
    datagrams=True,
    over="over",
    fields=_fields,
    package="orchestra-tunnels",
)


class UdpKind:
    """Datagrams, each whole or not at all, by a flow of its own for each peer."""

    spec = UDP

    async def bind(self, context: TunnelContext, session: Session, port: int) -> Entrance:
        """See :class:`orchestra.plugin.interfaces.Binding`."""
        from .kind import bind

        return await bind(context, session, port)


class UdpCheck:
    """Proves what can be proven of UDP without knowing what the target speaks: that its helper runs at the exit; of
    what goes by TCP, that the target answers there."""

    spec = CheckSpec(name="udp", kinds=("udp",), package="orchestra-tunnels")

    async def run(self, context: TunnelContext) -> None:
        """See :class:`orchestra.plugin.interfaces.Check`."""
        from .kind import prove

        await prove(context)
