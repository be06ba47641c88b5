"""What sends and receives datagrams at one place: by sockets of this process (:mod:`.near`), or by a helper at a server
(:mod:`.channel`). A bridge joins two of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from orchestra.session import Peer

from .wire import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """How the datagrams of a flow are treated: how they wait where they have to, and whether they may be fragmented."""

    policy: Policy = field(default_factory=Policy)
    df: bool = False


class Flow(Protocol):
    """One side of an exchange, as who sends into it sees it."""

    @property
    def address(self) -> str | None:
        """Where it leads, as a literal; None before a name is resolved."""
        ...

    def send(self, data: bytes, /) -> None:
        """Sends one datagram, or drops it and counts that; it never blocks and never raises."""
        ...

    def close(self) -> None:
        """Ends it; nothing is received any more."""
        ...


class Party(Protocol):
    """Who a flow is for."""

    def received(self, data: bytes, /) -> None:
        """One datagram."""
        ...

    def noted(self, cause: str, count: int, /) -> None:
        """Datagrams that were dropped, by cause: ``queue``, ``age``, ``busy``, ``size`` …; or, for ``refused``, that
        an ICMP message has come for one that was sent. Also after the end."""
        ...

    def ended(self, why: str, /) -> None:
        """It is over, and was not closed from here. ``why`` is cleaned; empty when nothing is wrong."""
        ...


class Nobody:
    """A :class:`Party` to whom nothing matters."""

    def received(self, data: bytes, /) -> None:
        """It was not asked for."""

    def noted(self, cause: str, count: int, /) -> None:
        """It was not missed."""

    def ended(self, why: str, /) -> None:
        """It would have been closed."""


class Visited(Protocol):
    """Who a listener is for."""

    def arrived(self, flow: Flow, peer: Peer, /) -> Party:
        """A peer that was not known; its datagram follows."""
        ...

    def noted(self, cause: str, count: int, /) -> None:
        """Datagrams that were dropped before it was looked who sent them."""
        ...

    def ended(self, why: str, /) -> None:
        """The listener is gone, and was not closed from here."""
        ...


class Listening(Protocol):
    """A bound socket."""

    @property
    def port(self) -> int: ...

    def close(self) -> None:
        """Unbinds it, and ends the flows of its peers."""
        ...


class Station(Protocol):
    """A place that sends and receives datagrams."""

    @property
    def about(self) -> str:
        """What does it: ``python3.11 at gateway``."""
        ...

    def flow(self, party: Party, host: str, port: int, treatment: Treatment) -> Flow:
        """A socket of its own towards a target, whose name is resolved at that place. What is sent while it opens is
        kept as far as the treatment allows."""
        ...

    async def listen(self, visited: Visited, host: str, port: int, treatment: Treatment) -> Listening:
        """Binds one literal address. Raises BindRefused or SessionLost."""
        ...

    def close(self) -> None:
        """Ends everything."""
        ...
