"""What all shapes share: short forms, unknown keys with the nearest known one, and types parsed from scalars."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from textwrap import dedent
from typing import Annotated, Any, ClassVar, TypeAlias, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema

from orchestra.diagnostics import Code
from orchestra.loading.faults import Fault, Faults, describe
from orchestra.loading.nodes import BROKEN
from orchestra.loading.report import did_you_mean, quoted

T = TypeVar("T")
JsonSchema: TypeAlias = dict[str, Any]


def named(name: str, meaning: str, schema: JsonSchema) -> JsonSchema:
    """The schema of a type that the reference calls by a name of its own, and explains once."""
    return {**schema, "$comment": f"{name}: {meaning}"}


_ANY_SCALAR: JsonSchema = {"type": ["string", "number", "boolean"]}
TEXT = named("text", "numbers and booleans are taken as they are written", _ANY_SCALAR)
NAME = named("name", "that of a host, network, target or tunnel of the file", _ANY_SCALAR)

Text: TypeAlias = Annotated[str, WithJsonSchema(TEXT)]
Name: TypeAlias = Annotated[str, WithJsonSchema(NAME)]

OPTIONS = "\0options"
"""The key under which the checked fields of a plugin travel; no file can hold it."""


@dataclass(frozen=True, slots=True, eq=False)
class Parsed:
    """A type made from a scalar by a function that raises :class:`Fault`. ``text``: it is made from text only."""

    parse: Callable[[Any], Any]
    schema: JsonSchema
    text: bool = False

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        if self.text:
            return core_schema.no_info_after_validator_function(self.parse, core_schema.str_schema(strict=True))
        return core_schema.no_info_plain_validator_function(self.parse)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        return dict(self.schema)


class OneOrList:
    """In front of a tuple: a value by itself is a list of one."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(_as_tuple, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        array = handler(schema)
        return {"anyOf": [array["items"], array]}


class ListOnly:
    """In front of a tuple: YAML's lists."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(_list_to_tuple, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        return handler(schema)


def _as_tuple(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(item for item in value if item is not BROKEN)
    return (value,)


def _list_to_tuple(value: Any) -> Any:
    if not isinstance(value, list):
        raise Fault(f"a list is needed here, not {describe(value)}", code=Code.BAD_TYPE)
    return tuple(value)


Many: TypeAlias = Annotated[tuple[T, ...], OneOrList()]


class Shape(BaseModel):
    """One thing in the file. ``long_form`` turns its short forms into the long one, before anything is checked."""

    model_config = ConfigDict(strict=True, extra="forbid", arbitrary_types_allowed=True, validate_default=False)

    expects: ClassVar[str]
    """What the thing is, for the message when something else stands in its place."""
    nested: ClassVar[dict[str, type[Shape]]] = {}
    """Keys whose values have a short form of their own, so that defaults merge with them."""
    short: ClassVar[tuple[JsonSchema, ...]] = ()
    """JSON Schema of the short forms."""
    may_be_empty: ClassVar[frozenset[str]] = frozenset()
    """Keys that may stand without a value."""

    @classmethod
    def long_form(cls, value: Any) -> Any:
        """The long form of a short one; what is no short form is returned as it is."""
        return value

    @classmethod
    def known_keys(cls) -> dict[str, str]:
        """Keys as the file writes them, to attribute names."""
        return {field.alias or name: name for name, field in cls.model_fields.items()}

    @classmethod
    def open_up(cls, value: dict[str, Any], _vocabulary: Any, _faults: list[Fault]) -> dict[str, Any]:
        """Moves the keys that plugins add into ``OPTIONS``, checked; adds what is wrong with them to ``_faults``."""
        return value

    @model_validator(mode="before")
    @classmethod
    def _check_keys(cls, value: Any, info: ValidationInfo) -> Any:
        value = cls.long_form(value)
        if not isinstance(value, dict):
            raise Fault(f"{cls.expects} is needed here, not {describe(value)}", code=Code.BAD_TYPE)
        faults: list[Fault] = []
        value = cls.open_up(value, info.context, faults)
        if not faults and value.keys() <= cls._known and None not in value.values():
            return value
        faults += [fault for key, item in value.items() if (fault := cls._fault_of_key(key, item))]
        if faults:
            raise Faults(faults)
        return {key: item for key, item in value.items() if not key.startswith("x-")}

    @classmethod
    def _fault_of_key(cls, key: str, item: Any) -> Fault | None:
        if key not in cls._known:
            return None if key.startswith("x-") else unknown_key(key, cls._known)
        if item is not None:
            return None
        return Fault(
            f"{key!r} has no value", code=Code.BAD_TYPE, suggestion="give it one or remove it", key=(key,), blame="key"
        )

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        cls._known = frozenset(cls.known_keys())

    _known: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        shape = handler.resolve_ref_schema(reference := handler(schema))
        shape["patternProperties"] = {"^x-": {}}
        texts = {name: text for each in reversed(cls.__mro__) for name, text in _attribute_docstrings(each).items()}
        for name, field in shape["properties"].items():
            if text := texts.get(cls.known_keys()[name]):
                field.setdefault("description", text)
            if name not in cls.may_be_empty and isinstance(field.get("anyOf"), list):
                field["anyOf"] = [form for form in field["anyOf"] if form != {"type": "null"}]
        shape["properties"].pop(OPTIONS, None)
        if cls.short:
            long = dict(shape)
            described: JsonSchema = {key: long.pop(key) for key in ("title", "description") if key in long}
            shape.clear()
            shape.update(described | {"anyOf": [*cls.short, long]})
        return reference


def _attribute_docstrings(cls: type[Any]) -> dict[str, str]:
    """Attribute to the text below it. Only a schema needs them; pydantic would parse the source of each class as it is
    made, which takes a fifth of the time in which all of them are made."""
    if not issubclass(cls, Shape):
        return {}
    (definition,) = ast.parse(dedent(inspect.getsource(cls))).body
    assert isinstance(definition, ast.ClassDef)  # noqa: S101 - it is one's source
    return {
        attribute.target.id: inspect.cleandoc(below.value.value)
        for attribute, below in pairwise(definition.body)
        if isinstance(attribute, ast.AnnAssign)
        and isinstance(attribute.target, ast.Name)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
        and isinstance(below.value.value, str)
    }


def unknown_key(key: str, known: frozenset[str]) -> Fault:
    """A key that nobody knows."""
    return Fault(
        f"unknown key {quoted(key)}",
        code=Code.UNKNOWN_KEY,
        suggestion=did_you_mean(key, known - {OPTIONS}),
        key=(key,),
        blame="key",
    )
