"""Options of importers and exporters, ``KEY=VALUE`` each, against the model that the plugin declares for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orchestra.diagnostics import Code
from orchestra.errors import TopologyInvalid
from orchestra.loading.faults import Fault
from orchestra.loading.nodes import Branch, find, plain
from orchestra.loading.reader import read_yaml
from orchestra.loading.report import Report, Unreadable
from orchestra.loading.shapes.plugged import plugin_options
from orchestra.plugin.vocabulary import Model, Vocabulary

NAME = "--set"


def read_options(assignments: Sequence[str], fields: Model | None, vocabulary: Vocabulary) -> dict[str, Any]:
    """The options as plain values; each VALUE is written as in a topology file.

    Raises TopologyInvalid, with places in the text that :func:`options_text` gives.
    """
    report = Report()
    try:
        root = read_yaml(NAME, options_text(assignments), environ={}, report=report, dropped=set())
    except Unreadable as error:
        report.error(error.code, error.message, error.spot, suggestion=error.suggestion)
        root = None
    faults: list[Fault] = []
    given = root if isinstance(root, Branch) else Branch((NAME, 1, 1))
    made = {} if report.diagnostics else plugin_options(fields, plain(given), None, vocabulary, faults)
    for fault in faults:
        missing = fault.blame == "missing"
        found, key_spot = find(given, fault.key)
        spot = key_spot if fault.blame == "key" else found.spot
        hint = f"give --set {fault.key[-1]}=VALUE" if missing and fault.key else fault.suggestion
        report.error(fault.code, fault.message, None if missing else spot, fault.key, hint)
    if report.diagnostics:
        raise TopologyInvalid(tuple(report.diagnostics))
    return dict(made)


def options_text(assignments: Sequence[str]) -> str:
    """``KEY=VALUE`` a line, as YAML. Raises TopologyInvalid for what has no ``=``."""
    report = Report()
    lines = []
    for line, assignment in enumerate(assignments, 1):
        key, equals, value = assignment.partition("=")
        if not (equals and key):
            report.error(Code.BAD_VALUE, "an option is written KEY=VALUE", (NAME, line, 1))
        lines.append(f"{key}: {value}".replace("\n", " "))
    if report.diagnostics:
        raise TopologyInvalid(tuple(report.diagnostics))
    return "\n".join(lines)
