"""Opens the listener of a tunnel: every socket or forward that its plan asks for, or none of them."""

from __future__ import annotations

import errno
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from orchestra.diagnostics import Code
from orchestra.engine.leftovers import listen_unix
from orchestra.model.address import is_loopback
from orchestra.model.frozen import dataclass
from orchestra.session.errors import BindRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.model.plan import Bind, PlannedListen
    from orchestra.session.protocols import Accept, Listener, Session

ATTEMPTS = 8
"""Ports that are tried until one is free in every family."""

_PERHAPS_IN_USE = frozenset({Code.LISTEN_IN_USE, Code.FORWARD_REFUSED})
"""SSH carries no reason for a listener that a server refuses (RFC 4254 section 7.1)."""

_NO_SUCH_FAMILY = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """An open listener: its parts, the addresses that people use, and what is to be said about it."""

    listeners: tuple[Listener, ...]
    addresses: tuple[str, ...]
    port: int
    notes: tuple[str, ...] = ()

    def close(self) -> None:
        """Stops accepting; connections live on."""
        for listener in self.listeners:
            listener.close()


async def listen(session: Session, planned: PlannedListen, accept: Accept, port: int | None = None) -> Bound:
    """Opens it. ``port`` is asked for first where any port will do. Raises BindRefused, SessionLost or Unsupported;
    then, and when it is cancelled, nothing of it is left open."""
    if planned.unix is not None:
        listener = await listen_unix(session, accept, planned.unix.path, removable=planned.removable)
        return Bound(listeners=(listener,), addresses=planned.addresses, port=0)
    *candidates, last = _candidates(planned, port)
    for candidate in candidates:
        try:
            return await _listen_at(session, planned, accept, candidate)
        except BindRefused as refusal:
            if refusal.code not in _PERHAPS_IN_USE:
                raise
    return await _listen_at(session, planned, accept, last)


def _candidates(planned: PlannedListen, port: int | None) -> Iterator[int]:
    """Ports to try in turn; 0 is the planned one, or any."""
    free = all(request.port == 0 for request in planned.requests)
    if free and port:
        yield port
    yield from [0] * (ATTEMPTS if free and len(planned.requests) > 1 else 1)


async def _listen_at(session: Session, planned: PlannedListen, accept: Accept, port: int) -> Bound:
    """All requests, each at its own port, else at ``port``, else at the one that the first of them was given."""
    missing: list[tuple[Bind, BindRefused]] = []
    with ExitStack() as opened:
        listeners: list[Listener] = []
        for request in planned.requests:
            try:
                listener = await session.create_server(accept, request.host, request.port or port)
            except BindRefused as refusal:
                if not _lacks_family(session, request, refusal):
                    raise
                missing.append((request, refusal))
                continue
            opened.callback(listener.close)
            listeners.append(listener)
            port = port or listener.port
        if not listeners:
            raise missing[0][1]
        opened.pop_all()
    gone = sorted(request.host for request, _ in missing)
    binds = (replace(bind, port=bind.port or listeners[0].port) for bind in planned.binds if bind.host not in gone)
    notes = tuple(f"{Code.LOOPBACK_MISSING}: {session.host} has no {host}, so the other is used alone" for host in gone)
    return Bound(listeners=tuple(listeners), addresses=tuple(map(str, binds)), port=listeners[0].port, notes=notes)


def _lacks_family(session: Session, request: Bind, refusal: BindRefused) -> bool:
    """Whether this machine has no such loopback at all, which is no failure as long as it has the other."""
    cause = refusal.__cause__
    return (
        session.is_here and is_loopback(request.host) and isinstance(cause, OSError) and cause.errno in _NO_SUCH_FAMILY
    )
