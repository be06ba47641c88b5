"""What happens to this machine and says nothing to a connection: it was suspended, its addresses or routes changed."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from typing import TYPE_CHECKING

from orchestra.engine.core.messages import NetworkChanged, Resumed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orchestra.engine.core.messages import Event

TICK = 1.0
"""Seconds between two looks at the clocks: what is looked at costs two system calls."""
ASLEEP = 2.0
"""Seconds by which the clocks must have come apart to call it a suspend."""
QUIET = 0.5
"""Seconds without a further change after which one is told: they come in swarms."""

# rtnetlink(7): RTMGRP_IPV4_IFADDR, RTMGRP_IPV4_ROUTE, RTMGRP_IPV6_IFADDR, RTMGRP_IPV6_ROUTE
_GROUPS = 0x10 | 0x40 | 0x100 | 0x400


@contextlib.contextmanager
def watched(tell: Callable[[Event], None]) -> Iterator[None]:
    """Tells of both, as far as the system does, from the event loop that runs; until the end of the context."""
    with suspends(lambda: tell(Resumed())), changes(lambda: tell(NetworkChanged())):
        yield


@contextlib.contextmanager
def unwatched(_tell: Callable[[Event], None]) -> Iterator[None]:
    """Tells of nothing."""
    yield


@contextlib.contextmanager
def suspends(tell: Callable[[], None], slept: Callable[[], float] | None = None) -> Iterator[None]:
    """Calls when this machine was suspended. ``slept``: seconds that it has been in all, up to a constant."""
    slept = slept or asleep
    loop = asyncio.get_running_loop()
    before, timer = slept(), None

    def look() -> None:
        nonlocal before, timer
        timer = loop.call_later(TICK, look)
        earlier, before = before, slept()
        if before - earlier >= ASLEEP:
            tell()

    timer = loop.call_later(TICK, look)
    try:
        yield
    finally:
        timer.cancel()


def asleep() -> float:
    """By how much the clock that goes on in a suspend is ahead of the one that stands still (clock_gettime(2)).

    Where the system has no such pair it is the wall clock that goes on; who sets it forward is taken for a suspend,
    which does no harm.
    """
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)
    return time.time() - time.monotonic()


@contextlib.contextmanager
def changes(tell: Callable[[], None]) -> Iterator[None]:
    """Calls when addresses or routes of this machine have changed; never where the system does not say (Linux does)."""
    loop = asyncio.get_running_loop()
    timer: asyncio.TimerHandle | None = None
    try:
        sock = _netlink()
    except (AttributeError, OSError):
        yield
        return

    def read() -> None:
        nonlocal timer
        with contextlib.suppress(OSError):  # read empty; or overrun (ENOBUFS), which is a change too
            while sock.recv(65536):
                pass
        if timer is not None:
            timer.cancel()
        timer = loop.call_later(QUIET, tell)

    loop.add_reader(sock, read)
    try:
        yield
    finally:
        loop.remove_reader(sock)
        sock.close()
        if timer is not None:
            timer.cancel()


def _netlink() -> socket.socket:
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE)
    try:
        sock.bind((0, _GROUPS))
    except OSError:
        sock.close()
        raise
    return sock
