"""Every hook, in one file. A plugin is a module or an object whose functions bear these names::

    from orchestra.plugin import hookimpl

    @hookimpl
    def orchestra_checks():
        return [MyCheck()]

All of them are synchronous, take nothing, and are called once by each command that reads topologies, before the file
is read: what they return does the work later, and is awaited with a deadline. A hook that raises, or whose results are
not of the shape that it names, disables its own plugin, all of it: the others load, and ``orchestra plugins`` says
why. What an object does wrong later is told where it was used, as PLUGIN_FAILED with the object's name.
``docs/plugins.md`` has an example of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from orchestra.model.events import Event
    from orchestra.plugin.interfaces import Check, Exporter, Importer, Kind, SecretSource, Transport

PROJECT = "orchestra"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def orchestra_transports() -> Iterable[Transport]:  # type: ignore[empty-body]
    """Transports: how a session to a server is opened; ``transport: NAME`` in the file selects one.

    The planner reads each ``spec`` for what its sessions can do. ``open`` is awaited whenever a session is to be
    opened, at first and after each loss, for at most 300 s without the time that a person needs; an error fails that
    session, and what needs it waits until it is tried again.
    """


@hookspec
def orchestra_kinds() -> Iterable[Kind]:  # type: ignore[empty-body]
    """Kinds of tunnels: what a listener does with what it accepts; ``kind: NAME`` in the file selects one.

    The planner reads each ``spec`` for what such a tunnel takes. ``serve`` is called each time that a listener is
    opened and may not wait; the ``accept`` that it returns is awaited for each connection, for the path, the dial and
    5 s more. A kind that binds by itself is awaited for 60 s instead. An error of ``serve`` or ``bind`` fails the
    listener, one of ``accept`` refuses that connection, one of a receiver ends its connection.
    """


@hookspec
def orchestra_checks() -> Iterable[Check]:  # type: ignore[empty-body]
    """Health checks: whether a tunnel carries what it should; ``check: NAME`` in the file selects one.

    ``run`` is awaited when the tunnel has been opened, and then as the file says, with a deadline. An error means that
    the tunnel is not proven; a RuntimeFailure says why in its own words.
    """


@hookspec
def orchestra_secrets() -> Iterable[SecretSource]:  # type: ignore[empty-body]
    """Kinds of secret references: where a secret is kept; ``{NAME: …}`` in the file selects one.

    ``read`` is awaited when a session opens that needs the secret, never while a file is read, planned or explained.
    An error fails that session; what a foreign exception says is not shown, since it may hold the secret.
    """


@hookspec
def orchestra_importers() -> Iterable[Importer]:  # type: ignore[empty-body]
    """Importers: a foreign text as a topology; ``orchestra import NAME`` selects one.

    ``read`` is called by that command alone, and may take its time. An error ends the command; TopologyInvalid shows
    the lines of the foreign text that it is about.
    """


@hookspec
def orchestra_exporters() -> Iterable[Exporter]:  # type: ignore[empty-body]
    """Exporters: a plan as a foreign text; ``orchestra export NAME`` selects one.

    ``write`` is called by that command alone, when the plan is made. An error ends the command.
    """


@hookspec
def orchestra_observers() -> Iterable[Callable[[Event], None]]:  # type: ignore[empty-body]
    """Observers: functions that are told every event of a running orchestra, in order, on its event loop.

    They are called from the first event to the last and must return at once, since everything waits for them. One that
    raises, or takes longer than 100 ms, is named in the log; after ten times it is told nothing more.
    """
