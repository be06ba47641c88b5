"""pydantic's errors in the file's words."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from orchestra.diagnostics import Code
from orchestra.loading.faults import Fault, Faults
from orchestra.loading.shapes.translate import faults_of
from orchestra.model.address import parse_address


class Inner(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    word: Literal["reachable", "unreachable"] = "reachable"
    number: Annotated[int, Field(ge=1, lt=10)] = 1
    flag: bool = False
    text: str = ""
    names: dict[str, str] = {}
    address: Any = None
    several: Any = None

    @field_validator("address")
    @classmethod
    def _address(cls, value: str) -> object:
        return parse_address(value)

    @field_validator("several")
    @classmethod
    def _several(cls, _value: object) -> object:
        raise Faults([Fault("one", key=("a",)), Fault("two", key=(0,))])


class Outer(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    inner: Inner
    nested: Any = None

    @field_validator("nested")
    @classmethod
    def _nested(cls, value: object) -> object:
        return Inner.model_validate(value)


def said(value: object) -> list[Fault]:
    with pytest.raises(ValidationError) as raised:
        Outer.model_validate(value)
    return list(faults_of(raised.value))


@pytest.mark.parametrize(
    ("field", "value", "code", "message", "suggestion"),
    [
        ("word", "on", Code.BAD_VALUE, "'on' is not one of reachable, unreachable", None),
        ("word", 5, Code.BAD_VALUE, "a number is not one of reachable, unreachable", None),
        ("number", 0, Code.BAD_VALUE, "it must be at least 1", None),
        ("number", 10, Code.BAD_VALUE, "it must be less than 10", None),
        ("number", "7", Code.BAD_TYPE, "a whole number is needed here, not text", "remove the quotes"),
        ("flag", "maybe", Code.BAD_TYPE, "yes or no is needed here, not text", None),
        ("text", [], Code.BAD_TYPE, "text is needed here, not a list", None),
        ("names", [], Code.BAD_TYPE, "a map is needed here, not a list", None),
        ("nmae", 1, Code.UNKNOWN_KEY, "unknown key 'nmae'", None),
    ],
)  # fmt: skip
def test_words(field: str, value: object, code: Code, message: str, suggestion: str | None) -> None:
    [fault] = said({"inner": {field: value}})
    assert (fault.code, fault.message, fault.suggestion) == (code, message, suggestion)
    assert fault.key == ("inner", field)


def test_a_number_where_text_is_wanted_may_be_taken_as_it_is_written() -> None:
    assert [fault.blame for fault in said({"inner": {"text": 5}})] == ["text"]
    assert [fault.blame for fault in said({"inner": {"text": {}}})] == ["value"]


def test_what_is_missing_is_said_of_its_key() -> None:
    [fault] = said({})
    assert (fault.code, fault.key, fault.blame) == (Code.MISSING_KEY, ("inner",), "missing")


def test_faults_of_our_own_keep_their_words_below_where_they_were_raised() -> None:
    assert [(fault.message, fault.key) for fault in said({"inner": {"several": 1}})] == [
        ("one", ("inner", "several", "a")),
        ("two", ("inner", "several", 0)),
    ]
    [fault] = said({"inner": {"address": "70000"}})
    assert (fault.code, fault.key) == (Code.BAD_ADDRESS, ("inner", "address"))


def test_errors_of_a_model_inside_a_model_have_the_whole_path() -> None:
    [fault] = said({"inner": {}, "nested": {"number": 0}})
    assert (fault.message, fault.key) == ("it must be at least 1", ("nested", "number"))


def test_a_key_that_is_no_text_is_said_of_the_key() -> None:
    [fault] = said({"inner": {"names": {1: "a"}}})
    assert (fault.code, fault.key) == (Code.BAD_TYPE, ("inner", "names", 1))


def test_a_word_that_is_nearly_right_is_suggested() -> None:
    assert [fault.suggestion for fault in said({"inner": {"word": "reachabel"}})] == ["did you mean 'reachable'?"]
