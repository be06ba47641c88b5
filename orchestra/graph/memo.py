"""What has been asked of a compiled topology before: each question is answered once."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, TypeVar, TypeVarTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.graph.world import World

Answer = TypeVar("Answer")
About = TypeVarTuple("About")


def remembered(question: Callable[[World, *About], Answer]) -> Callable[[World, *About], Answer]:
    """Makes a world keep what a pure function of it and of hashable arguments has answered."""

    @wraps(question)
    def asked(world: World, *about: *About) -> Answer:
        key = (question, *about)
        if key not in world.memo:
            world.memo[key] = question(world, *about)
        answer: Answer = world.memo[key]
        return answer

    return asked
