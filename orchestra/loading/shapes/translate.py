"""pydantic's errors in our words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from orchestra.diagnostics import Code, KeyPath
from orchestra.loading.faults import Fault, Faults, describe, from_address
from orchestra.loading.report import nearest, quoted
from orchestra.model.address import AddressError

_WANTED = {
    "bool": "yes or no is",
    "int": "a whole number is",
    "float": "a number is",
    "dict": "a map is",
    "list": "a list is",
    "tuple": "a list is",
    "model": "a map is",
    "string": "text is",
}
_BOUNDS = {
    "greater_than": "it must be more than {}",
    "greater_than_equal": "it must be at least {}",
    "less_than": "it must be less than {}",
    "less_than_equal": "it must be at most {}",
}


def faults_of(error: ValidationError, prefix: KeyPath = ()) -> Iterator[Fault]:
    """Every fault in a ValidationError; ``key`` is the whole path from what was validated."""
    for item in error.errors(include_url=False):
        where = (*prefix, *(part for part in item["loc"] if part != "[key]"))
        cause = item.get("ctx", {}).get("error")
        if isinstance(cause, ValidationError):
            yield from faults_of(cause, where)
        elif isinstance(cause, Faults):
            yield from (fault.below(where) for fault in cause.faults)
        elif isinstance(cause, Fault):
            yield cause.below(where)
        elif isinstance(cause, AddressError):
            yield from_address(cause).below(where)
        else:
            yield _standard(item["type"], item, cause).below(where)


def _standard(kind: str, item: Any, cause: object) -> Fault:
    value, key = item["input"], item["loc"][-1:]
    if kind == "missing":
        return Fault(f"the key {str(key[0])!r} is missing", code=Code.MISSING_KEY, blame="missing")
    if kind == "extra_forbidden":
        return Fault(f"unknown key {quoted(str(key[0]))}", code=Code.UNKNOWN_KEY, blame="key")
    if kind == "literal_error":
        return _literal(item["ctx"]["expected"], value)
    if kind in _BOUNDS:
        return Fault(_BOUNDS[kind].format(*item["ctx"].values()))
    wanted = _WANTED.get(kind.partition("_")[0])
    if wanted is not None and kind.endswith(("_type", "_parsing", "from_float")):
        scalar = isinstance(value, int | float) and kind == "string_type"
        hint = "remove the quotes" if isinstance(value, str) and value.isdecimal() else None
        return Fault(
            f"{wanted} needed here, not {describe(value)}",
            code=Code.BAD_TYPE,
            suggestion=hint,
            blame="text" if scalar else "value",
        )
    return Fault(str(cause) if cause is not None else item["msg"])


def _literal(expected: str, value: object) -> Fault:
    words = [word.strip("'") for word in expected.replace(" or ", ", ").split(", ")]
    near = nearest(value, words) if isinstance(value, str) else None
    shown = quoted(value) if isinstance(value, str) else describe(value)
    return Fault(
        f"{shown} is not one of {', '.join(words)}", suggestion=f"did you mean {near!r}?" if near is not None else None
    )
