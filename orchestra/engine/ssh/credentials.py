"""Who we are to a server: only the authentication that the file names; when it names none, as ssh would.

Keys are offered in this order: named identities, a key from a secret, the agent's others; without any named by the
file, the agent's also beside the identities of ssh_config, and the default files where there are none. With each key go
its certificates, first. Passphrases are asked for when the server would take the key.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import field

import asyncssh

from orchestra.diagnostics import Code
from orchestra.engine.ssh import agents, internals
from orchestra.engine.ssh.agents import NO_AGENT, Agent, NoAgent
from orchestra.engine.ssh.answering import Answers
from orchestra.engine.ssh.certificates import parse_certificate
from orchestra.engine.ssh.keyfiles import (
    KeyTooOpen,
    Locked,
    NoKey,
    is_public,
    mended,
    open_private,
    public_part,
    read_private,
)
from orchestra.engine.ssh.knownhosts import ssh_folder
from orchestra.engine.ssh.offers import Offer, OfferedKey, Sign, excluded, local, offer
from orchestra.model.frozen import dataclass
from orchestra.model.text import clean
from orchestra.model.topology import ConfigSettings, SshSettings
from orchestra.plugin.interfaces import Ask, Notice, Question, ReadSecret
from orchestra.session.errors import OpenFailed

DEFAULT_FILES = ("id_ed25519", "id_ed25519_sk", "id_ecdsa", "id_ecdsa_sk", "id_rsa")


@dataclass(slots=True)
class Remarks:
    """What a failure will have to say of the credentials: why something was left out, and what to do about it."""

    texts: list[str] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)

    def add(self, text: str, hint: str | None = None) -> None:
        """Says it once."""
        if text not in self.texts:
            self.texts.append(text)
        if hint is not None:
            self.hints.append(hint)


@dataclass(slots=True)
class Credentials:
    """What will be offered. ``close`` ends the conversation with the agent, which signs until then."""

    answers: Answers
    agent: Agent
    offers: list[Offer] = field(default_factory=list)
    remarks: Remarks = field(default_factory=Remarks)
    is_named: bool = False
    """The file names who we are; a person is asked then only for what the server wants besides."""
    has_signed: bool = False
    """The server has had a signature: what it asks for after that, it asks for besides."""

    async def close(self) -> None:
        """Lets the agent go, and what was read."""
        self.offers.clear()
        self.answers.forget()
        await self.agent.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """How things outside are asked for: secrets by ``read_secret``, a person by ``ask``; ``notice`` tells."""

    read_secret: ReadSecret
    notice: Notice
    ask: Ask


async def gather(settings: SshSettings, user: str, server: str, asking: Asking) -> Credentials:
    """Reads what the settings name. Raises OpenFailed: AUTH_FAILED or SECRET_UNAVAILABLE."""
    config, remarks = settings.config or ConfigSettings(), Remarks()
    answers = Answers(f"{user}@{server}", server, config, ask=asking.ask, notice=asking.notice, remark=remarks.add)
    found = Credentials(answers, Agent(settings.agent), remarks=remarks)
    try:
        await _Gatherer(settings, config, user, server, asking, found).run()
    except BaseException:
        await found.close()
        raise
    return found


@dataclass(slots=True)
class _Gatherer:
    settings: SshSettings
    config: ConfigSettings
    user: str
    server: str
    asking: Asking
    found: Credentials
    _passphrase: bytes | None = None
    _shown: set[bytes] = field(default_factory=set)

    async def run(self) -> None:
        settings, origins = self.settings, self.config.origins
        lenient = not settings.identity or "identity" in origins  # as ssh is about what ssh_config names
        named_agent = settings.agent not in {None, NO_AGENT} and "agent" not in origins
        self.found.is_named = bool(not lenient or settings.private_key or settings.password or named_agent)
        if self.config.pubkey_authentication:
            await self._add_keys(lenient=lenient, named_agent=named_agent)
        if settings.password is not None:
            secret = await self.asking.read_secret(settings.password)
            self.found.answers.give(secret.decode("utf-8", "surrogateescape"))

    async def _add_keys(self, *, lenient: bool, named_agent: bool) -> None:
        settings, is_named = self.settings, self.found.is_named
        if settings.passphrase is not None:
            self._passphrase = await self.asking.read_secret(settings.passphrase)
        for file in settings.identity:
            await self._add_file(file, lenient=lenient)
        if settings.private_key is not None:
            data = mended(await self.asking.read_secret(settings.private_key))
            await self._add_key(f"private_key of {self.server}", data)
        if named_agent or not (is_named or self.config.identities_only):
            await self._add_agent_keys(named=named_agent)
        if not (is_named or settings.identity or "identity" in self.config.origins):  # there: IdentityFile none
            for name in DEFAULT_FILES:
                await self._add_file(str(ssh_folder() / name), lenient=True)

    async def _add_file(self, file: str, *, lenient: bool) -> None:
        try:
            data = await asyncio.to_thread(read_private, file)
        except OSError as error:
            data = b""  # its public part may stand beside it, and the agent may have the other
            if not await self._add_from_agent(file, data) and not lenient:
                raise self._failed(f"identity {file}: {error.strerror or error}") from error
            return
        except KeyTooOpen as error:
            if not lenient:
                raise self._failed(str(error), f"chmod 600 {file}") from error
            self.asking.notice(f"{error}; it is not used")
            return
        try:
            await self._add_key(file, data)
        except OpenFailed as error:
            if not lenient:
                raise
            self.found.remarks.add(str(error).removeprefix(f"{self.server}: "))

    async def _add_key(self, name: str, data: bytes) -> None:
        """Raises OpenFailed when it is no key that can be used."""
        if await asyncio.to_thread(is_public, data):
            if not await self._add_from_agent(name, data):
                hint = "add its private part to the agent, or name the file of that"
                raise self._failed(f"identity {name} is a public key, and the agent does not have the other part", hint)
            return
        try:
            key = await asyncio.to_thread(open_private, data, self._passphrase)
        except NoKey as error:
            raise self._failed(f"{name} {error}") from error
        except Locked as error:
            if error.wrong:
                raise self._failed(f"{name}: the passphrase is wrong") from error
            if not await self._add_from_agent(name, data):
                self._add_locked(name, data)
            return
        self._add(name, OfferedKey(key, self._signs(self._guarded(key, name))))

    def _add_locked(self, name: str, data: bytes) -> None:
        """An encrypted key: offered by its public part, else opened when it is its turn."""

        async def sign(signed: bytes, algorithm: bytes) -> bytes:
            key = await self._unlock(name, data)
            return await self._guarded(key, name)(signed, algorithm)

        async def pair() -> OfferedKey | None:
            try:
                key = await self._unlock(name, data)
            except ValueError:
                return None
            return OfferedKey(key, self._signs(local(key)))

        if (public := public_part(name, data)) is not None:
            self._add(name, OfferedKey(public, self._signs(sign)))
        else:
            self.found.offers.append(Offer(f"{name} (encrypted)", pair))

    async def _unlock(self, name: str, data: bytes) -> asyncssh.SSHKey:
        """Raises ValueError when nobody knows the passphrase."""
        hint, tries = "name its passphrase as a secret, or add the key to the agent", self.config.password_prompts
        for attempt in range(tries):
            again = "wrong, once more the " if attempt else ""
            text = f"{self.server}: {again}passphrase of {clean(name)}:"
            question = Question(kind="passphrase", host=self.server, subject=name, text=text, again=attempt > 0)
            passphrase = await self.asking.ask(question)
            if not passphrase:
                why = "there is nobody to ask for its passphrase" if passphrase is None else "no passphrase was given"
                self.found.remarks.add(f"{name} is encrypted, and {why}", hint)
                raise ValueError(why)
            try:
                return await asyncio.to_thread(open_private, data, passphrase.encode("utf-8", "surrogateescape"))
            except Locked:
                continue
            except NoKey as error:
                self.found.remarks.add(f"{name} {error}")
                raise ValueError(str(error)) from error
        why = f"its passphrase was wrong {tries} times" if tries else "ssh_config wants no questions (BatchMode)"
        self.found.remarks.add(f"{name} is encrypted, and {why}", hint)
        raise ValueError(why)

    # Agents.

    async def _add_agent_keys(self, *, named: bool) -> None:
        path = self.found.agent.path
        try:
            keys = await self.found.agent.keys()
        except NoAgent as error:
            if named:
                raise self._failed(str(error), "is it running, and is this its socket?") from error
            self.found.remarks.add(str(error))
            return
        if path and not keys:
            self.found.remarks.add(
                f"the agent at {path} has no keys, or is locked", "ssh-add -l shows; ssh-add -X unlocks"
            )
        shown = frozenset(self._shown)  # a key that it has twice, with a certificate and without, is shown twice
        for key in keys:
            if agents.plain_key(key) not in shown:
                self._add_agent_key(f"agent's {agents.comment(key)}", key)

    async def _add_from_agent(self, file: str, data: bytes) -> bool:
        """Offers the key of that file by the agent's hand; whether the agent has it."""
        public = await asyncio.to_thread(public_part, file, data)
        if public is None:
            return False
        try:
            keys = await self.found.agent.keys()
        except NoAgent as error:
            self.found.remarks.add(str(error))
            return False
        mine = [key for key in keys if agents.plain_key(key) == public.public_data]
        for key in mine:
            self._add_agent_key(file, key)
        return bool(mine)

    def _add_agent_key(self, name: str, key: asyncssh.SSHKeyPair) -> None:
        async def sign(data: bytes, algorithm: bytes) -> bytes:
            try:
                return await agents.signer(key)(data, algorithm)
            except ValueError:
                hint = "it may want to be unlocked, or the use of the key to be confirmed"
                self.found.remarks.add(f"the agent at {self.found.agent.path} does not sign with {name}", hint)
                raise

        self._add(name, OfferedKey(key, self._signs(sign)))

    # What is offered.

    def _add(self, name: str, pair: OfferedKey) -> None:
        self._shown.add(agents.plain_key(pair))
        pairs = [] if pair.has_cert else [pair.certified(found) for found in self._certificates(pair, name)]
        for each in (*pairs, pair):
            if (why := excluded(each, self.config)) is not None:
                self.found.remarks.add(f"{name} is not offered: {why}")
                continue
            kind = pair.key_algorithm.decode()
            self.found.offers.append(offer(f"{name} ({kind}{', certified' if each is not pair else ''})", each))

    def _signs(self, sign: Sign) -> Sign:
        """Notes that there was a signature."""

        async def signing(data: bytes, algorithm: bytes) -> bytes:
            signature = await sign(data, algorithm)
            self.found.has_signed = True
            return signature

        return signing

    def _guarded(self, key: asyncssh.SSHKey, name: str) -> Sign:
        """Signs with the key; a security key wants to be touched, and a library that talks to it."""
        if not key.algorithm.startswith(b"sk-"):
            return local(key)

        async def sign(data: bytes, algorithm: bytes) -> bytes:
            if not internals.HAS_FIDO2:
                hint = "pip install 'asyncssh[fido2]', or add the key to an agent"
                self.found.remarks.add(f"{name} is on a security key, which needs the library fido2", hint)
                raise ValueError("fido2 is missing")
            self.asking.notice(f"touch the security key for {name}")
            return await local(key)(data, algorithm)

        return sign

    def _certificates(self, pair: OfferedKey, name: str) -> Sequence[asyncssh.SSHCertificate]:
        """The certificates of that key: named ones, and the one beside its file, as ssh finds it."""
        found: list[asyncssh.SSHCertificate] = []
        for file in (*self.settings.certificate, f"{name}-cert.pub"):
            try:
                certificate = asyncssh.read_certificate(file)
            except OSError as error:
                if file in self.settings.certificate and "certificate" not in self.config.origins:
                    raise self._failed(f"certificate {file}: {error.strerror or error}") from error
                continue
            except (asyncssh.KeyImportError, ValueError) as error:
                raise self._failed(f"certificate {file} cannot be read: {clean(str(error), 100)}") from error
            is_ours = certificate.key.public_data == pair.key_public_data
            if is_ours and certificate not in found and self._holds(certificate, file):
                found.append(certificate)
        return found

    def _holds(self, certificate: asyncssh.SSHCertificate, file: str) -> bool:
        """Whether it is worth showing; what speaks against it is said before anything is dialed."""
        parsed = parse_certificate(certificate.public_data)
        if parsed is None:
            return False
        now = time.time()
        if (fault := parsed.user_fault(now)) is not None:
            self._doubt(f"certificate {file} {fault}: it is not offered", "have the key signed anew")
            return False
        if (end := parsed.end(now)) is not None:
            self.asking.notice(f"certificate {file} {end}: have the key signed anew before the session is opened again")
        if self.user not in parsed.principals:
            whom = clean(", ".join(parsed.principals[:5]), 200) or "nobody by name"
            self._doubt(
                f"certificate {file} is for {whom}, not for {self.user}; the server may see it otherwise",
                f"log in as whom the certificate is for (user:), or have the key signed for {self.user}",
            )
        return True

    def _doubt(self, text: str, hint: str) -> None:
        self.asking.notice(text)
        self.found.remarks.add(text, hint)

    def _failed(self, what: str, hint: str | None = None) -> OpenFailed:
        return OpenFailed(Code.AUTH_FAILED, f"{self.server}: {what}", host=self.server, suggestion=hint)
