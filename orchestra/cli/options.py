"""The options that several commands share, each defined once.

Single options are ``Annotated`` aliases. Options that belong together are a *bundle*: a frozen dataclass whose fields
are such aliases. A command takes a bundle as one parameter; :mod:`orchestra.cli.app` shows its fields on the command
line one by one.
"""

from __future__ import annotations

import re
from dataclasses import field
from enum import StrEnum
from typing import Annotated, TypeAlias

import typer

from orchestra.cli import completion
from orchestra.cli.console import Colour, Console
from orchestra.errors import UsageError
from orchestra.model.frozen import dataclass


class Format(StrEnum):
    """How a result is printed."""

    TEXT = "text"
    JSON = "json"


File: TypeAlias = Annotated[
    str | None,
    typer.Argument(
        metavar="FILE",
        help="The topology; - is standard input. Default: $ORCHESTRA_FILE, else orchestra.yaml here or in a parent.",
        show_default=False,
    ),
]
Files: TypeAlias = Annotated[
    list[str], typer.Option("-f", "--file", metavar="FILE", help="A topology file; later ones win.", show_default=False)
]
Client: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--client",
        metavar="NAME",
        help="The client that is here. Default: $ORCHESTRA_CLIENT.",
        autocompletion=completion.names("clients"),
    ),
]
PluginModules: TypeAlias = Annotated[
    list[str],
    typer.Option("--plugin", metavar="MODULE|FILE", help="A plugin of your own; repeatable.", show_default=False),
]
Tunnels: TypeAlias = Annotated[
    list[str],
    typer.Option(
        "-t",
        "--tunnel",
        metavar="TUNNEL",
        help="Only this tunnel; repeatable.",
        show_default=False,
        autocompletion=completion.names("tunnels"),
    ),
]
Profiles: TypeAlias = Annotated[
    list[str],
    typer.Option(
        "--profile",
        metavar="NAME",
        help="Also tunnels of this profile; repeatable.",
        show_default=False,
        autocompletion=completion.profiles(),
    ),
]
AllowExec: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--allow-exec",
        help="Run the commands of checks and of ssh_config (Match exec, KnownHostsCommand). "
        "Or: ORCHESTRA_ALLOW_EXEC=1.",
        envvar="ORCHESTRA_ALLOW_EXEC",
        show_envvar=False,
    ),
]
Output: TypeAlias = Annotated[Format, typer.Option("-o", "--output", help="The form of the result.")]
Alternatives: TypeAlias = Annotated[
    int, typer.Option("--alternatives", metavar="K", min=0, max=100, help="Further paths to list per tunnel, at most.")
]
Timeout: TypeAlias = Annotated[
    str, typer.Option("--timeout", metavar="DURATION", help="Give up after this long: 30, 2m; 0 is never.")
]
"""Text as the user wrote it; :func:`seconds` reads it."""

CommandLine: TypeAlias = Annotated[list[str], "what follows --"]
"""A program and its arguments, untouched; a parameter of this type is called ``command``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Which topology, seen from which client."""

    file: File = None
    files: Files = field(default_factory=list)
    client: Client = None
    plugins: PluginModules = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """Plugins, for commands that read no topology."""

    plugins: PluginModules = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which of its tunnels."""

    tunnels: Tunnels = field(default_factory=list)
    profiles: Profiles = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """How much is said, and in which colours. Every command has these options."""

    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Say nothing but errors.")] = False
    verbose: Annotated[int, typer.Option("-v", "--verbose", count=True, help="Say more.", show_default=False)] = 0
    color: Annotated[Colour, typer.Option("--color", help="When to colour.")] = Colour.AUTO

    def console(self) -> Console:
        """What to print with."""
        return Console.standard(self.color, quiet=self.quiet, verbosity=self.verbose)


_DURATION = re.compile(r"(?P<number>\d{1,9}(\.\d{1,6})?)(?P<unit>ms|s|m|h|)\Z", re.ASCII)
_UNITS = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "h": 3600.0}


def seconds(text: str) -> float | None:
    """``30``, ``1.5s``, ``500ms``, ``2m`` or ``1h`` in seconds; None for 0, which is never. Raises UsageError."""
    match = _DURATION.match(text)
    if match is None:
        raise UsageError(f"{text!r} is not a duration; write 30, 1.5s, 2m or 1h, and 0 for never")
    return float(match["number"]) * _UNITS[match["unit"]] or None
