"""UDP ASSOCIATE through two hops of OpenSSH in namespaces, in both directions, with a client of RFC 1928."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from pathlib import Path

import pytest

from orchestra.model.events import ConnectionFailed
from orchestra.session.protocols import Datagrams
from orchestra.testing import Collector
from tests.acceptance.world import needs_netns, play, world
from tests.plugins.socks.client import Client, header, read_header
from tests.plugins.udp.rig import until

pytestmark = [pytest.mark.netns, needs_netns]

PLANT = """
networks: {internet: , office: 10.20.0.0/24, machines: 10.30.0.0/24}
clients: {laptop: {networks: [internet]}}
servers:
  bastion: {networks: {internet: 198.51.100.2, office: 10.20.0.2}}
  gateway: {networks: {office: 10.20.0.3, machines: 10.30.0.3}, forwarding: {gateway_ports: clientspecified}}
targets:
  plc: {networks: {machines: 10.30.0.60}, names: [plc.plant.example], address: 2222, protocol: udp}
  dev: {host: laptop, address: "127.0.0.1:5514", protocol: udp}
tunnels:
  plant:
    {kind: socks, exit: gateway, listen: "localhost:1080", socks: {allow: ["10.30.0.60:*", "*.plant.example:2222"]}}
  back: {kind: socks, at: gateway, exit: laptop, listen: "localhost:1080", socks: {allow: ["127.0.0.1:5514"]}}
  shared:
    {kind: socks, at: gateway, exit: laptop, from: machines, listen: "10.30.0.3:1081", socks: {allow: ["127.0.0.1:*"]}}
"""


def test_datagrams_through_two_hops_by_name_and_address(tmp_path: Path) -> None:
    (tmp_path / "plant.yaml").write_text(PLANT)

    async def scene() -> None:
        async with world(tmp_path / "plant.yaml", "netns") as up:
            await up.until_ready()
            for index in (0, 1):  # both loopbacks
                client = await Client.associate(*up.entrance("plant", index))
                assert (client.code, client.relay[0]) == (0, up.entrance("plant", index)[0])
                assert await client.ask("10.30.0.60", 2222, b"read 7") == ("10.30.0.60", 2222, b"plc on plc read 7")
                assert await client.ask("plc.plant.example", 2222, b"8") == ("10.30.0.60", 2222, b"plc on plc 8")
                client.send(header("10.30.0.61", 2222) + b"another machine")
                client.send(header("PLC.plant.example", 2223) + b"another port")
                await until(lambda: up.tunnel("plant").counters.get("dropped_not_allowed") == 2 * (index + 1))  # noqa: B023
                await client.close()
            counters = up.tunnel("plant").counters
            assert (counters["datagrams_out"], counters["datagrams_in"], counters["flows_opened"]) == (4, 4, 4)
            told = [(event.code, event.message) for event in up.log.events if isinstance(event, ConnectionFailed)]
            assert told == [  # once, although two clients have asked
                ("NOT_ALLOWED", "10.30.0.61:2222 is not among what plant allows"),
                ("NOT_ALLOWED", "PLC.plant.example:2223 is not among what plant allows"),
            ]

    play(scene())


def test_programs_at_a_server_and_beside_it_send_datagrams_to_here(tmp_path: Path) -> None:
    (tmp_path / "plant.yaml").write_text(PLANT)

    async def scene() -> None:
        async with world(tmp_path / "plant.yaml", "netns") as up:
            await up.until_ready()
            for tunnel, machine, entered in (("back", "gateway", "127.0.0.1"), ("shared", "plc", "10.30.0.3")):
                place = up.lab.place(machine)
                assert isinstance(place, Datagrams)
                stream, user = await place.create_connection(Collector, *up.entrance(tunnel))
                await user.send(b"\5\1\0" + b"\5\3\0\1" + bytes(6))
                reply = (await asyncio.wait_for(user.receive(12), 10))[2:]
                assert reply[:8] == b"\5\0\0\1" + ip_address(entered).packed
                with await place.create_datagram_connection(entered, int.from_bytes(reply[8:])) as sock:
                    sock.send(header("127.0.0.1", 5514) + b"<13>hello")
                    answer = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(sock, 65536), 10)
                    assert read_header(answer) == ("127.0.0.1", 5514, b"dev on laptop <13>hello")
                stream.close()
                await until(lambda: not up.tunnel(tunnel).connections)  # noqa: B023

    play(scene())
