"""What the kernel is asked of a socket for datagrams, at either end.

A helper is sent this text, as :mod:`.wire`.
"""

from __future__ import annotations

import socket
import sys
from contextlib import suppress
from typing import Any

BUFFER = 1 << 20
MEMINFO = 55
"""SO_MEMINFO of Linux 4.12, which Python does not name: nine numbers, of which the last is how many datagrams a full
socket has dropped. Read after the socket was, it misses none: there is no room to lack when nothing waits."""
RECEIVED_AT = {socket.AF_INET: (socket.IPPROTO_IP, 8), socket.AF_INET6: (socket.IPPROTO_IPV6, 49)}
"""IP_PKTINFO of ip(7), IPV6_RECVPKTINFO of ipv6(7): tells to which of our addresses a datagram was sent."""
SENT_TO = {(socket.IPPROTO_IP, 8): (4, 12), (socket.IPPROTO_IPV6, 50): (0, 20)}
"""Where that address begins in what is told, and how long all of it is."""
WILDCARDS = ("0.0.0.0", "::")  # noqa: S104 - what they are
MTU_DISCOVER = {socket.AF_INET: (socket.IPPROTO_IP, 10), socket.AF_INET6: (socket.IPPROTO_IPV6, 23)}
"""IP_MTU_DISCOVER of ip(7), IPV6_MTU_DISCOVER of ipv6(7)."""
DO, DONT = 2, 0


def prepare(sock: socket.socket, df: int, wild: bool = False) -> bool:
    """Non-blocking, with large buffers; of one bound to a wildcard, whether it tells to which address was sent."""
    sock.setblocking(False)
    settings = [(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER), (socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)]
    if sys.platform == "linux":
        level, option = MTU_DISCOVER[sock.family]
        settings.append((level, option, DO if df else DONT))
    for setting in settings:
        with suppress(OSError):
            sock.setsockopt(*setting)
    if wild and sys.platform == "linux":
        sock.setsockopt(*RECEIVED_AT[sock.family], 1)
        return True
    return False


def lost(sock: socket.socket) -> int:
    """How many datagrams a socket has dropped so far, modulo 2**32, where the system says so."""
    if sys.platform != "linux":
        return 0
    try:
        return int.from_bytes(sock.getsockopt(socket.SOL_SOCKET, MEMINFO, 36)[32:], sys.byteorder)
    except OSError:
        return 0


def answering(extra: list[Any]) -> Any:
    """What is sent along so that an answer comes from the address that was sent to, by what recvmsg told."""
    for level, kind, value in extra:
        if (level, kind) in SENT_TO:
            at, size = SENT_TO[level, kind]
            width = 4 if at else 16  # in_pktinfo, in6_pktinfo; the interface is the system's choice
            address = value[at : at + width]
            return ((level, kind, bytes(at) + address + bytes(size - at - width)),)
    return ()
