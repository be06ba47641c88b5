"""Who is at the other end of a Unix socket."""

import os
import socket

import pytest

from orchestra.control.peer import is_own_user, peer_uid

needs_credentials = pytest.mark.skipif(not hasattr(socket, "SO_PEERCRED"), reason="the system does not tell")


@needs_credentials
def test_it_is_the_user_who_connected(monkeypatch):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert peer_uid(ours) == os.geteuid()
        assert is_own_user(ours)
        monkeypatch.setattr(os, "geteuid", lambda: 54321)
        assert not is_own_user(ours)


def test_where_the_system_does_not_tell_the_directory_s_mode_has_to_do(monkeypatch):
    monkeypatch.delattr(socket, "SO_PEERCRED", raising=False)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert peer_uid(ours) is None
        assert is_own_user(ours)
