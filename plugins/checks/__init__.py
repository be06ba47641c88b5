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
from importlib import import_module
from typing import TYPE_CHECKING, Any

from orchestra.plugin import hookimpl
from orchestra.plugin.vocabulary import CheckSpec, model_of

if TYPE_CHECKING:
    from orchestra.plugin.interfaces import Check, TunnelContext

_HOMES = {
    "banner": "banner.banner",
    "command": "command.CommandCheck",
    "dns": "dns.DnsCheck",
    "ftp": "greetings.ftp",
    "http": "http.http",
    "https": "http.https",
    "imap": "greetings.imap",
    "pop3": "greetings.pop3",
    "postgres": "postgres.postgres",
    "redis": "redis.redis",
    "smtp": "greetings.smtp",
    "ssh": "ssh.ssh",
    "vnc": "vnc.vnc",
}
"""What makes the check of each name."""
_KINDS = {"command": ("tcp", "udp", "socks"), "dns": ("tcp", "udp")}


class Deferred:
    """A check whose module is imported for a file that uses it: there are many, and a file uses few."""

    def __init__(self, name: str) -> None:
        kinds = _KINDS.get(name, ("tcp",))
        self.spec = CheckSpec(name=name, kinds=kinds, fields=self._fields, package="orchestra-tunnels")

    async def run(self, context: TunnelContext) -> None:
        """See :class:`~orchestra.plugin.interfaces.Check`."""
        await self.made().run(context)

    def made(self) -> Check:
        """The check itself."""
        module, maker = _HOMES[self.spec.name].split(".")
        check: Check = getattr(import_module(f".{module}", __name__), maker)()
        return check

    def _fields(self) -> type[Any]:
        fields = self.made().spec.fields
        assert fields is not None  # noqa: S101 - each has some
        return model_of(fields)


@hookimpl
def orchestra_checks() -> Iterable[Check]:
    """One for each protocol."""
    return [Deferred(name) for name in _HOMES]
