"""What SSH servers refuse, as refusals for people: in the words that SSH has for it (RFC 4254 sections 5.1 and 7.1) and
those that OpenSSH adds, whichever program speaks SSH with them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from orchestra.diagnostics import Code
from orchestra.model.text import clean
from orchestra.session.errors import BindRefused, DialRefused, OpenFailed, SessionError, SessionLost

PROHIBITED, CONNECT_FAILED, UNKNOWN_TYPE, SHORTAGE = 1, 2, 3, 4
"""Reasons for which a channel is not opened."""
BUSY = "it may be busy (MaxStartups) or penalise this address (PerSourcePenalties)"
"""Of a server that hangs up before it says anything."""

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
_NO_REASON = frozenset({"", "open failed", "connect failed"})


@dataclass(slots=True, kw_only=True)
class SshAttempt:
    """A session that is being opened, for messages."""

    server: str
    by: str
    address: str
    user: str
    timeout: float

    def below_failed(self, error: SessionError) -> OpenFailed:
        """The session that dials for it refused, or was lost."""
        code = Code.CONNECT_FAILED if error.code in {Code.DIAL_FAILED, Code.SESSION_LOST} else error.code
        return OpenFailed(code, f"{self.server}: {error}", host=error.host, suggestion=error.suggestion)

    def timed_out(self, stage: str | None = None) -> OpenFailed:
        """No answer in time; ``stage``: what the server was at, when it had begun to speak."""
        what = f"{self.by} dials {self.address}: {self.server} did not answer in {self.timeout:g} s"
        hint = "a firewall on the way may drop it, or the host is down"
        if stage is not None:
            what, hint = f"{what} ({stage})", "the server may be overloaded; connect_timeout can be raised"
        return OpenFailed(Code.CONNECT_TIMEOUT, what, host=self.server, suggestion=hint)


def dial_refused(server: str, address: str, number: int, reason: str) -> DialRefused:
    """Why a server did not open a channel to an address; ``number`` and ``reason`` are what it answered."""
    code, what, hint = _judge(number, clean(reason, 200), address)
    return DialRefused(code, f"{server} dials {address}: {what}", host=server, suggestion=hint)


def _judge(number: int, reason: str, address: str) -> tuple[Code, str, str | None]:
    if number == PROHIBITED:
        hint = f"its sshd must allow it: AllowTcpForwarding yes (or local), and PermitOpen any or {address}"
        return Code.FORWARD_REFUSED, "the server's policy forbids it", hint
    if number == UNKNOWN_TYPE:
        return Code.FORWARD_REFUSED, "the server knows no forwarding", "its SSH server may be built without it"
    if number == SHORTAGE:
        return Code.DIAL_FAILED, f"the server has no resources left ({reason})", None
    for words, code, what, advice in _WORDING:
        if words in reason.lower():
            return code, what, advice
    if reason.lower() not in _NO_REASON:
        return Code.DIAL_FAILED, reason, None
    hint = "its log may tell"
    if address.startswith("unix:"):
        hint = (
            "does something listen there, is the account let to it, and does sshd have AllowStreamLocalForwarding yes?"
        )
    return Code.DIAL_FAILED, "the server could not open it and does not say why", hint


def command_refused(server: str, reason: str) -> DialRefused:
    """Why a server did not run a command."""
    what = f"{server} does not run commands for us: {clean(reason, 200)}"
    hint = "its sshd limits this account, or how many commands run at once (MaxSessions)"
    return DialRefused(Code.FORWARD_REFUSED, what, host=server, suggestion=hint)


def bind_refused(server: str, address: str, said: Iterable[str]) -> BindRefused:
    """Why a server did not open a listener; SSH carries no reason, but OpenSSH has ``said`` debug messages."""
    said = tuple(said)
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


def session_lost(server: str, why: str, hint: str | None = None) -> SessionLost:
    """Why a session ended by itself: what the program that speaks SSH says of it."""
    if "not responding" in why:
        why = "it no longer answers (keepalive)"
        hint = "it, or the network on the way to it, hangs; ssh.keepalive says how long it may be silent"
    return SessionLost(Code.SESSION_LOST, f"the session to {server} was lost: {why}", host=server, suggestion=hint)
