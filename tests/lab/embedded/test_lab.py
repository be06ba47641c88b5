"""The lab as a whole: places, guests, stubs, counters, and that nothing is left of it."""

from __future__ import annotations

import asyncio
import errno
import os
import tempfile
from ipaddress import ip_address
from pathlib import Path

import pytest

from orchestra.diagnostics import Code
from orchestra.errors import UsageError
from orchestra.lab.embedded import EmbeddedLab, open_embedded_lab
from orchestra.lab.interface import Counter, Lab
from orchestra.testing.collect import Collector
from tests.lab.embedded.branch import branch, refused, talk
from tests.lab.embedded.build import host, in_lab, target, topology


def test_it_is_a_lab() -> None:
    async def test(lab: EmbeddedLab) -> None:
        interface: Lab = lab
        assert (interface.name, interface.here.host, interface.here.is_here) == ("embedded", "laptop", True)
        settings = lab.topology.hosts["gateway"].server
        assert settings is not None
        assert settings.ssh.host_key

    in_lab(branch(), test)


def test_here_dials_as_the_client() -> None:
    async def test(lab: EmbeddedLab) -> None:
        assert await talk(lab.here, "127.0.0.1", 3000) == b"dev-web on laptop\n"
        assert (await talk(lab.here, "10.20.0.2", 22)).startswith(b"SSH-2.0-")
        assert (await talk(lab.here, "198.51.100.1", 2222)).startswith(b"SSH-2.0-")

    in_lab(branch(), test)


def test_dials_end_as_those_of_a_kernel_do() -> None:
    async def test(lab: EmbeddedLab) -> None:
        dropped = await refused(lab.here, "10.20.0.30", 5900)
        assert (dropped.code, dropped.host) == (Code.CONNECT_TIMEOUT, "laptop")
        assert (await refused(lab.here, "198.51.100.1", 80)).code == Code.CONNECT_REFUSED
        assert (await refused(lab.here, "203.0.113.77", 80)).code == Code.DIAL_FAILED
        assert (await refused(lab.here, "desk.example", 80)).code == Code.NAME_UNRESOLVED

    in_lab(branch(), test)


def test_places_and_guests_dial_as_who_they_are() -> None:
    async def test(lab: EmbeddedLab) -> None:
        assert await talk(lab.place("gateway"), "10.20.0.30", 5900) == b"desk on desk\n"
        assert await talk(lab.guest("office"), "10.20.0.30", 5900) == b"desk on desk\n"
        assert (await refused(lab.guest("internet"), "10.20.0.30", 5900)).code == Code.CONNECT_TIMEOUT
        with pytest.raises(UsageError):
            lab.place("nobody")

    in_lab(branch(), test)


def test_counters_tell_what_the_firewalls_let_pass() -> None:
    async def test(lab: EmbeddedLab) -> None:
        assert await lab.counters() == ()
        await talk(lab.here, "10.20.0.2", 22)
        await talk(lab.here, "198.51.100.1", 2222)
        await refused(lab.here, "10.20.0.30", 5900)
        assert await lab.counters() == (Counter(firewall="edge", protocol="tcp", port=22, packets=2),)

    in_lab(branch(), test)


def test_targets_stop_and_start() -> None:
    async def test(lab: EmbeddedLab) -> None:
        gateway = lab.place("gateway")
        _, open_ = await gateway.create_connection(Collector, "10.20.0.30", 5900)
        await lab.stop_target("desk")
        await open_.eof.wait()
        assert (await refused(gateway, "10.20.0.30", 5900)).code == Code.CONNECT_REFUSED
        await lab.start_target("desk")
        assert await talk(gateway, "10.20.0.30", 5900) == b"desk on desk\n"
        with pytest.raises(UsageError):
            await lab.stop_target("nobody")

    in_lab(branch(), test)


def test_a_server_that_stops_refuses() -> None:
    async def test(lab: EmbeddedLab) -> None:
        await lab.stop_server("gateway")
        assert (await refused(lab.here, "10.20.0.2", 22)).code == Code.CONNECT_REFUSED
        await lab.start_server("gateway")
        assert (await talk(lab.here, "10.20.0.2", 22)).startswith(b"SSH-2.0-")
        for nobody in ("edge", "nobody"):
            with pytest.raises(UsageError):
                await lab.stop_server(nobody)

    in_lab(branch(), test)


def test_two_accounts_are_one_server_and_two_targets_one_service() -> None:
    what = topology(
        host("laptop", "client", {"internet": None}),
        host("alice", on={"internet": "198.51.100.2"}),
        host("root", on={"internet": "198.51.100.2"}),
        target("web", "80", on="alice"),
        target("admin", "127.0.0.1:8080", on="root"),
    )

    async def test(lab: EmbeddedLab) -> None:
        await lab.stop_server("root")
        assert (await refused(lab.here, "198.51.100.2", 22)).code == Code.CONNECT_REFUSED
        assert await talk(lab.place("root"), "127.0.0.1", 8080) == b"admin on root\n"
        assert await talk(lab.here, "198.51.100.2", 80) == b"web on alice\n"

    in_lab(what, test)


def test_what_a_host_does_not_have_nobody_answers() -> None:
    what = topology(
        host("laptop", "client", {"internet": None}),
        host("gateway", on={"office": "10.20.0.2"}),
        host("desk", "target", {"office": "10.20.0.30"}),
        target("elsewhere", "10.20.0.30:5900", on="gateway"),
        target("ssh", "22", on="gateway"),
        target("unix", "unix:/run/service", on="gateway"),
    )

    async def test(lab: EmbeddedLab) -> None:
        gateway = lab.place("gateway")
        assert (await refused(gateway, "10.20.0.30", 5900)).code == Code.CONNECT_REFUSED
        assert (await talk(gateway, "127.0.0.1", 22)).startswith(b"SSH-2.0-")

    in_lab(what, test)


def descriptors() -> list[str]:
    return sorted(str(each.readlink()) for each in Path("/proc/self/fd").iterdir() if each.is_symlink())


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts descriptors in /proc")
def test_nothing_is_left() -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, os.getpid)
        before = descriptors()
        lab = await open_embedded_lab(branch(), "laptop")
        directory = lab._credentials.directory
        gateway = lab.place("gateway")
        for place, address, port in ((gateway, "10.20.0.30", 5900), (lab.here, "10.20.0.2", 22)):
            await place.create_connection(Collector, address, port)
        await gateway.create_server(lambda _: asyncio.Future(), "localhost", 8080)
        held = [await lab._network.connect("gateway", "127.0.0.1", 8080) for _ in range(2)]
        await lab.close()
        for sock in held:
            sock.close()
        assert not directory.exists()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        for _ in range(100):
            if descriptors() == before:
                return
            await asyncio.sleep(0.01)
        assert descriptors() == before

    asyncio.run(run())


def test_ipv6_alone() -> None:
    what = topology(
        host("laptop", "client", {"internet": "2001:db8:ffff::7"}),
        host("gateway", on={"internet": "2001:db8:1::2", "office": "2001:db8:20::2"}),
        host("sensor", "target", {"office": "2001:db8:20::30"}),
        target("sensor", "[2001:db8:20::30]:8080"),
    )

    async def test(lab: EmbeddedLab) -> None:
        assert (await talk(lab.here, "2001:db8:1::2", 22)).startswith(b"SSH-2.0-")
        assert await talk(lab.place("gateway"), "2001:db8:20::30", 8080) == b"sensor on sensor\n"
        assert (await refused(lab.here, "2001:db8:20::30", 8080)).code == Code.DIAL_FAILED
        assert ip_address("2001:db8:ffff::7") in lab._network.world.addresses("laptop")

    in_lab(what, test)


def test_cancelled_while_it_opens_it_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    async def run(turns: int) -> None:
        task = asyncio.create_task(open_embedded_lab(branch(), "laptop"))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    for turns in range(5):
        asyncio.run(run(turns))
        assert list(tmp_path.iterdir()) == []


def test_what_cannot_open_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("orchestra.lab.embedded.lab.make_credentials", full)
    with pytest.raises(OSError, match="No space"):
        asyncio.run(open_embedded_lab(branch(), "laptop"))
    assert list(tmp_path.iterdir()) == []
