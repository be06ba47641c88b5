"""The keys of an ssh-agent: asked for once a session, and only when they matter."""

from __future__ import annotations

import os
from collections.abc import Sequence

import asyncssh

from orchestra.engine.ssh.certificates import parse_certificate
from orchestra.engine.ssh.offers import Sign
from orchestra.model.text import clean

NO_AGENT = "none"


class NoAgent(Exception):
    """The agent does not answer; the text says which, and why."""


class Agent:
    """The agent at a socket, or that of the environment, or none."""

    def __init__(self, named: str | None) -> None:
        self.path = (named or os.environ.get("SSH_AUTH_SOCK", "")) if named != NO_AGENT else ""
        self._client: asyncssh.SSHAgentClient | None = None
        self._keys: Sequence[asyncssh.SSHKeyPair] | None = None

    async def keys(self) -> Sequence[asyncssh.SSHKeyPair]:
        """Its keys in its own order. Raises NoAgent."""
        if not self.path:
            return ()
        if self._keys is None:
            try:
                self._client = await asyncssh.connect_agent(self.path)
                self._keys = await self._client.get_keys()
            except (OSError, ValueError) as error:
                why = getattr(error, "strerror", None) or clean(str(error), 100) or "it hung up"
                raise NoAgent(f"the agent at {self.path} does not answer: {why}") from error
        return self._keys

    async def close(self) -> None:
        """Lets it go."""
        self._keys = None
        if self._client is not None:
            self._client.close()
            await self._client.wait_closed()
            self._client = None


def plain_key(pair: asyncssh.SSHKeyPair) -> bytes:
    """The public key in wire form, also of a key that the agent has with a certificate."""
    try:
        certificate = parse_certificate(pair.key_public_data)
    except ValueError:
        certificate = None
    return certificate.key if certificate is not None else pair.key_public_data


def comment(pair: asyncssh.SSHKeyPair) -> str:
    """What its owner calls a key."""
    return clean(pair.get_comment(errors="replace") or "key", 60)


def signer(pair: asyncssh.SSHKeyPair) -> Sign:
    """Has the agent sign."""

    async def sign(data: bytes, algorithm: bytes) -> bytes:
        pair.set_sig_algorithm(algorithm)
        signing: asyncssh.SSHAgentKeyPair = pair  # type: ignore[assignment]  # an agent gives no others
        return await signing.sign_async(data)

    return sign
