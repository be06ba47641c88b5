"""Pairs of connected sockets: what carries a connection between two hosts of the lab.

They are TCP over loopback and not ``socketpair``: on a Unix socket SO_LINGER makes no reset, so that a connection which
was cut would look like one that ended well, to the very code whose promise it is to tell them apart.
"""

from __future__ import annotations

import socket


class Wire:
    """Makes pairs through one listening socket of its own."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._listening.settimeout(5)

    def pair(self) -> tuple[socket.socket, socket.socket]:
        """Two ends, connected and non-blocking, without delay for small writes."""
        near = socket.create_connection(self._listening.getsockname(), timeout=5)
        try:
            far = self._accept(near.getsockname())
        except BaseException:
            near.close()
            raise
        for end in (near, far):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            end.setblocking(False)
        return near, far

    def close(self) -> None:
        """No more pairs; those that exist live on."""
        self._listening.close()

    def _accept(self, peer: object) -> socket.socket:
        while True:
            sock, address = self._listening.accept()
            if address == peer:
                return sock
            sock.close()  # another program of this machine found the port
