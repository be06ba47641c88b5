"""Sockets of this process as a station: read in bounded turns, written at once or not at all.

asyncio's own datagram transport swallows empty datagrams, buffers without bound and reads one datagram per turn of the
loop; so these are bare sockets.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable

from orchestra.model.address import Endpoint
from orchestra.model.text import clean
from orchestra.session import Peer, SessionError
from orchestra.session.protocols import Datagrams
from orchestra.session.refusals import bind_refused

from . import far, sockets, wire
from .station import Flow, Listening, Party, Treatment, Visited
from .turn import Turn

EARLY = 32
"""Datagrams that are kept while a socket opens."""


class Near:
    """A :class:`~.station.Station` of this process: ``place`` makes what dials, this machine what listens."""

    def __init__(self, place: Datagrams, turn: Turn | None = None) -> None:
        self._place, self._turn = place, turn or Turn()
        self._open: set[NearFlow | NearListener] = set()

    @property
    def about(self) -> str:
        return f"{self._place.host} itself"

    def flow(self, party: Party, host: str, port: int, treatment: Treatment) -> Flow:
        flow = NearFlow(party, treatment, self._turn, self._open.discard)
        self._open.add(flow)
        flow.start(self._place, host, port)
        return flow

    async def listen(self, visited: Visited, host: str, port: int, treatment: Treatment) -> Listening:
        try:
            sock = bind(host, port)
        except (OSError, UnicodeError) as error:
            failure = error if isinstance(error, OSError) else OSError(str(error))
            raise bind_refused(self._place.host, Endpoint(host, port), failure, protocol="udp") from error
        wild = sockets.prepare(sock, treatment.df, host in sockets.WILDCARDS)
        listener = NearListener(visited, sock, self._turn, self._open.discard, wild)
        self._open.add(listener)
        return listener

    def close(self) -> None:
        for each in list(self._open):
            each.close()


def bind(host: str, port: int) -> socket.socket:
    """A datagram socket bound to a literal; never with SO_REUSEADDR, by which two programs would share it."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST)[0]
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(address)
    except BaseException:
        sock.close()
        raise
    return sock


class _Losses:
    """Tells how many datagrams the kernel has dropped since it was asked last."""

    def __init__(self, sock: socket.socket, noted: Callable[[str, int], None]) -> None:
        self._sock, self._noted = sock, noted
        self._lost = 0

    def tell(self) -> None:
        total = sockets.lost(self._sock)
        if total != self._lost:
            self._noted("kernel", (total - self._lost) & wire.WRAP)
            self._lost = total


class NearFlow:
    """A connected socket of its own."""

    def __init__(self, party: Party, treatment: Treatment, turn: Turn, forget: Callable[[NearFlow], None]) -> None:
        self._party, self._treatment, self._turn, self._forget = party, treatment, turn, forget
        self._loop = asyncio.get_running_loop()
        self._early: list[bytes] = []
        self._sock: socket.socket | None = None
        self.address: str | None = None
        self._opening: asyncio.Task[None] | None = None
        self._over = False

    def start(self, place: Datagrams, host: str, port: int) -> None:
        """Opens it; what is sent meanwhile is kept."""
        self._opening = self._loop.create_task(self._open(place, host, port))

    async def _open(self, place: Datagrams, host: str, port: int) -> None:
        try:
            sock = await place.create_datagram_connection(host, port)
        except SessionError as error:
            self._fail(error.message)
            return
        sockets.prepare(sock, self._treatment.df)
        self._sock, self._opening = sock, None
        self.address = sock.getpeername()[0]
        self._losses = _Losses(sock, self._party.noted)
        self._loop.add_reader(sock, self._readable)
        early, self._early = self._early, []
        for data in early:
            self.send(data)

    def send(self, data: bytes, /) -> None:
        if self._sock is None:
            if self._over or len(self._early) >= EARLY:
                self._party.noted("closed" if self._over else "queue", 1)
            else:
                self._early.append(data)
            return
        try:
            self._sock.send(data)
        except ConnectionRefusedError:  # of an earlier one (ip(7)); this one is not sent yet
            self._party.noted("refused", 1)
            send(self._sock.send, data, self._party.noted)
        except OSError as error:
            self._party.noted(cause_of(error), 1)

    def close(self) -> None:
        if self._over:
            return
        self._over = True
        if self._opening is not None:
            self._opening.cancel()
        if self._early:
            self._party.noted("closed", len(self._early))
        if self._sock is not None:
            self._loop.remove_reader(self._sock)
            self._losses.tell()
            self._sock.close()
            self._sock = None
        self._forget(self)

    def _readable(self) -> None:
        with self._turn:
            self._receive()
        if self._sock is not None:
            self._losses.tell()

    def _receive(self) -> None:
        for _ in range(far.BATCH):
            if self._sock is None:
                return
            try:
                data = self._sock.recv(65536)
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionRefusedError:
                self._party.noted("refused", 1)
            except OSError:
                self._party.noted("unreachable", 1)
            else:
                self._party.received(data)

    def _fail(self, why: str) -> None:
        if not self._over:
            self._opening = None
            if self._early:
                self._party.noted("unreachable", len(self._early))
                self._early = []
            self.close()
            self._party.ended(clean(why))


class NearListener:
    """A bound socket, with a flow for each of its peers."""

    def __init__(
        self, visited: Visited, sock: socket.socket, turn: Turn, forget: Callable[[NearListener], None], wild: bool
    ) -> None:
        self._visited, self._sock, self._turn, self._forget, self._wild = visited, sock, turn, forget, wild
        self._port: int = sock.getsockname()[1]
        self._peers: dict[far.Place, PeerFlow] = {}
        self._sparse = True
        self._losses = _Losses(sock, visited.noted)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(sock, self._readable)
        self._over = False

    @property
    def port(self) -> int:
        return self._port

    def close(self) -> None:
        if not self._over:
            self._over = True
            self._loop.remove_reader(self._sock)
            self._losses.tell()
            self._sock.close()
            self._peers.clear()
            self._forget(self)

    def _readable(self) -> None:
        """Where datagrams come one by one, each goes on before it is looked whether there is another."""
        got = 0
        for most in (1, far.BATCH) if self._sparse else (far.BATCH,):
            with self._turn:
                got += self._receive(most)
        self._sparse = got <= 1
        if not (self._sparse or self._over):  # a socket that held one was not full
            self._losses.tell()

    def _receive(self, most: int) -> int:
        """How many have come, of so many at most."""
        peers, receive, source = self._peers, self._sock.recvfrom, ()
        for got in range(most):
            if self._over:
                return got
            try:
                if self._wild:
                    data, extra, _, address = self._sock.recvmsg(65536, 64)
                    source = sockets.answering(extra)
                else:
                    data, address = receive(65536)
            except (BlockingIOError, InterruptedError):
                return got
            except OSError:  # an ICMP message for an answer of ours, whoever it was sent to
                continue
            place = address, source
            flow = peers.get(place)
            if flow is None:
                flow = peers[place] = PeerFlow(self._sock, place, self._gone)
                text = str(Endpoint(address[0], address[1]))
                flow.party = self._visited.arrived(flow, Peer(host=address[0], port=address[1], text=text))
            flow.party.received(data)
        return most

    def _gone(self, place: far.Place) -> None:
        self._peers.pop(place, None)


class PeerFlow:
    """One peer of a listener; what is sent to it comes from the address that it has sent to."""

    party: Party

    def __init__(self, sock: socket.socket, place: far.Place, gone: Callable[[far.Place], None]) -> None:
        self._sock, self._place, self._gone = sock, place, gone
        self.address: str = place[0][0]

    def send(self, data: bytes, /) -> None:
        address, source = self._place
        try:
            if source:
                self._sock.sendmsg([data], source, 0, address)
            else:
                self._sock.sendto(data, address)
        except OSError as error:
            self.party.noted("closed" if error.errno == errno.EBADF else cause_of(error), 1)

    def close(self) -> None:
        self._gone(self._place)


def send(call: Callable[[bytes], object], data: bytes, noted: Callable[[str, int], None]) -> None:
    """Sends it, or counts why not."""
    try:
        call(data)
    except OSError as error:
        noted(cause_of(error), 1)


def cause_of(error: OSError) -> str:
    """Why the system did not take a datagram."""
    if error.errno in (errno.EAGAIN, errno.ENOBUFS):
        return "busy"
    return "size" if error.errno == errno.EMSGSIZE else "unreachable"
