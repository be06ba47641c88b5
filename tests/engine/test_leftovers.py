"""Sockets that an earlier listener left at a server: removed when they are provably ours and dead, else left alone."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

import pytest

from orchestra.diagnostics import Code
from orchestra.engine.leftovers import listen_unix, remove
from orchestra.session.errors import BindRefused
from orchestra.session.here import Here
from orchestra.session.protocols import Accept, Listener, Peer, Receiver
from orchestra.testing import Collector


class Sshd(Here):
    """Refuses a path that exists, as sshd does; its commands are this machine's."""

    is_here = False

    async def create_unix_server(self, accept: Accept, path: str) -> Listener:
        if os.path.lexists(path):  # noqa: ASYNC240 - in a test
            raise BindRefused(Code.FORWARD_REFUSED, "refused", host=self.host)
        return await super().create_unix_server(accept, path)


async def accept(_: Peer) -> Receiver:
    return Collector()


def leave(path: Path) -> Path:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    return path


def listened(path: Path, *, removable: bool = True) -> Code | None:
    """The code with which it was refused."""

    async def main() -> Code | None:
        server = Sshd("gateway")
        try:
            (await listen_unix(server, accept, str(path), removable=removable)).close()
        except BindRefused as refused:
            return refused.code
        finally:
            server.abort()
            await server.wait_closed()
        return None

    return asyncio.run(main())


@pytest.mark.parametrize("name", ["s", "a b'$(touch x);\"", "-rf"])
def test_what_is_ours_and_dead_gives_way(tmp_path: Path, name: str) -> None:
    assert listened(leave(tmp_path / name)) is None
    assert sorted(tmp_path.iterdir()) == []


def test_without_leave_to_remove_it_stays(tmp_path: Path) -> None:
    path = leave(tmp_path / "s")
    assert listened(path, removable=False) == Code.FORWARD_REFUSED
    assert path.is_socket()


def test_what_lives_is_in_use(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as living:
        living.bind(str(tmp_path / "s"))
        living.listen()
        assert listened(tmp_path / "s") == Code.LISTEN_IN_USE
    assert (tmp_path / "s").is_socket()


def test_what_is_bound_and_does_not_answer_stays(tmp_path: Path) -> None:
    """A backlog that is full is refused by the kernel as a dead socket is."""
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "s"))
        assert listened(tmp_path / "s") == Code.FORWARD_REFUSED
    assert (tmp_path / "s").is_socket()


def test_what_is_no_socket_stays(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("text")
    (tmp_path / "l").symlink_to(tmp_path / "s")
    assert {listened(tmp_path / "s"), listened(tmp_path / "l")} == {Code.FORWARD_REFUSED}
    assert (tmp_path / "s").read_text() == "text"


def test_a_command_that_cannot_be_run_removes_nothing(tmp_path: Path) -> None:
    async def main() -> bool:
        server = Here("gateway")
        server.abort()
        return await remove(server, str(leave(tmp_path / "s")))

    assert not asyncio.run(main())
