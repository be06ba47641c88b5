"""Text to nodes, by libyaml's events.

Never by ``compose``: it recurses in C, so that 100,000 nested brackets overflow its stack. Depth, size and what
aliases expand to are bounded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from orchestra.diagnostics import Code
from orchestra.loading.faults import Fault
from orchestra.loading.nodes import Branch, Node, Scalar, Series, Spot
from orchestra.loading.report import Report, Unreadable, quoted
from orchestra.loading.syntax import explain, find_patch
from orchestra.loading.variables import expand

MAX_DEPTH = 64
MAX_NODES = 2_000_000
"""100,000 hosts have less than half of them."""
MAX_EXPANDED = 500_000
"""Values that stand in the file once and are used again, by an alias."""
MAX_PATCHES = 20
_TEXT_TAGS = frozenset({None, "!", "tag:yaml.org,2002:str"})


def read_yaml(file: str, text: str, *, environ: Mapping[str, str], report: Report, dropped: set[int]) -> Node | None:
    """The root of the file's one document; None when it is empty.

    Reports duplicate keys and the like and goes on; ids of nodes that are reported as broken are added to
    ``dropped``. Raises :class:`Unreadable`.
    """
    lines = text.split("\n")
    patches: dict[tuple[int, int], str] = {}
    while True:
        reader = _Reader(file, environ, patches)
        try:
            root = reader.read("\n".join(lines) if patches else text)
            break
        except (yaml.YAMLError, Unreadable) as error:
            patch = find_patch(error, lines)
            if patch is None or len(patches) >= MAX_PATCHES:
                _report_patches(file, patches, report)
                raise explain(error, file, text, lines) from None
            patches[patch.line, patch.column] = patch.token
            patch.apply(lines)
    _report_patches(file, patches, report)
    report.diagnostics += reader.report.diagnostics
    dropped |= reader.dropped
    return root


def _report_patches(file: str, patches: Mapping[tuple[int, int], str], report: Report) -> None:
    for (line, column), token in sorted(patches.items()):
        report.error(
            Code.YAML_SYNTAX, f"{token} must be quoted", (file, line + 1, column + 1), suggestion=f'write "{token}"'
        )


class _Frame:
    """A collection that is still open: the key that waits for its value, and what to know when it closes."""

    __slots__ = ("anchor", "before", "height", "key", "node", "where")

    def __init__(self, node: Branch | Series, anchor: str | None, before: int) -> None:
        self.node = node
        self.anchor = anchor
        self.before = before
        self.height = 0
        self.key: str | None = None
        self.where: Spot = node.spot


class _Reader:
    def __init__(self, file: str, environ: Mapping[str, str], patches: Mapping[tuple[int, int], str]) -> None:
        self.file = file
        self.environ = environ
        self.patches = patches
        self.report = Report()
        self.dropped: set[int] = set()
        self.root: Node | None = None
        self.stack: list[_Frame] = []
        self.documents = 0
        self.count = 0
        self.expanded = 0
        self.anchors: dict[str, tuple[Node, int, int]] = {}
        """To the node, its size and its height."""

    def read(self, text: str) -> Node | None:
        steps: dict[type, Any] = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._open,
            yaml.SequenceStartEvent: self._open,
            yaml.MappingEndEvent: self._close,
            yaml.SequenceEndEvent: self._close,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._document,
        }
        parser = yaml.CSafeLoader(text)  # its events directly: yaml.parse doubles the time of this loop
        try:
            while (event := parser.get_event()) is not None:
                if step := steps.get(type(event)):
                    step(event)
        finally:
            parser.dispose()
        return self.root

    def _spot(self, event: Any) -> Spot:
        mark = event.start_mark
        return (self.file, mark.line + 1, mark.column + 1)

    def _document(self, event: Any) -> None:
        self.documents += 1
        if self.documents > 1:
            raise Unreadable(
                Code.YAML_SYNTAX,
                "a second document begins here",
                self._spot(event),
                "a topology is one document; put the rest into a file of its own and `include` it, or use -f twice",
            )

    def _scalar(self, event: Any) -> None:
        spot = self._spot(event)
        text, is_plain = event.value, event.implicit[0]
        if self.patches and (spot[1] - 1, spot[2] - 1) in self.patches:
            text = self.patches[spot[1] - 1, spot[2] - 1]
            is_plain = text.startswith("${")
        frame = self.stack[-1] if self.stack else None
        if frame is not None and frame.key is None and type(frame.node) is Branch:
            self._key(frame, text, spot, is_plain)
            return
        node = Scalar(spot, text, is_plain)
        if event.tag not in _TEXT_TAGS:
            self._refuse_tag(node, event)
        elif "$" in text:
            self._expand(node)
        self._count(spot)
        if event.anchor:
            self.anchors[event.anchor] = (node, 1, 0)
        self._put(node)

    def _key(self, frame: _Frame, text: str, spot: Spot, is_plain: bool) -> None:
        if text == "<<" and is_plain:
            self.report.error(
                Code.UNKNOWN_KEY,
                "merge keys (<<) are not part of YAML 1.2",
                spot,
                self._path(),
                "write the keys out, or use `defaults:`",
            )
        frame.key = text
        frame.where = spot

    def _expand(self, node: Scalar) -> None:
        try:
            node.text = expand(node.text, self.environ)
        except Fault as fault:
            self.report.error(fault.code, fault.message, node.spot, self._path(), fault.suggestion)
            self.dropped.add(id(node))

    def _refuse_tag(self, node: Scalar, event: Any) -> None:
        self.report.error(
            Code.YAML_SYNTAX, f"tags are not used here ({quoted(event.tag)})", node.spot, self._path(), "remove the tag"
        )
        self.dropped.add(id(node))

    def _open(self, event: Any) -> None:
        spot = self._spot(event)
        if len(self.stack) >= MAX_DEPTH:
            raise Unreadable(Code.YAML_LIMIT, f"nested deeper than {MAX_DEPTH} levels", spot)
        frame = self.stack[-1] if self.stack else None
        if frame is not None and frame.key is None and type(frame.node) is Branch:
            raise Unreadable(Code.YAML_SYNTAX, "a key must be text, not a list or a map", spot, "quote it")
        if event.tag not in (None, "!"):
            raise Unreadable(Code.YAML_SYNTAX, f"tags are not used here ({quoted(event.tag)})", spot, "remove the tag")
        self._count(spot)
        node = Branch(spot) if type(event) is yaml.MappingStartEvent else Series(spot)
        self.stack.append(_Frame(node, event.anchor, self.count - 1))

    def _close(self, _event: Any) -> None:
        frame = self.stack.pop()
        if frame.anchor:
            self.anchors[frame.anchor] = (frame.node, self.count - frame.before, frame.height)
        if self.stack:
            self.stack[-1].height = max(self.stack[-1].height, frame.height + 1)
        self._put(frame.node)

    def _alias(self, event: Any) -> None:
        spot = self._spot(event)
        name = event.anchor
        if name not in self.anchors:
            inside = any(frame.anchor == name for frame in self.stack)
            what = (
                f"the alias *{name} is inside its own anchor"
                if inside
                else f"there is no anchor &{name} before *{name}"
            )
            raise Unreadable(Code.YAML_SYNTAX, what, spot, f'write "*{name}" when it is meant as text')
        node, size, height = self.anchors[name]
        frame = self.stack[-1]
        if type(frame.node) is Branch and frame.key is None:
            raise Unreadable(Code.YAML_SYNTAX, "a key cannot be an alias", spot, "write the key out")
        if len(self.stack) + height >= MAX_DEPTH:
            raise Unreadable(Code.YAML_LIMIT, f"aliases nest deeper than {MAX_DEPTH} levels", spot)
        frame.height = max(frame.height, height + 1)
        self._count(spot, size)
        self.expanded += size
        if self.expanded > MAX_EXPANDED:
            raise Unreadable(Code.YAML_LIMIT, f"aliases expand to more than {MAX_EXPANDED:,} values", spot, "use fewer")
        self._put(node)

    def _count(self, spot: Spot, size: int = 1) -> None:
        self.count += size
        if self.count > MAX_NODES:
            raise Unreadable(Code.YAML_LIMIT, f"more than {MAX_NODES:,} values", spot, "split it with `include`")

    def _put(self, node: Node) -> None:
        if not self.stack:
            self.root = node
            return
        frame = self.stack[-1]
        if type(frame.node) is Series:
            frame.node.items.append(node)
            return
        assert type(frame.node) is Branch  # noqa: S101 - for the type checker
        key, frame.key = frame.key or "", None
        if key == "<<":
            return
        if key in frame.node.items:
            self._duplicate(frame.node, key, frame.where)
            return
        frame.node.put(key, frame.where, node)

    def _duplicate(self, branch: Branch, key: str, spot: Spot) -> None:
        _, line, column = branch.keys[key]
        self.report.error(
            Code.DUPLICATE_KEY,
            f"the key {quoted(key)} stands here a second time; the first is at {self.file}:{line}:{column}",
            spot,
            (*self._path(), key),
            "remove one of them, or rename it",
        )

    def _path(self) -> tuple[str | int, ...]:
        path: list[str | int] = []
        for frame in self.stack:
            if type(frame.node) is Series:
                path.append(len(frame.node.items))
            elif frame.key is not None:
                path.append(frame.key)
        return tuple(path)
