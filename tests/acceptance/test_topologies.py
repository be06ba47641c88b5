"""Every example runs with real traffic, in both labs: what answers says which target it is, and on which host."""

from pathlib import Path

import pytest

from tests.acceptance.world import LABS, World, ask, play, world

EXAMPLES = sorted((Path(__file__).parents[2] / "topologies").glob("*.yaml"))


@pytest.mark.parametrize("kind", LABS)
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
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
        page = await ask(up.user_of(tunnel), host, port)
        assert f"{target.name} on {target.host}".encode() in page, (name, host, port)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_says_what_it_is_for_on_its_first_line(example: Path) -> None:
    first = example.read_text().splitlines()[0]
    assert first.startswith("# ")
    assert len(first) > 30
