"""What one connection leads to, when it is not a tunnel of the file that was asked for."""

from __future__ import annotations

import difflib
from dataclasses import replace
from typing import TYPE_CHECKING

from orchestra.errors import UsageError
from orchestra.model.address import UnixPath
from orchestra.model.topology import CheckRef, Tunnel
from orchestra.planning.explaining.question import destination
from orchestra.planning.tunnels import Request, make_request

if TYPE_CHECKING:
    from orchestra.planning.context import Context

STREAMS = UnixPath("-")
"""Where such a connection is entered: standard input and output."""


def connection(context: Context, text: str, exit_: str | None = None) -> Request:
    """The request for a connection from here to ``text``: to a tunnel's target by that tunnel's way, or to what
    :func:`destination` takes it for; addresses that mean only the one who dials them, and ``unix:/PATH``, are those of
    ``exit_``, else of here.

    ``exit_`` names the host that dials. Raises UsageError when there is nothing of these names.
    """
    if exit_ is not None and exit_ not in context.world.hosts:
        near = difflib.get_close_matches(exit_, context.world.hosts, 1)
        hint = f": did you mean {near[0]!r}?" if near else ""
        raise UsageError(f"{context.topology.file} has no host {exit_!r}{hint}")
    way = replace(_way(context, text), listen=STREAMS, check=CheckRef(type="none"))
    if exit_ is not None:
        way = replace(way, via=(), exit=exit_)
    if way.to is not None:
        return make_request(context, way)
    service = destination(context, text, own=exit_).service
    if exit_ is not None:
        service = replace(service, trusted=(exit_,))
    return Request(tunnel=way, service=service, exit=exit_)


def _way(context: Context, text: str) -> Tunnel:
    """That of the tunnel of this name, as far as it begins here; else any."""
    targets, tunnel = context.topology.targets, context.topology.tunnels.get(text)
    if tunnel is None or tunnel.to is None or (tunnel.to != text and text in targets):
        return Tunnel(name=text, to=text if text in targets else None)
    from_here = {tunnel.at, tunnel.from_} <= {None, context.here}
    return Tunnel(
        name=text,
        to=tunnel.to,
        exit=tunnel.exit,
        via=tunnel.via if from_here else (),
        avoid=tunnel.avoid,
        dial_timeout=tunnel.dial_timeout,
        place=tunnel.place,
    )
