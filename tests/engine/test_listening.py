"""Listeners of this machine, on real loopback sockets: all of what was asked for, or nothing."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from orchestra.diagnostics import Code
from orchestra.engine.listening import Bound, listen
from orchestra.model.plan import PlannedListen
from orchestra.session.errors import BindRefused
from orchestra.session.here import Here
from orchestra.session.protocols import Accept, Listener, Peer, Receiver
from orchestra.testing import Collector
from tests.engine import plans
from tests.engine.sockets import direct, engine

LOOPBACKS = ("127.0.0.1", "::1")


async def accept(peer: Peer) -> Receiver:
    return Collector()


def held(host: str) -> tuple[socket.socket, int]:
    """Somebody else's listener on one loopback only; its port is free on the other."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    if ":" in host:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    sock.bind((host, 0))
    sock.listen()
    return sock, sock.getsockname()[1]


def is_free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, port))
        except OSError:
            return False
    return True


async def at_here(planned: PlannedListen, port: int | None = None, here: Any = None) -> Bound:
    return await listen(here or Here("laptop"), planned, accept, port)


@pytest.mark.parametrize(("taken", "other"), [LOOPBACKS, LOOPBACKS[::-1]])
def test_a_port_in_use_on_one_family_leaves_nothing_open(taken: str, other: str) -> None:
    sock, port = held(taken)
    with sock:
        with pytest.raises(BindRefused) as refused:
            asyncio.run(at_here(plans.listen(*LOOPBACKS, port=port)))
        assert refused.value.code == Code.LISTEN_IN_USE
        assert str(port) in refused.value.message
        assert f"(pid {os.getpid()})" in refused.value.message
        assert is_free(other, port)


@pytest.mark.parametrize("taken", LOOPBACKS)
def test_the_tunnel_says_so_and_is_up_once_the_port_is_free(taken: str) -> None:
    async def main() -> None:
        sock, port = held(taken)
        async with engine(direct(9, plans.listen(*LOOPBACKS, port=port)), state="failed") as running:
            error = running.status.error
            assert (error.code, error.host) == ("LISTEN_IN_USE", "laptop")
            assert running.status.listen == ()
            sock.close()
            await running.until(lambda: running.status.state == "ready")
            assert running.status.listen == (f"127.0.0.1:{port}", f"[::1]:{port}")

    asyncio.run(main())


def test_any_port_is_one_port_in_both_families() -> None:
    async def main() -> None:
        bound = await at_here(plans.listen(*LOOPBACKS, port=0))
        assert bound.port > 0
        assert bound.addresses == (f"127.0.0.1:{bound.port}", f"[::1]:{bound.port}")
        bound.close()
        again = await at_here(plans.listen(*LOOPBACKS, port=0), bound.port)
        assert again.port == bound.port
        again.close()

    asyncio.run(main())


def test_any_port_that_is_held_in_the_other_family_is_not_the_one() -> None:
    sock, port = held("::1")

    async def main() -> None:
        bound = await at_here(plans.listen(*LOOPBACKS, port=0), port)
        assert bound.port != port
        bound.close()

    with sock:
        asyncio.run(main())


class WithoutIPv6(Here):
    async def create_server(self, accept: Accept, host: str, port: int) -> Listener:
        if ":" in host:
            cause = OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")
            raise BindRefused(Code.LISTEN_FAILED, f"{self.host} has no {host}", host=self.host) from cause
        return await super().create_server(accept, host, port)


def test_a_family_that_the_machine_lacks_is_dropped_and_said() -> None:
    async def main() -> None:
        bound = await at_here(plans.listen(*LOOPBACKS, port=0), here=WithoutIPv6("laptop"))
        assert bound.addresses == (f"127.0.0.1:{bound.port}",)
        assert bound.notes == ("LOOPBACK_MISSING: laptop has no ::1, so the other is used alone",)
        bound.close()
        with pytest.raises(BindRefused, match="has no ::1"):
            await at_here(plans.listen("::1", port=0), here=WithoutIPv6("laptop"))

    asyncio.run(main())


def test_a_unix_socket(tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "desk.sock"
        bound = await at_here(plans.listen(unix=str(path)))
        assert bound.addresses == (f"unix:{path}",)
        assert path.is_socket()
        bound.close()
        assert not path.exists()

    asyncio.run(main())


PRIVILEGED = """
import asyncio, encodings.idna, os
from tests.engine.test_listening import at_here
from tests.engine import plans
os.setgroups([]); os.setgid(65534); os.setuid(65534)  # only now: nobody may not be able to read the interpreter
try:
    asyncio.run(at_here(plans.listen("127.0.0.1", port=79)))
except Exception as error:
    print(error.code, error.message, sep="|")
"""


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to become somebody without rights")
@pytest.mark.skipif(
    sys.platform != "linux" or int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 79,
    reason="ports below 1024 are open to everyone here (net.ipv4.ip_unprivileged_port_start)",
)
def test_a_privileged_port_without_the_right() -> None:
    done = subprocess.run([sys.executable, "-c", PRIVILEGED], capture_output=True, text=True, check=False)
    code, _, message = done.stdout.strip().partition("|")
    assert (code, "port 79" in message) == ("LISTEN_NOT_PERMITTED", True), done.stderr
