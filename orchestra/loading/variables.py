"""``${VAR}``, ``${VAR:-default}``, ``${VAR:?message}`` and ``$$`` in values, from the environment.

As in Compose and sh, ``:-`` and ``:?`` also hold for a variable that is set and empty. A ``$`` before anything else
stands for itself. What a variable holds is not expanded again, and never becomes structure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from orchestra.diagnostics import Code
from orchestra.loading.faults import Fault

_DOLLAR = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<body>[^{}]*)\}|(?P<open>\{))")
_BODY = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?:(?P<sign>:[-?])(?P<rest>.*))?\Z", re.DOTALL)


def expand(text: str, environ: Mapping[str, str]) -> str:
    """The text with its variables replaced. Raises :class:`Fault` (UNSET_VARIABLE, BAD_VALUE)."""
    return _DOLLAR.sub(lambda match: _replacement(match, environ), text)


def _replacement(match: re.Match[str], environ: Mapping[str, str]) -> str:
    if match["dollar"]:
        return "$"
    body = None if match["open"] else _BODY.match(match["body"])
    if body is None:
        raise Fault(
            f"{match[0]!r} is no variable",
            suggestion="write ${NAME}, ${NAME:-default} or ${NAME:?message}; a dollar sign itself is $$",
        )
    name, sign, rest = body["name"], body["sign"], body["rest"]
    value = environ.get(name)
    if value or (value is not None and not sign):
        return value
    if sign == ":-":
        return str(rest)
    said = f": {rest}" if rest else ""
    state = "empty" if value is not None else "not set"
    raise Fault(
        f"the environment variable {name} is {state}{said}",
        code=Code.UNSET_VARIABLE,
        suggestion=f"set it, or write ${{{name}:-default}}",
    )
