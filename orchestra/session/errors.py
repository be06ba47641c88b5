"""What a session raises. Foreign exceptions are translated into these at the edge, once, and never caught elsewhere."""

from __future__ import annotations

from orchestra.errors import RuntimeFailure


class SessionError(RuntimeFailure):
    """Base: something asked of a session failed. See :class:`orchestra.errors.RuntimeFailure` for the fields."""


class OpenFailed(SessionError):
    """The session itself could not be opened: refused, timed out, not authenticated, wrong host key.

    Codes: NAME_UNRESOLVED, CONNECT_REFUSED, CONNECT_TIMEOUT, CONNECT_FAILED, SERVER_BUSY, AUTH_FAILED,
    HOST_KEY_UNKNOWN, HOST_KEY_CHANGED, HOST_KEY_REVOKED, HOST_CERTIFICATE_INVALID, PROTOCOL_ERROR,
    SECRET_UNAVAILABLE, and FORWARD_REFUSED or DIAL_FAILED when the hop before it would not or could not dial it.
    """


class DialRefused(SessionError):
    """The session is fine; the dial that it was asked for failed. Others may succeed.

    Codes: NAME_UNRESOLVED, CONNECT_REFUSED, CONNECT_TIMEOUT, DIAL_FAILED (the server could not reach it),
    FORWARD_REFUSED (the server's policy forbids it).
    """


class BindRefused(SessionError):
    """A listener could not be opened: LISTEN_IN_USE, LISTEN_NOT_PERMITTED, LISTEN_FAILED or FORWARD_REFUSED."""


class SessionLost(SessionError):
    """The session ended by itself; everything on it has ended too. Code SESSION_LOST."""


class Unsupported(SessionError):
    """This kind of session cannot do it at all. Code TRANSPORT_CANNOT."""
