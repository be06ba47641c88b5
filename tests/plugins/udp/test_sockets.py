from __future__ import annotations

import socket
import sys

import pytest
from orchestra_plugins.udp.sockets import MTU_DISCOVER, lost, prepare


@pytest.mark.skipif(sys.platform != "linux", reason="the options of other systems differ")
@pytest.mark.parametrize(("df", "found"), [(0, 0), (1, 2)])
def test_sockets_are_told_whether_to_fragment_and_to_say_what_they_drop(df: int, found: int) -> None:
    for family in (socket.AF_INET, socket.AF_INET6):
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            prepare(sock, df)
            assert sock.getsockopt(*MTU_DISCOVER[family]) == found
            assert not sock.getblocking()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not say")
def test_what_a_full_socket_drops_is_known_at_once() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, socket.socket(sock.family, sock.type) as client:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.bind(("127.0.0.1", 0))
        sock.setblocking(False)
        for _ in range(100):
            client.sendto(b"x", sock.getsockname())
        dropped = lost(sock)
        assert 0 < dropped < 100
        for _ in range(100 - dropped):
            sock.recv(10)
        with pytest.raises(BlockingIOError):
            sock.recv(10)
