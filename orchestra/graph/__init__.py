"""Topology to graph, and the dial verdict: who can dial which address, whom it means there, and why.

:func:`compile_world` compiles a topology; :func:`judge` answers one question about it. Both are pure.
"""

from orchestra.graph.addresses import Dialer, Meaning, Party, dialer_at, guest_of, meaning, seen_from
from orchestra.graph.filters import Flow
from orchestra.graph.judge import Denial, Judgement, Step, believed, judge
from orchestra.graph.reasons import reasons
from orchestra.graph.world import World, compile_world

__all__ = [
    "Denial",
    "Dialer",
    "Flow",
    "Judgement",
    "Meaning",
    "Party",
    "Step",
    "World",
    "believed",
    "compile_world",
    "dialer_at",
    "guest_of",
    "judge",
    "meaning",
    "reasons",
    "seen_from",
]
