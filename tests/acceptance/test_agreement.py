"""The kernel and real sshd are asked what the model says: random topologies in namespaces.

Every host dials every address and every service, and every tunnel that the plan opens has to carry bytes. Left out is
what the model does not claim to know: what it assumes, and addresses that it calls ambiguous. Each run has other
topologies; the seed stands at its end. ``make agreement SEEDS=1000`` is the long run.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import asdict
from pathlib import Path

import pytest

from orchestra.model.topology import Topology
from tests.acceptance.as_yaml import as_yaml
from tests.acceptance.generate import loaded, random_world
from tests.acceptance.kernel import Disagreement, Question, disagreements, model_of
from tests.acceptance.shrink import minimal
from tests.acceptance.world import needs_netns, play

pytestmark = [pytest.mark.netns, needs_netns]

PARTS = 4
AT_ONCE = 2
LEAST = 50
"""Answers for each topology, on the average: fewer would prove little."""
BEFORE = sorted((Path(__file__).parent / "disagreements").glob("*.yaml"))
"""What was found once. The first line says what it shows, and ends with the client."""


@pytest.mark.timeout(0)
@pytest.mark.parametrize("part", range(PARTS))
def test_the_kernel_agrees_with_the_model(part: int, pytestconfig: pytest.Config) -> None:
    first, many = pytestconfig.option.seed, pytestconfig.option.topologies
    play(_agree(range(first + part, first + many, PARTS)))


@pytest.mark.parametrize("file", BEFORE, ids=lambda file: file.stem)
def test_what_was_wrong_once_stays_right(file: Path) -> None:
    text = file.read_text()

    async def scene() -> None:
        found, compared = await disagreements(loaded(text), text.partition("\n")[0].split()[-1])
        assert not found
        assert compared

    play(scene())


async def _agree(seeds: range) -> None:
    gate, compared = asyncio.Semaphore(AT_ONCE), 0

    async def one(seed: int) -> tuple[int, Disagreement] | None:
        nonlocal compared
        async with gate:
            topology, client = random_world(random.Random(seed))  # noqa: S311 - not for secrets
            found, number = await disagreements(topology, client)
            compared += number
            return (seed, found[0]) if found else None

    found = [each for each in await asyncio.gather(*map(one, seeds)) if each is not None]
    if found:
        pytest.fail(await _shown(*found[0], [seed for seed, _ in found]), pytrace=False)
    assert compared >= LEAST * len(seeds)


async def _shown(seed: int, found: Disagreement, seeds: list[int]) -> str:
    """The disagreement on a topology from which nothing more can be taken."""
    topology, client = random_world(random.Random(seed))  # noqa: S311 - not for secrets

    async def still(less: Topology) -> bool:
        same = model_of(less, client, found.about) == found.model
        return same and bool((await disagreements(less, client, found.about))[0])

    keep = {client, *([found.about.dialer] if isinstance(found.about, Question) else [])}
    least = loaded(as_yaml(await minimal(topology, still, keep=frozenset(keep))))
    what = " ".join(f"{key}={value}" for key, value in _fields(found.about) if value is not None)
    return (
        f"seed {seed}{f' of {seeds}' if len(seeds) > 1 else ''}, seen from {client}: {what}\n"
        f"the model says {found.model}, the kernel {found.kernel}, in\n\n{as_yaml(least)}"
    )


def _fields(about: Question | str) -> list[tuple[str, object]]:
    return [("tunnel", about)] if isinstance(about, str) else list(asdict(about).items())
