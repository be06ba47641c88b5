"""``orchestra add``: one tunnel more, over what the files of a running orchestra declare."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Annotated

import typer

from orchestra.cli.applying import DryRun, apply
from orchestra.cli.console import Console
from orchestra.cli.options import Format, Output, Timeout, seconds
from orchestra.cli.remove import Of
from orchestra.errors import UsageError
from orchestra.model.frozen import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The keys of a tunnel that are asked for most; ``-`` in place of them reads any."""

    to: Annotated[str | None, typer.Option("--to", metavar="TARGET", help="What is reached.")] = None
    listen: Annotated[str | None, typer.Option("--listen", metavar="ADDRESS", help="Where it is entered.")] = None
    from_: Annotated[str | None, typer.Option("--from", metavar="HOST", help="Who will use it.")] = None
    at: Annotated[str | None, typer.Option("--at", metavar="HOST", help="Where its listener is opened.")] = None
    via: Annotated[list[str], typer.Option("--via", metavar="SERVER", help="A server to pass; repeatable.")] = ()  # type: ignore[assignment]
    kind: Annotated[str | None, typer.Option("--kind", metavar="KIND", help="tcp, socks, udp …")] = None
    exit: Annotated[str | None, typer.Option("--exit", metavar="HOST", help="Where a proxy's connections leave.")] = (
        None
    )
    check: Annotated[str | None, typer.Option("--check", metavar="CHECK", help="How it is proven; none.")] = None

    def keys(self) -> Mapping[str, object]:
        """As a file would have them."""
        found = {
            "to": self.to,
            "listen": self.listen,
            "from": self.from_,
            "at": self.at,
            "via": list(self.via),
            "kind": self.kind,
            "exit": self.exit,
            "check": self.check,
        }
        return {key: value for key, value in found.items() if value}


Name = Annotated[
    str, typer.Argument(metavar="NAME", help="Of the tunnel; a target of that name is what it leads to by default.")
]
FromStdin = Annotated[bool, typer.Option("--stdin", help="The tunnel's keys are read from standard input, as YAML.")]


def add(
    console: Console,
    name: Name,
    wanted: Wanted,
    stdin: FromStdin = False,
    of: Of = None,
    dry_run: DryRun = False,
    timeout: Timeout = "60",
    output: Output = Format.TEXT,
) -> int:
    """Add one tunnel to a running orchestra, over the hosts and targets of its file.

    It is kept until it is removed or everything is taken down, also when the file is reloaded; to keep it for longer,
    write it there.
    """
    from orchestra.assembly.reloading import DRAIN
    from orchestra.control.client import Client
    from orchestra.control.instances import find

    limit = seconds(timeout)
    client = Client(find(of, os.environ), console.say)
    added = {name: _text(name, wanted, stdin=stdin)}
    return apply(console, client, {"add": added}, drain=DRAIN, limit=limit, output=output, dry=dry_run)


def _text(name: str, wanted: Wanted, *, stdin: bool) -> str:
    """A file with that one tunnel. JSON is YAML, and quotes what has to be quoted."""
    keys = wanted.keys()
    if not stdin:
        return json.dumps({"tunnels": {name: keys}})
    if keys:
        raise UsageError("--stdin has the whole tunnel; give its keys there, or as options")
    import sys
    import textwrap

    return f"tunnels:\n  {json.dumps(name)}:\n{textwrap.indent(sys.stdin.read(), '    ')}"
