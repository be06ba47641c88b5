"""What one connection leads to, when no tunnel of the file was asked for: a target, a host or an address."""

from __future__ import annotations

import difflib
from dataclasses import replace
from typing import TYPE_CHECKING

from orchestra.errors import UsageError
from orchestra.model.address import AddressError, Endpoint, UnixPath, parse_address
from orchestra.model.topology import CheckRef, Target, Tunnel
from orchestra.planning.services import Service, ssh_service, target_service, trusted_dialers
from orchestra.planning.tunnels import Request, make_request

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra.planning.context import Context

STREAMS = UnixPath("-")
"""Where such a connection is entered: standard input and output."""


def connection(context: Context, text: str, exit_: str | None = None) -> Request:
    """The request for a connection to ``text``, from here: a tunnel's target by the tunnel's way, a target, a host
    (its SSH server), ``HOST:PORT`` or ``unix:/PATH``, as the one who dials it understands them.

    ``exit_`` names the host that dials it. Raises UsageError when the text is nothing of that, and for an ``exit_``
    that is no host.
    """
    if exit_ is not None and exit_ not in context.world.hosts:
        raise UsageError(f"{context.topology.file} has no host {exit_!r}: {_near(exit_, context.world.hosts)}")
    spec = replace(_spec(context, text), listen=STREAMS, check=CheckRef(type="none"))
    if exit_ is not None:
        spec = replace(spec, via=(), exit=exit_)
    request = make_request(context, spec)
    return request if spec.to else replace(request, service=_service(context, text, exit_), exit=exit_, problems=())


def _spec(context: Context, text: str) -> Tunnel:
    """The way of the tunnel of that name, when it is entered here; else any way."""
    tunnel = context.topology.tunnels.get(text)
    if tunnel is not None and tunnel.to is not None and (text not in context.topology.targets or tunnel.to == text):
        own_way = tunnel.at in (None, context.here) and tunnel.from_ in (None, context.here)
        return Tunnel(
            name=text,
            to=tunnel.to,
            exit=tunnel.exit,
            via=tunnel.via if own_way else (),
            avoid=tunnel.avoid,
            dial_timeout=tunnel.dial_timeout,
            place=tunnel.place,
        )
    return Tunnel(name=text, to=text if text in context.topology.targets else None)


def _service(context: Context, text: str, exit_: str | None) -> Service:
    hosts = context.world.hosts
    if text in hosts:
        if hosts[text].server is None:
            raise UsageError(f"{text} has no SSH server: write {text}:PORT")
        return ssh_service(context, text)
    try:
        address = parse_address(text)
    except AddressError:
        known = (*context.topology.tunnels, *context.topology.targets, *hosts)
        raise UsageError(
            f"{text!r} is neither a target nor a host of {context.topology.file}, nor HOST:PORT: {_near(text, known)}"
        ) from None
    dialer = exit_ or context.here
    if isinstance(address, UnixPath):
        return Service(name=text, host=dialer, text=None, port=0, path=address.path)
    if address.host is None or address.port is None:
        raise UsageError(f"{text!r} has no host: write HOST:PORT")
    if address.host in hosts:
        return _port_of(context, address.host, address.port, exit_)
    trusted = (exit_,) if exit_ else trusted_dialers(context, None, ())
    return Service(name=text, host=address.host, text=address.host, port=address.port, trusted=trusted)


def _port_of(context: Context, name: str, port: int, exit_: str | None) -> Service:
    """A port of a declared host: its SSH server, or whatever listens there on all its addresses."""
    if context.host(name).server is not None and ssh_service(context, name).port == port:
        return ssh_service(context, name)
    target = Target(name=f"{name}:{port}", host=name, address=Endpoint(None, port), place=context.host(name).place)
    return target_service(context, target, exit_)


def _near(text: str, known: Iterable[str]) -> str:
    names = sorted(set(known))
    near = difflib.get_close_matches(text, names, 1)
    return f"did you mean {near[0]!r}?" if near else f"it has {', '.join(names[:10]) or 'none'}"
