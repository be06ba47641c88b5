"""Who we are to a server: only the authentication that the file names; when it names none, as ssh would.

Keys are offered in this order: named identities, a key from a secret, the agent's; without any, the agent's and then
the default files. Nobody is ever asked for a passphrase.
"""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh

from orchestra.diagnostics import Code
from orchestra.engine.ssh.knownhosts import ssh_folder
from orchestra.model.text import clean
from orchestra.model.topology import SshSettings
from orchestra.plugin.interfaces import Notice, ReadSecret
from orchestra.session.errors import OpenFailed

DEFAULT_FILES = ("id_ed25519", "id_ed25519_sk", "id_ecdsa", "id_ecdsa_sk", "id_rsa")
NO_AGENT = "none"


@dataclass(slots=True)
class Credentials:
    """What will be offered. ``close`` ends the conversation with the agent, which signs until then."""

    keys: list[asyncssh.SSHKeyPair] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    password: str | None = None
    agent: asyncssh.SSHAgentClient | None = None

    async def close(self) -> None:
        """Lets the agent go, and what was read."""
        self.keys.clear()
        self.password = None
        if self.agent is not None:
            self.agent.close()
            await self.agent.wait_closed()
            self.agent = None


async def gather(settings: SshSettings, server: str, read_secret: ReadSecret, notice: Notice) -> Credentials:
    """Reads what the settings name. Raises OpenFailed: AUTH_FAILED or SECRET_UNAVAILABLE."""
    found = Credentials()
    collector = _Gatherer(settings, server, read_secret, notice, found)
    try:
        await collector.run()
    except BaseException:
        await found.close()
        raise
    return found


@dataclass(slots=True)
class _Gatherer:
    settings: SshSettings
    server: str
    read_secret: ReadSecret
    notice: Notice
    found: Credentials

    async def run(self) -> None:
        settings = self.settings
        named = settings.identity or settings.private_key or settings.password or settings.agent not in {None, NO_AGENT}
        passphrase = await self.read_secret(settings.passphrase) if settings.passphrase else None
        for file in settings.identity:
            await self._add_identity(file, passphrase)
        if settings.private_key is not None:
            data = await self.read_secret(settings.private_key)
            self._add(await self._load(data, "private_key", passphrase), "private_key")
        if settings.password is not None:
            self.found.password = (await self.read_secret(settings.password)).decode("utf-8", "surrogateescape")
            self.found.names.append("password")
        if settings.agent not in {None, NO_AGENT} or (not named and settings.agent != NO_AGENT):
            await self._add_agent_keys()
        if not named:
            await self._add_default_files()

    async def _add_identity(self, file: str, passphrase: bytes | None) -> None:
        try:
            data = await asyncio.to_thread(read_private, file)
        except OSError as error:
            raise self._failed(f"identity {file}: {error.strerror or error}") from error
        except KeyTooOpen as error:
            raise self._failed(str(error), f"chmod 600 {file}") from error
        try:
            key = await self._load(data, file, passphrase)
        except asyncssh.KeyEncryptionError as error:
            if await self._add_agent_keys(only=await asyncio.to_thread(public_part, file, data)):
                return
            hint = "name its passphrase as a secret, or add the key to the agent"
            raise self._failed(f"identity {file} is encrypted", hint) from error
        self._add(key, file)

    async def _add_default_files(self) -> None:
        for name in DEFAULT_FILES:
            file = ssh_folder() / name
            try:
                data = await asyncio.to_thread(read_private, str(file))
                self._add(await self._load(data, str(file), None), str(file))
            except KeyTooOpen as error:
                self.notice(f"{error}; it is not used")
            except (OSError, asyncssh.KeyImportError, OpenFailed):  # as ssh does, silently
                continue

    async def _add_agent_keys(self, only: bytes | None = None) -> bool:
        """Adds the agent's keys, or just the one of that public key; whether there was any."""
        path = self.settings.agent or os.environ.get("SSH_AUTH_SOCK", "")
        explicit = self.settings.agent is not None
        if not path or path == NO_AGENT:
            return False
        try:
            if self.found.agent is None:
                self.found.agent = await asyncssh.connect_agent(path)
            keys = await self.found.agent.get_keys([only] if only else None)
        except (OSError, ValueError) as error:
            if explicit:
                raise self._failed(f"the agent at {path} does not answer: {clean(str(error))}") from error
            return False
        for key in keys:
            self.found.keys.append(key)
            self.found.names.append(f"agent's {clean(key.get_comment() or 'key', 60)}")
        return bool(keys)

    async def _load(self, data: bytes, name: str, passphrase: bytes | None) -> asyncssh.SSHKey:
        try:
            return await asyncio.to_thread(asyncssh.import_private_key, data, passphrase)
        except asyncssh.KeyEncryptionError as error:
            if passphrase is None:
                raise
            if "bcrypt" in str(error):
                hint = "pip install bcrypt, or add the key to an agent"
                raise self._failed(f"{name} is encrypted in OpenSSH's format, which needs bcrypt", hint) from None
            raise self._failed(f"{name}: the passphrase is wrong") from None
        except asyncssh.KeyImportError as error:
            if passphrase is None and "passphrase" in str(error).lower():
                raise asyncssh.KeyEncryptionError(str(error)) from None
            if passphrase is not None and "decrypt" in str(error):
                raise self._failed(f"{name}: the passphrase is wrong") from None
            raise self._failed(f"{name} is no private key that can be read: {clean(str(error), 100)}") from error

    def _add(self, key: asyncssh.SSHKey, name: str) -> None:
        certificates = self._certificates(key, name)
        self.found.keys.extend(asyncssh.load_keypairs([(key, cert) for cert in certificates] + [key]))
        kind = key.get_algorithm()
        self.found.names.append(f"{name} ({kind}{', certified' if certificates else ''})")

    def _certificates(self, key: asyncssh.SSHKey, name: str) -> Sequence[asyncssh.SSHCertificate]:
        """The certificates of that key: named ones, and the one beside its file, as ssh finds it."""
        found = []
        for file in (*self.settings.certificate, f"{name}-cert.pub"):
            try:
                certificate = asyncssh.read_certificate(file)
            except OSError as error:
                if file in self.settings.certificate:
                    raise self._failed(f"certificate {file}: {error.strerror or error}") from error
                continue
            except asyncssh.KeyImportError as error:
                raise self._failed(f"certificate {file} cannot be read: {clean(str(error), 100)}") from error
            if certificate.key == key.convert_to_public() and certificate not in found:
                found.append(certificate)
        return found

    def _failed(self, what: str, hint: str | None = None) -> OpenFailed:
        return OpenFailed(Code.AUTH_FAILED, f"{self.server}: {what}", host=self.server, suggestion=hint)


class KeyTooOpen(Exception):
    """A private key that others may read."""


def read_private(file: str) -> bytes:
    """A private key's text; refused, as by ssh, when it is ours and others may read it."""
    path = Path(file)
    with path.open("rb") as opened:
        state = os.fstat(opened.fileno())
        if os.name == "posix" and state.st_uid == os.getuid() and stat.S_IMODE(state.st_mode) & 0o077:
            mode = f"{stat.S_IMODE(state.st_mode):04o}"
            raise KeyTooOpen(f"permissions {mode} of {file} are too open: others may read this private key")
        return opened.read(1 << 20)


def public_part(file: str, private: bytes) -> bytes | None:
    """The public key of an encrypted file: inside it, or beside it."""
    for source in (private, _beside(file)):
        try:
            return asyncssh.import_public_key(source).public_data
        except (asyncssh.KeyImportError, ValueError):
            continue
    return None


def _beside(file: str) -> bytes:
    try:
        return Path(f"{file}.pub").read_bytes()
    except OSError:
        return b""
