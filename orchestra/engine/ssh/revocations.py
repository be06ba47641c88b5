"""Keys that must never be accepted: RevokedHostKeys of ssh_config(5), a list of keys or a key revocation list.

Pure, over the file's bytes. Whatever cannot be read whole is an error: half a list would let the other half in.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, field

from orchestra.engine.ssh.certificates import Certificate
from orchestra.engine.ssh.wire import Wire

MAGIC = b"SSHKRL\n\0"


@dataclass(slots=True)
class RevokedCertificates:
    """Certificates of one authority (empty: of any) that are revoked by what they say."""

    authority: bytes
    serials: set[int] = field(default_factory=set)
    ranges: list[tuple[int, int]] = field(default_factory=list)
    bitmaps: list[tuple[int, int]] = field(default_factory=list)
    """First serial, and a number whose set bits are the revoked ones from there on."""
    key_ids: set[str] = field(default_factory=set)

    def has(self, certificate: Certificate) -> bool:
        """Whether it is one of them; a serial of 0 is none (PROTOCOL.certkeys)."""
        if self.authority not in (b"", certificate.authority):
            return False
        serial = certificate.serial
        return certificate.key_id in self.key_ids or bool(
            serial
            and (
                serial in self.serials
                or any(first <= serial <= last for first, last in self.ranges)
                or any(serial >= first and bits >> (serial - first) & 1 for first, bits in self.bitmaps)
            )
        )


@dataclass(slots=True)
class Revocations:
    """Everything that a file revokes; keys in their wire form."""

    keys: set[bytes] = field(default_factory=set)
    sha1: set[bytes] = field(default_factory=set)
    sha256: set[bytes] = field(default_factory=set)
    certificates: list[RevokedCertificates] = field(default_factory=list)

    def has_key(self, key: bytes) -> bool:
        """Whether that public key is revoked."""
        return (
            key in self.keys
            or hashlib.sha256(key).digest() in self.sha256
            or hashlib.sha1(key, usedforsecurity=False).digest() in self.sha1
        )

    def has(self, key: bytes, certificate: Certificate | None) -> bool:
        """Whether a key, or what it is certified by, is revoked."""
        if self.has_key(key):
            return True
        return certificate is not None and (
            self.has_key(certificate.authority) or any(some.has(certificate) for some in self.certificates)
        )


def parse_revocations(data: bytes) -> Revocations:
    """The file's content. Raises ValueError, with the reason, when any of it cannot be read."""
    return _parse_krl(data) if data.startswith(MAGIC) else _parse_list(data)


def _parse_list(data: bytes) -> Revocations:
    found = Revocations()
    for number, line in enumerate(data.decode("utf-8", "replace").split("\n"), 1):
        fields = line.split()
        if not fields or fields[0].startswith("#"):
            continue
        try:
            blob = base64.b64decode(fields[1], validate=True)
            good = Wire(blob).text() == fields[0]
        except (IndexError, ValueError, binascii.Error):
            good = False
        if not good:
            raise ValueError(f"line {number} is no public key")
        found.keys.add(blob)
    return found


def _parse_krl(data: bytes) -> Revocations:
    """OpenSSH's PROTOCOL.krl."""
    fields, found = Wire(data), Revocations()
    fields.take(len(MAGIC))
    if (version := fields.number(4)) != 1:
        raise ValueError(f"its format has version {version}")
    for size in (8, 8, 8):  # the list's own version, its date, flags of which none are defined
        fields.number(size)
    fields.string()  # reserved
    fields.string()  # a comment
    while fields:
        kind, section = fields.number(1), Wire(fields.string())
        match kind:
            case 1:  # KRL_SECTION_CERTIFICATES
                found.certificates.append(_parse_certificates(section))
            case 2:  # …_EXPLICIT_KEY
                found.keys.update(section.strings())
            case 3:  # …_FINGERPRINT_SHA1
                found.sha1.update(section.strings())
            case 5:  # …_FINGERPRINT_SHA256
                found.sha256.update(section.strings())
            case 255:  # …_EXTENSION
                _pass_extension(section)
            case _:
                raise ValueError(f"it has a section of the unknown kind {kind}")
    return found


def _parse_certificates(section: Wire) -> RevokedCertificates:
    found = RevokedCertificates(section.string())
    section.string()  # reserved
    while section:
        kind, part = section.number(1), Wire(section.string())
        match kind:
            case 0x20:  # KRL_SECTION_CERT_SERIAL_LIST
                while part:
                    found.serials.add(part.number(8))
            case 0x21:  # …_SERIAL_RANGE
                found.ranges.append((part.number(8), part.number(8)))
            case 0x22:  # …_SERIAL_BITMAP
                found.bitmaps.append((part.number(8), int.from_bytes(part.string(), "big")))
            case 0x23:  # …_KEY_ID
                found.key_ids.update(item.decode("utf-8", "replace") for item in part.strings())
            case 0x39:  # …_EXTENSION
                _pass_extension(part)
            case _:
                raise ValueError(f"it has a part about certificates of the unknown kind {kind:#x}")
    return found


def _pass_extension(section: Wire) -> None:
    name, critical = section.text(), section.number(1)
    if critical:
        raise ValueError(f"it has the critical extension {name!r}, which is not understood")
