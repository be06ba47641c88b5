"""Makes a plan true over sessions, and keeps it true.

:mod:`.core` decides and never acts; :mod:`.shell` acts and never decides, by the tasks of :mod:`.work`; the modules
beside them each know one act: :mod:`.listening` opens listeners, :mod:`.proof` proves them, :mod:`.dialing` dials,
:mod:`.relay` carries. Transports are found by hook; :mod:`.ssh` is one of them.
"""

from orchestra.engine.core.report import EngineStatus
from orchestra.engine.outcome import Outcome, outcome
from orchestra.engine.shell import Engine

__all__ = ["Engine", "EngineStatus", "Outcome", "outcome"]
