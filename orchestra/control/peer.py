"""Who is at the other end of a Unix socket."""

from __future__ import annotations

import os
import socket
import struct

_UCRED = struct.Struct("3i")
"""pid, uid, gid: unix(7)."""


def peer_uid(connected: socket.socket) -> int | None:
    """The user at the other end, where the system tells (Linux); None where it does not."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return None
    uid: int = _UCRED.unpack(connected.getsockopt(socket.SOL_SOCKET, option, _UCRED.size))[1]
    return uid


def is_own_user(connected: socket.socket) -> bool:
    """Whether the other end is this user, as far as the system tells."""
    return peer_uid(connected) in (None, os.geteuid())
