"""Which host keys are trusted for a server, by known_hosts files and keys pinned in the topology, and what that means
for a key that it shows.

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
from collections.abc import Collection, Iterable, Iterator
from typing import Literal, TypeAlias

from orchestra.engine.ssh.certificates import SIGNATURES, Certificate
from orchestra.engine.ssh.revocations import Revocations
from orchestra.engine.ssh.wire import Wire
from orchestra.model.address import SSH_PORT
from orchestra.model.frozen import dataclass

Marker: TypeAlias = Literal["", "cert-authority", "revoked"]
Standing: TypeAlias = Literal["known", "unknown", "changed", "revoked", "uncertified"]
"""``uncertified``: a trusted authority has signed it, and the certificate does not hold."""


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
    def text(self) -> str:
        """``TYPE BASE64``, as in a public key file."""
        return public_line(self.algorithm, self.blob)

    @property
    def file(self) -> str:
        """Where it stands, without the line."""
        return self.where.rpartition(":")[0]


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


@dataclass(frozen=True, slots=True)
class ShownKey:
    """What a server shows: its key, in wire form, and perhaps a certificate for it."""

    blob: bytes
    certificate: Certificate | None = None

    @property
    def algorithm(self) -> str:
        """The key's type; which signatures it makes is another matter."""
        return self.blob[4 : 4 + int.from_bytes(self.blob[:4], "big")].decode("ascii", "replace")

    @property
    def fingerprint(self) -> str:
        """As ssh prints it."""
        return fingerprint(self.blob)

    def __str__(self) -> str:
        return f"{self.algorithm} {self.fingerprint}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a key that is shown means. ``evidence`` are the known keys that decided it; ``certificate`` says what is
    wrong with the certificate, if one was shown and does not hold, as the end of "its certificate …"."""

    standing: Standing
    evidence: tuple[KnownKey, ...] = ()
    certificate: str | None = None


def fingerprint(blob: bytes) -> str:
    """``SHA256:`` and the unpadded base64 of the key's SHA-256."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def rsa_bits(blob: bytes) -> int | None:
    """The length of an RSA key; None for keys of other types. Raises ValueError when it is cut short."""
    fields = Wire(blob)
    if fields.text() != "ssh-rsa":
        return None
    fields.string()  # the exponent
    return int.from_bytes(fields.string(), "big").bit_length()


def lookup_name(name: str, port: int) -> str:
    """The name under which ssh files a server: ``[name]:port`` unless the port is 22; always in lower case."""
    name = name.lower()
    return name if port == SSH_PORT else f"[{name}]:{port}"


def public_line(algorithm: str, blob: bytes) -> str:
    """``TYPE BASE64``, as in a public key file."""
    return f"{algorithm} {base64.b64encode(blob).decode()}"


def parse(text: str, file: str) -> Iterator[KnownKey]:
    """The keys of a known_hosts file; lines that cannot be read are passed over, as ssh does."""
    for where, line in _lines(text, file):
        if (key := _parse_line(line, where)) is not None:
            yield key


def unreadable(text: str, file: str) -> Iterator[str]:
    """Where the lines are that :func:`parse` passed over: neither keys, nor comments, nor blank."""
    for where, line in _lines(text, file):
        if line.strip() and not line.lstrip().startswith("#") and _parse_line(line, where) is None:
            yield where


def _lines(text: str, file: str) -> Iterator[tuple[str, str]]:
    return ((f"{file}:{number}", line) for number, line in enumerate(text.split("\n"), 1))


def _parse_line(line: str, where: str) -> KnownKey | None:
    marker: Marker = ""
    fields = line.split()
    if fields and fields[0] in {"@cert-authority", "@revoked"}:
        marker = "cert-authority" if fields[0] == "@cert-authority" else "revoked"
        del fields[0]
    if len(fields) < 3 or fields[0].startswith(("#", "@")):
        return None
    blob = _decode(fields[1], fields[2])
    return KnownKey(marker, fields[0], fields[1], blob, where) if blob else None


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


def judge(
    shown: ShownKey,
    trusted: TrustedKeys,
    revoked: Revocations,
    now: float,
    signatures: Collection[str] = SIGNATURES,
) -> Verdict:
    """What the key means, as ssh judges: a certificate that does not hold leaves the bare key, which may be known.

    A key is changed when any other is filed under the name, also one of another type.
    """
    certificate = shown.certificate
    blobs = {shown.blob, certificate.authority} if certificate else {shown.blob}
    if marked := tuple(key for key in trusted.revoked if key.blob in blobs):
        return Verdict("revoked", marked)
    if revoked.has(shown.blob, certificate):
        return Verdict("revoked")
    signers = tuple(key for key in trusted.authorities if certificate and key.blob == certificate.authority)
    fault = None
    if certificate is not None:
        fault = (
            certificate.host_fault(trusted.name.lower(), now, signatures)
            if signers
            else "is signed by an authority that is not known"
        )
    if signers and not fault:
        return Verdict("known", signers)
    if same := tuple(key for key in trusted.keys if key.blob == shown.blob):
        return Verdict("known", same)
    if trusted.keys and not trusted.by_bare_name:
        return Verdict("changed", trusted.keys, fault)
    return Verdict("uncertified" if signers else "unknown", signers, fault)


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
    if "*" not in pattern and "?" not in pattern:
        return pattern == name
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
    """The key's wire form; None when it is not base64, is cut short, or names another algorithm inside."""
    try:
        blob = base64.b64decode(text, validate=True)
        kind, *parameters = Wire(blob).strings()
    except (ValueError, binascii.Error):
        return None
    return blob if kind == algorithm.encode() and parameters else None
