"""Offers the SSH transport by hook, as a stranger's plugin would."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from orchestra.engine.ssh.transport import SshTransport
from orchestra.plugin import hookimpl

if TYPE_CHECKING:
    from orchestra.plugin.interfaces import Transport


@hookimpl
def orchestra_transports() -> Iterable[Transport]:
    """The ``ssh`` transport."""
    return [SshTransport()]
