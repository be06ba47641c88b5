"""Addresses of names, looked up beside everything else: a name server may be slow, or silent.

A helper is sent this text, as :mod:`.wire`.
"""

from __future__ import annotations

import errno
import os
import socket
import threading
from collections import OrderedDict, deque
from typing import Any

LOOKUPS, QUEUED = 16, 1024
"""Names that are looked up at once, each in a thread; so many others wait for their turn, and more are refused."""
KEPT, FAILED_KEPT = 30.0, 5.0
"""Seconds for which the addresses of a name are kept, and that it has none."""
NAMES = 4096
"""Of so many at most."""
Name = Any
"""Host and port."""


def addresses(host: str, port: int, flags: int = 0) -> tuple[list[Any], OSError | None]:
    """Those of a host, or why it has none."""
    try:
        return socket.getaddrinfo(host, port, 0, socket.SOCK_DGRAM, 0, flags), None
    except OSError as error:
        return [], error
    except ValueError:  # a name that cannot be one
        return [], socket.gaierror()


def in_thread(work: Any, *arguments: Any) -> None:
    """Nobody waits for its end. Raises RuntimeError when there may be no more of them."""
    threading.Thread(target=work, args=arguments, daemon=True).start()


class Names:
    """What is known, and who waits for what is not."""

    def __init__(self, look: Any = addresses, beside: Any = in_thread) -> None:
        self.look, self.beside = look, beside
        self.bell = os.pipe()
        """Whose first end can be read when there is something to :meth:`take`."""
        self.known: dict[Name, tuple[float, list[Any], OSError | None]] = {}
        self.queued: OrderedDict[Name, list[Any]] = OrderedDict()  # who waits for what is not looked up yet
        self.asked: dict[Name, list[Any]] = {}  # and for what is
        self.found: deque[Any] = deque()  # what threads have found

    def find(self, host: str, port: int, now: float, who: Any) -> tuple[list[Any], OSError | None] | None:
        """The addresses of a host, or why it has none; None when it has to be looked up for ``who``."""
        name = host, port
        until, found, failure = self.known.get(name, (0.0, [], None))
        if now >= until:
            found, failure = addresses(host, port, socket.AI_NUMERICHOST)
        if failure is None or now < until:
            return found, failure
        waiting = self.asked.get(name, self.queued.get(name))
        if waiting is None:
            if len(self.queued) >= QUEUED:
                return [], OSError(errno.EUSERS, "too many names wait to be looked up")
            waiting = self.queued[name] = []
        waiting.append(who)
        self.look_up()
        return None

    def withdraw(self, host: str, port: int, who: Any) -> None:
        """``who`` waits no longer; what nobody waits for is not looked up any more."""
        name = host, port
        waiting = (self.asked if name in self.asked else self.queued)[name]
        waiting.remove(who)
        if not waiting:
            self.queued.pop(name, None)

    def take(self, now: float) -> list[tuple[Any, list[Any], OSError | None]]:
        """Who has waited, for which addresses, or why there are none."""
        os.read(self.bell[0], 4096)
        told = []
        while self.found:
            name, found, failure = self.found.popleft()
            if len(self.known) >= NAMES:
                self.known.clear()
            self.known[name] = now + (FAILED_KEPT if failure else KEPT), found, failure
            told += [(who, found, failure) for who in self.asked.pop(name)]
        self.look_up()
        return told

    def look_up(self) -> None:
        """Begins with the names that are next."""
        while self.queued and len(self.asked) < LOOKUPS:
            name, waiting = self.queued.popitem(last=False)
            self.asked[name] = waiting
            try:
                self.beside(self.ask, name)
            except RuntimeError:  # no thread is to be had: then all wait
                self.ask(name)

    def ask(self, name: Name) -> None:
        """What a thread does."""
        self.found.append((name, *self.look(*name)))
        os.write(self.bell[1], b"!")
