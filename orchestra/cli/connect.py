"""``orchestra connect``: standard input and output, joined to a target; ssh's ProxyCommand."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Annotated

import typer

from orchestra.cli.completion import HOSTS, names
from orchestra.cli.console import Console
from orchestra.cli.errors import report
from orchestra.cli.exits import Exit, exit_of_plan
from orchestra.cli.options import AllowExec, Client, Files, PluginModules, Source, Timeout, seconds
from orchestra.cli.reading import read_topology
from orchestra.cli.starting import Refused, disclose, told
from orchestra.errors import OrchestraError, UsageError
from orchestra.model.frozen import dataclass

if TYPE_CHECKING:
    from orchestra.assembly.launch import Launch
    from orchestra.assembly.signals import Interrupts
    from orchestra.plugin.manager import Plugins
    from orchestra.session.standard import StandardStreams


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where to, by which topology."""

    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[FILE] TARGET",
            help="A target, a tunnel, a server, HOST:PORT or unix:/PATH; the topology before it, as for `up`.",
            show_default=False,
            autocompletion=names("tunnels", "targets", *HOSTS),
        ),
    ]
    files: Files = field(default_factory=list)
    client: Client = None
    plugins: PluginModules = field(default_factory=list)
    exit_: Annotated[
        str | None,
        typer.Option(
            "--exit",
            metavar="HOST",
            help="The host that dials it. Default: the plan's choice.",
            autocompletion=names(*HOSTS),
        ),
    ] = None
    allow_exec: AllowExec = False

    @property
    def source(self) -> Source:
        """The topology. Raises UsageError for too many words."""
        *file, _ = self.words
        if len(file) > 1:
            raise UsageError("write one TARGET, or a FILE and a TARGET")
        return Source(file=file[0] if file else None, files=self.files, client=self.client, plugins=self.plugins)


def connect(console: Console, destination: Destination, timeout: Timeout = "60") -> int:
    """Join standard input and output to a target, or to any address, by the path that the topology has for it.

    For ssh: `ssh -o ProxyCommand="orchestra connect -f FILE %h:%p" HOST`.
    """
    limit = seconds(timeout)
    return told(console, lambda: _connect(console, destination, limit))


def _connect(console: Console, destination: Destination, limit: float | None) -> int:
    from orchestra.assembly import loop
    from orchestra.assembly.signals import interruptible
    from orchestra.cli.apart import made_apart
    from orchestra.session.standard import StandardStreams

    def make(console: Console, plugins: Plugins) -> Launch:
        return _launch(console, destination, plugins)

    launch, plugins = made_apart(console, destination.source, make)
    try:
        streams = StandardStreams.taken()
    except OSError as error:
        raise OrchestraError(f"standard input and output are not both open: {error.strerror}") from error

    async def work(_: Interrupts) -> None:
        await _join(console, launch, plugins, streams, limit)

    try:
        loop.run(interruptible(work))
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OrchestraError(f"standard input or output failed: {error.strerror}") from error
    return Exit.DONE


def _launch(console: Console, destination: Destination, plugins: Plugins) -> Launch:
    """What is to be brought up. Only errors and what is run are said, unless -v: whoever starts this wants the data."""
    from orchestra.assembly.launch import Launch
    from orchestra.planning import plan_connection
    from orchestra.planning.disclosure import disclosures

    read = read_topology(destination.source, plugins=plugins, allow_exec=destination.allow_exec)
    with read.excerpts():
        plan = plan_connection(
            read.topology,
            destination.words[-1],
            client=read.client,
            vocabulary=read.plugins.vocabulary,
            exit_=destination.exit_,
        )
    shown = tuple(d for d in plan.diagnostics if d.severity == "error" or console.verbosity)
    report(shown, read.sources, console)
    if code := exit_of_plan(plan):
        raise Refused(code)
    found = disclosures(plan, read.topology)
    disclose(console, read.topology, [each for each in found if each.deed == "runs" or console.verbosity])
    return Launch(name=read.topology.name, plan=plan, topology=read.topology)


async def _join(
    console: Console, launch: Launch, plugins: Plugins, streams: StandardStreams, limit: float | None
) -> None:
    from orchestra.assembly.connect import connect
    from orchestra.cli.asking import asker
    from orchestra.cli.progress import Progress

    with Progress(console) as progress:
        await connect(
            launch,
            plugins,
            streams,
            timeout=limit,
            observers=(progress,) if console.verbosity else (),
            ask=asker(progress),
        )
