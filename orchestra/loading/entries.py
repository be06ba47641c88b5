"""Entries of the file against their shapes, layer by layer, until everything that is wrong with them is said."""

from __future__ import annotations

from typing import TypeVar

from pydantic import ValidationError

from orchestra.diagnostics import KeyPath
from orchestra.loading.faults import Fault
from orchestra.loading.nodes import Branch, Node, Spot, as_written, find, graft, plain
from orchestra.loading.report import Report
from orchestra.loading.shapes.base import Shape
from orchestra.loading.shapes.translate import faults_of
from orchestra.plugin.vocabulary import Vocabulary

S = TypeVar("S", bound=Shape)


class Entries:
    """Reads entries. ``dropped`` has the ids of nodes that are reported already and count as absent."""

    def __init__(self, vocabulary: Vocabulary, report: Report, dropped: set[int]) -> None:
        self.vocabulary = vocabulary
        self.report = report
        self.dropped = dropped

    def read(self, shape: type[S], node: Node, spot: Spot, path: KeyPath, *, defaults: bool = False) -> S | None:
        """The entry as its shape, without what is broken in it; None when nothing of it can be used.

        What is wrong is reported. A fault can hide others behind it, so the part at fault is left out and the rest is
        checked again. ``spot``: where the entry's key stands. ``defaults``: required keys may be missing.
        """
        texts: set[int] = set()
        while id(node) not in self.dropped:
            value = plain(node, self.dropped, texts)
            try:
                return shape.model_validate(value, context=self.vocabulary)
            except ValidationError as error:
                faults = list(faults_of(error))
            as_text = {id(find(node, fault.key)[0]) for fault in faults if fault.blame == "text"} - texts
            if as_text:
                texts |= as_text
                continue
            for fault in faults:
                if id(_at_fault(fault, node)) in self.dropped:
                    continue  # said already, or a consequence of what was
                if fault.blame == "missing" and not defaults:
                    self._say_missing(fault, node, spot, path)
                elif fault.blame not in ("missing", "aftermath"):
                    self._say(fault, node, path)
            broken = {id(_at_fault(fault, node)) for fault in faults}
            if id(node) in broken or broken <= self.dropped:
                return None
            self.dropped |= broken
        return None

    def _say(self, fault: Fault, node: Node, path: KeyPath) -> None:
        found, key_spot = find(node, fault.key)
        spot = key_spot if fault.blame == "key" else found.spot
        self.report.error(fault.code, fault.message, spot, (*path, *as_written(node, fault.key)), fault.suggestion)

    def _say_missing(self, fault: Fault, node: Node, spot: Spot, path: KeyPath) -> None:
        """Said of the map that lacks the key, unless something of it was left out by us."""
        found, key_spot = find(node, fault.key[:-1])
        items = found.items.values() if isinstance(found, Branch) else ()
        if not any(id(item) in self.dropped for item in items):
            where = spot if found is node else key_spot
            whole = (*path, *as_written(node, fault.key[:-1]))
            self.report.error(fault.code, fault.message, where, whole, fault.suggestion)


def _at_fault(fault: Fault, node: Node) -> Node:
    """The node to leave out: the one at fault, or the map that lacks something."""
    return find(node, fault.key[:-1] if fault.blame == "missing" else fault.key)[0]


def with_defaults(shape: type[Shape] | None, defaults: Node, entry: Node, dropped: set[int]) -> Node:
    """The entry over its section's defaults: maps merge, short forms in their long form, everything else replaces."""
    defaults, entry = _lengthened(shape, defaults, dropped), _lengthened(shape, entry, dropped)
    if not (isinstance(defaults, Branch) and isinstance(entry, Branch)):
        return entry
    merged = Branch(entry.spot)
    for key, item in entry.items.items():
        merged.put(key, entry.keys[key], item)
    for key, item in defaults.items.items():
        own = merged.items.get(key)
        if own is None:
            merged.put(key, defaults.keys[key], item)
        else:
            nested = shape.nested.get(key) if shape is not None else None
            merged.items[key] = with_defaults(nested, item, own, dropped)
    return merged


def _lengthened(shape: type[Shape] | None, node: Node, dropped: set[int]) -> Node:
    if shape is None or isinstance(node, Branch) or id(node) in dropped:
        return node
    try:
        value = shape.long_form(plain(node, dropped))
    except Fault:
        return node  # reported when the entry is read
    return graft(value, node.spot) if isinstance(value, dict) else node
