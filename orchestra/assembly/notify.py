"""What systemd is told of a service: sd_notify(3), over the datagram socket that ``NOTIFY_SOCKET`` names."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from orchestra.model.frozen import dataclass

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, MutableMapping

_MICRO = 1_000_000
_PATIENCE = 0.5
"""Seconds; a queue of datagrams is short (unix(7): ``max_dgram_qlen``), and whoever manages services reads it."""


@dataclass(frozen=True, slots=True)
class Notifier:
    """``address`` None: nobody wants to know. ``watchdog``: seconds within which a sign of life is expected, if so."""

    address: str | None = None
    watchdog: float | None = None

    @classmethod
    def of(cls, environ: MutableMapping[str, str]) -> Notifier:
        """As the environment says, which forgets it: programs that are started from here are not the service."""
        address = environ.pop("NOTIFY_SOCKET", "")
        microseconds, pid = environ.pop("WATCHDOG_USEC", ""), environ.pop("WATCHDOG_PID", "")
        if not address.startswith(("/", "@")):  # other families are not on this machine
            return cls()
        watched = microseconds.isdecimal() and int(microseconds) > 0 and pid in ("", str(os.getpid()))
        return cls(address, int(microseconds) / _MICRO if watched else None)

    @property
    def is_wanted(self) -> bool:
        """Whether anybody wants to know."""
        return self.address is not None

    def ready(self, status: str) -> None:
        """It is up; also after :meth:`reloading`."""
        self._send("READY=1", f"STATUS={status}", patience=_PATIENCE)

    def status(self, status: str) -> None:
        """What ``systemctl status`` shows."""
        self._send(f"STATUS={status}")

    def reloading(self) -> None:
        """Another plan is being made true; :meth:`ready` follows when it is, or when something keeps it from that."""
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._send("RELOADING=1", f"MONOTONIC_USEC={now}", patience=_PATIENCE)

    def stopping(self) -> None:
        """It is being taken down."""
        self._send("STOPPING=1", patience=_PATIENCE)

    @asynccontextmanager
    async def alive(self) -> AsyncIterator[None]:
        """Meanwhile the event loop gives its signs of life, twice as often as is expected."""
        beating = asyncio.create_task(self._beat(), name="watchdog")
        try:
            yield
        finally:
            beating.cancel()

    async def _beat(self) -> None:
        while self.watchdog is not None:
            self._send("WATCHDOG=1")
            await asyncio.sleep(self.watchdog / 2)

    def _send(self, *assignments: str, patience: float = 0.0) -> None:
        """``patience``: seconds that a manager is given who has not read for a while; else what he has no room for is
        lost, as another like it follows."""
        if self.address is None:
            return
        text = "\n".join(line.replace("\n", " ") for line in assignments).encode("utf-8", "replace")
        path = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connected:
            connected.settimeout(patience)
            connected.sendto(text, path)
