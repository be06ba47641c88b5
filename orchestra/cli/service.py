"""``orchestra service``: a topology as a unit of the user's systemd."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from orchestra.cli.console import Console
from orchestra.cli.exits import Exit
from orchestra.cli.options import AllowExec, Selection, Source
from orchestra.cli.starting import Starting
from orchestra.cli.up import Showing, Staying, child_arguments
from orchestra.errors import OrchestraError, UsageError
from orchestra.render.style import Style


class Action(StrEnum):
    """What is done with the unit."""

    INSTALL = "install"
    UNINSTALL = "uninstall"


What = Annotated[Action, typer.Argument(metavar="install|uninstall", help="Write the unit, or remove it.")]
Name = Annotated[str | None, typer.Option("--name", metavar="NAME", help="Its name. Default: the topology's.")]


def service(
    console: Console,
    action: What,
    source: Source,
    selection: Selection,
    showing: Showing,
    name: Name = None,
    allow_exec: AllowExec = False,
) -> int:
    """Write or remove a systemd unit, of this user, that keeps a topology up.

    The file must be one that can be carried out. Nothing is started or stopped: what to say to systemctl is printed.
    """
    if sys.platform != "linux":
        raise UsageError("there are units for systemd only: elsewhere, have `orchestra up` run by what starts programs")
    if action is Action.UNINSTALL:
        return _uninstall(console, source, name)
    return _install(console, source, selection, showing, name, allow_exec=allow_exec)


def _install(
    console: Console, source: Source, selection: Selection, showing: Showing, name: str | None, *, allow_exec: bool
) -> int:
    from orchestra.cli.reading import choose_files, client_of, read_plan
    from orchestra.control.paths import check_name
    from orchestra.render.unit import unit_text

    showing.read()
    planned = read_plan(source, selection, allow_exec=allow_exec)
    name = check_name(name or planned.read.topology.name)
    files = choose_files(source, os.environ, Path.cwd())
    if "-" in files:
        raise UsageError("a service reads its file each time that it starts: name one, in place of standard input")
    lasting = replace(
        source,
        file=_absolute(files[0]),
        files=[*map(_absolute, files[1:])],
        client=client_of(source),
        plugins=[_absolute(each) if Path(each).is_file() else each for each in source.plugins],
    )
    token = showing.http_token_file
    shown = replace(showing, http_token_file=None if token is None else Path(_absolute(token)))
    plain = replace(console, err=replace(console.err, style=Style(colour=False)))
    options = child_arguments(plain, lasting, selection, Starting(allow_exec=allow_exec), Staying(name=name), shown)
    own = [sys.executable, "-m", "orchestra"]
    unit = unit_text(name, _absolute(files[0]), [*own, "up", *options], [*own, "reload", name])
    path = _unit(name)
    _check_ours(path)
    _write(path, unit)
    console.say(f"wrote {path}\n\n  systemctl --user daemon-reload\n  systemctl --user enable --now {path.stem}\n")
    console.say("  loginctl enable-linger     # if it is to run while you are not logged in")
    return Exit.DONE


def _uninstall(console: Console, source: Source, name: str | None) -> int:
    from orchestra.cli.reading import read_topology
    from orchestra.control.paths import check_name

    named = name or source.file
    if named is None or (name is None and Path(named).is_file()):
        named = read_topology(source).topology.name
    path = _unit(check_name(named))
    if not path.exists():
        console.say(f"there is no {path}")
        return Exit.DONE
    _check_ours(path)
    try:
        path.unlink()
        (path.parent / "default.target.wants" / path.name).unlink(missing_ok=True)
    except OSError as error:
        raise OrchestraError(f"cannot remove {path}: {error.strerror}") from error
    console.say(f"removed {path}\n\n  systemctl --user stop {path.stem}\n  systemctl --user daemon-reload")
    return Exit.DONE


def _absolute(path: str | Path) -> str:
    return os.path.abspath(path)  # noqa: PTH100 - symbolic links are kept, as in what `up` says of itself


def _unit(name: str) -> Path:
    """Where systemd looks for a user's own units (systemd.unit(5))."""
    given = os.environ.get("XDG_CONFIG_HOME", "")
    base = Path(given) if given.startswith("/") else Path(os.environ.get("HOME") or Path.home()) / ".config"
    return base / "systemd" / "user" / f"orchestra-{name}.service"


def _check_ours(path: Path) -> None:
    from orchestra.render.unit import MARK

    try:
        ours = path.read_text("utf-8", "replace").startswith(MARK)
    except FileNotFoundError:
        return
    except OSError as error:
        raise OrchestraError(f"cannot read {path}: {error.strerror}") from error
    if not ours:
        raise OrchestraError(f"{path} was not written by orchestra; it is left as it is")


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    new = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new.write_text(text, "utf-8")
        new.replace(path)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise OrchestraError(f"cannot write {path}: {error.strerror}") from error
