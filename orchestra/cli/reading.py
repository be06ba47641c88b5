"""What commands that read a topology do first: choose the files, load them, make the plan."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from orchestra.cli.errors import TopologyRejected
from orchestra.cli.options import Selection, Source
from orchestra.diagnostics import Code
from orchestra.errors import TopologyInvalid, UsageError
from orchestra.model.frozen import dataclass
from orchestra.model.garbage import collector_off

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from orchestra.diagnostics import Diagnostic
    from orchestra.loading import Loaded
    from orchestra.model.plan import Plan
    from orchestra.model.topology import Topology
    from orchestra.plugin.manager import Plugins


@dataclass(frozen=True, slots=True, kw_only=True)
class Edits:
    """What is read differently from what the files say: tunnels besides, as YAML by name, and one that is left out."""

    additions: Mapping[str, str] = field(default_factory=dict)
    without: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A topology that can be used, what was said about it, and what it was read with."""

    topology: Topology
    client: str | None
    """As asked for; the planner chooses when it is None."""
    plugins: Plugins
    sources: Mapping[str, str]
    diagnostics: tuple[Diagnostic, ...]

    @contextmanager
    def excerpts(self) -> Iterator[None]:
        """What turns out to be wrong with the topology inside is shown with the lines that it is about."""
        try:
            yield
        except TopologyInvalid as error:
            raise TopologyRejected(error.diagnostics, self.sources) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A plan and what it was made from; the plan's diagnostics include the loader's."""

    plan: Plan
    read: Read


def choose_files(source: Source, environ: Mapping[str, str], directory: Path) -> tuple[str, ...]:
    """The files to read: the argument and ``-f``, else ORCHESTRA_FILE, else the nearest ``orchestra.yaml``."""
    if named := tuple(filter(None, (source.file, *source.files))):
        return named
    if variable := environ.get("ORCHESTRA_FILE"):
        return (variable,)
    from orchestra.loading import find_file

    if (found := find_file(directory)) is not None:
        return (str(found),)
    raise UsageError(
        "no topology file: there is no orchestra.yaml here or in a parent directory; "
        "name a file, or write a first one with `orchestra init`"
    )


def split_file(words: Sequence[str]) -> tuple[str | None, tuple[str, ...]]:
    """FILE and the words after it, where FILE may be left out: what looks like no file and is none is no FILE."""
    first = words[0] if words else ""
    looks_so = first == "-" or "/" in first or first.endswith((".yaml", ".yml"))
    return (first, tuple(words[1:])) if looks_so or Path(first).is_file() else (None, tuple(words))


@collector_off()  # also for the imports, which are most of the work for a small file
def load_source(
    source: Source,
    *,
    plugins: Plugins | None = None,
    ssh_config: bool = True,
    allow_exec: bool = False,
    edits: Edits | None = None,
) -> tuple[Loaded, Plugins]:
    """Loads the files that the options name, whether or not they can be used.

    ``plugins``: those that the options name, when they are loaded already.
    ``ssh_config`` and ``allow_exec``: see :func:`orchestra.assembly.topology.load_topology`.
    """
    from orchestra.assembly import topology

    plugins = plugins or topology.plugins(source.plugins)
    files = choose_files(source, os.environ, Path.cwd())
    load = partial(
        topology.load_topology, plugins=plugins, environ=os.environ, ssh_config=ssh_config, allow_exec=allow_exec
    )
    loaded = load(files)
    if edits is not None:
        from orchestra.assembly.additions import with_additions, without

        loaded = with_additions(loaded, edits.additions, lambda text: load((*files, "-"), stdin=text))
        loaded = without(loaded, edits.without) if edits.without is not None else loaded
    return loaded, plugins


def client_of(source: Source) -> str | None:
    """The client that was asked for, if any."""
    return source.client or os.environ.get("ORCHESTRA_CLIENT") or None


def read_topology(
    source: Source,
    *,
    plugins: Plugins | None = None,
    ssh_config: bool = True,
    allow_exec: bool = False,
    edits: Edits | None = None,
) -> Read:
    """The topology that the options name. Raises TopologyInvalid with every problem, and UsageError."""
    loaded, plugins = load_source(source, plugins=plugins, ssh_config=ssh_config, allow_exec=allow_exec, edits=edits)
    diagnostics = with_static_checks(loaded, plugins, client_of(source))
    if loaded.topology is None:
        raise TopologyRejected(diagnostics, loaded.sources)
    return Read(
        topology=loaded.topology,
        client=client_of(source),
        plugins=plugins,
        sources=loaded.sources,
        diagnostics=diagnostics,
    )


@collector_off()
def with_static_checks(loaded: Loaded, plugins: Plugins, client: str | None) -> tuple[Diagnostic, ...]:
    """What the loader found, and what is wrong whatever the paths are; of a file with errors, in what is left of it."""
    from orchestra.diagnostics import in_file_order
    from orchestra.planning import check_statically

    topology = loaded.partial if loaded.topology is None else loaded.topology
    whole = loaded.topology is not None
    found = check_statically(topology, client=client, vocabulary=plugins.vocabulary, whole=whole)
    return in_file_order((*loaded.diagnostics, *found))


def read_plan(
    source: Source,
    selection: Selection | None = None,
    *,
    plugins: Plugins | None = None,
    free_ports: bool = False,
    ssh_config: bool = True,
    allow_exec: bool = False,
    alternatives: int = 3,
    edits: Edits | None = None,
) -> Planned:
    """The plan for what the options name. Raises TopologyInvalid, with the sources for its excerpts, and UsageError.

    ``free_ports``: a listen address that the file leaves out is any free port.
    """
    from orchestra.planning import make_plan

    read = read_topology(source, plugins=plugins, ssh_config=ssh_config, allow_exec=allow_exec, edits=edits)
    chosen = selection or Selection()
    besides = edits.additions if edits is not None and chosen.tunnels else ()
    with read.excerpts():
        plan = make_plan(
            read.topology,
            client=read.client,
            vocabulary=read.plugins.vocabulary,
            tunnels=[*chosen.tunnels, *besides] or None,
            profiles=tuple(chosen.profiles),
            free_ports=free_ports,
            alternatives=alternatives,
        )
    # which listeners meet depends on the selection, so that is the plan's to say
    more = tuple(d for d in read.diagnostics if d.code is not Code.LISTEN_CONFLICT)
    return Planned(plan=with_diagnostics(plan, more), read=read)


def with_diagnostics(plan: Plan, more: tuple[Diagnostic, ...]) -> Plan:
    """The plan with more to say, in the order of the file; what both say of one place is said once."""
    from orchestra.diagnostics import in_file_order

    fatal = {(d.code, d.place) for d in plan.diagnostics if d.severity == "error"}
    rest = [d for d in more if d.severity == "error" or (d.code, d.place) not in fatal]
    said = {(d.code, d.place) for d in rest if d.place is not None}
    own = tuple(d for d in plan.diagnostics if (d.code, d.place) not in said)
    return replace(plan, diagnostics=in_file_order((*rest, *own)))
