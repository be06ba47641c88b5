"""What a file says, as a tree that remembers where it says so; files and defaults are merged on it.

A node is a scalar (its text, and whether it was written plain), a mapping with text keys, or a sequence. Nodes are
never changed once read, and may be shared: by aliases, by defaults.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, TypeAlias

from orchestra.diagnostics import KeyPath, Place
from orchestra.loading.scalars import resolve

Spot: TypeAlias = tuple[str, int, int]
"""File, line and column: a :class:`Place` that costs nothing to make."""

BROKEN = object()
"""Stands in a list for an element that is reported already, so that the others keep their numbers."""


class Scalar:
    """One scalar; ``text`` is as written, variables expanded."""

    __slots__ = ("plain", "spot", "text")

    def __init__(self, spot: Spot, text: str, plain: bool = True) -> None:
        self.spot = spot
        self.text = text
        self.plain = plain


class Branch:
    """A mapping: ``items`` in the order of the file, ``keys`` where each key stands."""

    __slots__ = ("items", "keys", "spot")

    def __init__(self, spot: Spot) -> None:
        self.spot = spot
        self.items: dict[str, Node] = {}
        self.keys: dict[str, Spot] = {}

    def put(self, key: str, where: Spot, node: Node) -> None:
        self.items[key] = node
        self.keys[key] = where


class Series:
    """A sequence."""

    __slots__ = ("items", "spot")

    def __init__(self, spot: Spot) -> None:
        self.spot = spot
        self.items: list[Node] = []


Node: TypeAlias = Scalar | Branch | Series


def plain(node: Node, dropped: Collection[int] = (), texts: Collection[int] = ()) -> Any:
    """The node as plain values: dict, list, str, int, float, bool, None.

    Nodes whose ``id`` is in ``dropped`` are left out; scalars in ``texts`` stay text, whatever they look like.
    """
    if type(node) is Scalar:
        return resolve(node.text) if node.plain and id(node) not in texts else node.text
    if type(node) is Branch:
        return {key: plain(item, dropped, texts) for key, item in node.items.items() if id(item) not in dropped}
    assert type(node) is Series  # noqa: S101 - for the type checker
    return [BROKEN if id(item) in dropped else plain(item, dropped, texts) for item in node.items]


def graft(value: Any, at: Spot) -> Node:
    """Plain values as a node, all of it standing where its short form stands."""
    if isinstance(value, dict):
        branch = Branch(at)
        for key, item in value.items():
            branch.put(key, at, graft(item, at))
        return branch
    if isinstance(value, list | tuple):
        series = Series(at)
        series.items = [graft(item, at) for item in value]
        return series
    return Scalar(at, str(value), plain=not isinstance(value, str))


def merge(under: Node | None, over: Node | None) -> Node | None:
    """Maps merge, everything else replaces; ``over`` wins."""
    if under is None or over is None:
        return over or under
    if not (isinstance(under, Branch) and isinstance(over, Branch)):
        return over
    merged = Branch(over.spot)
    for key, item in under.items.items():
        merged.put(key, under.keys[key], item)
    for key, item in over.items.items():
        below = merged.items.get(key)
        merged.put(key, over.keys[key], item if below is None else merge(below, item) or item)
    return merged


def find(node: Node, path: KeyPath) -> tuple[Node, Spot]:
    """The node at a path, and where its key stands (for an element: where it stands itself).

    Parts of the path that only the long form has are passed over: ``("cidr", 0)`` of a network that is written as one
    scalar is that scalar.
    """
    spot = node.spot
    for part in path:
        if step := _step(node, part):
            node, spot, _ = step
    return node, spot


def as_written(node: Node, path: KeyPath) -> KeyPath:
    """The path as the file has it, without the parts that only the long form has."""
    written: list[str | int] = []
    for part in path:
        if step := _step(node, part):
            node, _, taken = step
            written.append(taken)
    return tuple(written)


def _step(node: Node, part: str | int) -> tuple[Node, Spot, str | int] | None:
    if isinstance(node, Branch):
        if isinstance(part, str) and part in node.items:
            return node.items[part], node.keys[part], part
    elif isinstance(node, Series):
        index = part if isinstance(part, int) else _position(node, part)
        if 0 <= index < len(node.items):
            return node.items[index], node.items[index].spot, index
    return None


def _position(series: Series, name: str) -> int:
    """Where a name stands in a list that became a mapping; -1 when nowhere."""
    names = (index for index, item in enumerate(series.items) if isinstance(item, Scalar) and item.text == name)
    return next(names, -1)


def exact(node: Node, path: KeyPath) -> Spot | None:
    """Where the key at a path stands; None when nothing stands there."""
    spot = node.spot
    for part in path:
        if isinstance(node, Branch) and isinstance(part, str) and part in node.items:
            spot = node.keys[part]
            node = node.items[part]
        elif isinstance(node, Series) and isinstance(part, int) and 0 <= part < len(node.items):
            node = node.items[part]
            spot = node.spot
        else:
            return None
    return spot


def paths(node: Node, path: KeyPath = ()) -> Iterator[KeyPath]:
    """Every path below a node."""
    parts: Any = ()
    if isinstance(node, Branch):
        parts = node.items.items()
    elif isinstance(node, Series):
        parts = enumerate(node.items)
    for part, item in parts:
        yield (*path, part)
        yield from paths(item, (*path, part))


def place(spot: Spot) -> Place:
    """The spot as people are told it."""
    return Place(*spot)
