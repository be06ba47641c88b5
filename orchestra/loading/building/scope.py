"""Names of a file, and where things stand in it."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from orchestra.diagnostics import Code, KeyPath, Place
from orchestra.loading.draft import Draft
from orchestra.loading.finding import STDIN_NAME
from orchestra.loading.nodes import as_written, exact, find
from orchestra.loading.report import MANY, Report, did_you_mean, nearest, quoted
from orchestra.model.topology import HostKind

LOCALHOST = "localhost"
HINTS = 50


class Scope:
    """What every part of the builder needs: known names, places, the report."""

    def __init__(self, draft: Draft, report: Report, environ: Mapping[str, str], *, incomplete: bool) -> None:
        self.draft = draft
        self.report = report
        self.environ = environ
        self.incomplete = incomplete
        names = draft.names
        self.networks = names.get("networks", frozenset())
        self.clients = names.get("clients", frozenset())
        self.firewalls = names.get("firewalls", frozenset())
        self.targets = names.get("targets", frozenset())
        own = frozenset(name for name, target in draft.targets.items() if target.host is None)
        self.broken_targets = self.targets - draft.targets.keys()
        self.hosts = self.clients | self.firewalls | names.get("servers", frozenset()) | own | self.broken_targets
        self._hints = HINTS
        self.users = self.hosts if self.clients else self.hosts | {LOCALHOST}
        """Hosts at which connections start: without clients, this machine is one."""

    def spot(self, path: KeyPath) -> tuple[str, int, int]:
        """Where a value stands."""
        return find(self.draft.root, path)[0].spot

    def place(self, path: KeyPath) -> Place:
        """Where the key of a value stands; for an element of a list, where it stands itself."""
        return Place(*find(self.draft.root, path)[1])

    def stands(self, path: KeyPath) -> bool:
        """Whether the file has anything at a path, right or wrong."""
        return exact(self.draft.root, path) is not None

    def error(
        self, code: Code, message: str, path: KeyPath, suggestion: str | None = None, *, key: bool = False
    ) -> None:
        """An error of the value at a path, or of its key."""
        node, key_spot = find(self.draft.root, path)
        written = as_written(self.draft.root, path)
        self.report.error(code, message, key_spot if key else node.spot, written, suggestion)

    def known(self, what: str, name: str, names: Collection[str], path: KeyPath, *, key: bool = False) -> bool:
        """Whether the name is one of these; reports UNKNOWN_NAME when not."""
        if name in names:
            return True
        if self.incomplete or name in self.draft.lost:
            return False  # the error is elsewhere, and reported there
        self.error(
            Code.UNKNOWN_NAME,
            f"there is no {what} {quoted(name)}",
            path,
            self._suggestion(name, names),
            key=key,
        )
        return False

    def _suggestion(self, name: str, names: Collection[str]) -> str | None:
        """The nearest name of that sort, else of any; among very many only for the first few errors, for it is slow."""
        if len(names) > MANY:
            self._hints -= 1
            if self._hints < 0:
                return None
        if suggestion := did_you_mean(name, names):
            return suggestion
        near = nearest(name, self.hosts | self.networks | self.targets)
        return f"did you mean {near!r}?" if near else None

    def network(self, name: str, path: KeyPath, *, key: bool = False) -> bool:
        """Whether there is such a network."""
        return self.known("network", name, self.networks, path, key=key)

    def host(self, name: str, path: KeyPath, *, here: bool = False) -> bool:
        """Whether there is such a host; ``here``: this machine counts, in a file without clients."""
        return self.known("host", name, self.users if here else self.hosts, path)

    def known_hosts(self, names: Iterable[str], path: KeyPath) -> tuple[str, ...]:
        """Those of the names that are hosts."""
        return tuple(name for index, name in enumerate(names) if self.host(name, (*path, index)))

    def machine(self, name: str) -> str | None:
        """The machine of a host or target; None when its entry is broken or unknown."""
        if name in self.hosts:
            return name
        target = self.draft.targets.get(name)
        return target.host if target is not None and target.host in self.hosts else None

    def file(self, name: str, path: KeyPath) -> str:
        """A file name of the topology, absolute: relative to the file that names it, ``~`` is the user's home."""
        home = self.environ.get("HOME")
        if home and (name == "~" or name.startswith("~/")):
            return str(Path(home) / name[2:])
        name = os.path.expanduser(name)  # noqa: PTH111 - Path's own raises for a user that is not known
        source = self.spot(path)[0]
        base = Path() if source == STDIN_NAME else Path(source).parent
        return str(Path.cwd() / base / name) if not Path(name).is_absolute() else name


def kind_of(section: str) -> HostKind:
    """The kind of host that a section declares."""
    kinds: dict[str, HostKind] = {"clients": "client", "firewalls": "firewall", "servers": "server"}
    return kinds.get(section, "target")
