"""What the operating system says, as refusals for people: the one place where OSError of sockets is translated."""

from __future__ import annotations

import errno
import os
import socket

from orchestra.diagnostics import Code
from orchestra.model.address import Endpoint
from orchestra.model.text import clean
from orchestra.model.topology import Protocol
from orchestra.session.errors import BindRefused, DialRefused
from orchestra.session.holders import holder_of

_TIMED_OUT = frozenset({errno.ETIMEDOUT, errno.EHOSTDOWN})
_NOT_PERMITTED = frozenset({errno.EACCES, errno.EPERM})


def dial_refused(dialer: str, address: str, error: OSError) -> DialRefused:
    """Why a dial from this machine failed. ``address`` is what was dialed, as people write it."""
    code, what, hint = _judge_dial(address, error)
    return DialRefused(code, f"{dialer} dials {address}: {what}", host=dialer, suggestion=hint)


def _judge_dial(address: str, error: OSError) -> tuple[Code, str, str | None]:
    if isinstance(error, socket.gaierror):
        return Code.NAME_UNRESOLVED, f"the name does not resolve ({error.strerror})", "check the name and the resolver"
    if isinstance(error, ConnectionRefusedError):
        return Code.CONNECT_REFUSED, "connection refused", f"is something listening on {address}?"
    if isinstance(error, TimeoutError) or error.errno in _TIMED_OUT:
        return Code.CONNECT_TIMEOUT, "no answer", "a firewall on the way may drop it, or the host is down"
    if error.errno in {errno.EMFILE, errno.ENFILE}:
        return Code.DIAL_FAILED, "this process has too many open files", "raise the limit (ulimit -n)"
    return Code.DIAL_FAILED, _text(error), None


def bind_refused(host: str, where: Endpoint, error: OSError, *, protocol: Protocol = "tcp") -> BindRefused:
    """Why this machine cannot listen there; a local holder of the port is named where the system tells."""
    what, hint = _text(error), None
    code = Code.LISTEN_FAILED
    if error.errno == errno.EADDRINUSE:
        code, what = Code.LISTEN_IN_USE, "the address is in use"
        if holder := holder_of(where.port or 0, protocol):
            what = f"it is held by {holder}"
        hint = "stop what holds it, or write another port, or listen: auto"
    elif error.errno in _NOT_PERMITTED:
        code, what = Code.LISTEN_NOT_PERMITTED, f"permission denied for port {where.port}"
        hint = "ports below 1024 need privileges here; write a higher one, or listen: auto"
    elif error.errno == errno.EADDRNOTAVAIL:
        what, hint = "this machine does not have that address", "listen on one that it has, or on *"
    by = "" if protocol == "tcp" else " by UDP"
    return BindRefused(code, f"{host} cannot listen on {where}{by}: {what}", host=host, suggestion=hint)


def unix_bind_refused(host: str, path: str, what: str, *, in_use: bool = False) -> BindRefused:
    """Why this machine cannot listen on a Unix socket."""
    code = Code.LISTEN_IN_USE if in_use else Code.LISTEN_FAILED
    hint = "stop what holds it, or write another path" if in_use else None
    return BindRefused(code, f"{host} cannot listen on unix:{path}: {what}", host=host, suggestion=hint)


def _text(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return clean(error.strerror or "not an address")
    return clean(os.strerror(error.errno) if error.errno else str(error) or type(error).__name__)
