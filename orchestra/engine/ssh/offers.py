"""What is offered to a server: public keys first; a private key is opened, and its passphrase asked for, only when the
server has said that it would take that key."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import asyncssh

from orchestra.engine.ssh.algorithms import assemble
from orchestra.engine.ssh.certificates import SUFFIX
from orchestra.engine.ssh.hostkeys import rsa_bits
from orchestra.model.frozen import dataclass
from orchestra.model.topology import ConfigSettings

Sign: TypeAlias = Callable[[bytes, bytes], Awaitable[bytes]]
"""Signs data by a signature algorithm. Raises ValueError when that cannot be done; why has been remarked then."""


class OfferedKey(asyncssh.SSHKeyPair):
    """A public key, and what signs with its private part, wherever that is."""

    def __init__(self, like: asyncssh.SSHKey | asyncssh.SSHKeyPair, sign: Sign) -> None:
        algorithm, names = like.algorithm, like.sig_algorithms
        super().__init__(algorithm, like.sig_algorithms[0], names, names, like.public_data, None)
        self._sign = sign

    @property
    def has_cert(self) -> bool:
        """Also when the certificate came with the key, as agents keep them."""
        return self.algorithm.decode().endswith(SUFFIX)

    async def sign_async(self, data: bytes) -> bytes:
        """asyncssh asks for this where a key has it; a ValueError makes it go on to the next key."""
        return await self._sign(data, self.sig_algorithm)

    def certified(self, certificate: asyncssh.SSHCertificate) -> OfferedKey:
        """The same key with that certificate."""
        twin = copy.copy(self)
        twin.set_certificate(certificate)
        return twin


@dataclass(frozen=True, slots=True)
class Offer:
    """One key to be shown to the server, and what people call it. ``pair`` gives None when there is none after all."""

    name: str
    pair: Callable[[], Awaitable[OfferedKey | None]]


def offer(name: str, pair: OfferedKey) -> Offer:
    """A key that is at hand."""

    async def give() -> OfferedKey:
        return pair

    return Offer(name, give)


def local(key: asyncssh.SSHKey) -> Sign:
    """Signs with an open private key."""

    async def sign(data: bytes, algorithm: bytes) -> bytes:
        if key.use_executor:  # it may wait for a touch
            return await asyncio.to_thread(key.sign, data, algorithm)
        return key.sign(data, algorithm)

    return sign


def excluded(pair: asyncssh.SSHKeyPair, config: ConfigSettings) -> str | None:
    """Why ssh_config keeps a key from being used; None when it does not. Narrows what the key signs with.

    PubkeyAcceptedAlgorithms and RequiredRSASize of ssh_config(5).
    """
    bits = rsa_bits(pair.key_public_data)
    if bits is not None and config.required_rsa_size is not None and bits < config.required_rsa_size:
        return f"it has {bits} bits, RequiredRSASize asks for {config.required_rsa_size}"
    if config.pubkey_algorithms is None:
        return None
    accepted = {name: _listed(name.decode(), certified=pair.has_cert) for name in pair.sig_algorithms}
    allowed = assemble(config.pubkey_algorithms, tuple(accepted.values()), accepted.values())
    pair.sig_algorithms = [name for name, listed in accepted.items() if listed in allowed]
    return None if pair.sig_algorithms else "PubkeyAcceptedAlgorithms leaves it out"


def _listed(algorithm: str, *, certified: bool) -> str:
    """As ssh_config(5) lists it: with a certificate, the vendor's name goes behind."""
    return algorithm.removesuffix("@openssh.com") + SUFFIX if certified else algorithm
