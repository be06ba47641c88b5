"""UDP through tunnels: a helper at the exit, over one channel; each datagram arrives whole or not at all.

===========  ==================================================================================================
wire         frames, and queues that drop whole datagrams; the same text at both ends
far, helper  the helper that runs at a server, and how it gets there
station      what sends and receives datagrams at one place
near         … by sockets of this process
channel      … by a helper at a server; distant: its flows and listeners
degraded     … by socat or nc, where there is no language for one
messages     … or, for DNS, connections that a place dials in their stead
turn         when what is sent goes
bridge       one of them for any session
flows        who is served, who was silent for too long
joint, kind  a listener joined to the target
words        the kind and the check by their names
interface    what other plugins use
===========  ==================================================================================================
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from orchestra.plugin import hookimpl

from .words import UdpCheck, UdpKind

if TYPE_CHECKING:
    from orchestra.plugin.interfaces import Binding, Check, Kind


@hookimpl
def orchestra_kinds() -> Iterable[Kind | Binding]:
    """``kind: udp``."""
    return [UdpKind()]


@hookimpl
def orchestra_checks() -> Iterable[Check]:
    """``check: udp``."""
    return [UdpCheck()]
