"""Addresses of names, looked up beside everything else: a name server may be slow, or silent.

A helper is sent this text, as :mod:`.wire`.
"""

from __future__ import annotations

import os
import socket
import threading
from collections import deque
from typing import Any

LOOKUPS = 16
"""Names that are looked up at once, each in a thread; others wait for their turn."""
KEPT, FAILED_KEPT = 30.0, 5.0
"""Seconds for which the addresses of a name are kept, and that it has none."""
NAMES = 4096
"""Of so many at most."""
Name = Any
"""Host and port."""


class Names:
    """What is known, and who waits for what is not."""

    def __init__(self) -> None:
        self.bell = os.pipe()
        """Whose first end can be read when there is something to :meth:`take`."""
        self.known: dict[Name, tuple[float, list[Any], OSError | None]] = {}
        self.wanted: dict[Name, list[Any]] = {}  # who waits
        self.queued: deque[Name] = deque()  # of these, what no thread looks up yet
        self.found: deque[Any] = deque()  # what threads have found
        self.looking = 0

    def find(self, host: str, port: int, now: float, who: Any) -> tuple[list[Any], OSError | None] | None:
        """The addresses of a host, or why it has none; None when it has to be looked up for ``who``."""
        name = host, port
        until, found, failure = self.known.get(name, (0.0, [], None))
        if now >= until:
            found, failure = addresses(host, port, socket.AI_NUMERICHOST)
        if failure is None or now < until:
            return found, failure
        if name not in self.wanted:
            self.wanted[name] = []
            self.queued.append(name)
        self.wanted[name].append(who)
        self.look_up()
        return None

    def take(self, now: float) -> list[tuple[Any, list[Any], OSError | None]]:
        """Who has waited, for which addresses, or why there are none."""
        os.read(self.bell[0], 4096)
        told = []
        while self.found:
            name, found, failure = self.found.popleft()
            if len(self.known) >= NAMES:
                self.known.clear()
            self.known[name] = now + (FAILED_KEPT if failure else KEPT), found, failure
            self.looking -= 1
            told += [(who, found, failure) for who in self.wanted.pop(name)]
        self.look_up()
        return told

    def look_up(self) -> None:
        """Begins with the names that are next."""
        while self.queued and self.looking < LOOKUPS:
            self.looking += 1
            name = self.queued.popleft()
            try:
                threading.Thread(target=self.ask, args=(name,), daemon=True).start()
            except RuntimeError:  # there may be no more of them: then all wait
                self.ask(name)

    def ask(self, name: Name) -> None:
        """What a thread does; nobody waits for its end."""
        self.found.append((name, *addresses(*name)))
        os.write(self.bell[1], b"!")


def addresses(host: str, port: int, flags: int = 0) -> tuple[list[Any], OSError | None]:
    """Those of a host, or why it has none."""
    try:
        return socket.getaddrinfo(host, port, 0, socket.SOCK_DGRAM, 0, flags), None
    except OSError as error:
        return [], error
    except ValueError:  # a name that cannot be one
        return [], socket.gaierror()
