"""A topology with tunnels that none of its files has, or without one that they have."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from orchestra.diagnostics import in_file_order

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orchestra.loading import Loaded


def with_additions(loaded: Loaded, additions: Mapping[str, str], read: Callable[[str], Loaded]) -> Loaded:
    """With each tunnel of ``additions``, whose text is a file of its own over the others, as ``read`` reads it.

    Only the tunnel is taken from there: that a file names a tunnel takes nothing from the targets that have theirs
    without being asked. What is wrong is reported as if it were in one of the files.
    """
    for name, text in additions.items():
        if loaded.topology is not None and name in loaded.topology.tunnels:
            continue  # the files have one of that name by now
        more = read(text)
        if loaded.topology is None or more.topology is None:
            diagnostics = in_file_order((*loaded.diagnostics, *more.diagnostics))
            return replace(loaded, topology=None, diagnostics=diagnostics, sources={**loaded.sources, **more.sources})
        tunnels = {**loaded.topology.tunnels, name: more.topology.tunnels[name]}
        topology = replace(loaded.topology, tunnels=dict(sorted(tunnels.items())))
        loaded = replace(loaded, topology=topology, partial=topology, sources={**loaded.sources, **more.sources})
    return loaded


def without(loaded: Loaded, name: str) -> Loaded:
    """Without the tunnel of that name."""
    if loaded.topology is None:
        return loaded
    tunnels = {each: tunnel for each, tunnel in loaded.topology.tunnels.items() if each != name}
    topology = replace(loaded.topology, tunnels=tunnels)
    return replace(loaded, topology=topology, partial=topology)
