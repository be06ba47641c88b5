"""Where ``--http`` listens: an address of this machine, on loopback unless it is exposed on purpose."""

from __future__ import annotations

import errno
import os
import socket
from typing import Self

from orchestra.diagnostics import Code
from orchestra.errors import RuntimeFailure, UsageError
from orchestra.model.address import (
    LOCALHOST,
    WILDCARD,
    AddressError,
    Endpoint,
    is_loopback,
    parse_address,
    parse_ip,
)
from orchestra.model.frozen import dataclass
from orchestra.session.holders import holder_of

_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class HttpAddress:
    """``host`` is a literal, or ``*``; ``port`` 0 is any free one."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str, *, exposed: bool = False) -> Self:
        """``127.0.0.1:9090``, ``[::1]:9090``, ``9090``, ``*:9090``. ``exposed``: others may be let in.

        Raises UsageError.
        """
        try:
            found = parse_address(text, listening=True)
        except AddressError as error:
            raise UsageError(f"--http {text}: {error}") from error
        if not isinstance(found, Endpoint) or found.port is None:
            raise UsageError(f"--http {text}: write an address and a port, as in --http 127.0.0.1:9090")
        host = _LOOPBACK if found.host in (None, LOCALHOST) else found.host
        assert host is not None  # noqa: S101 - for mypy
        if host != WILDCARD and parse_ip(host) is None:
            raise UsageError(f"--http {text}: write an address of this machine, as in --http 127.0.0.1:9090")
        if not is_loopback(host) and not exposed:
            raise UsageError(
                f"--http {text} would be open to other machines, and HTTP hides nothing on the way: listen on "
                "127.0.0.1, or say --http-exposed too"
            )
        return cls(host, found.port)

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can connect."""
        return is_loopback(self.host)

    def bind(self) -> socket.socket:
        """A socket that listens there. Raises RuntimeFailure."""
        try:
            if self.host != WILDCARD:
                family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
                return socket.create_server((self.host, self.port), family=family)
            if socket.has_dualstack_ipv6():
                return socket.create_server(("", self.port), family=socket.AF_INET6, dualstack_ipv6=True)
            return socket.create_server(("", self.port))
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            holder = holder_of(self.port) if taken else None
            what = f"it is held by {holder}" if holder else os.strerror(error.errno or 0)
            message = f"cannot listen on {Endpoint(self.host, self.port)} for --http: {what}"
            code = Code.LISTEN_IN_USE if taken else Code.LISTEN_FAILED
            raise RuntimeFailure(code, message, suggestion="port 0 takes any that is free") from error

    def url(self, port: int) -> str:
        """What a browser of this machine is given. ``port``: the one that was bound."""
        return f"http://{Endpoint(_LOOPBACK if self.host == WILDCARD else self.host, port)}/"


def is_literal(host: str) -> bool:
    """Whether the header ``Host`` names this machine by an address, or as ``localhost``: a name may be anybody's, who
    lets it lead here to read with the browser of who asked for it (DNS rebinding)."""
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return name.lower() == LOCALHOST or parse_ip(name) is not None
