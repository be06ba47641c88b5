"""``orchestra validate``: reads and checks the file and its expectations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.cli.console import Console
from orchestra.cli.errors import report
from orchestra.cli.exits import BY_MODEL, Exit
from orchestra.cli.explain import tell_unmet, unmet_of
from orchestra.cli.options import Format, Output, Source
from orchestra.cli.reading import client_of, load_source, with_static_checks
from orchestra.diagnostics import Diagnostic, in_file_order
from orchestra.model.text import clean
from orchestra.render.layout import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra.loading import Loaded
    from orchestra.planning.explaining.expect import Unmet
    from orchestra.plugin.manager import Plugins


def validate(console: Console, source: Source, output: Output = Format.TEXT) -> int:
    """Check a topology and what it expects of itself.

    Every problem is reported in one run. Nothing is opened.
    """
    loaded, plugins = load_source(source)
    unmet = unmet_of(loaded.topology, client_of(source), plugins, source) if loaded.topology is not None else ()
    diagnostics = in_file_order(_check(loaded, plugins, client_of(source), unmet))
    code = exit_of_checks(diagnostics)
    if output is Format.JSON:
        from orchestra.render.diagnostics_json import diagnostics_json

        console.json({"format_version": 1, "valid": code == Exit.DONE, "diagnostics": diagnostics_json(diagnostics)})
        return code
    report(diagnostics, loaded.sources, console)
    tell_unmet(unmet, console)
    if code == Exit.DONE:
        console.say(_summary(loaded) + _unshown(diagnostics, console))
    return code


def exit_of_checks(diagnostics: Iterable[Diagnostic]) -> Exit:
    """2 when the topology is wrong, 3 when only the model says no: an expectation failed, a target nobody can dial."""
    codes = {d.code for d in diagnostics if d.severity == "error"}
    if codes - BY_MODEL:
        return Exit.USAGE
    return Exit.UNREACHABLE if codes else Exit.DONE


def _check(loaded: Loaded, plugins: Plugins, client: str | None, unmet: tuple[Unmet, ...]) -> tuple[Diagnostic, ...]:
    from orchestra.planning import unused_parts

    found = with_static_checks(loaded, plugins, client)
    if loaded.topology is None:
        return found
    found += tuple(each.diagnostic for each in unmet)
    return found + unused_parts(loaded.topology, vocabulary=plugins.vocabulary, said=found)


def _summary(loaded: Loaded) -> str:
    topology = loaded.partial if loaded.topology is None else loaded.topology
    parts = ((topology.hosts, "host"), (topology.tunnels, "tunnel"), (topology.expectations, "expectation"))
    counts = ", ".join(counted(len(part), noun) for part, noun in parts)
    return f"{clean(topology.file)}: valid ({counts})"


def _unshown(diagnostics: Iterable[Diagnostic], console: Console) -> str:
    notes = 0 if console.verbosity else sum(d.severity == "info" for d in diagnostics)
    return f"; -v shows {counted(notes, 'note')}" if notes else ""
