"""What asyncssh raises while a session is opened and used, as refusals for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, TypeAlias

import asyncssh

from orchestra.diagnostics import Code
from orchestra.model.text import clean
from orchestra.session import ssh
from orchestra.session.errors import OpenFailed, SessionError, SessionLost
from orchestra.session.ssh import SshAttempt

Stage: TypeAlias = Literal["connecting", "key exchange", "authentication"]

_TOO_MANY = "too many authentication failures"
_NAMED = 5
"""Keys that a message names."""

FAILURES = (asyncssh.Error, OSError, ValueError, SessionError)
"""What asyncssh, and the session that dials for it, may raise while a connection is made."""


@dataclass(slots=True, kw_only=True)
class Negotiation(SshAttempt):
    """How far it has come: filled in as it goes on."""

    stage: Stage = "connecting"
    banner_seen: bool = False
    """Whether the server has said that it speaks SSH."""
    offered: tuple[str, ...] = ()
    """Methods and keys that were offered, as people write them."""
    unreached: tuple[str, ...] = ()
    """Keys that the server did not get to see."""
    remarks: Sequence[str] = ()
    """What else is to be said when we are not let in; ``hints`` go with it."""
    hints: Sequence[str] = ()
    unanswered: str | None = None
    """The question that a person was at."""

    @contextmanager
    def waiting_for(self, question: str) -> Iterator[None]:
        """A person is asked inside."""
        self.unanswered = question
        yield
        self.unanswered = None  # not when it was cancelled


def open_failed(error: BaseException, attempt: Negotiation) -> OpenFailed:
    """Why a session could not be opened."""
    if isinstance(error, OpenFailed):
        return error
    if isinstance(error, SessionError):
        return attempt.below_failed(error)
    if isinstance(error, TimeoutError):
        return attempt.timed_out(None if attempt.stage == "connecting" else attempt.stage)
    if isinstance(error, asyncssh.PermissionDenied) or _TOO_MANY in str(error).lower():
        return _not_authenticated(error, attempt)
    if isinstance(error, asyncssh.ConnectionLost | OSError):
        return _connection_lost(error, attempt)
    what = f"{attempt.server} at {attempt.address} and we do not understand each other: {_text(error)}"
    hint = "the server may be too old, or the port may belong to another program"
    return OpenFailed(Code.PROTOCOL_ERROR, what, host=attempt.server, suggestion=hint)


def _not_authenticated(error: BaseException, attempt: Negotiation) -> OpenFailed:
    if _TOO_MANY in str(error).lower():
        return _too_many(attempt)
    what = f"{attempt.server} at {attempt.address} does not let {attempt.user} in"
    message = ": ".join(filter(None, (what, "; ".join(attempt.remarks))))
    hint = f"check the user, and that one of these keys is among {attempt.user}'s authorized keys on {attempt.server}"
    if attempt.offered in {("password",), ("keyboard-interactive",), ("keyboard-interactive", "password")}:
        hint = "check the user and the password"
    if not attempt.offered:
        hint = "name an identity, an agent or a password under ssh:, or start an agent"
    hint = "; ".join(dict.fromkeys(attempt.hints)) or hint
    offered = ", ".join(attempt.offered) or "nothing"
    return OpenFailed(Code.AUTH_FAILED, f"{message}; offered: {offered}", host=attempt.server, suggestion=hint)


def _too_many(attempt: Negotiation) -> OpenFailed:
    seen, unseen = attempt.offered, attempt.unreached
    what = f"{attempt.server} at {attempt.address} hung up on {attempt.user} after {len(seen)} offers: {_some(seen)}"
    if unseen:
        what = f"{what}; it has not seen {_some(unseen)}"
    hint = "it counts every key that is offered (MaxAuthTries): name the right one as identity, then it goes alone"
    return OpenFailed(Code.AUTH_FAILED, what, host=attempt.server, suggestion=hint)


def _some(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _connection_lost(error: BaseException, attempt: Negotiation) -> OpenFailed:
    if not attempt.banner_seen:
        what = f"{attempt.server} at {attempt.address} closed the connection before it said anything"
        return OpenFailed(Code.SERVER_BUSY, what, host=attempt.server, suggestion=ssh.BUSY)
    if attempt.unanswered is not None:
        what = f"{attempt.server} at {attempt.address} did not wait for the answer to “{attempt.unanswered}”"
        hint = "its LoginGraceTime says how long it waits"
        return OpenFailed(Code.CONNECT_FAILED, what, host=attempt.server, suggestion=hint)
    what = f"the connection to {attempt.server} at {attempt.address} broke during {attempt.stage}: {_text(error)}"
    return OpenFailed(Code.CONNECT_FAILED, what, host=attempt.server)


def session_lost(error: BaseException | None, server: str, *, unused: bool = False) -> SessionLost:
    """Why a session ended by itself; ``unused``: it carried nothing then."""
    if isinstance(error, SessionLost) and error.host == server:
        return error
    why = _text(error) if error is not None else "the server said goodbye"
    hint = None
    if why == "Connection lost":  # asyncssh's word for an end of file
        why = "the server closed the connection without a word"
        hint = "it carried nothing: UnusedConnectionTimeout in its sshd_config ends such sessions" if unused else None
    return ssh.session_lost(server, why, hint)


def _text(error: BaseException) -> str:
    return clean(str(error) or type(error).__name__, 300)
