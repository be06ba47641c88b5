"""Who may ask over TCP: whoever has the token, or a key that was given for a ticket.

The token is for programs, and stays in a file. A ticket is for a person's browser: it stands in an address that is
printed, opens once, and soon not at all. The key that the browser gets for it lives as long as this process, in the
page's own storage: unlike a cookie it is not sent to other ports of this machine, nor by pages of others.
"""

from __future__ import annotations

import hmac
import os
import secrets
import stat
from collections import deque
from typing import TYPE_CHECKING

from orchestra.control.paths import unwritable
from orchestra.errors import UsageError
from orchestra.model.frozen import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TICKET_LIFE = 600.0
"""Seconds within which a ticket is to be used."""
KEYS = 64
"""Browsers that are let in at once; the oldest is forgotten."""
TICKETS = 16
_SHORTEST = 16
"""Characters of a token that somebody else chose."""


class Gate:
    """``now`` gives seconds that only grow."""

    def __init__(self, token: str, now: Callable[[], float]) -> None:
        self._token, self._now = token, now
        self._keys: deque[str] = deque(maxlen=KEYS)
        self._tickets: deque[tuple[float, str]] = deque(maxlen=TICKETS)

    def issue(self) -> str:
        """A ticket."""
        ticket = secrets.token_urlsafe(24)
        self._tickets.append((self._now() + TICKET_LIFE, ticket))
        return ticket

    def redeem(self, ticket: str) -> str | None:
        """A key for the ticket, which is used up by that; None when it is none."""
        for entry in self._tickets:
            if _same(entry[1], ticket):
                self._tickets.remove(entry)
                if entry[0] < self._now():
                    return None
                self._keys.append(secrets.token_urlsafe(32))
                return self._keys[-1]
        return None

    def admits(self, authorization: str | None) -> bool:
        """Whether the header ``Authorization: Bearer …`` has the token or a key."""
        scheme, _, given = (authorization or "").partition(" ")
        return scheme.lower() == "bearer" and any([_same(known, given) for known in (self._token, *self._keys)])  # noqa: C419 - all are compared


@dataclass(frozen=True, slots=True)
class Web:
    """The page of a running orchestra: its address, and who is let in."""

    url: str
    gate: Gate

    def invitation(self) -> str:
        """The address with a ticket: its part behind ``#`` is sent to nobody, and kept in no history."""
        return f"{self.url}#{self.gate.issue()}"


def new_token(path: Path) -> str:
    """A token that nobody knows, written to the file, which only its user can read. Raises STATE_UNWRITABLE."""
    token = secrets.token_urlsafe(32)
    try:
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(token + "\n")
    except OSError as error:
        raise unwritable(path, error) from error
    return token


def read_token(path: Path) -> str:
    """The token that the file holds. Raises UsageError unless it is one, and nobody else can read it."""
    try:
        with path.open("rb") as file:
            mode, owner = os.fstat(file.fileno()).st_mode, os.fstat(file.fileno()).st_uid
            token = file.read(4097).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text of ASCII"
        raise UsageError(f"cannot read the token from {path}: {reason}") from error
    if stat.S_ISREG(mode) and (owner not in (0, os.geteuid()) or mode & 0o077):
        raise UsageError(f"others can read the token in {path} (mode {stat.S_IMODE(mode):04o}): chmod 600 {path}")
    if not _SHORTEST <= len(token) <= 4096 or not token.isprintable() or " " in token:
        raise UsageError(f"{path} has no token: write one line of at least {_SHORTEST} characters, without blanks")
    return token


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode("utf-8", "surrogateescape"))
