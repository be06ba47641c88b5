"""What commands that read a topology do first: choose the files, load them, make the plan."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from orchestra.cli.errors import TopologyRejected
from orchestra.cli.options import Selection, Source
from orchestra.diagnostics import Code
from orchestra.errors import TopologyInvalid, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestra.cli.console import Console
    from orchestra.diagnostics import Diagnostic
    from orchestra.loading import Loaded
    from orchestra.model.plan import Plan
    from orchestra.model.topology import Topology
    from orchestra.plugin.manager import Plugins


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A topology that can be used, what was said about it, and what it was read with."""

    topology: Topology
    client: str | None
    """As asked for; the planner chooses when it is None."""
    plugins: Plugins
    sources: Mapping[str, str]
    diagnostics: tuple[Diagnostic, ...]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What is read beside the topology: ssh_config, and what the commands in it answer."""

    ssh_config: bool = True
    allow_exec: bool = False

    @classmethod
    def asked(cls, *, ssh_config: bool = True, allow_exec: bool) -> Beside:
        """``allow_exec``: the option; ORCHESTRA_ALLOW_EXEC=1 says the same."""
        return cls(ssh_config=ssh_config, allow_exec=allow_exec or os.environ.get("ORCHESTRA_ALLOW_EXEC") == "1")


def load_source(source: Source, beside: Beside | None = None) -> tuple[Loaded, Plugins]:
    """Loads the files that the options name, whether or not they can be used."""
    from orchestra.assembly import topology

    plugins = topology.plugins(source.plugins)
    files = choose_files(source, os.environ, Path.cwd())
    also = beside or Beside()
    loaded = topology.load_topology(files, plugins, os.environ, ssh_config=also.ssh_config, allow_exec=also.allow_exec)
    return loaded, plugins


def client_of(source: Source) -> str | None:
    """The client that was asked for, if any."""
    return source.client or os.environ.get("ORCHESTRA_CLIENT") or None


def read_topology(source: Source, beside: Beside | None = None) -> Read:
    """The topology that the options name. Raises TopologyInvalid with every problem, and UsageError."""
    loaded, plugins = load_source(source, beside)
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
    free_ports: bool = False,
    beside: Beside | None = None,
    alternatives: int = 3,
) -> Planned:
    """The plan for what the options name. Raises TopologyInvalid, with the sources for its excerpts, and UsageError.

    ``free_ports``: a listen address that the file leaves out is any free port.
    """
    from orchestra.planning import make_plan

    read, chosen = read_topology(source, beside), selection or Selection()
    try:
        plan = make_plan(
            read.topology,
            client=read.client,
            vocabulary=read.plugins.vocabulary,
            tunnels=chosen.tunnels or None,
            profiles=tuple(chosen.profiles),
            free_ports=free_ports,
            alternatives=alternatives,
        )
    except TopologyInvalid as error:
        raise TopologyRejected(error.diagnostics, read.sources) from None
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


def report(
    diagnostics: tuple[Diagnostic, ...], sources: Mapping[str, str], console: Console, *, apart: bool = False
) -> None:
    """Diagnostics for a person, at standard error: errors always, warnings unless ``-q``, the rest with ``-v``.

    ``apart``: after a blank line, when a person sees both streams on one screen.
    """
    from orchestra.render.diagnostics_text import diagnostics_text

    wanted = {"error"} | (set() if console.quiet else {"warning"}) | ({"info"} if console.verbosity else set())
    if shown := tuple(d for d in diagnostics if d.severity in wanted):
        gap = "\n" if apart and console.out.is_terminal and console.err.is_terminal else ""
        console.error(gap + diagnostics_text(shown, sources, console.err.style))
