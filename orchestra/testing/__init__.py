"""Help for tests, ours and plugin authors': sessions in memory, suites that plugins have to pass, virtual time.

===========  ================================================================================================
memory       sessions in memory, which refuse, stall, break and recover
streams      what goes between them
workbench    a whole orchestra in memory, from a topology's text
machine      one whose servers are this machine, with real sockets and programs
sessions     what every session has to do, and so every transport: ``RULES``, ``hold``
kinds        what every kind of tunnel that carries streams has to do: ``RULES``, ``hold``
datagrams    what every kind has to do that binds by itself, or carries datagrams: ``RULES``, ``hold``
checks       what every health check has to do: ``RULES``, ``hold``
targets      what those are run against: ``Script``, ``after``, and targets that do wrong
collect      receivers that keep what they are told
clock        virtual time
===========  ================================================================================================
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from orchestra.testing.clock import run_virtual
from orchestra.testing.collect import Collector
from orchestra.testing.memory import MemoryNetwork, MemorySession, MemoryTransport

if TYPE_CHECKING:
    from orchestra.testing.workbench import Workbench

__all__ = ["Collector", "MemoryNetwork", "MemorySession", "MemoryTransport", "Workbench", "run_virtual"]


def __getattr__(name: str) -> object:
    """The workbench has all of orchestra behind it: who needs only sessions does not wait for that."""
    if name != "Workbench":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(f"{__name__}.workbench").Workbench
