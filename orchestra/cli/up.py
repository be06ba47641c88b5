"""``orchestra up``: brings it up and stays; ``-d`` returns when it is ready and leaves a child that stays."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestra.assembly.log_format import LogFormat
from orchestra.cli.console import Colour, Console
from orchestra.cli.options import Selection, Source, seconds
from orchestra.cli.starting import Starting, disclose, prepare, told
from orchestra.diagnostics import Code
from orchestra.errors import RuntimeFailure, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestra.assembly.detach import Parent
    from orchestra.assembly.launch import Http, Launch
    from orchestra.control.claim import Claim
    from orchestra.control.handlers import Document
    from orchestra.control.http_address import HttpAddress
    from orchestra.control.paths import Place
    from orchestra.plugin.interfaces import Question
    from orchestra.plugin.manager import Plugins

_TIMEOUT_DETACHED = "60"


@dataclass(frozen=True, slots=True, kw_only=True)
class Staying:
    """How it stays."""

    detach: Annotated[bool, typer.Option("-d", "--detach", help="Return when it is ready; it stays.")] = False
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="Its name. Default: the topology's.")] = (
        None
    )
    timeout: Annotated[
        str | None,
        typer.Option(
            "--timeout",
            metavar="DURATION",
            help="Give up when it is not ready after this long: 30, 2m; 0 is never. Default: 60 with -d, else never.",
        ),
    ] = None
    log_format: Annotated[LogFormat, typer.Option("--log-format", help="How its log is written.")] = LogFormat.TEXT
    parent: Annotated[int | None, typer.Option("--parent", hidden=True)] = None
    """In the child of ``-d``: the descriptor on which it tells its parent that it is ready."""

    @property
    def limit(self) -> float | None:
        """Seconds to become ready in; None is never. Raises UsageError."""
        detached = self.detach or self.parent is not None
        text = self.timeout or (_TIMEOUT_DETACHED if detached else "0")
        return seconds(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """How it is shown to browsers, probes and Prometheus."""

    http: Annotated[
        str | None,
        typer.Option(
            "--http",
            metavar="ADDRESS:PORT",
            help="Serve a live page, probes and metrics there; port 0 takes any that is free.",
        ),
    ] = None
    http_token_file: Annotated[
        Path | None,
        typer.Option(
            "--http-token-file",
            metavar="FILE",
            help="Holds the token that is asked for. Default: a new one, in a private file.",
        ),
    ] = None
    http_exposed: Annotated[
        bool, typer.Option("--http-exposed", help="Yes, other machines may connect to --http, without encryption.")
    ] = False

    @property
    def address(self) -> HttpAddress | None:
        """Where it is shown, if it is. Raises UsageError."""
        if self.http is None:
            if self.http_token_file is not None or self.http_exposed:
                raise UsageError("--http-token-file and --http-exposed go with --http ADDRESS:PORT")
            return None
        from orchestra.control.http_address import HttpAddress

        return HttpAddress.parse(self.http, exposed=self.http_exposed)

    def read(self) -> Http | None:
        """The same with its token, which may come from a pipe and is read once. Raises UsageError."""
        if (address := self.address) is None:
            return None
        from orchestra.assembly.launch import Http
        from orchestra.control.gate import read_token

        return Http(address=address, token=None if self.http_token_file is None else read_token(self.http_token_file))


def up(
    console: Console, source: Source, selection: Selection, starting: Starting, staying: Staying, showing: Showing
) -> int:
    """Open the tunnels and keep them open; Ctrl-C takes them down."""
    if staying.detach:
        return told(console, lambda: _detach(console, source, selection, starting, staying, showing))
    return told(console, lambda: _stay(console, source, selection, starting, staying, showing))


def child_arguments(
    console: Console,
    source: Source,
    selection: Selection,
    starting: Starting,
    staying: Staying,
    showing: Showing = Showing(),
) -> list[str]:
    """What the child is asked for: the same, but to stay."""
    valued = (
        *(("--file", file) for file in source.files),
        ("--client", source.client),
        *(("--plugin", plugin) for plugin in source.plugins),
        *(("--tunnel", tunnel) for tunnel in selection.tunnels),
        *(("--profile", profile) for profile in selection.profiles),
        ("--lab", starting.lab),
        ("--name", staying.name),
        ("--timeout", staying.timeout),
        ("--log-format", staying.log_format),
        ("--http", showing.http),
        ("--http-token-file", showing.http_token_file),
        ("--color", Colour.ALWAYS if console.err.style.colour else Colour.NEVER),
    )
    flags = (
        ("--partial", starting.partial),
        ("--fail-fast", starting.fail_fast),
        ("--allow-exec", starting.allow_exec),
        ("--http-exposed", showing.http_exposed),
        ("--quiet", console.quiet),
    )
    return [
        *(f"{option}={value}" for option, value in valued if value is not None),
        *(flag for flag, given in flags if given),
        *["--verbose"] * console.verbosity,
        *(["--", source.file] if source.file is not None else []),
    ]


def _detach(
    console: Console, source: Source, selection: Selection, starting: Starting, staying: Staying, showing: Showing
) -> int:
    import asyncio

    from orchestra.assembly.detach import spawn
    from orchestra.cli.asking import ask_person

    _ = staying.limit, showing.address  # what cannot be meant is refused before anything is started
    asked = child_arguments(console, source, selection, starting, staying, showing)

    def arguments(descriptor: int) -> Sequence[str]:
        return ["up", f"--parent={descriptor}", *asked]

    def relay(text: bytes) -> None:
        sys.stderr.buffer.write(text)
        sys.stderr.buffer.flush()

    def answer(question: Question) -> str | None:
        return asyncio.run(ask_person(question, os.environ))

    console.flush()
    return spawn(arguments, relay, answer)


def _stay(
    console: Console, source: Source, selection: Selection, starting: Starting, staying: Staying, showing: Showing
) -> int:
    from orchestra.cli.apart import made_apart

    parent = None if staying.parent is None else _parent(staying.parent)
    limit, http = staying.limit, showing.read()

    def make(console: Console, plugins: Plugins) -> Launch:
        return prepare(console, source, selection, starting, plugins=plugins, name=staying.name)

    launch, plugins = made_apart(console, source, make)  # and what follows is loaded meanwhile
    from orchestra.assembly import loop
    from orchestra.assembly.journal import journal
    from orchestra.assembly.notify import Notifier
    from orchestra.assembly.signals import held_back, interruptible
    from orchestra.cli.reloading import options, read_apart, reader
    from orchestra.cli.staying import Stay
    from orchestra.control.claim import Claim
    from orchestra.control.paths import log_file, place_of

    place, log = place_of(launch.name, os.environ), log_file(launch.name, os.environ)
    with held_back():
        claim = _claim(place, launch)
        if isinstance(claim, Claim):
            disclose(console, launch.topology, launch.disclosures)
            with claim, journal(log, staying.log_format) as entries:
                stay = Stay(
                    console=console,
                    launch=launch,
                    plugins=plugins,
                    place=place,
                    log=entries,
                    limit=limit,
                    parent=parent,
                    fail_fast=starting.fail_fast,
                    http=http,
                    read=read_apart(reader(source, selection, starting, launch.name)),
                    notifier=Notifier.of(os.environ),
                )
                return loop.run(interruptible(stay.run))
    fixed = [("--http", http is not None), ("--log-format", staying.log_format is not LogFormat.TEXT)]
    unmoved = [option for option, given in fixed if given]
    from orchestra.control.client import NotRunning

    try:
        return _change(console, place, options(source, selection, starting), limit, unmoved)
    except NotRunning:  # it has only just begun and hears nobody yet, or hears nobody any more
        raise claim from None


def _parent(descriptor: int) -> Parent:
    from orchestra.assembly.detach import Parent

    return Parent(descriptor)


def _claim(place: Place, launch: Launch) -> Claim | RuntimeFailure:
    """The place; or the refusal, when what has it can be brought up to date. Raises RuntimeFailure otherwise."""
    from orchestra.control.claim import Claim

    try:
        return Claim.take(place, launch.info())
    except RuntimeFailure as error:
        if error.code is not Code.ALREADY_RUNNING or not _runs_that(place, launch):
            raise
        return error


def _runs_that(place: Place, launch: Launch) -> bool:
    """Whether what has the name is an earlier `up` of the same file, which can be brought up to date."""
    from orchestra.control.claim import read_info

    info = read_info(place)
    return info is not None and info.file == launch.file and not launch.file.startswith(("<", "-"))


def _change(console: Console, place: Place, given: Document, limit: float | None, unmoved: Sequence[str]) -> int:
    """It runs already: what differs is applied. ``unmoved``: options of this call that cannot be."""
    from orchestra.assembly.reloading import DRAIN
    from orchestra.cli.applying import apply
    from orchestra.control.client import Client

    console.say(f"{place.name} runs already; what differs is applied")
    if unmoved:
        console.say(f"{' and '.join(unmoved)}: only where it begins; take it down and bring it up again for that")
    return apply(console, Client(place, console.say), {"options": given}, drain=DRAIN, limit=limit)
