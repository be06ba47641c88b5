"""Which running orchestra is meant: by its name, by its file, or the only one that runs."""

from __future__ import annotations

import os
from collections.abc import Mapping

from orchestra.control.claim import is_held, read_info
from orchestra.control.client import NotRunning
from orchestra.control.paths import Place, places
from orchestra.errors import UsageError


def alive(environ: Mapping[str, str]) -> tuple[Place, ...]:
    """The places of this user's running orchestras, by name."""
    return tuple(place for place in places(environ) if is_held(place))


def find(named: str | None, environ: Mapping[str, str]) -> Place:
    """The one that is meant. Raises NotRunning, and UsageError when it could be several."""
    running = alive(environ)
    if named is None:
        return _only(running, "no orchestra is running", "which one?")
    for place in running:
        if place.name == named:
            return place
    path = os.path.abspath(named)  # noqa: PTH100 - symbolic links are kept, as in what the running one says
    of_file = tuple(place for place in running if (info := read_info(place)) and info.file == path)
    what = f"runs {named}" if os.path.exists(path) else f"named {named} is running"  # noqa: PTH110
    return _only(of_file, f"no orchestra {what}", f"several run {named};")


def _only(found: tuple[Place, ...], none: str, several: str) -> Place:
    if not found:
        raise NotRunning(none)
    if len(found) > 1:
        raise UsageError(f"{several} say one of their names: {', '.join(place.name for place in found)}")
    return found[0]
