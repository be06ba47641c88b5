"""Topology to graph, and the dial verdict: who can dial which address, whom it means there, and why.

:func:`compile_world` compiles a topology; :func:`judge` answers one question about it. Both are pure.
"""

from orchestra.graph.addresses import Dialer, Meaning, Party, dialer_at, guest_of, meaning, seen_from
from orchestra.graph.filters import Flow
from orchestra.graph.judge import Judgement, Step, believed, judge
from orchestra.graph.prospects import Prospects, port_class, prospects
from orchestra.graph.reasons import code_of, explain, reasons
from orchestra.graph.world import World, compile_world

__all__ = [
    "Dialer",
    "Flow",
    "Judgement",
    "Meaning",
    "Party",
    "Prospects",
    "Step",
    "World",
    "believed",
    "code_of",
    "compile_world",
    "dialer_at",
    "explain",
    "guest_of",
    "judge",
    "meaning",
    "port_class",
    "prospects",
    "reasons",
    "seen_from",
]
