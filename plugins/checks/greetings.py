"""Services that greet whoever connects, in lines. Each is told goodbye in its own words.

=======  ======================  ==============  ================================
check    a good greeting         goodbye         source
=======  ======================  ==============  ================================
smtp     ``220``, perhaps long   ``QUIT``        RFC 5321 sections 3.1 and 4.2.1
pop3     ``+OK``                 ``QUIT``        RFC 1939 section 4
imap     ``* OK``, ``* PREAUTH``  ``a LOGOUT``   RFC 9051 section 7.1
ftp      ``220``, perhaps long   ``QUIT``        RFC 959 sections 4.2 and 5.4
=======  ======================  ==============  ================================
"""

from __future__ import annotations

import re
from typing import ClassVar

from orchestra.model.text import clean
from orchestra.session import NoAnswer

from .conversing import Conversing, Dialogue
from .fields import Tls

MOST_LINES = 100


class Greeting(Dialogue[Tls]):
    """Hears the greeting, to its end: who speaks before a mail server has finished is taken for a spammer."""

    good: ClassVar[re.Pattern[bytes]]
    unfinished: ClassVar[re.Pattern[bytes]] = re.compile(rb"(?!)")
    farewell: ClassVar[bytes] = b"QUIT\r\n"

    async def hold(self) -> bytes:
        for _ in range(MOST_LINES):
            line = await self.talk.line("its greeting")
            if not self.good.match(line):
                raise NoAnswer(f"it greeted with {clean(line, 200)!r}")
            if not self.unfinished.match(line):
                return self.farewell
        raise NoAnswer(f"its greeting has more than {MOST_LINES} lines")


class Ready(Greeting):
    """Of SMTP and FTP."""

    good = re.compile(rb"220([ -]|$)")
    unfinished = re.compile(rb"220-")


class Pop3(Greeting):
    """Of POP3."""

    good = re.compile(rb"\+OK")


class Imap(Greeting):
    """Of IMAP."""

    good = re.compile(rb"\* (OK|PREAUTH)\b", re.IGNORECASE)
    farewell = b"a LOGOUT\r\n"


def smtp() -> Conversing[Tls]:
    """A mail server."""
    return Conversing("smtp", Ready, Tls)


def ftp() -> Conversing[Tls]:
    """A file server."""
    return Conversing("ftp", Ready, Tls)


def pop3() -> Conversing[Tls]:
    """A mailbox."""
    return Conversing("pop3", Pop3, Tls)


def imap() -> Conversing[Tls]:
    """A mailbox."""
    return Conversing("imap", Imap, Tls)
