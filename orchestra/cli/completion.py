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
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from orchestra.cli.console import Console
from orchestra.cli.exits import Exit

Complete: TypeAlias = Callable[[typer.Context], list[str]]

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
    """Completes the names of these sections of the topology that the words before lead to."""
    return _quietly(lambda ctx: [name for section in sections for name in _names(ctx.params).of(section)])


def profiles() -> Complete:
    """Completes the profiles of its tunnels."""
    return _quietly(lambda ctx: _names(ctx.params).profiles())


def running() -> Complete:
    """Completes the names of what runs."""

    def found(_: typer.Context) -> list[str]:
        from orchestra.control.instances import alive

        return [place.name for place in alive(os.environ)]

    return _quietly(found)


def _quietly(find: Callable[[typer.Context], Sequence[str]]) -> Complete:
    def complete(ctx: typer.Context) -> list[str]:
        with suppress(Exception):
            return list(find(ctx))
        return []

    return complete


def _names(given: Mapping[str, Any]) -> Any:
    """Those of the files that the options and the words name, else of the default one."""
    from orchestra.cli.common import choose_files
    from orchestra.cli.options import Source
    from orchestra.loading.names import Names

    words = given.get("words") or ()
    first = given.get("file") or (words[0] if words and Path(words[0]).is_file() else None)
    source = Source(file=first, files=list(given.get("files") or ()))
    return Names(choose_files(source, os.environ, Path.cwd()), os.environ)
