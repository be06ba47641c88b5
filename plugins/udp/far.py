"""The helper at a server: it makes sockets, and moves datagrams between them and its standard streams.

It runs under ``python3 -I -S`` and is sent as text (:mod:`.helper`), with :mod:`.wire`, :mod:`.names` and
:mod:`.sockets` in front of it; so it keeps to the syntax of Python 3.6 and to the standard library. It decides nothing:
flows are opened, counted and evicted at the other end. It ends with its standard input, or when nothing has come for
:data:`SILENCE` seconds; it writes no file and starts no process. ``helper.pl`` does the same in Perl.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import sys
import time
from contextlib import suppress
from typing import Any

from .names import Names
from .sockets import WILDCARDS, answering, lost, prepare
from .wire import (
    ACK,
    ACK_EVERY,
    BIND,
    BOUND,
    CLOSE,
    DATA,
    DF,
    DROPPED,
    ERROR,
    FAILED,
    HEAD,
    HELLO,
    OPEN,
    OPENED,
    PEER,
    PING,
    PONG,
    ROOM,
    VERSION,
    WHERE,
    WRAP,
    Outbox,
    Parser,
    Policy,
    frame,
)

SILENCE = 60.0
"""Seconds without a word from the other end (it asks every 15) after which the helper ends."""
BATCH = 32
"""Datagrams that are read from one socket before the others have their turn."""
PEERS = 4096
"""Peers of a listener that are told apart; more than the other end keeps."""
EARLY = 32
"""Datagrams of a flow that are kept while its name is looked up; of all flows as many bytes as queues may hold."""
CHUNK = 1 << 16
"""Bytes that are read at once: more would be mapped and unmapped by malloc each time, which takes ten times as long."""
Address = Any
"""What recvfrom gives: host, port, and of IPv6 the flow label and the scope."""
Place = Any
"""A peer: its address, and what makes an answer come from the address that it sent to (:func:`answering`)."""


class End:
    """A socket: of one flow, or of a listener with a flow for each of its peers."""

    def __init__(self, flow: int, sock: socket.socket, policy: Policy, listens: bool, wild: bool = False) -> None:
        self.flow, self.sock, self.policy, self.listens, self.wild = flow, sock, policy, listens, wild
        self.peers: dict[Place, int] = {}
        self.turn = self.lost = 0


class Early:
    """A flow that waits for the addresses of a name, and what has come for it meanwhile."""

    def __init__(self, host: str, port: int, flags: int, policy: Policy) -> None:
        self.host, self.port, self.flags, self.policy = host, port, flags, policy
        self.waiting: list[bytes] = []


class Far:
    """All of them, and the two standard streams."""

    def __init__(self, window: int, names: Names | None = None) -> None:
        self.parser, self.outbox = Parser(), Outbox(window)
        self.poll, self.units = poller()
        self.ends: dict[int, End] = {}  # by flow
        self.files: dict[int, End] = {}  # by descriptor
        self.peers: dict[int, tuple[End, Place]] = {}  # by flow
        self.names = names or Names()
        self.early: dict[int, Early] = {}  # by flow
        self.kept = 0  # bytes of what waits in these
        self.pending = b""
        self.told = 0
        self.next_peer = 1
        self.turn = 0  # how often something was ready
        self.now = time.monotonic()

    def run(self, hello: bytes) -> None:
        """Until the end of standard input."""
        for number in (0, 1):
            os.set_blocking(number, False)
        self.poll.register(0, select.POLLIN)
        self.poll.register(self.names.bell[0], select.POLLIN)
        self.outbox.control(hello)
        self.flush()
        heard = time.monotonic()
        while True:
            until = self.outbox.expire(self.now) if self.outbox.queues else None
            patience = SILENCE if until is None else max(0.001, until - time.monotonic() + 0.001)
            ready = self.poll.poll(patience * self.units)
            self.now = time.monotonic()
            self.turn += 1
            for number, what in ready:
                if number in self.files:
                    self.receive(self.files[number])
                elif number == 0:
                    heard = self.now
                    if not self.hear():
                        return
                elif number == 1:
                    if what & (select.POLLERR | select.POLLHUP):
                        return
                elif number == self.names.bell[0]:
                    self.learn()
            if self.now - heard > SILENCE:
                return
            self.flush()

    def hear(self) -> bool:
        """What has come from the other end; false at the end of it."""
        try:
            data = os.read(0, CHUNK)
        except BlockingIOError:
            return True
        if not data:
            return False
        for kind, flags, flow, body in self.parser.feed(data):
            if kind == DATA:
                self.send(flow, body)
            elif kind == ACK:
                self.outbox.acknowledge(flow)
            elif kind == OPEN and len(body) > WHERE.size:
                self.open(flow, flags, body)
            elif kind == CLOSE:
                self.close(flow)
                self.report()
                self.outbox.control(frame(CLOSE, flow))
            elif kind == BIND and len(body) > WHERE.size:
                self.bind(flow, flags, body)
            elif kind == PING:
                self.outbox.control(frame(PONG, flow, body))
        return True

    def send(self, flow: int, body: bytes) -> None:
        """A datagram to the target of a flow, or to a peer."""
        end = self.ends.get(flow)
        if end is not None and not end.listens:
            try:
                end.sock.send(body)
            except ConnectionRefusedError:  # of an earlier one (ip(7)); this one is not sent yet
                self.fail(flow, "ECONNREFUSED")
                self.attempt(flow, end.sock.send, body)
            except OSError as error:
                self.lose(flow, error)
        elif flow in self.peers:
            end, (address, source) = self.peers[flow]
            if source:
                self.attempt(flow, end.sock.sendmsg, [body], source, 0, address)
            else:
                self.attempt(flow, end.sock.sendto, body, address)
        elif flow in self.early:
            waiting = self.early[flow].waiting
            if len(waiting) < EARLY and self.kept + len(body) <= ROOM:
                waiting.append(body)
                self.kept += len(body)
            else:
                self.outbox.drop(flow, "queue")
        else:
            self.outbox.drop(flow, "closed")

    def attempt(self, flow: int, call: Any, *arguments: Any) -> None:
        try:
            call(*arguments)
        except OSError as error:
            self.lose(flow, error)

    def lose(self, flow: int, error: OSError) -> None:
        """A datagram that the system did not take."""
        if error.errno in (errno.EAGAIN, errno.ENOBUFS):
            self.outbox.drop(flow, "busy")
        elif error.errno == errno.EMSGSIZE:
            self.outbox.drop(flow, "size")
        else:
            self.outbox.drop(flow, "unreachable")
            self.fail(flow, name_of(error))

    def fail(self, flow: int, why: str) -> None:
        self.outbox.control(frame(ERROR, flow, why.encode("utf-8", "replace")[:400]))

    def receive(self, end: End) -> None:
        """What has come to a socket: one datagram, which goes on before it is looked whether there is another; when
        there was, as many as come at once. How many a full socket has dropped is looked up then."""
        alone, end.turn = end.turn + 1 != self.turn, self.turn
        if alone:
            self.take(end)
            return
        for _ in range(BATCH):
            if not self.take(end):
                break
        total = lost(end.sock)
        if total != end.lost:
            self.outbox.drop(end.flow, "kernel", (total - end.lost) & WRAP)
            end.lost = total

    def take(self, end: End) -> bool:
        """Reads one datagram; false when there is none."""
        try:
            if end.listens:
                flow, data = self.visited(end)
            else:
                flow, data = end.flow, end.sock.recv(65536)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as error:  # an ICMP message for a datagram that was sent
            self.fail(end.flow, name_of(error))
        else:
            if flow is not None and not self.outbox.passes(flow, data):
                self.outbox.datagram(flow, data, end.policy, self.now)
        return True

    def visited(self, end: End) -> tuple[int | None, bytes]:
        """What a peer has sent to a listener, and its flow."""
        if not end.wild:
            data, address = end.sock.recvfrom(65536)
            return self.peer(end, (address, ())), data
        data, extra, _, address = end.sock.recvmsg(65536, 64)
        return self.peer(end, (address, answering(extra))), data

    def peer(self, end: End, place: Place) -> int | None:
        """The flow of a peer of a listener; a new one is told first."""
        flow = end.peers.get(place)
        if flow is None:
            if len(end.peers) >= PEERS:
                self.outbox.drop(end.flow, "flows")
                return None
            flow = end.peers[place] = self.next_peer
            self.next_peer = (self.next_peer + 2) & WRAP
            self.peers[flow] = end, place
            address = place[0]
            where = WHERE.pack(address[1], 0, end.flow) + address[0].encode()
            self.outbox.control(frame(PEER, flow, where))
        return flow

    def open(self, flow: int, flags: int, body: bytes) -> None:
        """A connected socket, as soon as it is known to which addresses."""
        port, policy, host = where_of(flags, body)
        self.close(flow)
        found = self.names.find(host, port, self.now, flow)
        if found is None:
            self.early[flow] = Early(host, port, flags, policy)
        else:
            self.connect(flow, flags, policy, *found)

    def connect(self, flow: int, flags: int, policy: Policy, found: list[Any], failure: OSError | None) -> None:
        """To the first address that takes it."""
        for family, _, _, _, address in found:
            sock = None
            try:
                sock = socket.socket(family, socket.SOCK_DGRAM)
                sock.connect(address)
            except OSError as error:
                if sock is not None:
                    sock.close()
                failure = error
            else:
                prepare(sock, flags & DF)
                self.keep(End(flow, sock, policy, False))
                self.outbox.control(frame(OPENED, flow, str(address[0]).encode()))
                return
        self.outbox.control(frame(CLOSE, flow, name_of(failure or OSError()).encode()))

    def learn(self) -> None:
        """Opens what has waited for names, and sends what has come for it."""
        for flow, found, failure in self.names.take(self.now):
            early = self.early.pop(flow)
            self.kept -= sum(map(len, early.waiting))
            self.connect(flow, early.flags, early.policy, found, failure)
            for body in early.waiting:
                self.send(flow, body)

    def bind(self, flow: int, flags: int, body: bytes) -> None:
        """A listener."""
        port, policy, host = where_of(flags, body)
        sock = None
        try:
            family, _, _, _, address = socket.getaddrinfo(host, port, 0, socket.SOCK_DGRAM, 0, socket.AI_NUMERICHOST)[0]
            sock = socket.socket(family, socket.SOCK_DGRAM)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind(address)
        except (OSError, ValueError) as error:
            if sock is not None:
                sock.close()
            self.outbox.control(frame(BOUND, flow, name_of(error).encode(), FAILED))
            return
        wild = prepare(sock, flags & DF, host in WILDCARDS)
        self.keep(End(flow, sock, policy, True, wild))
        self.outbox.control(frame(BOUND, flow, WHERE.pack(sock.getsockname()[1], 0, 0)))

    def keep(self, end: End) -> None:
        self.close(end.flow)
        self.ends[end.flow] = self.files[end.sock.fileno()] = end
        self.poll.register(end.sock, select.POLLIN)

    def close(self, flow: int) -> None:
        """Ends a flow, a peer, or a listener with its peers."""
        self.outbox.forget(flow)
        if flow in self.early:
            early = self.early.pop(flow)
            self.names.withdraw(early.host, early.port, flow)
            self.kept -= sum(map(len, early.waiting))
            if early.waiting:
                self.outbox.drop(flow, "closed", len(early.waiting))
        elif flow in self.peers:
            end, place = self.peers.pop(flow)
            end.peers.pop(place, None)
        elif flow in self.ends:
            end = self.ends.pop(flow)
            if lost(end.sock) != end.lost:
                self.outbox.drop(flow, "kernel", (lost(end.sock) - end.lost) & WRAP)
            del self.files[end.sock.fileno()]
            self.poll.unregister(end.sock)
            end.sock.close()
            for peer in list(end.peers.values()):
                self.close(peer)

    def report(self) -> None:
        """What was dropped since it was told last."""
        for (flow, cause), count in self.outbox.dropped.items():
            self.outbox.control(frame(DROPPED, flow, WHERE.pack(0, 0, count) + cause.encode()))
        self.outbox.dropped = {}

    def flush(self) -> None:
        """Everything of this turn in one write."""
        outbox = self.outbox
        if outbox.queues:
            outbox.release(self.now)
        if outbox.dropped:
            self.report()
        if self.parser.received - self.told >= ACK_EVERY:
            self.told = self.parser.received
            outbox.control(frame(ACK, self.told & WRAP))
        if outbox.ready or self.pending:
            self.write(self.pending + outbox.take())

    def write(self, data: bytes) -> None:
        """As much as fits; the rest is kept, and nothing is taken out of the queues before it has gone. Then what fits
        of these goes at once."""
        try:
            self.pending = data[os.write(1, data) :]
        except BlockingIOError:
            self.pending = data
        if self.pending and not self.outbox.paused:
            self.outbox.paused = True
            self.poll.register(1, select.POLLOUT)
        elif self.outbox.paused and not self.pending:
            self.outbox.paused = False
            self.poll.unregister(1)
            self.flush()


def poller() -> tuple[Any, int]:
    """What waits for descriptors, and how many units of its timeout make a second. poll(2) looks at every descriptor
    each time: with a thousand flows that takes ten times as long as what a datagram takes otherwise."""
    return (select.epoll(), 1) if hasattr(select, "epoll") else (select.poll(), 1000)


def where_of(flags: int, body: bytes) -> tuple[int, Policy, str]:
    """The body of OPEN and BIND: port, queue, host."""
    port, age, room = WHERE.unpack_from(body)
    return port, Policy(age / 1000, room, bool(flags & HEAD)), body[WHERE.size :].decode("utf-8", "replace")


def name_of(error: Exception) -> str:
    """``ECONNREFUSED``; numbers differ between systems."""
    if isinstance(error, socket.gaierror):
        return "EUNRESOLVED"
    return errno.errorcode.get(getattr(error, "errno", None) or 0, type(error).__name__)


def main(nonce: bytes, window: int) -> None:
    """Says hello, and serves."""
    hello = f"python{sys.version_info[0]}.{sys.version_info[1]} pid {os.getpid()}"
    with suppress(BrokenPipeError):
        Far(window).run(frame(HELLO, VERSION, nonce + hello.encode()))
