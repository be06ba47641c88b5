"""What all shapes share, with a shape made for it."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import pytest
from pydantic import Field, ValidationError

from orchestra.diagnostics import Code
from orchestra.loading.faults import Fault
from orchestra.loading.nodes import BROKEN
from orchestra.loading.shapes.base import ListOnly, Many, Parsed, Shape, Text
from orchestra.loading.shapes.translate import faults_of


def even(value: Any) -> int:
    if value % 2:
        raise Fault(f"{value} is odd", key=())
    return int(value)


class Thing(Shape):
    """Something with one of everything."""

    expects: ClassVar[str] = "a thing"

    to: Text = "x"
    from_: Text | None = Field(default=None, alias="from")
    many: Many[Text] = ()
    listed: Annotated[tuple[int, ...], ListOnly()] = ()
    number: Annotated[int, Parsed(even, {"type": "integer"})] = 0

    @classmethod
    def long_form(cls, value: Any) -> Any:
        return {"to": value} if isinstance(value, str) else value


def faults(value: Any) -> list[tuple[Code, tuple[str | int, ...], str | None]]:
    with pytest.raises(ValidationError) as raised:
        Thing.model_validate(value)
    return [(fault.code, fault.key, fault.suggestion) for fault in faults_of(raised.value)]


def test_a_short_form_is_its_long_form() -> None:
    assert Thing.model_validate("y") == Thing.model_validate({"to": "y"})


def test_one_value_is_a_list_of_one_and_what_is_broken_is_left_out() -> None:
    assert Thing.model_validate({"many": "a"}).many == ("a",)
    assert Thing.model_validate({"many": ["a", BROKEN, "b"]}).many == ("a", "b")


def test_keys_that_begin_with_x_are_free() -> None:
    assert Thing.model_validate({"x-note": [1], "from": "a"}).from_ == "a"


def test_unknown_keys_and_keys_without_a_value_are_said_together() -> None:
    assert faults({"form": "a", "to": None, "from_": 1}) == [
        (Code.UNKNOWN_KEY, ("form",), "did you mean 'from'?"),
        (Code.BAD_TYPE, ("to",), "give it one or remove it"),
        (Code.UNKNOWN_KEY, ("from_",), "did you mean 'from'?"),
    ]


@pytest.mark.parametrize(
    ("value", "key"), [([], ()), (None, ()), ({"listed": 1}, ("listed",)), ({"listed": ["a"]}, ("listed", 0))]
)
def test_what_is_of_another_type_is_said_where_it_stands(value: Any, key: tuple[str | int, ...]) -> None:
    assert [(code, where) for code, where, _ in faults(value)] == [(Code.BAD_TYPE, key)]


def test_a_scalar_is_parsed_and_its_fault_keeps_its_place() -> None:
    assert Thing.model_validate({"number": 4}).number == 4
    assert [(code, where) for code, where, _ in faults({"number": 3})] == [(Code.BAD_VALUE, ("number",))]


def test_the_schema_has_the_short_forms_and_no_null() -> None:
    schema = Thing.model_json_schema()
    assert schema["properties"]["many"]["anyOf"][1]["type"] == "array"
    assert {"type": "null"} not in schema["properties"]["from"].get("anyOf", ())
    assert schema["additionalProperties"] is False
    assert schema["patternProperties"] == {"^x-": {}}
