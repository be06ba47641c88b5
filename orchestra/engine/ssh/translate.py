"""What asyncssh raises while a session is opened and used, as refusals for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, TypeAlias

import asyncssh

from orchestra.diagnostics import Code
from orchestra.model.text import clean
from orchestra.session.errors import BindRefused, DialRefused, OpenFailed, SessionError, SessionLost

Stage: TypeAlias = Literal["connecting", "key exchange", "authentication"]

_NO_REASON = frozenset({"", "open failed", "connect failed"})
_TOO_MANY = "too many authentication failures"
_NAMED = 5
"""Keys that a message names."""

# How OpenSSH words a failed connect: strerror(3) and gai_strerror(3) of its platform (channels.c, connect_to_helper);
# asyncssh's servers show the number instead.
_WORDING: tuple[tuple[str, Code, str, str | None], ...] = (
    ("refused", Code.CONNECT_REFUSED, "connection refused", "is the service running, and does it listen there?"),
    ("errno 111", Code.CONNECT_REFUSED, "connection refused", "is the service running, and does it listen there?"),
    ("timed out", Code.CONNECT_TIMEOUT, "no answer", "a firewall behind the server may drop it"),
    ("name or service not known", Code.NAME_UNRESOLVED, "the server cannot resolve the name", "check the name there"),
    ("name resolution", Code.NAME_UNRESOLVED, "the server cannot resolve the name", "check the server's resolver"),
    ("nodename nor servname", Code.NAME_UNRESOLVED, "the server cannot resolve the name", "check the name there"),
    ("no address associated", Code.NAME_UNRESOLVED, "the name has no address there", "check the name there"),
)

FAILURES = (asyncssh.Error, OSError, ValueError, SessionError)
"""What asyncssh, and the session that dials for it, may raise while a connection is made."""


@dataclass(slots=True)
class Attempt:
    """What is being attempted, for messages: filled in as it goes on."""

    server: str
    by: str
    address: str
    user: str
    timeout: float
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


def open_failed(error: BaseException, attempt: Attempt) -> OpenFailed:
    """Why a session could not be opened."""
    if isinstance(error, OpenFailed):
        return error
    if isinstance(error, SessionError):
        return _below_failed(error, attempt)
    if isinstance(error, TimeoutError):
        return _timed_out(attempt)
    if isinstance(error, asyncssh.PermissionDenied) or _TOO_MANY in str(error).lower():
        return _not_authenticated(error, attempt)
    if isinstance(error, asyncssh.ConnectionLost | OSError):
        return _connection_lost(error, attempt)
    what = f"{attempt.server} at {attempt.address} and we do not understand each other: {_text(error)}"
    hint = "the server may be too old, or the port may belong to another program"
    return OpenFailed(Code.PROTOCOL_ERROR, what, host=attempt.server, suggestion=hint)


def _below_failed(error: SessionError, attempt: Attempt) -> OpenFailed:
    code = Code.CONNECT_FAILED if error.code in {Code.DIAL_FAILED, Code.SESSION_LOST} else error.code
    return OpenFailed(code, f"{attempt.server}: {error}", host=error.host, suggestion=error.suggestion)


def _timed_out(attempt: Attempt) -> OpenFailed:
    what = f"{attempt.by} dials {attempt.address}: {attempt.server} did not answer in {attempt.timeout:g} s"
    hint = "a firewall on the way may drop it, or the host is down"
    if attempt.stage != "connecting":
        what, hint = f"{what} ({attempt.stage})", "the server may be overloaded; connect_timeout can be raised"
    return OpenFailed(Code.CONNECT_TIMEOUT, what, host=attempt.server, suggestion=hint)


def _not_authenticated(error: BaseException, attempt: Attempt) -> OpenFailed:
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


def _too_many(attempt: Attempt) -> OpenFailed:
    seen, unseen = attempt.offered, attempt.unreached
    what = f"{attempt.server} at {attempt.address} hung up on {attempt.user} after {len(seen)} offers: {_some(seen)}"
    if unseen:
        what = f"{what}; it has not seen {_some(unseen)}"
    hint = "it counts every key that is offered (MaxAuthTries): name the right one as identity, then it goes alone"
    return OpenFailed(Code.AUTH_FAILED, what, host=attempt.server, suggestion=hint)


def _some(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _connection_lost(error: BaseException, attempt: Attempt) -> OpenFailed:
    if not attempt.banner_seen:
        what = f"{attempt.server} at {attempt.address} closed the connection before it said anything"
        hint = "it may be busy (MaxStartups) or penalise this address (PerSourcePenalties)"
        return OpenFailed(Code.SERVER_BUSY, what, host=attempt.server, suggestion=hint)
    if attempt.unanswered is not None:
        what = f"{attempt.server} at {attempt.address} did not wait for the answer to “{attempt.unanswered}”"
        hint = "its LoginGraceTime says how long it waits"
        return OpenFailed(Code.CONNECT_FAILED, what, host=attempt.server, suggestion=hint)
    what = f"the connection to {attempt.server} at {attempt.address} broke during {attempt.stage}: {_text(error)}"
    return OpenFailed(Code.CONNECT_FAILED, what, host=attempt.server)


def dial_refused(error: asyncssh.ChannelOpenError, server: str, address: str) -> DialRefused:
    """Why a server did not open a channel to an address (RFC 4254 section 5.1)."""
    reason = clean(error.reason, 200)
    code, what, hint = _judge_channel(error.code, reason, address)
    return DialRefused(code, f"{server} dials {address}: {what}", host=server, suggestion=hint)


def _judge_channel(number: int, reason: str, address: str) -> tuple[Code, str, str | None]:
    if number == asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED:
        hint = f"its sshd must allow it: AllowTcpForwarding yes (or local), and PermitOpen any or {address}"
        return Code.FORWARD_REFUSED, "the server's policy forbids it", hint
    if number == asyncssh.OPEN_UNKNOWN_CHANNEL_TYPE:
        return Code.FORWARD_REFUSED, "the server knows no forwarding", "its SSH server may be built without it"
    if number == asyncssh.OPEN_RESOURCE_SHORTAGE:
        return Code.DIAL_FAILED, f"the server has no resources left ({reason})", None
    for words, code, what, advice in _WORDING:
        if words in reason.lower():
            return code, what, advice
    if reason.lower() in _NO_REASON and address.startswith("unix:"):
        hint = (
            "does something listen there, is the account let to it, and does sshd have AllowStreamLocalForwarding yes?"
        )
        return Code.DIAL_FAILED, "the server could not open it and does not say why", hint
    if reason.lower() in _NO_REASON:
        return Code.DIAL_FAILED, "the server could not open it and does not say why", "its log may tell"
    return Code.DIAL_FAILED, reason, None


def command_refused(error: asyncssh.ChannelOpenError, server: str) -> DialRefused:
    """Why a server did not run a command."""
    what = f"{server} does not run commands for us: {clean(error.reason, 200)}"
    hint = "its sshd limits this account, or how many commands run at once (MaxSessions)"
    return DialRefused(Code.FORWARD_REFUSED, what, host=server, suggestion=hint)


def bind_refused(server: str, address: str, said: list[str]) -> BindRefused:
    """Why a server did not open a listener; SSH carries no reason, but OpenSSH sends debug messages."""
    told = f": {clean(' '.join(said), 200)}" if said else ""
    hint = (
        "the port may be in use there (after a loss by our own old session, until ClientAliveInterval of its sshd ends "
        "that) or need privileges, or PermitListen forbids it; its sshd's log tells which"
    )
    keyword = "AllowTcpForwarding"
    if address.startswith("unix:"):
        keyword, path = "AllowStreamLocalForwarding", address.removeprefix("unix:")
        hint = f"if nothing uses {path} any more, remove it there, or set StreamLocalBindUnlink yes in its sshd_config"
    if any("disabled" in message for message in said):
        hint = f"its sshd must allow it: {keyword} yes (or remote), without no-port-forwarding for the key"
    what = f"{server} refuses to listen on {address}{told}"
    return BindRefused(Code.FORWARD_REFUSED, what, host=server, suggestion=hint)


def session_lost(error: BaseException | None, server: str, *, unused: bool = False) -> SessionLost:
    """Why a session ended by itself; ``unused``: it carried nothing then."""
    if isinstance(error, SessionLost) and error.host == server:
        return error
    why = _text(error) if error is not None else "the server said goodbye"
    hint = None
    if why == "Connection lost":  # asyncssh's word for an end of file
        why = "the server closed the connection without a word"
        hint = "it carried nothing: UnusedConnectionTimeout in its sshd_config ends such sessions" if unused else None
    if "not responding to keepalive" in why:
        why = "it no longer answers (keepalive)"
        hint = "it, or the network on the way to it, hangs; ssh.keepalive says how long it may be silent"
    return SessionLost(Code.SESSION_LOST, f"the session to {server} was lost: {why}", host=server, suggestion=hint)


def _text(error: BaseException) -> str:
    return clean(str(error) or type(error).__name__, 300)
