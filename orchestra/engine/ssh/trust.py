"""Whether a server is the one that was meant: what is known of its host key, what it shows, who vouches for that."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import asyncssh

from orchestra.engine.ssh import knownhosts, refusals
from orchestra.engine.ssh.algorithms import assemble
from orchestra.engine.ssh.certificates import SIGNATURES, parse_certificate
from orchestra.engine.ssh.hostkeys import (
    KnownKey,
    ShownKey,
    TrustedKeys,
    Verdict,
    judge,
    lookup_name,
    parse,
    pinned,
    public_line,
    rsa_bits,
    select,
    unreadable,
)
from orchestra.engine.ssh.internals import decode_host_key, host_key_algorithms
from orchestra.engine.ssh.knownhostscommand import known_hosts_of_command
from orchestra.engine.ssh.refusals import About
from orchestra.engine.ssh.revocations import Revocations, parse_revocations
from orchestra.engine.vouching import is_vouched_for
from orchestra.model.address import SSH_PORT
from orchestra.model.text import clean
from orchestra.model.topology import ConfigSettings, Host, SshSettings
from orchestra.plugin.interfaces import Ask, Identity, OpenRequest, Question
from orchestra.session.errors import OpenFailed

SMALLEST_RSA = 1024
"""Bits; ssh_config(5) RequiredRSASize."""


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


class Verifier:
    """Knows what is trusted for one server, and keeps what it showed."""

    def __init__(self, request: OpenRequest, settings: SshSettings, user: str) -> None:
        self.name, self.port = host_key_name(request.server, request.dial.host), settings.port or SSH_PORT
        # an alias is looked up as it is written, without a port (ssh_config(5), HostKeyAlias)
        self._filed_port = SSH_PORT if settings.host_key_name else self.port
        self.about = About(request.server.name, request.dial, self.name, lookup_name(self.name, self._filed_port))
        self.trusted = TrustedKeys(self.name)
        self._settings, self._config = settings, settings.config or ConfigSettings()
        self._request, self._user = request, user
        self._everything: tuple[KnownKey, ...] = ()
        self._broken: tuple[str, ...] = ()
        """Lines that were passed over, one of which may have been meant."""
        self._revocations = Revocations()
        self._accepted: KnownKey | None = None
        self._new: ShownKey | None = None
        self._shown: ShownKey | None = None
        self._verdict = Verdict("unknown")
        self._problem: OpenFailed | None = None

    async def load(self, shown: ShownKey | None = None) -> None:
        """Reads what is known; a key that is shown already is told to KnownHostsCommand. Raises OpenFailed."""
        await asyncio.to_thread(self._read_files)
        lines = await known_hosts_of_command(self._settings, self.about, self._user, shown)
        self._everything += tuple(parse(lines, "KnownHostsCommand"))
        self._select()

    def _select(self) -> None:
        settings = self._settings
        found = select(self._everything, self.name, self._filed_port)
        if settings.host_key:
            place = settings.place
            pins = pinned(settings.host_key, self.name, f"{place.file}:{place.line}" if place else "the topology")
            # what a topology trusts does not take back what the user or the owner of this machine has revoked
            found = replace(pins, revoked=found.revoked)
        if self._accepted is not None:
            found = replace(found, keys=(self._accepted, *found.keys), by_bare_name=False)
        self.trusted = found

    def validate(self, blob: bytes) -> asyncssh.SSHKey:
        """What asyncssh is to believe of the key that the server shows. Raises HostKeyNotVerifiable; :meth:`refusal`
        says why."""
        try:
            key, certificate = decode_host_key(blob), parse_certificate(blob)
        except (asyncssh.KeyImportError, ValueError) as error:
            self._problem = refusals.unreadable_key(self.about, clean(str(error), 100))
            raise asyncssh.HostKeyNotVerifiable("it cannot be read") from None
        shown = self._shown = ShownKey(key.public_data, certificate)
        self._verdict = self._judge(shown)
        self._problem = self._fault(shown, self._verdict)
        if self._problem is not None:
            raise asyncssh.HostKeyNotVerifiable(self._verdict.standing)
        return key

    def _judge(self, shown: ShownKey) -> Verdict:
        signatures = assemble(self._config.ca_signature_algorithms, SIGNATURES, (*SIGNATURES, "ssh-rsa"))
        return judge(shown, self.trusted, self._revocations, time.time(), signatures)

    def _fault(self, shown: ShownKey, verdict: Verdict) -> OpenFailed | None:
        smallest = self._config.required_rsa_size or SMALLEST_RSA
        if (bits := rsa_bits(shown.blob)) and bits < smallest:
            return refusals.too_short(self.about, shown, bits, smallest)
        match verdict.standing:
            case "known":
                return None
            case "revoked":
                return refusals.revoked(self.about, shown, verdict, self._config.revoked_host_keys)
            case "changed":
                return refusals.changed(self.about, shown, verdict, pinned=self.trusted.pinned)
            case "unknown" if self._settings.host_key_policy == "accept-new" and not self.trusted.pinned:
                return self._accept_new(shown)
            case _:
                return refusals.unknown(self.about, shown, verdict, self.trusted, self._broken)

    def _accept_new(self, shown: ShownKey) -> OpenFailed | None:
        try:
            knownhosts.file_to_write(self._settings)
        except knownhosts.CannotKeep as error:
            return refusals.cannot_keep(self.about, shown, str(error))
        self._new = shown
        return None

    def algorithms(self) -> list[str]:
        """What to ask for: certificates where an authority is known, then what is known, then the rest."""
        kinds = [key.algorithm for key in self.trusted.keys]
        spec = self._config.host_key_algorithms
        return host_key_algorithms(spec, kinds, authorities=bool(self.trusted.authorities))

    def refusal(self) -> OpenFailed:
        """Why the server's key was not accepted."""
        assert self._problem is not None  # noqa: S101 - asked after a refusal
        return self._problem

    async def reconsider(self, ask: Ask) -> bool:
        """After a refusal: whether what was shown is vouched for by now, by KnownHostsCommand, which wants to see it,
        or by a person. Then the server is dialed anew, so that neither's time is taken from its patience."""
        shown = self._shown
        if shown is None or self._verdict.standing not in {"unknown", "uncertified"} or self._problem is None:
            return False
        if self._config.known_hosts_command:
            await self.load(shown)
            self._verdict = self._judge(shown)
            if self._verdict.standing == "known":
                return True
        if self._settings.host_key_policy in {"strict", "accept-new"} or self.trusted.pinned:
            return False
        if not await is_vouched_for(shown.fingerprint, self._question(shown), ask):
            return False
        await self._accept(shown)
        return True

    def _question(self, shown: ShownKey) -> Question:
        also = [key for key in self._everything if key.blob == shown.blob and not key.marker]
        return Question(
            kind="host-key",
            host=self.about.server,
            subject=f"{self.about.filed} {shown}",
            text=refusals.question(self.about, shown, self._verdict, also),
            echo=True,
        )

    async def _accept(self, shown: ShownKey) -> None:
        """A person has vouched for it: as in ssh, it is written at once, whether or not we are let in."""
        self._accepted = KnownKey("", self.about.filed, shown.algorithm, shown.blob, "your answer")
        try:
            file = await asyncio.to_thread(self._write, shown)
        except (knownhosts.CannotKeep, OSError) as error:
            why = clean(_reason(error))
            self._request.notice(f"the host key of {self.about.filed} is trusted for now, and not kept: {why}")
        else:
            self._request.notice(refusals.kept(self.about, shown, file))
        self._select()

    def _write(self, shown: ShownKey) -> str:
        file = knownhosts.file_to_write(self._settings)
        line = public_line(shown.algorithm, shown.blob)
        knownhosts.write(file, self.about.filed, line, hashed=self._config.hash_known_hosts)
        return str(file)

    async def remember(self) -> None:
        """Files a key that was accepted as new, which nobody has looked at: only now, when the server has let us in.
        And says when the certificate that vouched for it expires soon.

        Raises OpenFailed where it cannot be kept: it would be new each time.
        """
        if self._shown and (certificate := self._shown.certificate) and self._verdict.standing == "known":
            vouched = any(key.blob == certificate.authority for key in self._verdict.evidence)
            if vouched and (end := certificate.end(time.time())):
                self._request.notice(f"the host certificate of {self.about.server} {end}: its owner has to renew it")
        if self._new is not None:
            shown, self._new = self._new, None
            self._request.notice(refusals.kept(self.about, shown, await self.keep(shown)))

    async def keep(self, shown: ShownKey) -> str:
        """Writes a key; the file that has it now. Raises OpenFailed."""
        try:
            return await asyncio.to_thread(self._write, shown)
        except (knownhosts.CannotKeep, OSError) as error:
            raise refusals.cannot_keep(self.about, shown, _reason(error)) from error

    def identity(self) -> Identity:
        """What the server has shown, and what that means. Raises OpenFailed when it could not be read."""
        if self._shown is None:
            raise self.refusal()
        return Identity(
            name=self.about.filed,
            key=self._shown.blob,
            algorithm=self._shown.algorithm,
            fingerprint=self._shown.fingerprint,
            standing=self._verdict.standing,
            evidence=tuple(key.where for key in self._verdict.evidence),
            refusal=None if self._verdict.standing == "known" else self._problem,
            question=self._question(self._shown),
            pinned=self.trusted.pinned,
        )

    def _read_files(self) -> None:
        """Raises OpenFailed when a file exists and cannot be read: it may revoke, or know another key."""
        vouching = knownhosts.every_file(self._settings)
        keys: list[KnownKey] = []
        broken: list[str] = []
        for file in dict.fromkeys((*vouching, *knownhosts.usual_files(self._settings))):
            try:
                text = knownhosts.read(file)
            except OSError as error:
                raise refusals.unreadable_file(self.about, file, error) from error
            if file in vouching:
                keys += parse(text, file)
                broken += unreadable(text, file)
            else:
                keys += (key for key in parse(text, file) if key.marker == "revoked")
        self._everything, self._broken = tuple(keys), tuple(broken)
        if (listed := self._config.revoked_host_keys) is not None:
            self._revocations = self._read_revocations(listed)

    def _read_revocations(self, file: str) -> Revocations:
        """As in ssh, nobody is let in on a list that cannot be read."""
        try:
            return parse_revocations(knownhosts.read_bytes(file))
        except OSError as error:
            raise refusals.unreadable_revocations(self.about, file, error.strerror or "") from error
        except ValueError as error:
            raise refusals.unreadable_revocations(self.about, file, str(error)) from error


def _reason(error: Exception) -> str:
    return f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error)
