"""``orchestra plugins``: what is loaded, and what each plugin adds."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from orchestra.cli.console import Console
from orchestra.cli.exits import Exit
from orchestra.cli.options import Extra, Format, Output

if TYPE_CHECKING:
    from orchestra.plugin.manager import PluginInfo
    from orchestra.render.style import Style


def plugins(console: Console, extra: Extra, output: Output = Format.TEXT) -> int:
    """List the plugins and what they add.

    One that cannot be used says why.
    """
    from orchestra.assembly import topology
    from orchestra.render.diagnostics_text import diagnostics_text

    found = topology.plugins(extra.plugins)
    if strays := topology.strays(found, os.environ):
        console.say(diagnostics_text(strays, {}, console.err.style))
    loaded = found.loaded
    if output is Format.JSON:
        console.json({"format_version": 1, "plugins": [asdict(info) for info in loaded]})
    else:
        console.data("\n".join(_lines(info, console.out.style) for info in loaded))
    return Exit.FAILED if any(info.error for info in loaded) else Exit.DONE


def _lines(info: PluginInfo, style: Style) -> str:
    from orchestra.model.text import clean

    origin = f"{clean(info.origin)} {info.version}" if info.version else clean(info.origin)
    head = f"{style('name', clean(info.name))}  {style('quiet', origin)}"
    if info.error is not None:
        return f"{head}\n  {style('bad', '✘')} {clean(info.error)}"
    if info.disabled:
        from orchestra.plugin.manager import LEFT_OUT

        missing = [f"would add {line}" for line in _by_sort(info.would_add)]
        return "\n".join([head, *(f"  {style('quiet', clean(line))}" for line in (LEFT_OUT, *missing))])
    return "\n".join([head, *(f"  {clean(line)}" for line in _by_sort(info.adds))])


def _by_sort(words: Iterable[str]) -> Iterator[str]:
    """``check http, imap`` of ``check http`` and ``check imap``."""
    for sort, group in groupby((word.partition(" ") for word in words), key=itemgetter(0)):
        yield f"{sort} {', '.join(name for _, _, name in group)}".strip(", ")
