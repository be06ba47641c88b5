"""What ssh writes to standard error, as refusals for people: the one place where ssh's own words become our codes."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from orchestra.diagnostics import Code
from orchestra.model.text import clean
from orchestra.session import ssh
from orchestra.session.errors import OpenFailed, SessionLost
from orchestra.session.ssh import SshAttempt

from .forwarding import Origins

KEPT = 30
"""Lines that are kept."""
_DEBUG = re.compile(r"debug\d: ")
_ORIGIN = re.compile(r"client_request_forwarded_tcpip: listen .* port (\d+), originator (\S*) port (\d+)")
_REMARK = re.compile(r"debug1: Remote: (.*)")
_OFFERED = re.compile(r"debug1: Offering public key: (\S.*?) (?:\S+) (SHA256:\S+)")
_METHOD = re.compile(r"debug1: Next authentication method: (\S+)")
_SHOWN = re.compile(r"debug1: Server host key: (\S+ SHA256:\S+)")
_ABOUT_KEYS = ("Offending", "known for", "has changed and", "ertificate", "REVOKED", "revoked")
_PINS = re.compile(r"Offending \S+ key in \S*/pins:\d+")
_UNREMARKABLE = ("Authenticated to ",)
_READY = "Entering interactive session"
_AUTHENTICATING = "SSH2_MSG_SERVICE_ACCEPT received"
_BANNER = "Remote protocol version"

# ssh's words (sshconnect.c, sshconnect2.c, packet.c, misc.c; strerror(3) and gai_strerror(3)); the first that fits.
_OPENING: tuple[tuple[str, Code, str | None], ...] = (
    ("REMOTE HOST IDENTIFICATION HAS CHANGED", Code.HOST_KEY_CHANGED, "ask its owner before you forget the old key"),
    ("REVOKED HOST KEY", Code.HOST_KEY_REVOKED, "do not connect; ask whoever runs the server for its new key"),
    ("Certificate invalid", Code.HOST_CERTIFICATE_INVALID, "the server needs a certificate that holds"),
    (
        "Host key verification failed",
        Code.HOST_KEY_UNKNOWN,
        "compare its fingerprint with the server's own, then name it as host_key, or ssh there once",
    ),
    ("Too many authentication failures", Code.AUTH_FAILED, "name the right key as identity, then it goes alone"),
    ("Permission denied", Code.AUTH_FAILED, "check the user, and what the server lets in"),
    ("Could not resolve hostname", Code.NAME_UNRESOLVED, "check the name and the resolver"),
    ("Connection refused", Code.CONNECT_REFUSED, "is an SSH server listening there?"),
    ("timed out", Code.CONNECT_TIMEOUT, "a firewall on the way may drop it, or the host is down"),
    ("Bad configuration option", Code.SSH_CONFIG_INVALID, "this ssh may be too old for it"),
    ("Bad owner or permissions", Code.SSH_CONFIG_INVALID, "chmod 600 the file"),
    ("Unable to negotiate", Code.PROTOCOL_ERROR, "ssh and the server know no common algorithm"),
    ("too long for Unix domain socket", Code.STATE_UNWRITABLE, "set TMPDIR to a shorter directory"),
)
_OF_HOST_KEYS = frozenset(
    {Code.HOST_KEY_CHANGED, Code.HOST_KEY_UNKNOWN, Code.HOST_KEY_REVOKED, Code.HOST_CERTIFICATE_INVALID}
)


@dataclass(slots=True)
class Log:
    """What one ssh has said, as far as it matters."""

    origins: Origins = field(default_factory=Origins)
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT))
    """What it writes for people; cleaned."""
    remarks: deque[str] = field(default_factory=lambda: deque(maxlen=3))
    """What the server's forwarding said since the last request (SSH_MSG_DEBUG); cleaned."""
    offered: dict[str, None] = field(default_factory=dict)
    """Keys and methods that it tried."""
    shown: str = ""
    """The host key of the server: its type and fingerprint."""
    is_ready: bool = False
    banner_seen: bool = False
    is_authenticating: bool = False

    def said(self, line: str) -> None:
        """One line."""
        if not _DEBUG.match(line):
            if (text := clean(line, 300)) and not text.startswith(_UNREMARKABLE):
                self.lines.append(text)
        elif found := _ORIGIN.search(line):
            self.origins.came(int(found[1]), (clean(found[2], 64), int(found[3])))
        elif (found := _REMARK.match(line)) and "forward" in line.lower() and "key options" not in line:
            self.remarks.append(clean(found[1], 200))
        elif not self.is_ready:
            self._opening(line)

    def _opening(self, line: str) -> None:
        self.is_ready = _READY in line
        self.banner_seen = self.banner_seen or _BANNER in line
        self.is_authenticating = self.is_authenticating or _AUTHENTICATING in line
        if found := _SHOWN.match(line):
            self.shown = clean(found[1], 100)
        elif found := _OFFERED.match(line):
            self.offered[f"{clean(found[1], 200)} ({clean(found[2], 60)})"] = None
        elif (found := _METHOD.match(line)) and found[1] != "publickey":
            self.offered[clean(found[1], 40)] = None

    @property
    def last(self) -> str:
        """Its last words."""
        return self.lines[-1] if self.lines else "it said nothing"

    def words(self, about: tuple[str, ...] = ("",), most: int = 3) -> str:
        """What it said for people at the end, as far as it is about something."""
        own = [line for line in self.lines if not set(line) <= {"@"} and any(each in line for each in about)]
        return clean(" / ".join(own[-most:]), 600) or self.last


def open_failed(log: Log, attempt: SshAttempt, remarks: Sequence[str], *, gave_up: bool = False) -> OpenFailed:
    """Why ssh ended before it was ready; ``gave_up``: because nobody had an answer for the server."""
    everything = "\n".join(log.lines)
    code, hint = Code.CONNECT_FAILED, None
    for words, candidate, advice in _OPENING:
        if words in everything:
            code, hint = candidate, advice
            break
    else:
        if not log.banner_seen and ("closed by" in everything or "reset by" in everything):
            code, hint = Code.SERVER_BUSY, ssh.BUSY
    if gave_up:
        code, hint = Code.AUTH_FAILED, "name an identity, an agent, or a password as a secret; or start at a terminal"
    what, words = f"{attempt.server} at {attempt.address}: ", log.words()
    if code is Code.AUTH_FAILED:
        what += f"it does not let {attempt.user} in; offered: {', '.join(log.offered) or 'nothing'}; "
    elif code in _OF_HOST_KEYS:
        what += f"it shows {log.shown or 'no host key'}; "
        words = log.words(_ABOUT_KEYS)
        if _PINS.search(words):
            words, hint = "it is not the key that host_key names", f"{hint}; only then correct host_key in the topology"
    what += "".join(f"{remark}; " for remark in remarks)
    return OpenFailed(code, f"{what}ssh says: {words}", host=attempt.server, suggestion=hint)


def timed_out(log: Log, attempt: SshAttempt) -> OpenFailed:
    """No answer in time."""
    stage = "authentication" if log.is_authenticating else "key exchange" if log.banner_seen else None
    return attempt.timed_out(stage)


def session_lost(log: Log, server: str, status: int | None, ours: str | None = None) -> SessionLost:
    """Why ssh ended after it was ready; ``ours`` is why we ended it."""
    why = ours or log.last
    if ours is None and status is not None and status < 0 and "not responding" not in why:
        why = f"its ssh was killed by signal {-status}"
    return ssh.session_lost(server, why)
