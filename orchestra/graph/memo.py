"""What has been asked of a compiled topology before: each question is answered once."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.graph.world import World

Answer = TypeVar("Answer")
About = TypeVarTuple("About")


class Memo:
    """Answers, by the function that gave them and what it was asked about."""

    __slots__ = ("_answers",)

    def __init__(self) -> None:
        self._answers: dict[tuple[object, ...], Any] = {}

    def answer(self, question: Callable[[World, *About], Answer], world: World, *about: *About) -> Answer:
        """The known answer to a question about a world, or the one that is given now."""
        key = (question, *about)
        if key not in self._answers:
            self._answers[key] = question(world, *about)
        found: Answer = self._answers[key]
        return found


def remembered(question: Callable[[World, *About], Answer]) -> Callable[[World, *About], Answer]:
    """Makes a world keep what a pure function of it and of hashable arguments has answered."""

    @wraps(question)
    def asked(world: World, *about: *About) -> Answer:
        return world.memo.answer(question, world, *about)

    return asked
