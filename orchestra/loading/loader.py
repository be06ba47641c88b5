"""Text to topology: the whole way, with everything that is wrong on it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path

from orchestra.diagnostics import Diagnostic, KeyPath, Place, has_errors, in_file_order
from orchestra.loading.building.addresses import check_addresses
from orchestra.loading.building.hosts import build_hosts, build_networks, build_targets
from orchestra.loading.building.scope import Scope
from orchestra.loading.building.tunnels import build_expectations, build_tunnels
from orchestra.loading.draft import Draft, read_draft
from orchestra.loading.entries import Entries
from orchestra.loading.files import Files
from orchestra.loading.finding import STDIN, STDIN_NAME
from orchestra.loading.nodes import Branch, exact, paths
from orchestra.loading.report import Report
from orchestra.loading.requires import unmet
from orchestra.model.frozen import dataclass
from orchestra.model.garbage import collector_off
from orchestra.model.topology import Topology
from orchestra.plugin.vocabulary import Absent, Vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What came of it: ``topology`` is None when there are errors, ``partial`` is what could be understood.

    ``sources`` has the text of every file that was read, by the name that places bear.
    """

    topology: Topology | None
    partial: Topology
    diagnostics: tuple[Diagnostic, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)


def load(
    files: Sequence[str],
    *,
    environ: Mapping[str, str],
    vocabulary: Vocabulary,
    stdin: str | bytes | None = None,
) -> Loaded:
    """Reads the files, later ones over earlier ones, and reports every problem in them; raises nothing.

    ``-`` is standard input, whose text ``stdin`` replaces when given. ``environ`` gives the variables of the files
    and, by HOME, what ``~`` means.
    """
    report = Report()
    with collector_off():
        reading = Files(environ, report, stdin)
        root = reading.read_all(files)
        entries = Entries(vocabulary, report, reading.dropped)
        partial = _topology(files, root, entries, environ, incomplete=reading.incomplete)
    diagnostics = in_file_order(report.diagnostics)
    return Loaded(
        topology=None if has_errors(diagnostics) else partial,
        partial=partial,
        diagnostics=diagnostics,
        sources=reading.sources,
    )


def _topology(
    files: Sequence[str], root: Branch | None, entries: Entries, environ: Mapping[str, str], *, incomplete: bool
) -> Topology:
    file = STDIN_NAME if not files or files[0] == STDIN else files[0]
    if root is None:
        return Topology(name=_stem(file), file=file)
    draft = read_draft(root, entries)
    scope = Scope(draft, entries.report, environ, incomplete=incomplete)
    networks = build_networks(scope)
    hosts = build_hosts(scope, entries.vocabulary)
    targets = build_targets(scope)
    machines = hosts.keys() | (scope.users - scope.hosts)
    targets = {name: target for name, target in targets.items() if target.host in machines}
    tunnels = build_tunnels(scope, targets, entries.vocabulary)
    check_addresses(scope, networks, hosts)
    return Topology(
        name=draft.head.name or _stem(file),
        file=file,
        networks=networks,
        hosts=hosts,
        targets=targets,
        tunnels=tunnels,
        expectations=build_expectations(scope),
        requires=_requires(scope, draft, entries.vocabulary.absent),
        places=Places(draft.root),
    )


def _stem(file: str) -> str:
    """A name from the name of a file; names become directories, so what is unusual becomes ``-``."""
    stem = "stdin" if file == STDIN_NAME else Path(file).stem
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", stem).strip("-._")[:63] or "topology"


def _requires(scope: Scope, draft: Draft, absent: Sequence[Absent]) -> dict[str, str]:
    requires = draft.head.requires
    if requires is None:
        return {}
    for fault in unmet(requires, absent):
        scope.error(fault.code, fault.message, ("requires", *fault.key), fault.suggestion)
    own = {} if requires.orchestra is None else {"orchestra": requires.orchestra}
    return own | requires.plugins


class Places(Mapping[KeyPath, Place]):
    """Key paths to places, looked up in the tree of the file when asked for."""

    def __init__(self, root: Branch) -> None:
        self._root = root

    def __getitem__(self, path: KeyPath) -> Place:
        spot = exact(self._root, path)
        if spot is None:
            raise KeyError(path)
        return Place(*spot)

    def __iter__(self) -> Iterator[KeyPath]:
        return paths(self._root)

    def __len__(self) -> int:
        return sum(1 for _ in self)
