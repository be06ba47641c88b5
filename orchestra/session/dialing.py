"""Dialing from this machine: names are resolved, and their addresses tried in a staggered race (RFC 8305)."""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Any, TypeAlias

from orchestra.model.topology import Family

AddressInfo: TypeAlias = tuple[int, int, int, str, Any]
"""One row of getaddrinfo(3)."""
Connector: TypeAlias = Callable[[], Coroutine[Any, Any, socket.socket]]

_FAMILIES: dict[Family | None, int] = {None: socket.AF_UNSPEC, "ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}
STAGGER = 0.25
"""Seconds before the next address is tried beside those that have not answered (RFC 8305 section 5)."""


async def dial(host: str, port: int, family: Family | None = None, source: str | None = None) -> socket.socket:
    """A connected, non-blocking TCP socket. Raises OSError: that of the first address when all fail.

    ``source`` is the address, or a name of it, to dial from.
    """
    loop, only = asyncio.get_running_loop(), _FAMILIES[family]
    infos: list[AddressInfo] = list(await loop.getaddrinfo(host, port, family=only, type=socket.SOCK_STREAM))
    if source is None:
        return await race([partial(connect, info) for info in interleave(infos)])
    own: dict[int, Any] = {
        info[0]: info[4] for info in await loop.getaddrinfo(source, 0, family=only, type=socket.SOCK_STREAM)
    }
    fitting = [info for info in infos if info[0] in own]
    if not fitting:
        raise OSError(f"{source} cannot dial {host}: they have no address of one family")
    return await race([partial(connect, info, own[info[0]]) for info in interleave(fitting)])


async def dial_datagrams(host: str, port: int) -> socket.socket:
    """A UDP socket connected to the first address of a name that this machine has a way to. Raises OSError."""
    infos = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    failure: OSError | None = None
    for info in infos:
        try:
            return await connect(info)
        except OSError as error:
            failure = failure or error
    raise failure or OSError("the name has no address")


def interleave(infos: list[AddressInfo]) -> list[AddressInfo]:
    """Addresses of the two families by turns, the first family first (RFC 8305 section 4)."""
    first = [info for info in infos if info[0] == infos[0][0]]
    others = [info for info in infos if info[0] != infos[0][0]]
    return [info for pair in itertools.zip_longest(first, others) for info in pair if info is not None]


async def connect(info: AddressInfo, source: Any = None) -> socket.socket:
    """Connects to one address, from another where one is given; cancelled or refused, it leaves no socket."""
    family, kind, protocol, _, address = info
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        if source is not None:
            sock.bind(source)
        await asyncio.get_running_loop().sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock


async def race(attempts: Iterable[Connector]) -> socket.socket:
    """The first socket that any of them connects; cancelled or refused, it leaves none. Raises OSError."""
    waiting = deque(attempts)
    running: list[asyncio.Task[socket.socket]] = []
    errors: list[OSError] = []
    won: socket.socket | None = None
    try:
        while won is None and (waiting or running):
            if waiting:
                running.append(asyncio.create_task(waiting.popleft()()))
            patience = STAGGER if waiting else None
            done, _ = await asyncio.wait(running, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                running.remove(task)
                error = task.exception()
                if isinstance(error, OSError):
                    errors.append(error)
                elif won is None:
                    won = task.result()
                else:
                    task.result().close()
    finally:
        await _drop(running)
    if won is None:
        raise errors[0] if errors else OSError("the name has no address")
    return won


async def _drop(tasks: list[asyncio.Task[socket.socket]]) -> None:
    for task in tasks:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, socket.socket):
            result.close()
