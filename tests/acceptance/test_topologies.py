"""Every example runs with real traffic, in both labs: what answers says which target it is, and on which host."""

import asyncio
from pathlib import Path

import pytest

from orchestra.session import Session
from orchestra.session.protocols import Datagrams
from tests.acceptance.world import LABS, World, ask, play, world

EXAMPLES = sorted((Path(__file__).parents[2] / "topologies").glob("*.yaml"))
OVER_UDP = [path for path in EXAMPLES if "protocol: udp" in path.read_text()]
"""The embedded lab has none."""


@pytest.mark.parametrize(
    ("example", "kind"),
    [
        pytest.param(path, *lab.values, id=f"{path.stem}-{lab.id}", marks=lab.marks)
        for path in EXAMPLES
        for lab in (LABS[1:] if path in OVER_UDP else LABS)
    ],
)
def test_an_example_carries_traffic(example: Path, kind: str) -> None:
    async def scene() -> None:
        async with world(example, kind) as up:
            await up.until_ready()
            for tunnel in up.plan.tunnels:
                if tunnel.dial is not None:  # else what is dialed is said by its users
                    await check_tunnel(up, tunnel.name)

    play(scene())


async def check_tunnel(up: World, name: str) -> None:
    tunnel = up.plan.tunnel(name)
    target = up.lab.topology.targets[tunnel.spec.to or name]
    status = up.tunnel(name)
    assert (status.state, status.proven) == ("ready", True)
    for index in range(len(status.listen)):
        host, port = up.entrance(name, index)
        user = up.user_of(tunnel)
        page = await (asked_by_udp if tunnel.protocol == "udp" else ask)(user, host, port)
        assert f"{target.name} on {target.host}".encode() in page, (name, host, port)


async def asked_by_udp(place: Session, host: str, port: int) -> bytes:
    """One datagram and its answer."""
    assert isinstance(place, Datagrams)
    with await place.create_datagram_connection(host, port) as sock:
        sock.send(b"who is there?")
        return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(sock, 1000), 10)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_says_what_it_is_for_on_its_first_line(example: Path) -> None:
    first = example.read_text().splitlines()[0]
    assert first.startswith("# ")
    assert len(first) > 30
