"""Real programs at both ends of two hops: what they say when their datagrams arrive as they were sent."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.acceptance.world import DEADLINE, World, needs_netns, play, world
from tests.engine.ssh.sshd import free_port

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.netns, needs_netns]

PLANT = "10.30.0.60"
TOPOLOGY = """
networks: {{internet: , office: 10.20.0.0/24, machines: 10.30.0.0/24}}
clients: {{laptop: {{networks: [internet]}}}}
servers:
  bastion: {{networks: {{internet: 198.51.100.2, office: 10.20.0.2}}}}
  gateway: {{networks: {{office: 10.20.0.3, machines: 10.30.0.3}}, forwarding: {{exec: {exec}}}}}
targets:
  service: {{networks: {{machines: 10.30.0.60}}, address: "10.30.0.60:{port}", protocol: udp}}
  control: {{host: service, address: "10.30.0.60:{port}"}}
tunnels:
  service: {{kind: udp, listen: "127.0.0.1:{local}", udp: {{{options}}}}}
  control: {{listen: "127.0.0.1:{control}", optional: true, check: none}}
"""


def needs(*programs: str) -> pytest.MarkDecorator:
    missing = [program for program in programs if shutil.which(program) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


@asynccontextmanager
async def serving(
    folder: Path, port: int, *argv: str, options: str = "", tcp: bool = False, commands: bool = True
) -> AsyncIterator[tuple[World, int]]:
    """A program in the namespace of the machine behind two hops (none: a stub that echoes), and the port here."""
    local = free_port()
    file = folder / "plant.yaml"
    control = free_port() if "dns" in options else local  # the port is that of both, or of two tunnels
    permits = "yes" if commands else "no"
    file.write_text(TOPOLOGY.format(port=port, local=local, control=control, options=options, exec=permits))
    async with world(file, "netns", twist=lambda plan: plan) as up:
        if argv:
            await up.lab.stop_target("service")
            await up.lab.stop_target("control")
            link = up.lab._link  # type: ignore[attr-defined]
            await link.ask("start", machine="service", argv=list(argv), log=str(folder / "log"), binds=[])
            wanted = [["service", "udp", port]] if not tcp else [["service", "tcp", port]]
            async with asyncio.timeout(DEADLINE):
                while await link.ask("missing", sockets=wanted):  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.02)
        await up.until_ready()
        yield up, local


async def run(*argv: str) -> str:
    """What a program prints; it has to succeed."""
    process = await asyncio.create_subprocess_exec(
        *argv, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    out, _ = await asyncio.wait_for(process.communicate(), DEADLINE)
    assert process.returncode == 0, out.decode()
    return out.decode()


@needs("dig", "dnsmasq")
@pytest.mark.parametrize("over", ["both", "tcp"])
def test_dig_asks_dnsmasq(over: str, tmp_path: Path) -> None:
    long = ",".join("x" * 200 for _ in range(5))
    dnsmasq = ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=root"]
    records = ["--address=/db.plant.example/10.30.0.5", f"--txt-record=long.plant.example,{long}"]

    async def scene() -> None:
        where = [f"--listen-address={PLANT}", "--bind-interfaces", "--pid-file=", "--edns-packet-max=4096"]
        argv, options = (*dnsmasq, *records, *where), f"preset: dns, over: {over}"
        async with serving(tmp_path, 53, *argv, options=options, commands=over != "tcp") as (up, port):
            dig = ("dig", "@127.0.0.1", "-p", str(port), "+tries=3", "+timeout=3")
            assert await run(*dig, "+short", "db.plant.example") == "10.30.0.5\n"
            answer = await run(*dig, "+bufsize=4096", "+ignore", "long.plant.example", "TXT")
            assert re.search(r"MSG SIZE  rcvd: 10\d\d", answer), answer
            assert "flags: qr aa rd ra;" in answer
            assert up.tunnel("service").counters.get("by_tcp", 0) == 0
            assert await run(*dig, "+tcp", "+short", "db.plant.example") == "10.30.0.5\n"
            again = await run(*dig, "+bufsize=512", "long.plant.example", "TXT")
            assert "Truncated, retrying in TCP mode" in again
            assert re.search(r"MSG SIZE  rcvd: 10\d\d", again), again
            counters = up.tunnel("service").counters
            assert (counters["flows_opened"], counters["datagrams_in"], counters["by_tcp"]) == (3, 3, 2)

    play(scene())


@needs("iperf3")
def test_iperf3_loses_nothing(tmp_path: Path) -> None:
    async def scene() -> None:
        async with serving(tmp_path, 5201, "iperf3", "-s", tcp=True) as (up, port):
            for direction in ((), ("-R",)):
                client = ("iperf3", "-c", "127.0.0.1", "-p", str(port), "-u", "-b", "4M", "-t", "1", "-l", "1200", "-J")
                said = json.loads(await run(*client, *direction))
                total = said["end"]["sum"]
                assert total["packets"] > 300
                assert total["lost_packets"] == 0, up.tunnel("service").counters

    play(scene())


@needs("chronyd")
def test_chronyd_is_asked_for_the_time(tmp_path: Path) -> None:
    (tmp_path / "chrony.conf").write_text(f"local stratum 8\nallow all\nbindaddress {PLANT}\ncmdport 0\n")
    argv = ("chronyd", "-x", "-d", "-U", "-u", "root", "-f", str(tmp_path / "chrony.conf"))

    async def scene() -> None:
        async with serving(tmp_path, 123, *argv) as (up, port):
            query = b"\x23" + bytes(39) + b"\0" * 8  # version 4, mode 3 (RFC 5905 section 7.3)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.setblocking(False)
                sock.connect(("127.0.0.1", port))
                sock.send(query)
                answer = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(sock, 100), DEADLINE)
            assert (len(answer), answer[0] & 7, answer[1]) == (48, 4, 8)
            assert up.tunnel("service").counters["datagrams_in"] == 1

    play(scene())


@needs("snmpget", "snmpd")
def test_snmpget_asks_snmpd(tmp_path: Path) -> None:
    (tmp_path / "snmpd.conf").write_text("rocommunity public\nsysName plant 7\n")
    argv = ("snmpd", "-f", "-Lo", "-C", "-c", str(tmp_path / "snmpd.conf"), f"udp:{PLANT}:161")

    async def scene() -> None:
        async with serving(tmp_path, 161, *argv) as (_, port):
            said = await run(
                *("snmpget", "-v2c", "-c", "public", "-t", "3", "-Oqv", f"127.0.0.1:{port}", "1.3.6.1.2.1.1.5.0")
            )
            assert said.strip() == '"plant 7"'

    play(scene())


def test_quic_finds_its_way(tmp_path: Path) -> None:
    quic = pytest.importorskip("tests.acceptance.quic", reason="aioquic is not installed", exc_type=ImportError)
    quic.make_certificate(tmp_path)
    setting = f"import runpy, sys; sys.path.insert(0, {str(ROOT)!r}); sys.argv[1:] = {[PLANT, '4433', str(tmp_path)]}"
    argv = (sys.executable, "-c", f"{setting}; runpy.run_module('tests.acceptance.quic', run_name='__main__')")

    async def scene() -> None:
        async with serving(tmp_path, 4433, *argv, options="df: true") as (_, port):
            data = bytes(range(256)) * 400
            assert await asyncio.wait_for(quic.ask("127.0.0.1", port, data), DEADLINE) == data

    play(scene())


def test_datagrams_of_wireguards_sizes_keep_them(tmp_path: Path) -> None:
    async def scene() -> None:
        async with serving(tmp_path, 51820, options="df: true") as (_, port):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.setblocking(False)
                sock.connect(("127.0.0.1", port))
                for size in (148, 92, 32, 1420 + 32):  # initiation, response, keepalive, and the largest with data
                    sock.send(bytes(size))
                    got = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(sock, 4096), DEADLINE)
                    assert got == b"service on service " + bytes(size)

    play(scene())
