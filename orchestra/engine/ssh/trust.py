"""Whether a server is the one that was meant: what is known of its host key, and what is said when it differs."""

from __future__ import annotations

import base64
import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import asyncssh

from orchestra.diagnostics import Code
from orchestra.engine.ssh.hostkeys import (
    SSH_PORT,
    KnownKey,
    TrustedKeys,
    fingerprint,
    lookup_name,
    parse,
    pinned,
    select,
)
from orchestra.model.text import clean
from orchestra.model.topology import Host, SshSettings
from orchestra.plugin.interfaces import Notice
from orchestra.session.errors import OpenFailed

GLOBAL_FILE = "/etc/ssh/ssh_known_hosts"


def ssh_folder() -> Path:
    """The user's ``~/.ssh``; an account without a home (a container's bare number) has none that exists."""
    try:
        return Path.home() / ".ssh"
    except RuntimeError:
        return Path("/nonexistent/.ssh")


def user_file() -> Path:
    """The user's known_hosts."""
    return ssh_folder() / "known_hosts"


def host_key_name(server: Host, dialed: str | None) -> str:
    """The name under which a server's key is filed: what the file says, else its host, its name, its own address."""
    settings = server.server.ssh if server.server is not None else SshSettings()
    if named := settings.host_key_name or settings.host:
        return named
    if server.names:
        return server.names[0].text
    addresses = [str(address) for attachment in server.attachments for address in attachment.addresses]
    if dialed is not None and dialed not in addresses and addresses:
        return addresses[0]  # it was dialed at an address of somebody's nat
    return dialed or server.name


def _default_files() -> Iterator[KnownKey]:
    """What ssh reads when nothing is said."""
    for default in (str(user_file()), GLOBAL_FILE):
        with contextlib.suppress(OSError):
            yield from parse(Path(default).read_text("utf-8", "replace"), default)


class Verifier:
    """Knows what is trusted for one server, and keeps what it showed."""

    def __init__(self, settings: SshSettings, server: str, name: str, notice: Notice) -> None:
        self.name, self.port = name, settings.port or SSH_PORT
        self.trusted = TrustedKeys(name)
        self._settings, self._server, self._notice = settings, server, notice
        self._new: tuple[str, bytes] | None = None
        self._problem: OpenFailed | None = None

    def load(self) -> None:
        """Reads the files. Raises OpenFailed when one that the topology names cannot be read."""
        if self._settings.host_key:
            self.trusted = pinned(self._settings.host_key, self.name, "the topology")
        else:
            self.trusted = select(self._known(), self.name, self.port)
        # what a topology trusts does not take back what the user or the owner of this machine has revoked
        revoked = select(_default_files(), self.name, self.port).revoked
        self.trusted = replace(self.trusted, revoked=tuple(dict.fromkeys((*self.trusted.revoked, *revoked))))

    def importable(self, keys: Iterable[KnownKey]) -> list[asyncssh.SSHKey]:
        """Those of them that asyncssh can use."""
        found = []
        for key in keys:
            with contextlib.suppress(asyncssh.KeyImportError):
                found.append(asyncssh.import_public_key(key.line))
        return found

    def accepts(self, blob: bytes, algorithm: str) -> bool:
        """Judges a key that is not among the trusted ones; :meth:`refusal` says why not."""
        shown = f"{algorithm} {fingerprint(blob)}"
        if self.trusted.keys and not self.trusted.by_bare_name:
            self._problem = self._changed(shown)
        elif self._settings.host_key_policy == "accept-new" and not self.trusted.pinned:
            self._new = (algorithm, blob)
            return True
        else:
            self._problem = self._unknown(shown, f"{algorithm} {base64.b64encode(blob).decode()}")
        return False

    def remember(self) -> None:
        """Files a key that was accepted as new, by one append, as ssh does; the session is authenticated by now."""
        if self._new is None:
            return
        algorithm, blob = self._new
        file = Path(self._settings.known_hosts[0]) if self._settings.known_hosts else user_file()
        name = lookup_name(self.name, self.port)
        line = f"{name} {algorithm} {base64.b64encode(blob).decode()}\n"
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600), "r+b") as opened:
            if (size := opened.seek(0, os.SEEK_END)) and os.pread(opened.fileno(), 1, size - 1) != b"\n":
                line = "\n" + line
            opened.write(line.encode())
        self._notice(f"the host key of {name} was new and is kept in {file}: {algorithm} {fingerprint(blob)}")

    def refusal(self, why: str) -> OpenFailed:
        """Why the server's key was not accepted; ``why`` is asyncssh's word where it judged by itself."""
        if self._problem is not None:
            return self._problem
        if "revoked" in why.lower() and self.trusted.revoked:
            where = ", ".join(key.where for key in self.trusted.revoked)
            what = f"the host key of {self._server} ({self.name}) is revoked at {where}"
            hint = "do not connect; ask whoever runs the server for its new key"
            return OpenFailed(Code.HOST_KEY_REVOKED, what, host=self._server, suggestion=hint)
        what = f"the host certificate of {self._server} ({self.name}) is not accepted: {clean(why, 200)}"
        return OpenFailed(Code.HOST_KEY_UNKNOWN, what, host=self._server)

    def _known(self) -> Iterable[KnownKey]:
        for file in self._settings.known_hosts:
            try:
                yield from parse(Path(file).read_text("utf-8", "replace"), file)
            except OSError as error:
                if self._settings.host_key_policy == "accept-new" and isinstance(error, FileNotFoundError):
                    continue
                what = f"{self._server}: known_hosts {file}: {error.strerror}"
                raise OpenFailed(Code.HOST_KEY_UNKNOWN, what, host=self._server) from error
        if not self._settings.known_hosts:
            yield from _default_files()

    def _changed(self, shown: str) -> OpenFailed:
        known = ", ".join(f"{key.algorithm} {key.fingerprint} ({key.where})" for key in self.trusted.keys)
        what = f"the host key of {self._server} ({self.name}) has changed: it shows {shown}, known is {known}"
        hint = "somebody may be in between, or the server was set up anew: ask its owner, then replace the old key"
        return OpenFailed(Code.HOST_KEY_CHANGED, what, host=self._server, suggestion=hint)

    def _unknown(self, shown: str, line: str) -> OpenFailed:
        if self.trusted.pinned:
            why = (
                "no authority that the topology names has signed it"
                if self.trusted.authorities
                else "it has no key that can be read"
            )
            what = f"the host key of {self._server} is not vouched for by host_key ({why}); it shows {shown}"
            return OpenFailed(Code.HOST_KEY_UNKNOWN, what, host=self._server, suggestion="compare it with host_key")
        name = lookup_name(self.name, self.port)
        what = f"the host key of {self._server} is unknown: nothing is filed under {name}; it shows {shown}"
        hint = f"compare the fingerprint with the server's own, then write under ssh: {{host_key: {line}}}"
        return OpenFailed(Code.HOST_KEY_UNKNOWN, what, host=self._server, suggestion=hint)
