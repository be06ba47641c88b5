"""A session is a place that dials, listens and runs: a server reached over SSH is one, this machine is one too.

:mod:`.protocols` has the shapes, :mod:`.errors` what they raise, :mod:`.here` this machine, :mod:`.conversation` a
receiver to speak with. Every implementation keeps the rules of :mod:`orchestra.testing.sessions`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestra.session.conversation import Conversation, NoAnswer
    from orchestra.session.errors import (
        BindRefused,
        DialRefused,
        OpenFailed,
        SessionError,
        SessionLost,
        Unsupported,
    )
    from orchestra.session.protocols import Accept, Listener, Peer, Process, Receiver, Session, Stream

__all__ = [
    "Accept",
    "BindRefused",
    "Conversation",
    "DialRefused",
    "Listener",
    "NoAnswer",
    "OpenFailed",
    "Peer",
    "Process",
    "Receiver",
    "Session",
    "SessionError",
    "SessionLost",
    "Stream",
    "Unsupported",
]

_HOMES = {
    "Accept": "protocols",
    "BindRefused": "errors",
    "Conversation": "conversation",
    "DialRefused": "errors",
    "Listener": "protocols",
    "NoAnswer": "conversation",
    "OpenFailed": "errors",
    "Peer": "protocols",
    "Process": "protocols",
    "Receiver": "protocols",
    "Session": "protocols",
    "SessionError": "errors",
    "SessionLost": "errors",
    "Stream": "protocols",
    "Unsupported": "errors",
}


def __getattr__(name: str) -> object:
    """Who names what sessions raise does not wait for asyncio and TLS."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
