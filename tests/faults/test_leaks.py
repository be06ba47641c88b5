"""The leak checker itself: whatever is left on purpose is found and named, and nothing else is."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
from pathlib import Path

import pytest

from orchestra.lab.netns import open_netns_lab
from orchestra.lab.netns.lab import NetnsLab
from tests.faults import leaks
from tests.faults.field import two_hops
from tests.faults.leaks import lab_settled, lab_traces, nothing_left, play
from tests.lab.netns.labs import in_namespaces


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaks, "PATIENCE", 0.1)


def test_what_goes_again_is_no_leak(tmp_path: Path) -> None:
    async def scene() -> None:
        task = asyncio.create_task(asyncio.sleep(0))
        with socket.create_server(("127.0.0.1", 0)), (tmp_path / "file").open("w"):
            await task
        (tmp_path / "file").unlink()
        await (await asyncio.create_subprocess_exec("true")).wait()

    play(scene(), tmp_path)


def test_a_task_that_is_left_is_found() -> None:
    async def scene() -> None:
        asyncio.create_task(asyncio.Event().wait(), name="straggler")  # noqa: RUF006 - that is the point

    with pytest.raises(AssertionError, match="straggler"):
        play(scene())


def test_a_descriptor_that_is_left_is_found_also_under_a_number_that_was_free() -> None:
    with socket.socket() as left, pytest.raises(AssertionError, match=r"descriptor \d+: socket:"), nothing_left():
        opened = os.dup(left.fileno())
    os.close(opened)


def test_a_process_that_is_left_is_found() -> None:
    with pytest.raises(AssertionError, match=r"process \d+: sleep"), nothing_left():
        left = subprocess.Popen(["sleep", "60"])
    left.kill()
    left.wait()


def test_a_file_that_is_left_is_found(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"left behind: file .*/control.sock"), nothing_left(tmp_path):
        (tmp_path / "control.sock").touch()


@in_namespaces
def test_a_listener_a_connection_and_a_process_that_are_left_are_found() -> None:
    async def scene() -> None:
        lab: NetnsLab = await open_netns_lab(two_hops(), "laptop")
        try:
            before = await lab_traces(lab)
            await lab_settled(lab, before)
            left = await lab.socket_in(lab.layout.of("gateway"), socket.AF_INET)
            left.bind(("10.20.0.2", 7777))
            left.listen()
            sock = await lab.dial("laptop", "198.51.100.2", 22)
            assert await asyncio.get_running_loop().sock_recv(sock, 8) == b"SSH-2.0-"  # a process of its own serves it
            with left, sock, pytest.raises(AssertionError) as found:
                await lab_settled(lab, before)
            for what in (
                "gateway: listening tcp 0 128 10.20.0.2:7777",
                "laptop: established tcp",
                "gateway: established tcp",
                "process sshd",
            ):
                assert what in str(found.value)
        finally:
            await lab.close()

    play(scene())
