"""Diagnostics as JSON: the ``diagnostics`` of the plan document and of ``orchestra validate -o json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra.diagnostics import Diagnostic


def diagnostics_json(diagnostics: Iterable[Diagnostic]) -> list[dict[str, Any]]:
    """One object each; what is not known is null."""
    return [_diagnostic(d) for d in diagnostics]


def _diagnostic(d: Diagnostic) -> dict[str, Any]:
    return {
        "code": str(d.code),
        "severity": d.severity,
        "tunnel": d.tunnel,
        "message": d.message,
        "file": d.place.file if d.place else None,
        "line": d.place.line if d.place else None,
        "column": d.place.column if d.place else None,
        "path": d.path,
        "suggestion": d.suggestion,
    }
