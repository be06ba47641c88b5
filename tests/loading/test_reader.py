from __future__ import annotations

import time

import pytest

from orchestra.diagnostics import Code
from orchestra.loading.nodes import Node, exact, plain
from orchestra.loading.reader import read_yaml
from orchestra.loading.report import Report, Unreadable


def tree(text: str, **environ: str) -> Node | None:
    report = Report()
    node = read_yaml("f", text, environ=environ, report=report, dropped=set())
    assert report.diagnostics == []
    return node


def values(text: str, **environ: str) -> object:
    node = tree(text, **environ)
    return None if node is None else plain(node)


def refusal(text: str) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        read_yaml("f", text, environ={}, report=Report(), dropped=set())
    return caught.value


def test_keys_are_text_and_values_are_yaml_12() -> None:
    assert values("80: x\non: 22:22\nnull: 0777\n'q': '0777'\n") == {"80": "x", "on": "22:22", "null": 777, "q": "0777"}


def test_places_count_from_one_in_characters() -> None:
    node = tree("täst: {ключ: [1, 2]}\n")
    assert node is not None
    assert exact(node, ("täst",)) == ("f", 1, 1)
    assert exact(node, ("täst", "ключ")) == ("f", 1, 8)
    assert exact(node, ("täst", "ключ", 1)) == ("f", 1, 18)
    assert exact(node, ("täst", "nothing")) is None


def test_a_plain_variable_is_read_again_as_a_scalar() -> None:
    assert values("a: ${P}\nb: '${P}'\nc: x${P}\n${P}: d\n", P="22") == {"a": 22, "b": "22", "c": "x22", "${P}": "d"}


def test_a_variable_never_becomes_structure() -> None:
    assert values("a: ${P}\n", P="{b: [c]}\nd: e") == {"a": "{b: [c]}\nd: e"}


def test_aliases_share() -> None:
    assert values("a: &x {b: 1}\nc: *x\nd: [*x]\n") == {"a": {"b": 1}, "c": {"b": 1}, "d": [{"b": 1}]}


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 100_000, "- " * 100_000])
def test_deep_nesting_is_a_limit_and_no_crash(text: str) -> None:
    assert refusal(text).code is Code.YAML_LIMIT


def test_an_alias_bomb_is_a_limit() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30)]
    start = time.process_time()
    assert refusal("\n".join(lines)).code is Code.YAML_LIMIT
    assert time.process_time() - start < 1


def test_aliases_cannot_nest_without_end() -> None:
    lines = ["a0: &a0 [x]", *(f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, 200))]
    assert refusal("\n".join(lines)).code is Code.YAML_LIMIT


def test_an_anchor_inside_itself() -> None:
    problem = refusal("a: &a [*a]\n")
    assert problem.code is Code.YAML_SYNTAX
    assert "inside its own anchor" in problem.message
