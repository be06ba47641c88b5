"""Which host keys are trusted for a server: known_hosts files and keys pinned in the topology.

Pure, over lines of text, as sshd(8) "SSH_KNOWN_HOSTS FILE FORMAT" says. Looked up by name only: what an address is
known as never vouches for a name.
"""

from __future__ import annotations

import base64
import binascii
import fnmatch
import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

SSH_PORT = 22
Marker: TypeAlias = Literal["", "cert-authority", "revoked"]


@dataclass(frozen=True, slots=True)
class KnownKey:
    """One public key in a file: ``blob`` is its wire form (RFC 4253 section 6.6), ``where`` is ``file:line``."""

    marker: Marker
    patterns: str
    algorithm: str
    blob: bytes
    where: str

    @property
    def fingerprint(self) -> str:
        """``SHA256:…``, as ssh-keygen -l prints it."""
        return fingerprint(self.blob)

    @property
    def line(self) -> bytes:
        """``TYPE BASE64``, for whoever parses keys."""
        return f"{self.algorithm} {base64.b64encode(self.blob).decode()}".encode()


@dataclass(frozen=True, slots=True)
class TrustedKeys:
    """What is known for one server. ``pinned``: the topology says so, no file takes part.

    ``by_bare_name``: nothing is known for ``[name]:port``, so the entries are those of the name without the port; as
    in ssh, another key there does not count as a changed one.
    """

    name: str
    keys: tuple[KnownKey, ...] = ()
    authorities: tuple[KnownKey, ...] = ()
    revoked: tuple[KnownKey, ...] = ()
    pinned: bool = False
    by_bare_name: bool = False


def fingerprint(blob: bytes) -> str:
    """``SHA256:`` and the unpadded base64 of the key's SHA-256."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def lookup_name(name: str, port: int) -> str:
    """The name under which ssh files a server: ``[name]:port`` unless the port is 22; always in lower case."""
    name = name.lower()
    return name if port == SSH_PORT else f"[{name}]:{port}"


def parse(text: str, file: str) -> Iterator[KnownKey]:
    """The keys of a known_hosts file; lines that cannot be read are passed over, as ssh does."""
    for number, line in enumerate(text.splitlines(), 1):
        marker: Marker = ""
        fields = line.split()
        if fields and fields[0] in {"@cert-authority", "@revoked"}:
            marker = "cert-authority" if fields[0] == "@cert-authority" else "revoked"
            del fields[0]
        if len(fields) >= 3 and not fields[0].startswith(("#", "@")) and (blob := _decode(fields[1], fields[2])):
            yield KnownKey(marker, fields[0], fields[1], blob, f"{file}:{number}")


def parse_pinned(lines: Iterable[str], where: str) -> Iterator[KnownKey]:
    """Keys as a topology pins them: ``TYPE KEY`` or ``@cert-authority TYPE KEY``."""
    for line in lines:
        fields = line.split()
        authority = fields[:1] == ["@cert-authority"]
        fields = fields[authority:]
        if len(fields) >= 2 and (blob := _decode(fields[0], fields[1])):
            yield KnownKey("cert-authority" if authority else "", "*", fields[0], blob, where)


def select(known: Iterable[KnownKey], name: str, port: int) -> TrustedKeys:
    """What the files know for ``[name]:port``, else for the bare name; what is revoked for either stays revoked."""
    everything = tuple(known)
    full, bare = lookup_name(name, port), name.lower()
    exact = [key for key in everything if matches(key.patterns, full)]
    by_bare_name = full != bare and not any(key.marker != "revoked" for key in exact)
    found = [key for key in everything if matches(key.patterns, bare)] if by_bare_name else exact
    return TrustedKeys(
        name=name,
        keys=tuple(key for key in found if key.marker == ""),
        authorities=tuple(key for key in found if key.marker == "cert-authority"),
        revoked=tuple(k for k in everything if k.marker == "revoked" and _either(k.patterns, full, bare)),
        by_bare_name=by_bare_name,
    )


def pinned(lines: Iterable[str], name: str, where: str) -> TrustedKeys:
    """What the topology pins; no file adds to it."""
    keys = tuple(parse_pinned(lines, where))
    return TrustedKeys(
        name=name,
        keys=tuple(key for key in keys if key.marker == ""),
        authorities=tuple(key for key in keys if key.marker == "cert-authority"),
        pinned=True,
    )


def matches(patterns: str, name: str) -> bool:
    """Whether a host field means that name: hashed (``|1|salt|hash``), or patterns with ``*``, ``?`` and ``!``."""
    if patterns.startswith("|"):
        return _matches_hash(patterns, name)
    found = False
    for pattern in patterns.lower().split(","):
        if _matches_pattern(pattern.removeprefix("!"), name):
            if pattern.startswith("!"):
                return False
            found = True
    return found


def _either(patterns: str, *names: str) -> bool:
    return any(matches(patterns, name) for name in names)


def _matches_pattern(pattern: str, name: str) -> bool:
    literal = re.sub(r"\[", "[[]", pattern)  # brackets are plain characters in ssh's patterns
    return fnmatch.fnmatchcase(name, literal)


def _matches_hash(field: str, name: str) -> bool:
    try:
        _, magic, salt, digest = field.split("|")
        expected = base64.b64decode(digest)
        found = hmac.new(base64.b64decode(salt), name.encode(), hashlib.sha1).digest()
    except (ValueError, binascii.Error):
        return False
    return magic == "1" and hmac.compare_digest(found, expected)


def _decode(algorithm: str, text: str) -> bytes | None:
    """The key's wire form; None when it is not base64 or names another algorithm inside."""
    try:
        blob = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return None
    size = int.from_bytes(blob[:4], "big")
    return blob if blob[4 : 4 + size] == algorithm.encode() else None
