"""``orchestra completion``: the script for a shell, and what it is given while somebody types.

The script asks this program, by an environment variable that typer reads. What is asked for is answered from the text
of the file alone: nothing is run, nothing is connected, and what cannot be answered is left to the shell, which offers
names of files.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from orchestra.cli.console import Console
from orchestra.cli.exits import Exit

if TYPE_CHECKING:
    from orchestra.loading.names import Names
    from orchestra.plugin.interfaces import Exporter, Importer

Complete: TypeAlias = Callable[[], list[str]]

HOSTS = ("servers", "clients", "firewalls")


class Shell(StrEnum):
    """Which shell."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


_SCRIPTS = {
    Shell.BASH: """\
# source <(orchestra completion bash)
_orchestra() {
  local IFS=$'\\n'
  COMPREPLY=($(COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD \\
    _ORCHESTRA_COMPLETE=complete_bash "$1" 2>/dev/null))
  [[ ${COMPREPLY[0]} != *= ]] || compopt -o nospace 2>/dev/null
}
complete -o default -F _orchestra orchestra""",
    Shell.ZSH: """\
#compdef orchestra
# source <(orchestra completion zsh), after compinit
_orchestra() {
  eval "$(_TYPER_COMPLETE_ARGS="${words[1,$CURRENT]}" _ORCHESTRA_COMPLETE=complete_zsh "${words[1]}" 2>/dev/null)"
}
if [ "$funcstack[1]" = _orchestra ]; then _orchestra "$@"; else compdef _orchestra orchestra; fi""",
    Shell.FISH: """\
# orchestra completion fish | source
function __orchestra
  _ORCHESTRA_COMPLETE=complete_fish _TYPER_COMPLETE_FISH_ACTION=$argv[1] \\
    _TYPER_COMPLETE_ARGS=(commandline -cp | string collect) orchestra 2>/dev/null
end
complete -c orchestra --no-files -a "(__orchestra get-args)" -n "__orchestra is-args"
""",
}


def completion(console: Console, shell: Annotated[Shell, typer.Argument(metavar="bash|zsh|fish")]) -> int:
    """Print the script with which a shell completes commands, options, and the names in your topology."""
    console.data(_SCRIPTS[shell].strip())
    return Exit.DONE


def names(*sections: str) -> Complete:
    """Completes the names of these sections of the topology that the line leads to."""
    return _quietly(lambda: [name for section in sections for name in _names().of(section)])


def profiles() -> Complete:
    """Completes the profiles of its tunnels."""
    return _quietly(lambda: _names().profiles())


def running() -> Complete:
    """Completes the names of what runs."""

    def found() -> list[str]:
        from orchestra.control.instances import alive

        return [place.name for place in alive(os.environ)]

    return _quietly(found)


def formats(sort: Literal["importers", "exporters"]) -> Complete:
    """Completes the formats that plugins read, or write."""
    return _quietly(lambda: list(_formats(sort)))


def settings() -> Complete:
    """Completes the options of the format that the line names."""

    def found() -> list[str]:
        from orchestra.loading.schema import options_schema

        command, *words = line_to_complete()
        known = _formats("importers" if command == "import" else "exporters")
        spec = next(known[word].spec for word in words if word in known)
        return [f"{key}=" for key in options_schema(spec.fields)["properties"]] if spec.fields else []

    return _quietly(found)


def _formats(sort: Literal["importers", "exporters"]) -> Mapping[str, Importer | Exporter]:
    from orchestra.assembly.topology import plugins

    found = plugins()
    return found.importers if sort == "importers" else found.exporters


def _quietly(find: Callable[[], Sequence[str]]) -> Complete:
    def complete() -> list[str]:
        with suppress(Exception):
            return list(find())
        return []

    return complete


def line_to_complete() -> list[str]:
    """The words behind the program's name, when a shell asks; there are none otherwise."""
    line = os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS", "")
    return line.split()[1:]


def _names() -> Names:
    """Those of the files that the line names, else of the default one. The words are looked at as they are: what typer
    understands of a line that ends in half an option is nothing."""
    from orchestra.cli.options import Source
    from orchestra.cli.reading import choose_files
    from orchestra.loading.names import Names

    words = [word.rpartition("=")[2] for word in takewhile(lambda word: word != "--", line_to_complete())]
    files = [word for word in words if word.endswith((".yaml", ".yml"))]
    return Names(files or choose_files(Source(), os.environ, Path.cwd()), os.environ)
