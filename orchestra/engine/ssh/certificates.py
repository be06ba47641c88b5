"""Certificates as values, of hosts and of users: what an authority has signed, and whether it holds at a moment.

Pure, over the wire form (OpenSSH's PROTOCOL.certkeys); whether the signature is good, asyncssh says.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from orchestra.engine.ssh.wire import Wire, pack
from orchestra.model.frozen import dataclass

SUFFIX = "-cert-v01@openssh.com"
SIGNATURES = (
    *("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"),
    *("sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com", "rsa-sha2-512", "rsa-sha2-256"),
)
"""With which authorities may sign: ssh_config(5) CASignatureAlgorithms. SHA-1 is not among them."""
SOON = 24 * 3600.0
"""Seconds before its end from which it is said that a certificate expires."""
_HOST = 2
_PARAMETERS = {"ssh-rsa": 2, "ssh-dss": 4, "ssh-ed25519": 1, "sk-ssh-ed25519": 2, "sk-ecdsa-sha2-nistp256": 3}
"""How many fields a public key has behind its type; those of ECDSA have two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What it says. ``key`` and ``authority`` are public keys in their wire form; times are seconds since 1970."""

    key: bytes
    authority: bytes
    signed_with: str
    serial: int
    key_id: str
    is_for_hosts: bool
    principals: tuple[str, ...]
    valid_after: int
    valid_before: int
    has_options: bool
    """Critical options: none are defined for hosts, and what is not understood must not be accepted."""

    def host_fault(self, name: str, now: float, signatures: Collection[str] = SIGNATURES) -> str | None:
        """Why it does not vouch for that name now, as the end of "its certificate …"; None when it does."""
        if not self.is_for_hosts:
            return "is one for users, not for hosts"
        if fault := self._date_fault(now):
            return fault
        if self.principals and name not in self.principals:
            return f"is for {', '.join(self.principals[:5])}, not for {name}"
        if self.has_options:
            return "has critical options, which no host certificate may have"
        if self.signed_with not in signatures:
            return f"is signed with {self.signed_with}, which is not accepted"
        return None

    def user_fault(self, now: float) -> str | None:
        """Why it lets nobody in now, as the end of "certificate FILE …"; None when it may. Whom its principals stand
        for is the server's to say (AuthorizedPrincipalsFile in sshd_config(5))."""
        if self.is_for_hosts:
            return "is one for hosts, not for users"
        return self._date_fault(now)

    def end(self, now: float) -> str | None:
        """When it expires, as the end of "certificate FILE …", where that is within a day; else None."""
        return f"expires at {_date(self.valid_before)}" if self.valid_before - now < SOON else None

    def _date_fault(self, now: float) -> str | None:
        if now < self.valid_after:
            return f"is not valid before {_date(self.valid_after)}"
        if now >= self.valid_before:
            return f"expired at {_date(self.valid_before)}"
        return None


def parse_certificate(blob: bytes) -> Certificate | None:
    """The certificate; None when the blob is a plain key. Raises ValueError when it is neither."""
    fields = Wire(blob)
    algorithm = fields.text()
    if not algorithm.endswith(SUFFIX):
        return None
    base = algorithm.removesuffix(SUFFIX)
    fields.string()  # a nonce
    parameters = [fields.string() for _ in range(_PARAMETERS.get(base, 2))]
    kind = base + "@openssh.com" if base.startswith("sk-") else base
    serial, type_, key_id = fields.number(8), fields.number(4), fields.text()
    principals = tuple(item.decode("utf-8", "replace") for item in Wire(fields.string()).strings())
    after, before, options = fields.number(8), fields.number(8), fields.string()
    fields.string()  # extensions
    fields.string()  # reserved
    authority, signature = fields.string(), Wire(fields.string())
    return Certificate(
        key=b"".join(pack(item) for item in (kind.encode(), *parameters)),
        authority=authority,
        signed_with=signature.text(),
        serial=serial,
        key_id=key_id,
        is_for_hosts=type_ == _HOST,
        principals=principals,
        valid_after=after,
        valid_before=before,
        has_options=bool(options),
    )


def _date(seconds: int) -> str:
    """For people; a time beyond the calendar is for ever."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, OSError, ValueError):
        return "the end of time"
