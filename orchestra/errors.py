"""Errors that are expected: printed for a person, mapped to an exit code, never shown as a traceback.

Anything else that reaches the top is a bug of ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestra.diagnostics import Code, Diagnostic


class OrchestraError(Exception):
    """Base of all expected errors. ``str(error)`` is a whole message for a person."""


class UsageError(OrchestraError):
    """The call itself is wrong: an unknown tunnel name, options that exclude each other. Exit code 2."""


class TopologyInvalid(OrchestraError):
    """The file cannot be used; ``diagnostics`` holds every problem found. Exit code 2."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        errors = sum(d.severity == "error" for d in diagnostics)
        super().__init__(f"{errors} problem{'s' if errors != 1 else ''} in the topology")
        self.diagnostics = diagnostics


class RuntimeFailure(OrchestraError):
    """Something that was attempted in the real world failed.

    ``message`` says what was attempted, by which host, at which address, and what happened; ``host`` is the host at
    fault or the one that made the attempt; ``suggestion`` says what to do. What peers wrote is cleaned before it
    becomes part of a message (:func:`orchestra.model.text.clean`).
    """

    def __init__(self, code: Code, message: str, *, host: str | None = None, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.host = host
        self.suggestion = suggestion

    def __reduce__(self) -> tuple[object, ...]:  # keyword arguments survive copying
        return (_rebuild, (type(self), self.code, self.message, self.host, self.suggestion))


def _rebuild(
    kind: type[RuntimeFailure], code: Code, message: str, host: str | None, hint: str | None
) -> RuntimeFailure:
    return kind(code, message, host=host, suggestion=hint)
