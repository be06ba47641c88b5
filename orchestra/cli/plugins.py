"""``orchestra plugins``: what is loaded, and what each plugin adds."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from orchestra.cli.console import Console
from orchestra.cli.exits import Exit
from orchestra.cli.options import Extra, Format, Output

if TYPE_CHECKING:
    from orchestra.plugin.manager import PluginInfo, Plugins
    from orchestra.render.style import Style


def plugins(console: Console, extra: Extra, output: Output = Format.TEXT) -> int:
    """List the plugins and what they add.

    One that cannot be used says why; of formats the options are listed, too.
    """
    from orchestra.assembly import topology
    from orchestra.render.diagnostics_text import diagnostics_text

    found = topology.plugins(extra.plugins)
    if strays := topology.strays(found, os.environ):
        console.say(diagnostics_text(strays, {}, console.err.style))
    loaded = found.loaded
    options = _options(found)
    if output is Format.JSON:
        told = [
            asdict(info) | {"options": {word: options[word] for word in info.adds if word in options}}
            for info in loaded
        ]
        console.json({"format_version": 1, "plugins": told})
    else:
        console.data("\n".join(_lines(info, options, console.out.style) for info in loaded))
    return Exit.FAILED if any(info.error for info in loaded) else Exit.DONE


def _options(found: Plugins) -> dict[str, dict[str, Any]]:
    """What the formats take by ``--set``, as schemas, by word: ``importer ssh-config``."""
    from orchestra.loading.schema import options_schema

    formats = [(f"importer {name}", each.spec.fields) for name, each in found.importers.items()]
    formats += [(f"exporter {name}", each.spec.fields) for name, each in found.exporters.items()]
    return {word: options_schema(fields) for word, fields in formats if fields is not None}


def _lines(info: PluginInfo, options: Mapping[str, dict[str, Any]], style: Style) -> str:
    from orchestra.model.text import clean

    origin = f"{clean(info.origin)} {info.version}" if info.version else clean(info.origin)
    head = f"{style('name', clean(info.name))}  {style('quiet', origin)}"
    if info.error is not None:
        return f"{head}\n  {style('bad', '✘')} {clean(info.error)}"
    if info.disabled:
        from orchestra.plugin.manager import LEFT_OUT

        missing = [f"would add {line}" for line in _by_sort(info.would_add)]
        return "\n".join([head, *(f"  {style('quiet', clean(line))}" for line in (LEFT_OUT, *missing))])
    adds = [f"  {clean(line)}" for line in _by_sort(info.adds)]
    takes = [
        f"{word}: --set {key}=…  {about.get('description', '')}"
        for word in info.adds
        for key, about in options.get(word, {}).get("properties", {}).items()
    ]
    return "\n".join([head, *adds, *(f"  {style('quiet', clean(line, 300))}" for line in takes)])


def _by_sort(words: Iterable[str]) -> Iterator[str]:
    """``check http, imap`` of ``check http`` and ``check imap``."""
    for sort, group in groupby((word.partition(" ") for word in words), key=itemgetter(0)):
        yield f"{sort} {', '.join(name for _, _, name in group)}".strip(", ")
