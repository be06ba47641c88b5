"""The one place where expected errors are printed and become exit codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.cli.complaints import complaints
from orchestra.cli.exits import Exit, exit_of_error
from orchestra.errors import OrchestraError, RuntimeFailure, TopologyInvalid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orchestra.cli.console import Console
    from orchestra.diagnostics import Diagnostic


class TopologyRejected(TopologyInvalid):
    """A topology that cannot be used, with the text of its files for the excerpts."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...], sources: Mapping[str, str]) -> None:
        super().__init__(diagnostics)
        self.sources = sources


def perform(command: Callable[[], int], console: Console) -> int:
    """Runs a command and returns its exit code. Errors that nobody expected pass: they are bugs."""
    try:
        with complaints(console):
            code = command()
        console.flush()
    except OrchestraError as error:
        console.error(explain(error, console))
        return exit_of_error(error)
    except KeyboardInterrupt:
        console.say("interrupted")
        return Exit.INTERRUPTED
    except BrokenPipeError:
        console.abandon()
        return Exit.FAILED
    return code


def explain(error: OrchestraError, console: Console) -> str:
    """The error for a person at standard error."""
    from orchestra.render.diagnostics_text import diagnostics_text, headline

    style = console.err.style
    match error:
        case TopologyInvalid(diagnostics=diagnostics):
            sources = error.sources if isinstance(error, TopologyRejected) else {}
            return diagnostics_text(diagnostics, sources, style)
        case RuntimeFailure():
            lines = [headline("error", error.message, style, code=error.code)]
            if error.suggestion:
                lines.append(f"  {style('note', 'help:')} {error.suggestion}")
            return "\n".join(lines)
        case _:
            return headline("error", str(error), style)


def report(
    diagnostics: tuple[Diagnostic, ...], sources: Mapping[str, str], console: Console, *, apart: bool = False
) -> None:
    """Diagnostics for a person, at standard error: errors always, warnings unless ``-q``, the rest with ``-v``.

    ``apart``: after a blank line, when a person sees both streams on one screen.
    """
    from orchestra.render.diagnostics_text import diagnostics_text

    wanted = {"error"} | (set() if console.quiet else {"warning"}) | ({"info"} if console.verbosity else set())
    if shown := tuple(d for d in diagnostics if d.severity in wanted):
        gap = "\n" if apart and console.out.is_terminal and console.err.is_terminal else ""
        console.error(gap + diagnostics_text(shown, sources, console.err.style))
