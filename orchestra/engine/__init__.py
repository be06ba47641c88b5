"""Makes a plan true over sessions, and keeps it true.

:mod:`.core` decides and never acts; :mod:`.shell` acts and never decides, by the tasks of :mod:`.work`; the modules
beside them each know one act: :mod:`.listening` opens listeners, :mod:`.proof` proves them, :mod:`.dialing` dials,
:mod:`.passage` by one way or another, :mod:`.relay` carries; :mod:`.surroundings` watches this machine. Transports are
found by hook; :mod:`.ssh` is one of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestra.engine.shell import Engine

__all__ = ["Engine"]


def __getattr__(name: str) -> object:
    """Who asks only for what core plugs in, as `plan` does, does not wait for what makes plans true."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from orchestra.engine.shell import Engine

    return Engine
