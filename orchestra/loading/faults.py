"""What is wrong with one value, raised where values are parsed and caught where places are known."""

from __future__ import annotations

from typing import Literal, TypeAlias

from orchestra.diagnostics import Code, KeyPath
from orchestra.model.address import AddressError

Blame: TypeAlias = Literal["value", "key", "missing", "text", "aftermath"]
"""The value is wrong · the key is · a key is missing from the map · text is wanted, and the value is another scalar ·
it cannot be judged, because of something that is said elsewhere."""


class Fault(ValueError):
    """A value cannot be what it should be. ``key``: the part of it that is to blame, relative to the value."""

    def __init__(
        self,
        message: str,
        *,
        code: Code = Code.BAD_VALUE,
        suggestion: str | None = None,
        key: KeyPath = (),
        blame: Blame = "value",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.suggestion = suggestion
        self.key = key
        self.blame: Blame = blame

    def below(self, prefix: KeyPath) -> Fault:
        """The same fault, seen from further out."""
        return Fault(
            self.message, code=self.code, suggestion=self.suggestion, key=(*prefix, *self.key), blame=self.blame
        )


class Faults(ValueError):
    """Several faults of one value."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(fault.message for fault in faults))
        self.faults = faults


def from_address(error: AddressError) -> Fault:
    """What is wrong with an address, as a fault."""
    return Fault(str(error), code=Code.BAD_ADDRESS, suggestion=error.suggestion)


def describe(value: object) -> str:
    """What a value is, in a file's words."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "yes or no"
    names = {dict: "a map", list: "a list", tuple: "a list", str: "text", int: "a number", float: "a number"}
    return names.get(type(value), "something else")
