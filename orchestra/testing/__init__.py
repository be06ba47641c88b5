"""Help for tests, ours and plugin authors': sessions in memory, a suite that any session has to pass, virtual time."""

from orchestra.testing.clock import run_virtual
from orchestra.testing.collect import Collector
from orchestra.testing.memory import MemoryNetwork, MemorySession, MemoryTransport

__all__ = ["Collector", "MemoryNetwork", "MemorySession", "MemoryTransport", "run_virtual"]
