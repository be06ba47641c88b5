"""A session is a place that dials, listens and runs: a server reached over SSH is one, this machine is one too.

:mod:`.protocols` has the shapes, :mod:`.errors` what they raise, :mod:`.here` this machine, :mod:`.conversation` a
receiver to speak with. Every implementation keeps the rules of :mod:`orchestra.testing.sessions`.
"""

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
