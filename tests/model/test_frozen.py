"""What is made by it cannot be told from what ``dataclasses`` makes."""

from __future__ import annotations

import copy
import dataclasses
import inspect
from collections.abc import Callable
from dataclasses import FrozenInstanceError, field
from typing import Any, ClassVar

import pytest

from orchestra.assembly.apart import dumps, loads
from orchestra.model import frozen

WITH = (dataclasses.dataclass, frozen.dataclass)


@frozen.dataclass(frozen=True, slots=True)
class Point:
    x: int
    y: int = 0
    names: list[str] = field(default_factory=list, compare=False)
    known: ClassVar[int] = 7


@frozen.dataclass(frozen=True, slots=True)
class Deep(Point):
    z: int = 0


@pytest.fixture(params=WITH, ids=["dataclasses", "frozen"])
def circle(request: pytest.FixtureRequest) -> Any:
    @request.param(frozen=True, slots=True, kw_only=True)
    class Circle:
        radius: int
        tags: tuple[str, ...] = ()
        hidden: int = field(default=0, repr=False, compare=False)
        area: int = field(init=False)

        def __post_init__(self) -> None:
            object.__setattr__(self, "area", 3 * self.radius**2)

    return Circle


def test_a_value_is_made_shown_compared_and_hashed(circle: Any) -> None:
    one = circle(radius=2, hidden=1)
    assert repr(one).endswith("Circle(radius=2, tags=(), area=12)")
    assert one == circle(radius=2)
    assert one != circle(radius=3)
    assert one != "Circle"
    assert {one} == {circle(radius=2, hidden=9)}


@pytest.mark.parametrize(
    "make", [lambda c: c(2), lambda c: c(), lambda c: c(radius=1, area=2)], ids=["positional", "missing", "unknown"]
)
def test_what_it_does_not_take_is_refused_by_its_name(circle: Any, make: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match=r"Circle\.__init__\(\)"):
        make(circle)


def test_it_does_not_change(circle: Any) -> None:
    one = circle(radius=2)
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'radius'"):
        one.radius = 3
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'tags'"):
        del one.tags
    assert dataclasses.replace(one, radius=1) == circle(radius=1)
    assert not hasattr(one, "__dict__")


def test_its_methods_are_the_ones_that_dataclasses_writes() -> None:
    @dataclasses.dataclass(frozen=True, slots=True)
    class Point:
        x: int
        y: int = 0

    @frozen.dataclass(frozen=True, slots=True)
    class Later:
        x: int
        y: int = 0

    assert Later(1) == Later(1)
    assert inspect.signature(Later.__init__) == inspect.signature(Point.__init__)
    assert Later.__init__.__code__.co_code == Point.__init__.__code__.co_code
    assert Later.__eq__.__code__.co_code == Point.__eq__.__code__.co_code


def test_what_a_class_says_of_itself_stays() -> None:
    @frozen.dataclass(frozen=True, slots=True)
    class Own:
        x: int

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 5

        def __repr__(self) -> str:
            return "own"

    assert Own(1) == Own(2)
    assert repr(Own(1)) == "own"
    assert hash(Own(1)) == 5


def test_it_moves_and_is_copied() -> None:
    point = Point(1, names=["a"])
    for moved in (loads(dumps(point)), copy.copy(point), copy.deepcopy(point)):
        assert (moved, moved.names, moved.known) == (point, ["a"], 7)


def test_what_derives_from_it_is_frozen_too() -> None:
    deep = Deep(1, z=3)
    assert (deep.x, deep.z, repr(deep)) == (1, 3, "Deep(x=1, y=0, names=[], z=3)")
    assert deep != Point(1)
    assert loads(dumps(deep)) == deep
    with pytest.raises(FrozenInstanceError):
        deep.x = 2  # type: ignore[misc]

    class Plain(Point):
        """No dataclass: it has attributes of its own."""

        def __init__(self, x: int) -> None:
            super().__init__(x)
            self.own = x

    plain = Plain(5)
    plain.own = 6
    assert (plain.x, plain.own) == (5, 6)
    with pytest.raises(FrozenInstanceError):
        plain.x = 1  # type: ignore[misc]


def test_what_is_not_frozen_or_has_an_order_is_made_by_dataclasses() -> None:
    @frozen.dataclass
    class Changing:
        x: int

    @frozen.dataclass(frozen=True, slots=True, order=True)
    class Ordered:
        x: int

    changing = Changing(1)
    changing.x = 2
    assert changing == Changing(2)
    assert Ordered(1) < Ordered(2)
