"""The application: every command, by name and in the order of ``orchestra --help``.

A command is a function ``(console, …) -> exit code`` in a file of its own. Its further parameters are typer's, or
bundles of them (:mod:`orchestra.cli.options`); its docstring is its help. To add one, add its name to ``COMMANDS``.
"""

from __future__ import annotations

import functools
import inspect
import sys
from dataclasses import MISSING, Field, fields, is_dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer
from typer._completion_classes import completion_init

from orchestra.cli.coercion import PlainCommand, PlainGroup
from orchestra.cli.completion import line_to_complete
from orchestra.cli.errors import perform
from orchestra.cli.options import CommandLine, Talk
from orchestra.cli.starting import with_default_lab
from orchestra.model.garbage import settled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Command = tuple[str, "Callable[..., int]"]

_HOMES = {"import": "importing.import_", "export": "exporting.export"}
COMMANDS = (
    "init",
    "validate",
    "plan",
    "explain",
    "impact",
    "graph",
    "authorize",
    "trust",
    "up",
    "reload",
    "add",
    "remove",
    "reconnect",
    "down",
    "status",
    "ls",
    "wait",
    "logs",
    "events",
    "run",
    "connect",
    "env",
    "service",
    "import",
    "export",
    "demo",
    "schema",
    "plugins",
    "completion",
    "version",
)
_ANSWERING = frozenset(
    {"authorize", "completion", "explain", "export", "graph", "impact", "init", "plan", "schema", "validate", "version"}
)
"""What reads, answers and ends: no time is spent on looking for garbage."""


def command(name: str) -> Command:
    """A command by its name, which is imported now: most runs need one."""
    module, function = _HOMES.get(name, f"{name}.{name}").split(".")
    return name, getattr(import_module(f"orchestra.cli.{module}"), function)


def run(argv: Sequence[str] | None = None) -> int:
    """Parses the arguments, runs one command and returns its exit code."""
    args = with_default_lab(sys.argv[1:] if argv is None else argv)
    words = args or line_to_complete()
    named = [word for word in words if word in COMMANDS]
    needed = named[:1] if named and named[0] == words[0] else COMMANDS
    app = build([command(name) for name in needed], listed=not named)
    try:
        app(args=args, prog_name="orchestra")
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else 0
    return 0


def build(commands: Sequence[Command], *, listed: bool = False) -> typer.Typer:
    """The typer application of these commands. Help is plain text: it answers at once, in every terminal.

    ``listed``: with what they do, and without their parameters, which take longer to build than to be shown.
    """
    app = typer.Typer(
        cls=PlainGroup,
        no_args_is_help=True,
        add_completion=False,  # `orchestra completion` prints the scripts
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    completion_init()  # typer does so itself only where it adds options that install the scripts
    app.callback()(_root)
    for name, function in commands:
        cls = _Runner if not listed and _runs(function) else PlainCommand
        called = (lambda: None) if listed else adapt(function)
        app.command(name, cls=cls, short_help=_first_sentence(function))(called)
    return app


def _first_sentence(command: Callable[..., int]) -> str:
    """Whole, where typer would cut it to a line."""
    return " ".join(inspect.cleandoc(command.__doc__ or "").split("\n\n")[0].split()).partition(". ")[0]


class _Runner(PlainCommand):
    """A command whose own arguments end at ``--``; what follows is a program and its arguments."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        end = args.index("--") if "--" in args else len(args)
        rest = super().parse_args(ctx, args[:end])
        ctx.obj = args[end + 1 :]
        return rest

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return [*super().collect_usage_pieces(ctx), "-- COMMAND..."]


def _runs(command: Callable[..., int]) -> bool:
    return get_type_hints(command, include_extras=True).get("command") == CommandLine


def _show_version(shown: bool) -> None:
    if shown:
        from orchestra.cli.version import version

        console = Talk().console()
        raise SystemExit(perform(lambda: version(console), console))


def _root(
    _version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version.")
    ] = False,
) -> None:
    """Reach services through hosts and firewalls, over plain SSH servers.

    Describe what is where and what must be reachable; orchestra finds the path, opens it, keeps it open, and says
    which hop or which rule is at fault when it cannot.
    """


def adapt(command: Callable[..., int]) -> Callable[..., None]:
    """The command as typer wants it: bundles spread out into options, the console and the exit code taken care of."""
    hints = get_type_hints(command, include_extras=True)
    taken = list(inspect.signature(command).parameters.values())[1:]
    bundles = {p.name: hints[p.name] for p in taken if is_dataclass(hints[p.name])}
    spread = [p for taken_ in taken for p in _spread(taken_, hints[taken_.name])] + list(_options_of(Talk))

    @functools.wraps(command)
    def invoke(**given: Any) -> None:
        def take(bundle: type[Any]) -> Any:
            return bundle(**{field.name: given.pop(field.name) for field in fields(bundle)})

        console = take(Talk).console()
        arguments = {name: take(bundle) for name, bundle in bundles.items()} | given
        if _runs(command):
            arguments["command"] = given["command"].obj
        if command.__name__ not in _ANSWERING:
            settled()
        raise SystemExit(perform(lambda: command(console, **arguments), console))

    invoke.__signature__ = inspect.Signature(spread)  # type: ignore[attr-defined]  # what typer reads
    invoke.__annotations__ = {parameter.name: parameter.annotation for parameter in spread}
    return invoke


def _spread(parameter: inspect.Parameter, hint: Any) -> Iterator[inspect.Parameter]:
    if is_dataclass(hint):
        yield from _options_of(hint)
    else:
        seen = typer.Context if hint == CommandLine else hint
        yield parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=seen)


def _options_of(bundle: Any) -> Iterator[inspect.Parameter]:
    hints = get_type_hints(bundle, include_extras=True)
    for field in fields(bundle):
        yield inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=_default(field), annotation=hints[field.name]
        )


def _default(field: Field[Any]) -> Any:
    return field.default_factory() if field.default_factory is not MISSING else field.default
