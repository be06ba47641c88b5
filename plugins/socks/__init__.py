"""A proxy as a tunnel: SOCKS 4, 4a and 5 and HTTP CONNECT. What its clients ask for is dialed from the exit, and they
are answered when the connection is open, or why it is not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from orchestra.plugin import hookimpl

from .words import DialCheck, SocksKind

if TYPE_CHECKING:
    from orchestra.plugin.interfaces import Check, Kind


@hookimpl
def orchestra_kinds() -> Iterable[Kind]:
    """``kind: socks``."""
    return [SocksKind()]


@hookimpl
def orchestra_checks() -> Iterable[Check]:
    """``check: dial``."""
    return [DialCheck()]
