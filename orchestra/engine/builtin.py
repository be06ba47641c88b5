"""Core's own kind, check and secrets, added by the hooks that a stranger's plugin uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.engine.accepting import Joining
from orchestra.engine.checks import TcpCheck
from orchestra.engine.secret_sources import CommandSecret, EnvSecret, FileSecret
from orchestra.plugin import hookimpl
from orchestra.plugin.vocabulary import KindSpec

if TYPE_CHECKING:
    from orchestra.plugin.interfaces import Check, Kind, SecretSource, TunnelContext
    from orchestra.session.protocols import Accept


class TcpKind:
    """Plain streams: what connects to the listener is joined to the target."""

    spec = KindSpec(name="tcp")

    def serve(self, context: TunnelContext) -> Accept:
        return Joining(context)


@hookimpl
def orchestra_kinds() -> list[Kind]:
    return [TcpKind()]


@hookimpl
def orchestra_checks() -> list[Check]:
    return [TcpCheck()]


@hookimpl
def orchestra_secrets() -> list[SecretSource]:
    return [EnvSecret(), FileSecret(), CommandSecret()]
