"""One ssh as a value: where it logs in, through what, and what it forwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from orchestra.loading.sshconfig.values import Jump

from .forwards import Forward


@dataclass(slots=True, kw_only=True)
class Invocation:
    """``ssh`` has the keys of a server's ``ssh`` in a topology; ``notes`` say what is not taken over, or dangerous."""

    host: str
    ssh: dict[str, Any] = field(default_factory=dict)
    jumps: tuple[Jump, ...] = ()
    forwards: list[Forward] = field(default_factory=list)
    exposed: bool = False
    """``-g``, ``GatewayPorts yes``: local listeners without an address are for everybody."""
    notes: list[str] = field(default_factory=list)
