"""Words of the command line as values. Typer loads pydantic for that, which takes as long as all else that a command
needs to begin; most of what is given is text, and is meant so."""

from __future__ import annotations

from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand, TyperGroup

if TYPE_CHECKING:
    from collections.abc import Callable


class PlainCommand(TyperCommand):
    """A command whose parameters take what needs no coercion as it is, and have typer do the rest."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _plain(super().get_params(ctx))


class PlainGroup(TyperGroup):
    """The same, before the command's name."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _plain(super().get_params(ctx))


def _plain(parameters: list[Any]) -> list[Any]:
    for parameter in parameters:
        coercing = getattr(parameter, "get_runtime_param", None)  # in the versions of typer that load pydantic
        if coercing is not None and "get_runtime_param" not in vars(parameter):
            parameter.get_runtime_param = partial(_Runtime, coercing)
    return parameters


class _Runtime:
    """What typer asks for a parameter's value; ``coercing`` gives what it would have asked."""

    def __init__(self, coercing: Callable[[], Any]) -> None:
        self._coercing = coercing

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """The value that is meant. Raises what typer raises."""
        kind = param.type_descriptor.annotation
        if kind == list[str] and isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
            return list(value)
        if isinstance(kind, type) and not param.multiple and param.nargs == 1:
            if value is None or type(value) is kind:
                return value
            if issubclass(kind, Enum) and value in {each.value for each in kind}:
                return kind(value)
        return self._coercing().coerce(value, param=param, ctx=ctx)
