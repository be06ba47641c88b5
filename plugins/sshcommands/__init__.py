"""ssh's own words: command lines and ssh_config become topologies, and plans become command lines.

==========  ====================================================================
words       the formats by their names
forwards    ``-L``, ``-R`` and ``-D`` as values
invocation  one command line, or one host of ssh_config, as a value
commands    a text with command lines to invocations
configs     ssh_config to invocations
putty       PuTTY's saved sessions to invocations
drafting    invocations to a topology with comments
writing     a plan to command lines
==========  ====================================================================
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from orchestra.plugin import hookimpl

from .words import PuttyImporter, SshConfigImporter, SshExporter, SshImporter

if TYPE_CHECKING:
    from orchestra.plugin.interfaces import Exporter, Importer


@hookimpl
def orchestra_importers() -> Iterable[Importer]:
    """``orchestra import ssh``, ``ssh-config`` and ``putty``."""
    return [SshImporter(), SshConfigImporter(), PuttyImporter()]


@hookimpl
def orchestra_exporters() -> Iterable[Exporter]:
    """``orchestra export ssh``."""
    return [SshExporter()]
