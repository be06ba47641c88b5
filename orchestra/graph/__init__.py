"""Topology to graph, and the dial verdict: who can dial which address, whom it means there, and why.

:func:`compile_world` compiles a topology; :func:`judge` answers one question about it. Both are pure.
"""

from orchestra.graph.addresses import Dialer, Meaning, Party, dialer_at, guest_of, meaning, seen_from
from orchestra.graph.filters import FieldMatch, Flow, NearMiss, compared, near_misses, opposite
from orchestra.graph.judge import Judgement, Step, StepKind, believed, judge
from orchestra.graph.prospects import Prospects, firewalls, port_class, prospects
from orchestra.graph.reasons import code_of, explain, filter_at, reasons, rule_text
from orchestra.graph.world import World, compile_world

__all__ = [
    "Dialer",
    "FieldMatch",
    "Flow",
    "Judgement",
    "Meaning",
    "NearMiss",
    "Party",
    "Prospects",
    "Step",
    "StepKind",
    "World",
    "believed",
    "code_of",
    "compared",
    "compile_world",
    "dialer_at",
    "explain",
    "filter_at",
    "firewalls",
    "guest_of",
    "judge",
    "meaning",
    "near_misses",
    "opposite",
    "port_class",
    "prospects",
    "reasons",
    "rule_text",
    "seen_from",
]
