"""Health checks that speak with the target: a tunnel is proven when what is behind it answers as such a service does.

====================  =======================================================================
banner                what the target says first, or to a text, against an expression
ssh                   both identifications, and a goodbye
http, https           a request; status and page
smtp, pop3, imap, ftp  the greeting, and a goodbye
vnc                   the handshake of RFB
dns                   a question
postgres, redis       what these say before a login, or after one
command               a program of this machine, with the tunnel's variables
====================  =======================================================================

None is connected to and left: each server is told goodbye as its protocol has it.
"""

from __future__ import annotations

from collections.abc import Iterable

from orchestra.plugin import hookimpl
from orchestra.plugin.interfaces import Check

from .banner import Banner, Spoken
from .command import CommandCheck
from .conversing import Conversing
from .dns import DnsCheck
from .fields import Fields, Tls
from .greetings import Imap, Pop3, Ready
from .http import Http, Https, Page
from .postgres import Negotiation, Postgres
from .redis import Ping, Redis
from .ssh import Ssh
from .vnc import Handshake, Vnc


@hookimpl
def orchestra_checks() -> Iterable[Check]:
    """One for each protocol."""
    return [
        Conversing("banner", Spoken, Banner),
        CommandCheck(),
        DnsCheck(),
        Conversing("ftp", Ready, Tls),
        Conversing("http", Page, Http),
        Conversing("https", Page, Https),
        Conversing("imap", Imap, Tls),
        Conversing("pop3", Pop3, Tls),
        Conversing("postgres", Negotiation, Postgres),
        Conversing("redis", Ping, Redis),
        Conversing("smtp", Ready, Tls),
        Conversing("ssh", Ssh, Fields),
        Conversing("vnc", Handshake, Vnc),
    ]
