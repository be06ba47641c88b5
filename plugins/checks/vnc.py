"""``check: vnc``: the handshake of RFB (RFC 6143 section 7.1), as far as it goes without a password.

VNC servers count clients that connect and leave, and lock their address out after a few. Where a server asks for no
password the handshake is finished, which clears the count; where it asks for one it is left there, so that such a
server should not be checked with ``every``.
"""

from __future__ import annotations

import re

from orchestra.model.text import clean
from orchestra.session import NoAnswer

from .conversing import Dialogue
from .fields import Fields

NONE = 1
"""The security type without a password (section 7.2.1)."""


class Vnc(Dialogue[Fields]):
    """The versions, and the kinds of logins that the server offers."""

    async def hold(self) -> bytes:
        talk = self.talk
        greeting = await talk.exactly(12, "its RFB version")
        match = re.fullmatch(rb"RFB (\d{3})\.(\d{3})\n", greeting)
        if match is None:
            raise NoAnswer(f"this is not VNC: it greeted with {clean(greeting)!r}")
        version = min((int(match[1]), int(match[2])), (3, 8))
        talk.say(b"RFB %03d.%03d\n" % version)
        if version < (3, 7):
            kind = int.from_bytes(await talk.exactly(4, "its kind of login"))
            kinds = bytes((kind,)) if 0 < kind < 256 else b""
        else:
            kinds = await talk.exactly((await talk.exactly(1, "its kinds of logins"))[0], "its kinds of logins")
        if not kinds:
            size = int.from_bytes(await talk.exactly(4, "why it refuses"))
            why = await talk.exactly(min(size, 200), "why it refuses")
            raise NoAnswer(f"it refuses: {clean(why)}")
        if NONE in kinds and version >= (3, 8):
            talk.say(bytes((NONE,)))
            if await talk.exactly(4, "the result of the login") != bytes(4):
                raise NoAnswer("it asks for no login, and refuses it")
        return b""
