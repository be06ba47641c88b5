"""Frozen dataclasses whose methods are written when they are first called.

:func:`dataclasses.dataclass` compiles six methods for a class, which takes half a millisecond; a program that begins
defines hundreds of classes, and makes values of few. Here the fields are there at once, and each method, the same one,
with its first call.
"""

from __future__ import annotations

import dataclasses
from dataclasses import FrozenInstanceError, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(cls=None, /, *, frozen=False, slots=False, kw_only=False, **others):
        """As :func:`dataclasses.dataclass`, which makes all but what is frozen, has slots and derives from no other."""

        def make(cls):
            if frozen and slots and not others and not any(map(dataclasses.is_dataclass, cls.__bases__)):
                return _frozen(cls, kw_only)
            return dataclasses.dataclass(cls, frozen=frozen, slots=slots, kw_only=kw_only, **others)

        return make if cls is None else make(cls)


_NOTHING = {"init": False, "repr": False, "eq": False}
_WRITTEN = {
    "__init__": {"init": True, "frozen": True},
    "__repr__": {"repr": True},
    "__eq__": {"eq": True},
    "__hash__": {"unsafe_hash": True},
}
"""What has ``dataclass`` write each method."""


def _frozen(cls: Any, kw_only: bool) -> Any:
    own = {
        name for name, value in vars(cls).items() if value is not None
    }  # beside __eq__, Python sets __hash__ to None
    cls.__doc__ = cls.__doc__ or cls.__name__  # or the signature would be made for it
    made: Any = dataclasses.dataclass(**_NOTHING, slots=True, kw_only=kw_only)(cls)
    made.__dataclass_params__.frozen = True  # for what derives from it
    methods = {name: _written_later(made, name) for name in _WRITTEN}
    methods |= {"__getstate__": _state, "__setstate__": _set_state}
    methods |= {name: _refused(made, name) for name in ("__setattr__", "__delattr__")}
    for name in methods.keys() - own:
        setattr(made, name, methods[name])
    return made


def _written_later(cls: Any, name: str) -> Any:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        setattr(cls, name, _written(cls, name))
        return getattr(cls, name)(self, *args, **kwargs)

    return method


def _written(cls: Any, name: str) -> Any:
    """The method as ``dataclass`` writes it for a class with these fields."""
    known = cls.__dataclass_fields__
    alike = {
        key: getattr(cls, key)
        for key in ("__module__", "__qualname__", "__doc__", "__post_init__")
        if hasattr(cls, key)
    }
    annotations = {field: each.type for field, each in known.items()}
    model = type(cls.__name__, (), alike | known | {"__annotations__": annotations})
    return vars(dataclasses.dataclass(**(_NOTHING | _WRITTEN[name]))(model))[name]


def _refused(cls: Any, name: str) -> Any:
    """Instead of ``__setattr__`` and ``__delattr__``, of which what derives from it has its own."""
    deed = "assign to" if name == "__setattr__" else "delete"

    def method(self: Any, field: str, *value: object) -> None:
        if type(self) is cls or field in cls.__dataclass_fields__:
            raise FrozenInstanceError(f"cannot {deed} field {field!r}")
        getattr(super(cls, self), name)(field, *value)

    return method


def _state(self: Any) -> list[Any]:
    return [getattr(self, field.name) for field in fields(self)]


def _set_state(self: Any, state: list[Any]) -> None:
    for field, value in zip(fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)
