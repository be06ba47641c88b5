"""Flows and listeners at a helper, as whoever uses them sees them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from orchestra.diagnostics import Code
from orchestra.model.address import Endpoint
from orchestra.model.text import clean
from orchestra.session import Peer, SessionLost

from . import wire
from .station import Party, Treatment, Visited

if TYPE_CHECKING:
    from .channel import Channel

BIND_REFUSALS = {
    "EADDRINUSE": (Code.LISTEN_IN_USE, "the address is in use", "stop what holds it, or write another port"),
    "EACCES": (Code.LISTEN_NOT_PERMITTED, "permission denied", "ports below 1024 need privileges there"),
    "EPERM": (Code.LISTEN_NOT_PERMITTED, "permission denied", "ports below 1024 need privileges there"),
    "EWILDCARD": (
        Code.LISTEN_FAILED,
        "the helper in Perl cannot answer from the address that was sent to",
        "write the address in place of the wildcard, or install python3 there",
    ),
    "EADDRNOTAVAIL": (Code.LISTEN_FAILED, "it does not have that address", "listen on one that it has"),
}
"""What a helper says of a listener that it could not bind: what is said of it, and what to do."""


class HelperFlow:
    """A flow at the helper: a socket of its own, or a peer of a listener."""

    party: Party

    def __init__(self, channel: Channel, number: int, policy: wire.Policy) -> None:
        self._channel, self.number, self._policy = channel, number, policy
        self.address: str | None = None
        self.closing = False
        """It has ended here, and is kept until the helper has said everything about it."""

    def send(self, data: bytes, /) -> None:
        if self.closing:
            self.party.noted("closed", 1)
        else:
            self._channel.datagram(self.number, data, self._policy)

    def close(self) -> None:
        if not self.closing:
            self.closing = True
            self._channel.forget(self.number)
            self._channel.control(wire.frame(wire.CLOSE, self.number))

    def received(self, data: bytes) -> None:
        """One datagram from the helper."""
        if self.closing:
            self.party.noted("closed", 1)
        else:
            self.party.received(data)

    def noted(self, cause: str, count: int) -> None:
        """As :meth:`~.station.Party.noted`."""
        self.party.noted(cause, count)

    def end(self, why: str) -> None:
        """The helper has ended it."""
        self.close()
        self.party.ended(why)

    def lost(self, why: str) -> None:
        """The helper is gone."""
        if not self.closing:
            self.closing = True
            self.party.ended(why)


class HelperListener:
    """A bound socket at the helper."""

    def __init__(self, channel: Channel, number: int, visited: Visited, policy: wire.Policy) -> None:
        self._channel, self.number, self._visited, self._policy = channel, number, visited, policy
        self.outcome: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        """None when it is bound, else why it is not."""
        self._port = 0

    @property
    def port(self) -> int:
        return self._port

    def close(self) -> None:
        self._channel.drop_listener(self)

    def bound(self, *, failed: bool, body: bytes) -> None:
        """The helper's answer."""
        if self.outcome.done():
            return
        if failed or len(body) < wire.WHERE.size:
            self.outcome.set_result(clean(body, 60) or "it could not be bound")
        else:
            self._port = wire.WHERE.unpack_from(body)[0]
            self.outcome.set_result(None)

    def arrived(self, number: int, host: str, port: int) -> None:
        """A new peer."""
        peer = Peer(host=host, port=port, text=str(Endpoint(host, port)))
        flow = HelperFlow(self._channel, number, self._policy)
        flow.address = host
        self._channel.adopt(flow)
        flow.party = self._visited.arrived(flow, peer)

    def noted(self, cause: str, count: int) -> None:
        """As :meth:`~.station.Visited.noted`."""
        self._visited.noted(cause, count)

    def lost(self, why: str) -> None:
        """The helper is gone."""
        if not self.outcome.done():
            self.outcome.set_exception(SessionLost(Code.SESSION_LOST, why))
        else:
            self._visited.ended(why)


def where(host: str, port: int, treatment: Treatment) -> tuple[bytes, int]:
    """The body and the flags of OPEN and BIND."""
    policy = treatment.policy
    body = wire.WHERE.pack(port, round(policy.age * 1000), policy.room) + host.encode("utf-8", "replace")
    return body, wire.DF * treatment.df | wire.HEAD * policy.head
