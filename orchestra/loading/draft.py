"""The merged tree, section by section, as shapes: a topology whose names are not resolved yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any, TypeVar

from orchestra.diagnostics import Code
from orchestra.loading.entries import Entries, with_defaults
from orchestra.loading.nodes import Branch, Node, Scalar, Series
from orchestra.loading.scalars import resolve
from orchestra.loading.shapes.base import Shape, unknown_key
from orchestra.loading.shapes.file import SECTIONS, Defaults, File, Head, check_version
from orchestra.loading.shapes.hosts import Client, Firewall, Network, Server, Target
from orchestra.loading.shapes.tunnels import Expectation, Tunnel
from orchestra.loading.shapes.values import name_fault
from orchestra.model.frozen import dataclass

S = TypeVar("S", bound=Shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What could be read. ``root`` has the defaults merged into the entries; ``names`` has, by section, every name
    that the file gives, also where the entry is broken."""

    root: Branch
    head: Head = field(default_factory=Head)
    networks: Mapping[str, Network] = field(default_factory=dict)
    clients: Mapping[str, Client] = field(default_factory=dict)
    firewalls: Mapping[str, Firewall] = field(default_factory=dict)
    servers: Mapping[str, Server] = field(default_factory=dict)
    targets: Mapping[str, Target] = field(default_factory=dict)
    tunnels: Mapping[str, Tunnel] = field(default_factory=dict)
    expect: tuple[Expectation | None, ...] = ()
    implicit: Tunnel | None = None
    """What stands for the tunnel of a target, in a file without ``tunnels:``."""
    names: Mapping[str, frozenset[str]] = field(default_factory=dict)
    lost: frozenset[str] = frozenset()
    """Names that stand where they declare nothing: below a misspelt section, or in one that is no map."""


def read_draft(root: Branch, entries: Entries) -> Draft:
    """Every section and the head; what is wrong is reported."""
    return _Drafter(root, entries).draft()


class _Drafter:
    def __init__(self, root: Branch, entries: Entries) -> None:
        self.given = root
        self.entries = entries
        self.report = entries.report
        self.root = Branch(root.spot)
        self.root.items |= root.items
        self.root.keys |= root.keys
        self.defaults: dict[str, Node] = {}

    def draft(self) -> Draft:
        self._unknown_keys()
        head = self._head()
        self._defaults()
        sections: dict[str, Any] = {section: self._section(section, shape) for section, shape in SECTIONS.items()}
        return Draft(
            root=self.root,
            head=head,
            expect=self._expectations(),
            implicit=None if "tunnels" in self.given.items else self._implicit(),
            lost=frozenset(self._lost()),
            names={section: self._names(section) for section in SECTIONS},
            **sections,
        )

    def _unknown_keys(self) -> None:
        known = frozenset(File.known_keys())
        for key, spot in self.given.keys.items():
            if key not in known and not key.startswith("x-"):
                fault = unknown_key(key, known)
                self.report.error(fault.code, fault.message, spot, (key,), fault.suggestion)

    def _lost(self) -> Iterator[str]:
        known = File.known_keys()
        for key, node in self.given.items.items():
            if key not in known and isinstance(node, Branch):
                yield from node.items
            elif key in SECTIONS and isinstance(node, Series):
                yield from (item.text for item in node.items if isinstance(item, Scalar))

    def _head(self) -> Head:
        node = Branch(self.given.spot)
        for key in Head.known_keys():
            if key in self.given.items:
                node.put(key, self.given.keys[key], self.given.items[key])
        head = self.entries.read(Head, node, self.given.spot, ()) or Head()
        if fault := check_version(head.version):
            self.report.error(fault.code, fault.message, self.given.items["version"].spot, ("version",))
        return head

    def _branch(self, key: str, what: str) -> Branch | None:
        """A section's map; nothing is as good as none."""
        node = self.given.items.get(key)
        if node is None or id(node) in self.entries.dropped or isinstance(node, Branch):
            return node if isinstance(node, Branch) else None
        if not _is_null(node):
            self.report.error(Code.BAD_TYPE, f"`{key}` is a map {what}", node.spot, (key,))
        return None

    def _defaults(self) -> None:
        branch = self._branch("defaults", "of sections")
        for key, node in branch.items.items() if branch else ():
            path, spot = ("defaults", key), branch.keys[key] if branch else None
            if key in SECTIONS and spot is not None:
                self.entries.read(SECTIONS[key], node, spot, path, defaults=True)
                self.defaults[key] = node
            elif not key.startswith("x-"):
                fault = unknown_key(key, frozenset(Defaults.known_keys()))
                self.report.error(fault.code, fault.message, spot, path, fault.suggestion)

    def _names(self, section: str) -> frozenset[str]:
        node = self.given.items.get(section)
        return frozenset(node.items) if isinstance(node, Branch) else frozenset()

    def _section(self, section: str, shape: type[S]) -> dict[str, S]:
        given = self._branch(section, "from names to entries")
        if given is None:
            return {}
        merged, found = Branch(given.spot), {}
        self.root.items[section] = merged
        for name, node in given.items.items():
            spot = given.keys[name]
            if fault := name_fault(name):
                self.report.error(fault.code, fault.message, spot, (section, name), fault.suggestion)
            entry = self._merged(section, shape, node)
            merged.put(name, spot, entry)
            read = self.entries.read(shape, entry, spot, (section, name))
            if read is not None and fault is None:
                found[name] = read
        return found

    def _merged(self, section: str, shape: type[Shape], node: Node) -> Node:
        below = self.defaults.get(section)
        return node if below is None else with_defaults(shape, below, node, self.entries.dropped)

    def _implicit(self) -> Tunnel | None:
        spot = self.given.spot
        return self.entries.read(Tunnel, self._merged("tunnels", Tunnel, Branch(spot)), spot, ("defaults", "tunnels"))

    def _expectations(self) -> tuple[Expectation | None, ...]:
        node = self.given.items.get("expect")
        if not isinstance(node, Series):
            if node is not None and not _is_null(node):
                self.report.error(Code.BAD_TYPE, "`expect` is a list of expectations", node.spot, ("expect",))
            return ()
        return tuple(
            self.entries.read(Expectation, item, item.spot, ("expect", index)) for index, item in enumerate(node.items)
        )


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.plain and resolve(node.text) is None
