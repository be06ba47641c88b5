"""Foreign texts to topologies, and plans to foreign texts, by whichever plugin knows the format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from orchestra.errors import OrchestraError, UsageError
from orchestra.plugin.interfaces import ExportRequest, Imported, ImportRequest

if TYPE_CHECKING:
    from orchestra.model.plan import Plan
    from orchestra.model.topology import Topology
    from orchestra.plugin.interfaces import Exporter, Importer
    from orchestra.plugin.manager import Plugins

P = TypeVar("P")


def importer_of(plugins: Plugins, name: str) -> Importer:
    """The importer of that name. Raises UsageError with the nearest one."""
    return _known("importer", name, plugins.importers, plugins)


def exporter_of(plugins: Plugins, name: str) -> Exporter:
    """The exporter of that name. Raises UsageError with the nearest one."""
    return _known("exporter", name, plugins.exporters, plugins)


def _known(thing: str, name: str, known: Mapping[str, P], plugins: Plugins) -> P:
    if (found := known.get(name)) is not None:
        return found
    from orchestra.loading.report import plugins_word, quoted

    hint = plugins_word(thing, name, known, plugins.vocabulary.absent)
    raise UsageError(f"there is no {thing} {quoted(name)}" + (f"; {hint}" if hint else ""))


def imported(
    plugins: Plugins, name: str, text: str, *, source: str, assignments: Sequence[str], environ: Mapping[str, str]
) -> str:
    """A foreign text as the text of a topology file. ``source`` says where it is from, ``assignments`` are options.

    Raises UsageError, TopologyInvalid, and RuntimeFailure with PLUGIN_FAILED.
    """
    from orchestra.loading.options import read_options
    from orchestra.loading.writing import write_yaml

    importer = importer_of(plugins, name)
    options = read_options(assignments, importer.spec.fields, plugins.vocabulary)
    request = ImportRequest(text=text, name=source, options=options, environ=environ)

    def work() -> str:
        found = importer.read(request)
        if not isinstance(found, Imported):
            raise TypeError(f"it returned a {type(found).__name__}")
        return write_yaml(found.document, found.notes)

    return _fenced(f"importer {name}", work)


def exported(plugins: Plugins, name: str, plan: Plan, topology: Topology, assignments: Sequence[str]) -> str:
    """A plan as a foreign text. Raises what :func:`imported` raises."""
    from orchestra.loading.options import read_options

    exporter = exporter_of(plugins, name)
    options = read_options(assignments, exporter.spec.fields, plugins.vocabulary)

    def work() -> str:
        text: Any = exporter.write(ExportRequest(plan=plan, topology=topology, options=options))
        if not isinstance(text, str):
            raise TypeError(f"it returned a {type(text).__name__}")
        return text

    return _fenced(f"exporter {name}", work)


def _fenced(what: str, work: Callable[[], str]) -> str:
    from orchestra.engine.fences import plugin_failed

    try:
        return work()
    except OrchestraError:
        raise
    except Exception as error:
        raise plugin_failed(what, error) from error
