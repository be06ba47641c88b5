"""Without a helper: a program for each flow, one datagram at a time."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from orchestra_plugins.udp.bridge import Bridges

from orchestra.errors import RuntimeFailure
from orchestra.session import Unsupported
from tests.plugins.udp.rig import Party, Visited, far, play, target


@pytest.mark.parametrize("program", ["socat", "nc"])
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_program_carries_what_is_sent_by_and_by(program: str, host: str, tmp_path: Path) -> None:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed")
    (tmp_path / program).symlink_to(found)

    async def scene() -> None:
        with target(host) as (port, _):
            async with far(f"PATH={tmp_path}; export PATH; COMMAND") as session:
                with pytest.raises(RuntimeFailure):
                    await Bridges().open(session)
                bridge, parties = await Bridges().open(session, degraded=True), [Party(), Party()]
                assert bridge.is_degraded
                flows = [bridge.flow(party, host, port) for party in parties]
                for size in (1, 512, 1400):
                    for flow, party in zip(flows, parties, strict=True):
                        flow.send(b"x" * size)
                        await party.until(lambda: len(party.got[-1:] and party.got[-1]) == size)  # noqa: B023
                flows[0].send(b"")
                assert parties[0].notes == {"size": 1}
                with pytest.raises(Unsupported):
                    await bridge.listen(Visited(), host, 0)
                bridge.close()
                flows[0].send(b"late")
                assert parties[0].notes["closed"] == 1

    play(scene)


def test_where_there_is_nothing_at_all_the_flow_ends(tmp_path: Path) -> None:
    async def scene() -> None:
        async with far(f"PATH={tmp_path}; export PATH; COMMAND") as session:
            bridge, party = await Bridges().open(session, degraded=True), Party()
            bridge.flow(party, "127.0.0.1", 9).send(b"x")
            await party.until(lambda: party.why)

    play(scene)
