"""The document of ``explain -o json`` has the shape that is documented, and says what the text says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from orchestra.planning import Explanation
from orchestra.render.explain_json import explain_json
from tests.render.explanations import apart, opened, shut

DOCUMENT = Path(__file__).parents[2] / "docs" / "plan-document.md"


def documented() -> dict[str, Any]:
    text = DOCUMENT.read_text().split("## The explanation", 1)[1]
    found = re.search(r"```json\n(.*?)```", text, re.DOTALL)
    assert found is not None
    document: dict[str, Any] = json.loads(found[1])
    return document


ALIKE = (("legs[]", "leg"), ("offers[].inner[]", "leg"), ("offers[].outer[]", "leg"), ("rejected[].leg", "leg"))
"""The same thing at several places."""


def keys(value: Any, at: str = "") -> set[str]:
    """Every key, as a path from the top; what stands at several places is one."""
    at = next((at.replace(long, short, 1) for long, short in ALIKE if at.startswith(long)), at)
    if isinstance(value, dict):
        return set().union(*(keys(each, f"{at}.{key}".removeprefix(".")) for key, each in value.items()))
    if isinstance(value, list):
        return set().union({at}, *(keys(each, f"{at}[]") for each in value))
    return {at}


def test_it_has_the_documented_keys_and_no_others() -> None:
    made = set().union(*(keys(explain_json(each())) for each in (shut, opened, apart)))
    nulls = {"leg.checks[].opposite", "leg.checks[].missing", "offers[].tunnel"}
    assert made - nulls == keys(documented())


def texts(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set().union(*map(texts, value.values()))
    if isinstance(value, list):
        return set().union(*map(texts, value))
    return {str(value)}


@pytest.mark.parametrize("made", [shut, opened, apart])
def test_it_says_what_the_value_says(made: Any) -> None:
    found: Explanation = made()
    said = texts(explain_json(found))
    checks = [check for leg in found.legs for check in leg.checks]
    assert {check.text for check in checks} <= said
    assert {str(check.code) for check in checks if check.code} <= said
    assert {offer.text for offer in found.offers} <= said
    assert {note.message for note in found.assumed} <= said
    assert {near.rule for check in checks for near in check.near} <= said


def test_every_field_of_a_near_rule_is_a_yes_or_a_no() -> None:
    [denied] = [check for check in explain_json(shut())["legs"][0]["checks"] if not check["passes"]]
    assert {name: field["matches"] for name, field in denied["near"][0]["fields"].items()} == {
        "from": True,
        "to": True,
        "port": False,
        "protocol": True,
    }
    assert denied["near"][0]["fields"]["port"] == {"matches": False, "rule": "443", "flow": "22"}
    assert json.dumps(explain_json(shut()))
