"""What is given on the command line, as values, and what is loaded for that."""

from __future__ import annotations

import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from orchestra.cli.coercion import PlainCommand, PlainGroup

LOADED = "import sys; from orchestra.cli import main; main(sys.argv[1:]); print('pydantic' in sys.modules)"


class Shade(StrEnum):
    """Two words."""

    DARK = "dark"
    LIGHT = "light"


def given(*words: str) -> str:
    """What a command with an option of every sort got, or what typer says."""
    app = typer.Typer(cls=PlainGroup)

    @app.callback()
    def root() -> None: ...

    @app.command(cls=PlainCommand)
    def show(
        name: Annotated[str | None, typer.Argument()] = None,
        some: Annotated[list[str], typer.Option()] = [],  # noqa: B006 - typer copies it
        count: Annotated[int, typer.Option(max=9)] = 3,
        shade: Annotated[Shade | None, typer.Option()] = None,
        file: Annotated[Path | None, typer.Option()] = None,
        verbose: Annotated[int, typer.Option("-v", count=True)] = 0,
        quiet: Annotated[bool, typer.Option()] = False,
    ) -> None:
        print([name, some, count, shade, file, verbose, quiet])

    return CliRunner().invoke(app, ["show", *words]).output


@pytest.mark.parametrize(
    ("words", "values"),
    [
        ([], [None, [], 3, None, None, 0, False]),
        (["a", "--some", "b", "--some", "3"], ["a", ["b", "3"], 3, None, None, 0, False]),
        (["--count", "4", "-vv", "--quiet"], [None, [], 4, None, None, 2, True]),
        (["--shade", "dark", "--file", "x"], [None, [], 3, Shade.DARK, Path("x"), 0, False]),
    ],
)
def test_words_become_what_they_are_declared_to_be(words: list[str], values: list[object]) -> None:
    assert given(*words) == f"{values}\n"


@pytest.mark.parametrize("words", [["--count", "x"], ["--count", "10"], ["--shade", "pink"]])
def test_what_does_not_fit_is_refused(words: list[str]) -> None:
    assert "Invalid value for" in given(*words)


@pytest.mark.parametrize("command", [["version"], ["ls", "-o", "json"], ["wait", "--timeout", "3"], ["up", "--help"]])
def test_a_command_that_needs_no_models_loads_none(command: list[str], tmp_path: Path) -> None:
    environ = {"XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)}
    program = [sys.executable, "-c", LOADED, *command]
    said = subprocess.run(program, check=True, capture_output=True, text=True, env=environ)
    assert said.stdout.splitlines()[-1] == "False"
