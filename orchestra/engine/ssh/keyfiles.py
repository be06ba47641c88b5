"""Private keys as files and as secrets: read, refused when others may read them too, and opened."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import asyncssh

from orchestra.model.text import clean

_LARGEST = 1 << 20
"""Bytes of a key file."""


class KeyTooOpen(Exception):
    """A private key that others may read."""


class Locked(Exception):
    """A private key that is encrypted; ``wrong`` is whether a passphrase was tried."""

    def __init__(self, *, wrong: bool) -> None:
        super().__init__("the passphrase is wrong" if wrong else "it is encrypted")
        self.wrong = wrong


class NoKey(Exception):
    """What cannot be read as a private key, and why."""


def read_private(file: str) -> bytes:
    """A private key's text; refused, as by ssh, when it is ours and others may read it. A public key is no secret."""
    path = Path(file)
    with path.open("rb") as opened:
        state, data = os.fstat(opened.fileno()), opened.read(_LARGEST)
    mode = stat.S_IMODE(state.st_mode)
    if os.name == "posix" and state.st_uid == os.getuid() and mode & 0o077 and not is_public(data):
        raise KeyTooOpen(f"permissions {mode:04o} of {file} are too open: others may read this private key")
    return data


def is_public(data: bytes) -> bool:
    """Whether a file has a public key alone: its private part is the agent's to use."""
    if b"PRIVATE KEY" in data:
        return False
    try:
        asyncssh.import_public_key(data)
    except (asyncssh.KeyImportError, ValueError):
        return False
    return True


def public_part(file: str, data: bytes) -> asyncssh.SSHKey | None:
    """The public key of what may be encrypted: inside it, or beside it."""
    for source in (data, _beside(file)):
        try:
            return asyncssh.import_public_key(source)
        except (asyncssh.KeyImportError, ValueError):
            continue
    return None


def open_private(data: bytes, passphrase: bytes | None = None) -> asyncssh.SSHKey:
    """The key itself; takes a moment when it is encrypted. Raises Locked and NoKey."""
    try:
        return asyncssh.import_private_key(data, passphrase)
    except asyncssh.KeyEncryptionError as error:
        if "bcrypt" in str(error):
            raise NoKey("is encrypted in OpenSSH's format, which needs bcrypt: pip install bcrypt") from None
        if "Unknown" in str(error):
            raise NoKey(f"is encrypted in a way that is not supported: {clean(str(error), 100)}") from None
        raise Locked(wrong=passphrase is not None) from None
    except asyncssh.KeyImportError as error:
        # with a wrong passphrase, one try in 256 comes out as a key that is malformed
        guessed = passphrase is not None and b"ENCRYPTED" in data
        if guessed or "passphrase" in str(error).lower() or "decrypt" in str(error):
            raise Locked(wrong=passphrase is not None) from None
        raise NoKey(f"is no private key that can be read: {clean(str(error), 100)}") from None


def mended(secret: bytes) -> bytes:
    """A private key as secrets of build systems carry it: its last line break cut off, or its line breaks written as
    ``\\n``, or as blanks, or with carriage returns."""
    text = secret.replace(b"\\n", b"\n").replace(b"\r\n", b"\n").strip()
    if text.startswith(b"-----BEGIN") and b"\n" not in text:
        head, _, rest = text.removeprefix(b"-----").partition(b"-----")
        body, _, foot = rest.partition(b"-----")
        text = b"\n".join((b"-----" + head + b"-----", *body.split(), b"-----" + foot))
    return text + b"\n"


def _beside(file: str) -> bytes:
    try:
        return Path(f"{file}.pub").read_bytes()
    except OSError:
        return b""
