"""Every hook, in one file. A plugin is a module or an object whose functions bear these names::

    from orchestra.plugin import hookimpl

    @hookimpl
    def orchestra_checks():
        return [MyCheck()]

Hooks are synchronous and called once, at start; what they return does the work later. Documented in
``docs/plugins.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pluggy

from orchestra.model.events import Event
from orchestra.plugin.interfaces import Check, Kind, SecretSource, Transport

PROJECT = "orchestra"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def orchestra_transports() -> Iterable[Transport]:  # type: ignore[empty-body]
    """Transports that open sessions to servers; ``transport: NAME`` in the file selects one."""


@hookspec
def orchestra_kinds() -> Iterable[Kind]:  # type: ignore[empty-body]
    """Kinds of tunnels; ``kind: NAME`` in the file selects one."""


@hookspec
def orchestra_checks() -> Iterable[Check]:  # type: ignore[empty-body]
    """Health checks; ``check: NAME`` in the file selects one."""


@hookspec
def orchestra_secrets() -> Iterable[SecretSource]:  # type: ignore[empty-body]
    """Kinds of secret references; ``{NAME: …}`` in the file selects one."""


@hookspec
def orchestra_observers() -> Iterable[Callable[[Event], None]]:  # type: ignore[empty-body]
    """Functions that are told every event, in order, on the event loop; they must return at once."""
