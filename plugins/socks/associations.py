"""UDP ASSOCIATE: a socket at the entry for each client that asks, and a flow at the exit for each of its destinations.

An association is bound to the address that its client's connection comes from, and to one port there: the one that it
has named, or that of its first datagram. It ends with that connection (RFC 1928 section 6).
"""

from __future__ import annotations

from collections.abc import Callable

from orchestra.diagnostics import Code
from orchestra.errors import RuntimeFailure
from orchestra.model.address import WILDCARD, Endpoint, is_loopback
from orchestra.model.plan import PlannedListen
from orchestra.plugin.interfaces import TunnelContext
from orchestra.session import Peer, Stream

from ..udp.interface import (
    PLAIN,
    Bridge,
    Bridges,
    Exchange,
    Exits,
    Flow,
    FlowTable,
    Joint,
    Listening,
    Party,
)
from . import datagrams
from .allow import Judge
from .socks5 import address

MOST = 256
"""Associations of one tunnel; each has a socket at the entry."""


class Associations:
    """Those of one tunnel. They share what is at its exit."""

    def __init__(self, context: TunnelContext, judge: Judge) -> None:
        self.context, self.judge = context, judge
        self.exits = Exits(context, PLAIN)
        self.joint = Joint(context, self.exits, FlowTable[Exchange](), lambda: None)
        self._open: set[Association] = set()

    async def open(self, peer: Peer, stream: Stream, port: int, lost: Callable[[str], None]) -> Association:
        """One for a client that sends from ``port`` (0: it does not say); ``lost`` is told when it ends by itself.

        Raises RuntimeFailure: also when there cannot be datagrams at the exit, which the client is told at once.
        """
        name = self.context.tunnel.name
        if len(self._open) >= MOST:
            raise RuntimeFailure(
                Code.LISTEN_FAILED, f"{name} has sockets for {MOST} clients that send UDP, and no more"
            )
        if peer.host is None:
            raise RuntimeFailure(Code.TRANSPORT_CANNOT, f"{peer.text} has no address that {name} could serve UDP to")
        association = Association(self, peer, port, lost)
        self._open.add(association)
        self.context.tally("associations")
        try:
            await self.exits.bridge()
            await association.listen(stream)
        except BaseException:
            association.close()
            raise
        return association

    def closed(self, association: Association) -> None:
        """It has ended; the last one leaves nothing at the exit."""
        self._open.discard(association)
        self.context.tally("associations", -1)
        if not self._open:
            self.exits.close()


class Association:
    """One client: what its socket is told (:class:`~..udp.station.Visited`), and what the client sends to it
    (:class:`~..udp.station.Party`)."""

    def __init__(self, all_: Associations, peer: Peer, port: int, lost: Callable[[str], None]) -> None:
        self._all, self.peer, self._port, self._lost = all_, peer, port, lost
        self._bridge: Bridge | None = None
        self._listening: Listening | None = None
        self._client: Flow | None = None
        self._exchanges: dict[bytes, Exchange] = {}
        self._allow = all_.judge.allow
        self._over = False
        self.host = ""
        """Where the client has to send to."""
        self.port = 0

    async def listen(self, stream: Stream) -> None:
        """Binds its socket, beside the listener at which the client came. Raises RuntimeFailure."""
        context = self._all.context
        entry, listen, client = await context.entry(), context.tunnel.listen, self.peer.host or ""
        local = stream.get_extra_info("sockname") if entry.is_here else None
        self._bridge = await context.shared(Bridges).open(entry)
        self.host = str(local[0]) if isinstance(local, tuple) else _beside(listen, client)
        self._listening = await self._bridge.listen(self, self.host, 0)
        self.port = self._listening.port

    def close(self) -> None:
        """Ends it, with all that it has sent to."""
        if self._over:
            return
        self._over = True
        for exchange in list(self._exchanges.values()):
            self._all.joint.finished(exchange)
        if self._listening is not None:
            self._listening.close()
        if self._bridge is not None:
            self._bridge.close()
        self._all.closed(self)

    # What its socket tells.

    def arrived(self, flow: Flow, peer: Peer) -> Party:
        if self._client is None and peer.host == self.peer.host and self._port in (0, peer.port):
            self._client = flow
            return self
        flow.close()
        return Stranger(self._all.joint)

    def noted(self, cause: str, count: int) -> None:
        self._all.joint.noted(cause, count)

    def ended(self, why: str) -> None:
        if not self._over:  # of its socket and of its client, whichever is told first
            self.close()
            self._lost(why)

    def received(self, data: bytes) -> None:
        if self._allow is not self._all.judge.allow:
            self._review()
        try:
            header, body = datagrams.split(data)
            exchange = self._exchanges.get(header) or self._begin(header)
        except datagrams.Unfit as unfit:
            self.noted(str(unfit), 1)
        else:
            exchange.received(body)

    # What it does.

    def _begin(self, header: bytes) -> Exchange:
        """An exchange with another destination. Raises :class:`~.datagrams.Unfit`."""
        host, port = datagrams.read(header)
        try:
            self._all.judge.require(host, port)
        except RuntimeFailure as denied:
            self._all.joint.failed(self.peer, denied)
            raise datagrams.Unfit("not_allowed") from None
        away = Destination(self, self._all.exits, header, host, port)
        about = f"{self._all.context.tunnel.path[-1]} sends to {Endpoint(host, port)}"
        self._exchanges[header] = self._all.joint.begin(away, self.peer, away, about)
        return self._exchanges[header]

    def _review(self) -> None:
        """There is another list: exchanges with what is not among it end."""
        self._allow = self._all.judge.allow
        for header, exchange in list(self._exchanges.items()):
            if not self._all.judge.allows(*datagrams.read(header)):
                self._all.joint.finished(exchange)

    def answer(self, data: bytes) -> None:
        """Something for the client."""
        if self._client is not None:
            self._client.send(data)

    def forget(self, header: bytes) -> None:
        """An exchange has ended."""
        self._exchanges.pop(header, None)


class Destination:
    """What a client sends to by one header: opens the flow there, and puts a header before what comes from it."""

    def __init__(self, association: Association, exits: Exits, header: bytes, host: str, port: int) -> None:
        self._association, self._exits, self._header, self._host, self._port = association, exits, header, host, port
        self._flow: Flow | None = None
        self._answers = b""

    @property
    def address(self) -> str | None:
        return self._association.peer.host

    async def open(self, party: Party) -> Flow:
        """See :class:`~..udp.joint.Opens`."""
        self._flow = (await self._exits.bridge()).flow(party, self._host, self._port, PLAIN)
        return self._flow

    def send(self, data: bytes) -> None:
        """What came from there, for the client: it is told the true source, also of a name."""
        if not self._answers and self._flow is not None and self._flow.address is not None:
            self._answers = datagrams.PLAIN + address(self._flow.address, self._port)
        self._association.answer((self._answers or self._header) + data)

    def close(self) -> None:
        self._association.forget(self._header)


class Stranger:
    """Whoever else sends to a client's socket."""

    def __init__(self, joint: Joint) -> None:
        self._joint = joint

    def received(self, data: bytes) -> None:  # noqa: ARG002 - it is nobody's
        self._joint.noted("stranger", 1)

    def noted(self, cause: str, count: int) -> None:  # noqa: ARG002 - it is dropped in any case
        self._joint.noted("stranger", count)

    def ended(self, why: str) -> None:
        """It was closed."""


def _beside(listen: PlannedListen | None, client: str) -> str:
    """The address of the listener at which a client from there may have come, of those that are planned."""
    hosts = [bind.host for bind in listen.binds] if listen is not None else []
    family = [host for host in hosts if host != WILDCARD and (":" in host) == (":" in client)]
    alike = [host for host in family if is_loopback(host) == is_loopback(client)]
    if found := alike or family:
        return found[0]
    if is_loopback(client):
        return client
    return "::" if ":" in client else "0.0.0.0"  # noqa: S104 - as the listener is
