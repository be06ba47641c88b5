"""A session is a place that dials, listens and runs: a server reached over SSH is one, this machine is one too.

:mod:`.protocols` has the shapes, :mod:`.errors` what they raise, :mod:`.here` this machine, :mod:`.conversation` a
receiver to speak with. Every implementation keeps the rules of :mod:`orchestra.testing.sessions`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.model.lazily import lazily

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

__getattr__ = lazily(
    __name__,
    {
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
    },
)
"""Who names what sessions raise does not wait for asyncio and TLS."""
