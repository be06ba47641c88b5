"""Pairs of sockets, and what crosses them."""

from __future__ import annotations

import socket
from contextlib import ExitStack, closing

import pytest

from orchestra.lab.embedded.wire import Wire
from orchestra.session.sockets import reset


def test_two_ends_are_joined_and_wait_for_nothing() -> None:
    with closing(Wire()) as wire, ExitStack() as stack:
        near, far = map(stack.enter_context, wire.pair())
        with pytest.raises(BlockingIOError):
            near.recv(1)
        far.send(b"x")
        near.setblocking(True)
        assert near.recv(1) == b"x"
        assert all(end.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for end in (near, far))


def test_a_reset_arrives_as_one() -> None:
    with closing(Wire()) as wire:
        near, far = wire.pair()
        reset(far)
        near.setblocking(True)
        with near, pytest.raises(ConnectionResetError):
            near.recv(1)


def test_a_stranger_who_found_the_port_gets_no_end() -> None:
    with closing(Wire()) as wire, socket.create_connection(wire._listening.getsockname()) as stranger:
        near, far = wire.pair()
        with near, far:
            assert far.getpeername() == near.getsockname() != stranger.getsockname()
        stranger.settimeout(5)
        assert stranger.recv(1) == b""


def test_closed_it_makes_no_more_and_leaves_those_that_exist() -> None:
    wire = Wire()
    near, far = wire.pair()
    wire.close()
    with near, far:
        far.send(b"x")
        with pytest.raises(OSError, match=r"(refused|descriptor)"):
            wire.pair()
        near.setblocking(True)
        assert near.recv(1) == b"x"
