"""A world keeps what it was asked."""

from __future__ import annotations

from orchestra.graph import World, compile_world
from orchestra.graph.memo import remembered
from tests.planning.make import network, topology


def test_a_question_is_answered_once_for_each_world_and_what_it_is_about() -> None:
    asked: list[tuple[str, int]] = []

    @remembered
    def longest(world: World, least: int) -> list[str]:
        asked.append((world.here, least))
        return [name for name in world.topology.networks if len(name) >= least]

    @remembered
    def shortest(world: World, most: int) -> list[str]:
        return [name for name in world.topology.networks if len(name) <= most]

    one, other = (compile_world(topology(network("net"), network("office")), here) for here in ("a", "b"))
    assert longest(one, 4) is longest(one, 4)
    assert (longest(one, 4), longest(one, 1), longest(other, 4)) == (["office"], ["net", "office"], ["office"])
    assert shortest(one, 4) == ["net"]
    assert asked == [("a", 4), ("a", 1), ("b", 4)]
