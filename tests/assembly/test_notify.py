"""What a manager of services is told, on a real datagram socket."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestra.assembly.notify import Notifier


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """A socket, and its address as NOTIFY_SOCKET has it."""
    address = str(tmp_path / "notify") if request.param == "path" else f"@orchestra-{secrets.token_hex(8)}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.bind(address.replace("@", "\0"))
        bound.settimeout(5)
        yield bound, address


def told(manager: socket.socket) -> dict[str, str]:
    return dict(line.split("=", 1) for line in manager.recv(4096).decode().splitlines())


def test_a_life(manager: tuple[socket.socket, str]) -> None:
    listening, address = manager
    notifier = Notifier.of({"NOTIFY_SOCKET": address})
    before = time.monotonic()
    notifier.status("starting: 0 of 1 tunnel ready\nREADY=1")
    notifier.ready("ready")
    notifier.reloading()
    notifier.stopping()
    assert told(listening) == {"STATUS": "starting: 0 of 1 tunnel ready READY=1"}
    assert told(listening) == {"READY": "1", "STATUS": "ready"}
    reloading = told(listening)
    assert reloading["RELOADING"] == "1"
    assert before <= int(reloading["MONOTONIC_USEC"]) / 1e6 <= time.monotonic()
    assert told(listening) == {"STOPPING": "1"}


def test_signs_of_life_come_from_the_loop_and_twice_as_often_as_expected(manager: tuple[socket.socket, str]) -> None:
    listening, address = manager
    notifier = Notifier.of({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "100000", "WATCHDOG_PID": str(os.getpid())})
    assert notifier.watchdog == 0.1

    async def live() -> list[float]:
        times = []
        async with notifier.alive():
            for _ in range(3):
                assert await asyncio.to_thread(told, listening) == {"WATCHDOG": "1"}
                times.append(asyncio.get_running_loop().time())
        return times

    first, _, third = asyncio.run(live())
    assert 0.05 < third - first < 5


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"WATCHDOG_USEC": "100000"},
        {"NOTIFY_SOCKET": "vsock:2:1234", "WATCHDOG_USEC": "100000"},
        {"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "100000", "WATCHDOG_PID": "1"},
        {"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "soon"},
    ],
)
def test_where_nobody_expects_signs_of_life_there_are_none(environ: dict[str, str]) -> None:
    notifier = Notifier.of(environ)
    assert notifier.watchdog is None
    assert environ == {}  # programs that it starts are not the service


def test_a_manager_that_has_gone_or_does_not_read_is_no_trouble(tmp_path: Path) -> None:
    Notifier(str(tmp_path / "gone")).ready("ready")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(str(tmp_path / "deaf"))
        for _ in range(1000):
            Notifier(str(tmp_path / "deaf")).status("x")
        Notifier(str(tmp_path / "deaf")).stopping()
        assert deaf.recv(100) == b"STATUS=x"
