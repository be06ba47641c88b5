"""Files to a topology: the plugins that are asked, and the loader with their vocabulary."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestra.diagnostics import Code, Diagnostic
from orchestra.errors import UsageError
from orchestra.model.topology import CommandRef

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import ModuleType

    from orchestra.loading import Loaded
    from orchestra.model.topology import Topology
    from orchestra.plugin.manager import Plugins


def plugins(extra: Sequence[str] = (), environ: Mapping[str, str] = os.environ) -> Plugins:
    """Core's own plugins, the installed ones, and ``extra`` ones: names of modules, or files that end in ``.py``.

    Raises UsageError when an extra one cannot be imported or used; an installed one fails alone, see
    ``Plugins.loaded``.
    """
    from orchestra.engine import builtin
    from orchestra.engine.ssh import plugin as ssh
    from orchestra.plugin.manager import load_plugins, origin_of

    asked = {text: _import(text) for text in extra}
    found = load_plugins([builtin, ssh], extra=asked.values(), disabled=_disabled(environ))
    errors = {info.origin: info.error for info in found.loaded if info.error is not None}
    for text, module in asked.items():
        if error := errors.get(origin_of(module)):
            raise UsageError(f"plugin {text}: {error}")
    return found


def strays(plugins: Plugins, environ: Mapping[str, str]) -> tuple[Diagnostic, ...]:
    """A warning for each plugin that is to be left out and is not installed."""
    from orchestra.loading.report import did_you_mean, quoted
    from orchestra.plugin.manager import BUILT_IN, DISABLED

    installed = [info for info in plugins.loaded if info.origin != BUILT_IN]
    known = {"*", *(word for info in installed for word in (info.name, info.origin))}
    return tuple(
        Diagnostic(
            code=Code.UNKNOWN_NAME,
            severity="warning",
            message=f"{DISABLED} leaves out {quoted(name)}, and no plugin that is installed is called that",
            suggestion=did_you_mean(name, known - {"*"}),
        )
        for name in _disabled(environ)
        if name not in known
    )


def _disabled(environ: Mapping[str, str]) -> list[str]:
    from orchestra.plugin.manager import DISABLED

    return [name.strip() for name in environ.get(DISABLED, "").split(",") if name.strip()]


def load_topology(
    files: Sequence[str],
    plugins: Plugins,
    environ: Mapping[str, str],
    *,
    ssh_config: bool = True,
    allow_exec: bool = False,
    stdin: str | None = None,
) -> Loaded:
    """Reads the files; ``-`` is standard input, or the text ``stdin``. Problems are in the result, not raised.

    ``ssh_config``: what the servers leave unset comes from there. ``allow_exec``: with what its commands
    answer; and programs that the file names may be run.
    """
    from orchestra.loading import load

    loaded = load(files, environ=environ, vocabulary=plugins.vocabulary, stdin=stdin)
    loaded = replace(loaded, diagnostics=(*loaded.diagnostics, *strays(plugins, environ)))
    if allow_exec and loaded.topology is not None:
        loaded = replace(loaded, topology=_with_commands(loaded.topology))
    return _with_ssh_config(loaded, environ, allow_exec=allow_exec) if ssh_config else loaded


def _with_commands(topology: Topology) -> Topology:
    """The programs that the fields of its plugins name may be run."""

    def allowed(options: Mapping[str, Any]) -> Mapping[str, Any]:
        return {
            key: replace(each, allowed=True) if isinstance(each, CommandRef) else each for key, each in options.items()
        }

    tunnels = {
        name: replace(
            tunnel, options=allowed(tunnel.options), check=replace(tunnel.check, options=allowed(tunnel.check.options))
        )
        for name, tunnel in topology.tunnels.items()
    }
    return replace(topology, tunnels=tunnels)


def _with_ssh_config(loaded: Loaded, environ: Mapping[str, str], *, allow_exec: bool) -> Loaded:
    if loaded.topology is None:
        return loaded
    from orchestra.diagnostics import in_file_order
    from orchestra.loading.sshconfig import apply_ssh_config, standard, this_machine

    context = this_machine(environ, allow_exec=allow_exec)
    applied = apply_ssh_config(loaded.topology, context, standard(context.home))
    return replace(
        loaded,
        topology=applied.topology,
        partial=applied.topology,
        diagnostics=in_file_order((*loaded.diagnostics, *applied.diagnostics)),
        sources={**applied.sources, **loaded.sources},
    )


def _import(text: str) -> ModuleType:
    from orchestra.model.text import reason

    try:
        return _import_file(Path(text)) if text.endswith(".py") else importlib.import_module(text)
    except KeyboardInterrupt:
        raise
    except BaseException as exc:  # a stranger's module may raise anything, and exit
        raise UsageError(f"plugin {text} cannot be imported: {reason(exc)}") from exc


def _import_file(path: Path) -> ModuleType:
    """Its module stands among the others, since what resolves annotations looks there, by a name that no import has:
    a plugin ``redis.py`` is not what others get for ``import redis``."""
    name = f"{path.stem}@{path.parent}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python module")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
