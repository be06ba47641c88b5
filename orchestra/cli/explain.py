"""``orchestra explain``: why one host can or cannot reach another; nothing is opened, nothing is run."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Annotated

import typer

from orchestra.cli.completion import HOSTS, names
from orchestra.cli.console import Console
from orchestra.cli.exits import Exit
from orchestra.cli.options import Client, Files, Format, Output, PluginModules, Source
from orchestra.cli.reading import read_topology
from orchestra.errors import UsageError
from orchestra.model.frozen import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra.model.topology import Topology
    from orchestra.planning.explaining.expect import Unmet
    from orchestra.plugin.manager import Plugins


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """From where to where, by which topology."""

    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[FILE] FROM TO",
            help="FROM: a host or a network. TO: a target, a host, HOST:PORT or an address. The topology before them.",
            show_default=False,
            autocompletion=names(*HOSTS, "targets", "networks"),
        ),
    ]
    files: Files = field(default_factory=list)
    client: Client = None
    plugins: PluginModules = field(default_factory=list)
    via: Annotated[
        list[str],
        typer.Option(
            "--via",
            metavar="SERVER",
            help="Only by way of this server; repeatable.",
            show_default=False,
            autocompletion=names("servers"),
        ),
    ] = field(default_factory=list)
    direct: Annotated[bool, typer.Option("--direct", help="One bare dial, without any session.")] = False

    @property
    def source(self) -> Source:
        """The topology. Raises UsageError when it is not two or three words."""
        if not 2 <= len(self.words) <= 3:
            raise UsageError("write FROM and TO, or FILE, FROM and TO: `orchestra explain laptop db`")
        if self.direct and self.via:
            raise UsageError("--direct asks about one dial, which passes no server: leave --via out")
        *file, _, _ = self.words
        return Source(file=file[0] if file else None, files=self.files, client=self.client, plugins=self.plugins)


def command_for(source: Source) -> tuple[str, ...]:
    """How this command is called for the same topology, up to FROM: for hints that can be pasted."""
    plugins = (word for each in source.plugins for word in ("--plugin", each))
    files = (word for each in source.files for word in ("-f", each))
    return ("orchestra", "explain", *plugins, *files, *([source.file] if source.file else []))


def unmet_of(topology: Topology, client: str | None, plugins: Plugins, source: Source) -> tuple[Unmet, ...]:
    """The expectations of a topology that do not hold."""
    if not topology.expectations:  # what explains is not imported for nothing
        return ()
    from orchestra.planning import unmet_expectations

    return unmet_expectations(topology, client=client, vocabulary=plugins.vocabulary, command=command_for(source))


def tell_unmet(unmet: Iterable[Unmet], console: Console) -> None:
    """The whole explanations of expectations that do not hold, with ``-v``."""
    if not console.verbosity:
        return
    from orchestra.render.explain_text import explain_text

    for each in unmet:
        if each.explanation is not None:
            console.detail("\n" + explain_text(each.explanation, console.err.style))


def explain(console: Console, question: Question, output: Output = Format.TEXT) -> int:
    """Show why one host can or cannot reach another.

    Every step of the path with the rule that decides it; of a pair that cannot, the nearest rules, the least that
    would have to change, and ways that need no change. Nothing is opened.
    """
    from orchestra.planning import explain as explain_pair

    read = read_topology(question.source)
    from_, to = question.words[-2:]
    with read.excerpts():
        explanation = explain_pair(
            read.topology,
            from_,
            to,
            client=read.client,
            vocabulary=read.plugins.vocabulary,
            via=tuple(question.via),
            direct=question.direct,
        )
    if output is Format.JSON:
        from orchestra.render.explain_json import explain_json

        console.json(explain_json(explanation))
    else:
        from orchestra.render.explain_text import explain_text

        console.data(explain_text(explanation, console.out.style))
    return Exit.DONE if explanation.reachable else Exit.UNREACHABLE
