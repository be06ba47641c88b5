"""A wire of its own length: carries packets between tun devices of two network namespaces, each after a delay.

    python bench/wire.py NEAR FAR SECONDS

NEAR and FAR are descriptors of the devices. It loses nothing and knows no rate; what bounds it is the processor. For
kernels without netem.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import struct
import sys
import time
from collections import deque

MTU = 65_000
"""Few packets carry much: a packet costs this process the same, whatever its size."""
_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_BATCH = 64
"""Packets that are taken from one end before the other has its turn."""


def device(name: str) -> int:
    """A new tun device in the network namespace of this thread; it goes with its descriptor."""
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI))
    return tun


def carry(near: int, far: int, delay: float) -> None:
    """Carries until it is killed; the kernel's queues bound what is under way."""
    other = {near: far, far: near}
    under_way: dict[int, deque[tuple[float, bytes]]] = {near: deque(), far: deque()}
    while True:
        due = [packets[0][0] for packets in under_way.values() if packets]
        wait = max(0.0, min(due) - time.monotonic()) if due else None
        ready, _, _ = select.select([near, far], [], [], wait)
        for end in ready:
            with contextlib.suppress(BlockingIOError):
                for _ in range(_BATCH):
                    packet = os.read(end, MTU + 100)
                    under_way[other[end]].append((time.monotonic() + delay, packet))
        now = time.monotonic()
        for end, packets in under_way.items():
            while packets and packets[0][0] <= now:
                os.write(end, packets.popleft()[1])


if __name__ == "__main__":
    os.nice(-15)  # a packet that waits for the processor would be a longer wire
    carry(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
