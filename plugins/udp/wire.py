"""What both ends of a bridge do alike: frames, and a queue that drops whole datagrams. No I/O and no clock.

A frame is a header of eight bytes in network order and a body:

======  =====  ==============  ======================  ======
kind    flags  length of body  flow                    body
======  =====  ==============  ======================  ======
1 byte  1      2               4                       length
======  =====  ==============  ======================  ======

The length covers every datagram that UDP can carry, empty ones too. Kinds that are not known are skipped. Flows with
an even number were opened from here, those with an odd one by a peer at the helper. An ``ACK`` has, in the place of the
flow, how many bytes were received so far, modulo 2**32. A ``CLOSE`` is answered by one, after everything that is to be
said of the flow; then it is forgotten.

A helper is sent this very text, so it keeps to the syntax of Python 3.6 and to the standard library.
"""

from __future__ import annotations

import struct
from collections import OrderedDict, deque

HEADER = struct.Struct("!BBHI")
HELLO, BIND, BOUND, OPEN, PEER, DATA, CLOSE, ERROR, ACK, PING, PONG, DROPPED, OPENED = range(1, 14)
DF = 1
"""Flag of OPEN and BIND: datagrams are never fragmented on their way (RFC 9298 section 7)."""
HEAD = 2
"""Flag of OPEN and BIND: a full queue drops its oldest datagram, not the newest."""
FAILED = 1
"""Flag of BOUND: it could not be bound; the body says why."""

WHERE = struct.Struct("!HHI")
"""The body of OPEN and BIND, before the host: port, the age in milliseconds and the size in bytes of its queue."""
VERSION = 1
"""The flow of HELLO: which language of frames it speaks."""
ACK_EVERY = 16 * 1024
"""Bytes after which it is said that they were received."""
WRAP = 0xFFFFFFFF
OVERHEAD = 128
"""What a datagram costs its queue beyond its own bytes."""
CAUSES = ("queue", "age", "busy", "size", "unreachable", "closed", "kernel", "flows")
"""Why datagrams are dropped: no room, waited too long, the system did not take it (for now; for its length; there is no
way), nobody is there any more, the socket was full, too many peers."""
ROOM = 8 * 1024 * 1024
"""Bytes that all queues of an outbox may hold together."""


def frame(kind: int, flow: int, body: bytes = b"", flags: int = 0) -> bytes:
    """One frame as it is sent."""
    return HEADER.pack(kind, flags, len(body), flow) + body


class Parser:
    """Frames out of a stream that is cut anywhere."""

    def __init__(self) -> None:
        self._rest = b""
        self.received = 0
        """Bytes that were fed so far."""

    def feed(self, data: bytes) -> list[tuple[int, int, int, bytes]]:
        """The frames that are complete now: kind, flags, flow, body."""
        self.received += len(data)
        if self._rest:
            data = self._rest + data
        at, end = 0, len(data)
        if end >= 8:
            kind, flags, size, flow = HEADER.unpack_from(data)
            if size + 8 == end:  # as it mostly is
                self._rest = b""
                return [(kind, flags, flow, data[8:])]
        found = []
        while end - at >= 8:
            kind, flags, size, flow = HEADER.unpack_from(data, at)
            stop = at + 8 + size
            if stop > end:
                break
            found.append((kind, flags, flow, data[at + 8 : stop]))
            at = stop
        self._rest = data[at:]
        return found


class Policy:
    """How the datagrams of a flow wait: for ``age`` seconds at most, ``room`` bytes of them; a full queue drops the
    newest, or with ``head`` the oldest."""

    def __init__(self, age: float = 0.25, room: int = 256 * 1024, head: bool = False) -> None:
        self.age, self.room, self.head = age, room, head


class _Queue:
    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.waiting: deque[tuple[float, bytes]] = deque()
        self.size = 0

    def pop(self) -> tuple[float, bytes]:
        when, body = self.waiting.popleft()
        self.size -= len(body) + OVERHEAD
        return when, body


class Outbox:
    """Frames on their way into a stream that must not grow long.

    Beyond ``window`` bytes that the other end has not acknowledged, datagrams wait in queues of their flows, which are
    served by turns; where they find no room, or wait too long, they are dropped whole, and counted in ``dropped`` by
    flow and cause. Other frames are never held back.
    """

    def __init__(self, window: int) -> None:
        self.window = window
        self.paused = False
        """The stream itself is full: nothing more is taken out of the queues."""
        self.dropped: dict[tuple[int, str], int] = {}
        self.ready: list[bytes] = []
        """Pieces of what is to be sent now."""
        self._sent = self._acknowledged = self._held = 0
        self.queues: OrderedDict[int, _Queue] = OrderedDict()
        """Of the flows that have something waiting."""

    def control(self, data: bytes) -> None:
        """A frame that is no datagram."""
        self._sent += len(data)
        self.ready.append(data)

    def passes(self, flow: int, body: bytes) -> bool:
        """Sends a datagram of a flow, if nothing stands in its way."""
        size = len(body)
        if self.queues or not self._fits(size):
            return False
        self._sent += size + 8
        self.ready += HEADER.pack(DATA, 0, size, flow), body
        return True

    def datagram(self, flow: int, body: bytes, policy: Policy, now: float) -> None:
        """A datagram of a flow, at a time in seconds: it goes now, waits, or is dropped."""
        if self.passes(flow, body):
            return
        queue = self.queues.get(flow)
        if queue is None:
            queue = self.queues[flow] = _Queue(policy)
        cost = len(body) + OVERHEAD
        while policy.head and queue.waiting and queue.size + cost > policy.room:
            self._drop_oldest(flow, queue, "queue")
        if queue.size + cost > policy.room or self._held + cost > ROOM:
            self.drop(flow, "queue")
        else:
            queue.waiting.append((now, body))
            queue.size += cost
            self._held += cost
        if not queue.waiting:
            del self.queues[flow]

    def acknowledge(self, received: int) -> None:
        """What the other end says that it has received, in all."""
        self._acknowledged = received

    def release(self, now: float) -> None:
        """Takes out of the queues what fits by now, one datagram of each flow by turns; what is too old is dropped."""
        while self.queues:
            flow, queue = next(iter(self.queues.items()))
            while queue.waiting and queue.waiting[0][0] + queue.policy.age < now:
                self._drop_oldest(flow, queue, "age")
            if queue.waiting:
                if not self._fits(len(queue.waiting[0][1])):
                    return
                before = queue.size
                body = queue.pop()[1]
                self._held -= before - queue.size
                self.control(HEADER.pack(DATA, 0, len(body), flow) + body)
            if queue.waiting:
                self.queues.move_to_end(flow)
            else:
                del self.queues[flow]

    def expire(self, now: float) -> float | None:
        """Drops what is too old, of every flow; returns when the next one will be."""
        soonest = None
        for flow, queue in list(self.queues.items()):
            while queue.waiting and queue.waiting[0][0] + queue.policy.age < now:
                self._drop_oldest(flow, queue, "age")
            if not queue.waiting:
                del self.queues[flow]
            else:
                end = queue.waiting[0][0] + queue.policy.age
                soonest = end if soonest is None else min(soonest, end)
        return soonest

    def forget(self, flow: int) -> None:
        """The flow has ended; what waits of it is dropped."""
        queue = self.queues.pop(flow, None)
        while queue is not None and queue.waiting:
            self._drop_oldest(flow, queue, "closed")

    def drop(self, flow: int, cause: str, count: int = 1) -> None:
        """Counts datagrams that were dropped."""
        key = (flow, cause)
        self.dropped[key] = self.dropped.get(key, 0) + count

    def take(self) -> bytes:
        """What is to be sent now."""
        ready = self.ready
        if not ready:
            return b""
        self.ready = []
        return ready[0] if len(ready) == 1 else b"".join(ready)

    def _fits(self, size: int) -> bool:
        return not self.paused and ((self._sent - self._acknowledged) & WRAP) + size + 8 <= self.window

    def _drop_oldest(self, flow: int, queue: _Queue, cause: str) -> None:
        before = queue.size
        queue.pop()
        self._held -= before - queue.size
        self.drop(flow, cause)
