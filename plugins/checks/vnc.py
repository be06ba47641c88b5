"""``check: vnc``: the handshake of RFB (RFC 6143 section 7.1), to the end of the login where that is possible.

VNC servers count clients that connect and leave, and lock their address out after a few (TigerVNC after five). A login
clears the count: one without a password, or with the file's. Where the server wants one that the file has not, the
handshake is left there, so that such a server should not be checked with ``every``.
"""

from __future__ import annotations

import re

from pydantic import Field

from orchestra.loading import Secret
from orchestra.model.text import clean
from orchestra.session import NoAnswer

from .conversing import Conversing, Dialogue
from .fields import Fields

NONE, PASSWORD = 1, 2
"""Kinds of logins (section 7.1.2)."""


class Vnc(Fields):
    """Who asks."""

    password: Secret | None = Field(None, description="What it wants for a login; default: nothing is given.")


def response(password: bytes, challenge: bytes) -> bytes:
    """The answer to a challenge (section 7.2.2): DES, whose key is the password's first eight bytes, each with its bits
    the other way round. Three times the same key make DES of triple DES."""
    from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
    from cryptography.hazmat.primitives.ciphers import Cipher, modes

    key = bytes(int(f"{byte:08b}"[::-1], 2) for byte in password[:8].ljust(8, b"\0"))
    return Cipher(TripleDES(key * 3), modes.ECB()).encryptor().update(challenge)  # noqa: S305 - it is the protocol's


class Handshake(Dialogue[Vnc]):
    """The versions, the kinds of logins that the server offers, and one of them."""

    async def hold(self) -> bytes:
        version = await self._version()
        kinds = await self._kinds(version)
        if self.wanted.password is not None:
            if PASSWORD not in kinds:
                raise NoAnswer("it does not ask for a password")
            self._choose(PASSWORD, version)
            challenge = await self.talk.exactly(16, "its challenge")
            self.talk.say(response(await self.context.read_secret(self.wanted.password), challenge))
            await self._logged_in(version)
        elif NONE in kinds and version >= (3, 8):
            self._choose(NONE, version)
            await self._logged_in(version)
        return b""

    async def _version(self) -> tuple[int, int]:
        greeting = await self.talk.exactly(12, "its RFB version")
        match = re.fullmatch(rb"RFB (\d{3})\.(\d{3})\n", greeting)
        if match is None:
            raise NoAnswer(f"this is not VNC: it greeted with {clean(greeting)!r}")
        version = min((int(match[1]), int(match[2])), (3, 8))
        self.talk.say(b"RFB %03d.%03d\n" % version)
        return version

    async def _kinds(self, version: tuple[int, int]) -> bytes:
        """Those that it offers; before 3.7 it decides by itself."""
        what = "its kinds of logins"
        if version < (3, 7):
            kinds = (await self.talk.exactly(4, what)).lstrip(b"\0")
        else:
            kinds = await self.talk.exactly((await self.talk.exactly(1, what))[0], what)
        if not kinds:
            raise NoAnswer(f"it refuses: {await self._why()}")
        return kinds

    def _choose(self, kind: int, version: tuple[int, int]) -> None:
        if version >= (3, 7):
            self.talk.say(bytes((kind,)))

    async def _logged_in(self, version: tuple[int, int]) -> None:
        if await self.talk.exactly(4, "the result of the login") != bytes(4):
            why = f": {await self._why()}" if version >= (3, 8) else ""
            raise NoAnswer(f"it refuses the login{why}")

    async def _why(self) -> str:
        size = int.from_bytes(await self.talk.exactly(4, "why it refuses"))
        return clean(await self.talk.exactly(min(size, 200), "why it refuses"))


def vnc() -> Conversing[Vnc]:
    """A VNC server."""
    return Conversing("vnc", Handshake, Vnc)
