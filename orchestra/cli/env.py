"""``orchestra env``: the tunnels of a running one as variables."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import Annotated

import typer

from orchestra.cli.console import Console
from orchestra.cli.exits import Exit
from orchestra.cli.instance import Instance


class VariableFormat(StrEnum):
    """Who reads them."""

    SHELL = "shell"
    DOTENV = "dotenv"
    JSON = "json"
    GITHUB = "github"


Output = Annotated[VariableFormat, typer.Option("-o", "--output", help="Who reads them.")]


def env(console: Console, instance: Instance = None, output: Output = VariableFormat.SHELL) -> int:
    """Print the tunnels as variables, for eval, a .env file, a program, or the file that GITHUB_ENV names."""
    from orchestra.control.client import Client
    from orchestra.control.instances import find
    from orchestra.render.variables import variables_text

    found = Client(find(instance, os.environ), console.say).variables()
    console.data(variables_text(found, output.value))
    return Exit.DONE
